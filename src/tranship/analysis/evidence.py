"""What the data say about open questions: asked read-only on both servers, each question and all of them within a time limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import asyncpg
from msgspec.structs import replace

from tranship.analysis.asker import Asker
from tranship.analysis.key_evidence import references
from tranship.analysis.refused_values import refusals
from tranship.model.catalog import Catalog, Table
from tranship.model.change import Comparison
from tranship.model.evidence import (
    Breaks,
    ColumnFacts,
    Demand,
    Evidence,
    LookupFacts,
    LookupQuestion,
    Misfits,
    NumberFacts,
    RefusalQuestion,
    Refusals,
    TrialFacts,
    TrialQuestion,
    ValueCount,
)
from tranship.model.names import ColumnRef, Side
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import Observed, observed_in
from tranship.planning.deciding.data_questions import (
    DataQuestions,
    MisfitQuestion,
    data_questions,
    early_questions,
    foresee,
)
from tranship.planning.deciding.suggest import trial_questions
from tranship.planning.deciding.suggest.constants import constant
from tranship.planning.matching.scope import Scope
from tranship.server.session import pin
from tranship.sql import evidence as sql

_Facts = TypeVar("_Facts", ColumnFacts, NumberFacts)

_LISTED = 200
"""Distinct values that are kept of a column."""
_LOOKED_UP = 5000
"""Distinct values that are looked up in a lookup table."""
_COUNTS = ("distinct", "found", "rows", "rows_found", "ambiguous")
_READ_WHOLE = 256 * 1024 * 1024
"""Bytes of a table up to which every row is read."""


async def gather(
    old_conn: asyncpg.Connection,
    new_conn: asyncpg.Connection,
    old: Catalog,
    new: Catalog,
    scope: Scope,
    *,
    probe_seconds: float,
    background: Background = NOTHING_KNOWN,
) -> Evidence:
    """Ask both servers about everything that the comparison of the catalogs leaves open.

    The connections are pinned here and hold no transaction. ``probe_seconds`` bounds all questions together; what is not asked is said.
    """
    await pin(old_conn, Side.OLD, datestyle=_datestyle(new), search_path="")
    await pin(new_conn, Side.NEW, datestyle=_datestyle(new), search_path="")
    gathering = _Gathering(
        {Side.OLD: old_conn, Side.NEW: new_conn}, {Side.OLD: old, Side.NEW: new}, probe_seconds
    )
    first = foresee(old, new, scope, background=background).comparison
    early = await gathering.early(early_questions(first, old, new))
    observed = observed_in(early)
    comparison = compare(old, new, first.matching, observed=observed)
    evidence = await gathering.answers(data_questions(comparison, old, new, observed), early)
    trials = [await gathering.trial(question) for question in trial_questions(comparison, old, new, evidence)]
    breaks = [await gathering.breaks(note.demand) for note in comparison.notes if note.demand is not None]
    return replace(
        evidence,
        trials=tuple(facts for facts in trials if facts is not None),
        breaks=tuple(facts for facts in breaks if facts is not None),
        not_asked=gathering.not_asked,
    )


async def gather_observed(
    old_conn: asyncpg.Connection,
    new_conn: asyncpg.Connection,
    old: Catalog,
    new: Catalog,
    comparison: Comparison,
    *,
    probe_seconds: float,
) -> tuple[Observed, tuple[str, ...]]:
    """What the data say where the class of a change turns on them, and what was not asked in time."""
    questions = early_questions(comparison, old, new)
    if not questions.references and not questions.meanings:
        return Observed(), ()
    await pin(old_conn, Side.OLD, datestyle=_datestyle(new), search_path="")
    await pin(new_conn, Side.NEW, datestyle=_datestyle(new), search_path="")
    gathering = _Gathering(
        {Side.OLD: old_conn, Side.NEW: new_conn}, {Side.OLD: old, Side.NEW: new}, probe_seconds
    )
    return observed_in(await gathering.early(questions)), gathering.not_asked


def _datestyle(new: Catalog) -> str:
    return f"ISO, {new.datestyle.split(', ')[-1]}"


class _Gathering:
    """One round of questions with its clock."""

    def __init__(
        self, conns: Mapping[Side, asyncpg.Connection], catalogs: Mapping[Side, Catalog], seconds: float
    ) -> None:
        self._catalogs = catalogs
        self._asker = Asker(conns, seconds)
        self._counted: dict[tuple[Side, ColumnRef], tuple[ColumnFacts, tuple[ValueCount, ...]]] = {}

    @property
    def not_asked(self) -> tuple[str, ...]:
        """What was left without an answer, each once."""
        return self._asker.not_asked

    async def early(self, questions: DataQuestions) -> Evidence:
        """Undeclared foreign keys, and what the columns hold whose meaning is in doubt: what decides the class of a change comes first."""
        percents = {q.column: self._percent_of(q.column) for q in questions.references}
        found = await references(self._asker, self._catalogs[Side.OLD], questions.references, percents)
        numbers, there = dict[ColumnRef, NumberFacts | None](), dict[ColumnRef, NumberFacts | None]()
        values, values_there = dict[ColumnRef, ColumnFacts | None](), dict[ColumnRef, ColumnFacts | None]()
        unanswered: list[ColumnRef] = []
        for becomes in (q.becomes for q in questions.references if q.becomes is not None):
            values_there[becomes] = await self._column(becomes, Side.NEW)
        for question in questions.meanings:
            before = self._asker.failures
            if question.numbers:
                held = there[question.new] = await self._numbers(Side.NEW, question.new)
                if not question.beside or (held is not None and held.rows):
                    numbers[question.old] = await self._numbers(Side.OLD, question.old)
            else:
                values[question.old] = await self._column(question.old)
                values_there[question.new] = await self._column(question.new, Side.NEW)
            if self._asker.failures > before:
                unanswered.append(question.old)
        return Evidence(
            columns=_known(values),
            there=_known(values_there),
            numbers=_known(numbers),
            numbers_there=_known(there),
            references=found,
            unanswered=tuple(dict.fromkeys(unanswered)),
        )

    def _percent_of(self, ref: ColumnRef) -> float | None:
        table = self._table(Side.OLD, ref)
        return _percent(table) if table is not None else None

    async def answers(self, questions: DataQuestions, early: Evidence) -> Evidence:
        """All other questions in their order, with what the early ones said."""
        columns = {facts.column: facts for facts in early.columns} | {
            ref: await self._column(ref) for ref in questions.columns
        }
        there = {facts.column: facts for facts in early.there} | {
            ref: await self._column(ref, Side.NEW) for ref in questions.there
        }
        lookups = [await self._lookup(question) for question in questions.lookups]
        misfits = [await self._misfits(question) for question in questions.misfits]
        refused = [await self._refusals(question) for question in questions.refusals]
        return replace(
            early,
            columns=_known(columns),
            there=_known(there),
            lookups=tuple(facts for facts in lookups if facts is not None),
            misfits=tuple(facts for facts in misfits if facts is not None),
            refusals=tuple(facts for facts in refused if facts is not None),
        )

    async def trial(self, question: TrialQuestion) -> TrialFacts | None:
        """Whether an expression does for every old row; what the server refuses is an answer, too."""
        table = self._catalogs[Side.OLD].table(question.table)
        if table is None:
            return None
        percent = _percent(table)
        text = sql.trial(table, question.sql, question.fits, question.shown, percent)
        refused: list[asyncpg.PostgresError] = []
        rows = await self._asker.ask(
            Side.OLD, f"whether {question.sql} does for {question.table}", text, refused=refused
        )
        if refused:
            return TrialFacts(question, 0, 0, failed=True, sampled=percent is not None)
        if not rows:
            return None
        row = rows[0]
        counts = [int(str(row[name])) for name in ("rows", "fitting", "results")]
        examples = row["examples"]
        shown = tuple(map(str, examples)) if isinstance(examples, list) else ()
        return TrialFacts(question, counts[0], min(counts[1:]), shown, sampled=percent is not None)

    def _table(self, side: Side, ref: ColumnRef) -> Table | None:
        return self._catalogs[side].table(ref.table)

    async def _column(self, ref: ColumnRef, side: Side = Side.OLD) -> ColumnFacts | None:
        counted = await self._values(ref, side)
        return counted[0] if counted is not None else None

    async def _numbers(self, side: Side, ref: ColumnRef) -> NumberFacts | None:
        table = self._table(side, ref)
        if table is None or (side is Side.NEW and not table.pages):
            return None
        percent = _percent(table)
        rows = await self._asker.ask(side, f"magnitudes of {ref}", sql.magnitudes(table, ref.column, percent))
        return _magnitudes(ref, rows[0], sampled=percent is not None) if rows else None

    async def _values(
        self, ref: ColumnRef, side: Side = Side.OLD
    ) -> tuple[ColumnFacts, tuple[ValueCount, ...]] | None:
        """The facts of a column, and as many distinct values as lookups want; None of NEW's where the table holds nothing."""
        if (side, ref) in self._counted:
            return self._counted[side, ref]
        table = self._table(side, ref)
        if table is None or (side is Side.NEW and not table.pages):
            return None
        percent = _percent(table)
        text = sql.distinct_values(table, ref.column, percent, _LOOKED_UP)
        rows = await self._asker.ask(side, f"values of {ref}", text)
        if rows is None:
            return None
        self._counted[side, ref] = _counted(ref, rows, sampled=percent is not None)
        return self._counted[side, ref]

    async def _composite(self, question: LookupQuestion) -> LookupFacts | None:
        """A lookup by several columns, answered by OLD in one statement."""
        table, owner = self._table(Side.OLD, question.old), self._catalogs[Side.OLD].table(question.table)
        if table is None or owner is None:
            return None
        percent = _percent(table)
        text = sql.composite_coverage(
            table, question.old_columns, owner, question.key_columns, question.value_column, percent
        )
        rows = await self._asker.ask(
            Side.OLD, f"lookup of {', '.join(question.old_columns)} of {table.name} in {owner.name}", text
        )
        if not rows:
            return None
        distinct, found, whole, rows_found, ambiguous = (int(str(rows[0][name])) for name in _COUNTS)
        return LookupFacts(question, distinct, found, whole, rows_found, ambiguous, complete=percent is None)

    async def _lookup(self, question: LookupQuestion) -> LookupFacts | None:
        if question.key_columns:
            return await self._composite(question)
        counted = await self._values(question.old)
        table = self._catalogs[question.side].table(question.table)
        if counted is None or table is None:
            return None
        facts, values = counted
        what = f"lookup of {question.old} in {question.table}"
        text = sql.coverage(table, question.key_column, question.value_column)
        rows = await self._asker.ask(question.side, what, text, [value.value for value in values])
        if rows is None:
            return None
        hits = {str(row["value"]): int(str(row["results"])) for row in rows}
        found = [value for value in values if hits.get(value.value, 0) > 0]
        missing = tuple(value.value for value in values if not hits.get(value.value, 0))[:_LISTED]
        inserts = (
            sql.insert_missing(table, question.key_column, missing, self._constants(table))
            if question.side is Side.NEW
            else ()
        )
        return LookupFacts(
            question=question,
            distinct=len(values),
            found=len(found),
            rows=sum(value.rows for value in values),
            rows_found=sum(value.rows for value in found),
            ambiguous=sum(1 for value in found if hits[value.value] > 1),
            missing=missing,
            complete=not facts.sampled
            and len(values) == facts.distinct
            and facts.longest <= sql.LONGEST_SHOWN,
            inserts=inserts,
        )

    def _constants(self, table: Table) -> dict[str, str]:
        """What a new row of a lookup table may hold, by column."""
        found = {
            column.name: constant(table, column, self._catalogs[Side.NEW], None) for column in table.columns
        }
        return {name: one.value for name, one in found.items() if one is not None}

    async def _misfits(self, question: MisfitQuestion) -> Misfits | None:
        table = self._table(Side.OLD, question.old)
        if table is None:
            return None
        percent, column = _percent(table), question.old.column
        if question.length is not None:
            text = sql.longer_than(table, column, question.length, percent)
        else:
            text = sql.outside_of(table, column, question.low, question.high, percent)
        rows = await self._asker.ask(Side.OLD, f"values of {question.old} that do not fit", text)
        return (
            Misfits(
                question.old, question.new, int(str(rows[0]["count"])), question.what, percent is not None
            )
            if rows
            else None
        )

    async def _refusals(self, question: RefusalQuestion) -> Refusals | None:
        table = self._table(Side.OLD, question.old)
        if table is None:
            return None
        zone = self._catalogs[Side.OLD].timezone
        return await refusals(self._asker, table, question, zone, _percent(table))

    async def breaks(self, demand: Demand) -> Breaks | None:
        """How many old rows break a new constraint; equal ones are not looked for in a table too large to be read whole."""
        table = self._catalogs[Side.OLD].table(demand.table)
        target = self._catalogs[Side.OLD].table(demand.target) if demand.target is not None else None
        if table is None:
            return None
        percent = _percent(table)
        match demand.kind:
            case "null":
                text = sql.holding_null(table, demand, percent)
            case "check":
                text = sql.breaking_check(table, demand, percent)
            case "unique" if percent is None:
                text = sql.repeated(table, demand)
            case "reference" if target is not None:
                text = sql.without_parent(table, demand, target, percent)
            case _:
                return None
        names = ", ".join(new for _, new in demand.columns)
        rows = await self._asker.ask(
            Side.OLD, f"rows of {demand.table} that break the new constraint on ({names})", text
        )
        return Breaks(demand, int(str(rows[0]["count"])), percent is not None) if rows else None


def _known(facts: Mapping[ColumnRef, _Facts | None]) -> tuple[_Facts, ...]:
    return tuple(one for one in facts.values() if one is not None)


def _magnitudes(ref: ColumnRef, row: Mapping[str, object], *, sampled: bool) -> NumberFacts:
    rows, nonzero, fractional = (int(str(row[name])) for name in ("rows", "nonzero", "fractional"))
    lowest, median, highest = (
        None if row[name] is None else float(str(row[name])) for name in ("lowest", "median", "highest")
    )
    return NumberFacts(ref, rows, nonzero, fractional, lowest, median, highest, sampled)


def _percent(table: Table) -> float | None:
    """The part of a large table's pages that is read; None: all of them."""
    return 100 * _READ_WHOLE / table.bytes if table.bytes > _READ_WHOLE else None


def _counted(
    ref: ColumnRef, rows: Sequence[Mapping[str, object]], *, sampled: bool
) -> tuple[ColumnFacts, tuple[ValueCount, ...]]:
    total = int(str(rows[0]["rows"])) if rows else 0
    distinct = int(str(rows[0]["distinct"])) if rows else 0
    longest = int(str(rows[0]["longest"] or 0)) if rows else 0
    nulls = sum(int(str(row["n"])) for row in rows if row["v"] is None)
    values = tuple(_listed(rows))
    short = values[:_LISTED] if longest <= sql.LONGEST_SHOWN else ()
    if len(short) == distinct:
        short = tuple(sorted(short, key=lambda counted: (-counted.rows, counted.value)))
    complete = not sampled and len(short) == distinct
    return ColumnFacts(ref, total, nulls, distinct, short, complete, sampled, longest), values


def _listed(rows: Sequence[Mapping[str, object]]) -> Iterator[ValueCount]:
    kept = [row for row in rows if row["v"] is not None][:_LOOKED_UP]
    return (ValueCount(str(row["v"]), int(str(row["n"]))) for row in kept)
