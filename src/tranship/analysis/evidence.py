"""Asks the data of both servers the questions that a comparison of the catalogs leaves open.

Everything is read-only and within a time limit, for each question and for all of them together. The questions
that decide the class of a change come first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import asyncpg
from msgspec.structs import replace

from tranship.analysis.asker import Asker
from tranship.analysis.changed_values import changed_values
from tranship.analysis.key_evidence import references
from tranship.analysis.lookup_evidence import Counted, composite_facts, lookup_facts
from tranship.analysis.refused_values import refusals
from tranship.analysis.sampling import percent_read
from tranship.analysis.shape_evidence import shape_evidence
from tranship.analysis.sides import Connections
from tranship.analysis.standing import extension_rows, left_rows, rows_in_new
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
from tranship.model.names import ColumnRef, Side, TableName
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import Observed, observed_in
from tranship.planning.comparing.other_ids import referred_to
from tranship.planning.deciding.data_questions import (
    DataQuestions,
    MisfitQuestion,
    data_questions,
    early_questions,
    provisional_comparison,
)
from tranship.planning.deciding.shape_questions import shape_questions
from tranship.planning.deciding.suggest import trial_questions
from tranship.planning.deciding.suggest.unsettled import columns_until_agreed
from tranship.planning.matching.scope import Scope
from tranship.server.session import datestyle, pin
from tranship.sql import evidence as sql

_Facts = TypeVar("_Facts")

_LISTED = 200
"""Distinct values of a column that are kept in the changes file."""
_LOOKED_UP = 5000
"""Distinct values of a column that are looked up in one statement. A column with more is not named by a
lookup table.
"""


async def gather(
    open_: Connections,
    old: Catalog,
    new: Catalog,
    scope: Scope,
    *,
    probe_seconds: float,
    background: Background = NOTHING_KNOWN,
) -> Evidence:
    """Returns what both servers answer to everything that the comparison of the catalogs leaves open.

    The connections have no open transaction and are pinned here. ``probe_seconds`` bounds all questions
    together; ``Evidence.not_asked`` names those that have no answer.
    """
    gathering = await _begin(open_, old, new, probe_seconds)
    granted = provisional_comparison(old, new, scope, background=background)
    first = granted.comparison
    early = await gathering.early(early_questions(first, old, new))
    observed = observed_in(early)
    comparison = compare(old, new, first.matching, observed=observed)
    evidence = await gathering.answers(data_questions(comparison, old, new, observed), early)
    questions = shape_questions(comparison, old, new)
    named = [await gathering.lookup(question) for question in questions.named]
    trials = [await gathering.trial(question) for question in trial_questions(comparison, old, new, evidence)]
    granted = replace(granted, comparison=comparison)
    waiting = columns_until_agreed((old, new), scope, granted, (observed, background))
    names = [await gathering.column(ref) for ref in (*questions.names, *waiting)]
    standing = await rows_in_new(gathering.asker, old, new, first.matching)
    breaks = [await gathering.breaks(note.demand) for note in comparison.notes if note.demand is not None]
    return replace(
        evidence,
        columns=(*evidence.columns, *_known(names)),
        shapes=await shape_evidence(gathering.asker, old, questions),
        named=_known(named),
        trials=_known(trials),
        breaks=_known(breaks),
        in_new=standing,
        left_rows=await left_rows(gathering.asker, old, first.matching),
        extension_rows=await extension_rows(gathering.asker, old),
        not_asked=gathering.not_asked,
    )


async def gather_observed(
    open_: Connections,
    old: Catalog,
    new: Catalog,
    comparison: Comparison,
    *,
    probe_seconds: float,
    filled: Container[TableName] = (),
) -> tuple[Observed, tuple[str, ...]]:
    """Returns what the data says where the class of a change depends on it, and the questions that have no
    answer.

    ``filled`` are tables of NEW into which earlier runs wrote: what they hold is no seed.
    """
    questions = early_questions(comparison, old, new)
    seeded = {name for name in referred_to(old, new, comparison.matching) if name not in filled}
    if not questions.references and not questions.meanings and not seeded:
        return Observed(), ()
    gathering = await _begin(open_, old, new, probe_seconds)
    evidence = await gathering.early(questions)
    standing = await rows_in_new(gathering.asker, old, new, comparison.matching, seeded)
    return observed_in(replace(evidence, in_new=standing)), gathering.not_asked


async def gather_columns(
    open_: Connections, old: Catalog, new: Catalog, columns: Iterable[ColumnRef], *, probe_seconds: float
) -> dict[ColumnRef, ColumnFacts]:
    """Returns what columns of OLD hold, as far as there is an answer within the time limit."""
    gathering = await _begin(open_, old, new, probe_seconds)
    return {facts.column: facts for facts in _known([await gathering.column(ref) for ref in columns])}


async def _begin(open_: Connections, old: Catalog, new: Catalog, seconds: float) -> _Gathering:
    style = datestyle(new)
    await asyncio.gather(
        pin(open_.old, Side.OLD, datestyle=style, search_path=""),
        pin(open_.new, Side.NEW, datestyle=style, search_path=""),
    )
    conns = {Side.OLD: open_.old, Side.NEW: open_.new}
    return _Gathering(conns, {Side.OLD: old, Side.NEW: new}, seconds)


class _Gathering:
    """One round of questions with its time limit. A column that several questions are about is read once."""

    def __init__(
        self, conns: Mapping[Side, asyncpg.Connection], catalogs: Mapping[Side, Catalog], seconds: float
    ) -> None:
        self._catalogs = catalogs
        self.asker = Asker(conns, seconds)
        self._counted: dict[tuple[Side, ColumnRef], Counted] = {}

    @property
    def not_asked(self) -> tuple[str, ...]:
        """The questions that have no answer, each once, with the reason."""
        return self.asker.not_asked

    async def early(self, questions: DataQuestions) -> Evidence:
        """Returns undeclared foreign keys, and what columns hold whose meaning is a concern: they decide the
        class of a change.
        """
        percents = {q.column: self._percent_of(q.column) for q in questions.references}
        found = await references(self.asker, self._catalogs[Side.OLD], questions.references, percents)
        numbers, there = dict[ColumnRef, NumberFacts | None](), dict[ColumnRef, NumberFacts | None]()
        values, values_there = dict[ColumnRef, ColumnFacts | None](), dict[ColumnRef, ColumnFacts | None]()
        unanswered: list[ColumnRef] = []
        for becomes in (q.becomes for q in questions.references if q.becomes is not None):
            values_there[becomes] = await self.column(becomes, Side.NEW)
        for question in questions.meanings:
            before = self.asker.failures
            if question.numbers:
                # NEW first: without rows of its own there, OLD's numbers would have nothing beside them.
                held = there[question.new] = await self._numbers(Side.NEW, question.new)
                if not question.beside or (held is not None and held.rows):
                    numbers[question.old] = await self._numbers(Side.OLD, question.old)
            else:
                values[question.old] = await self.column(question.old)
                values_there[question.new] = await self.column(question.new, Side.NEW)
            if self.asker.failures > before:
                unanswered.append(question.old)
        return Evidence(
            columns=_known(values.values()),
            there=_known(values_there.values()),
            numbers=_known(numbers.values()),
            numbers_there=_known(there.values()),
            references=found,
            unanswered=tuple(dict.fromkeys(unanswered)),
        )

    def _percent_of(self, ref: ColumnRef) -> float | None:
        table = self._table(Side.OLD, ref)
        return percent_read(table) if table is not None else None

    async def answers(self, questions: DataQuestions, early: Evidence) -> Evidence:
        """Returns the answers to all other questions, in their order, together with the early ones."""
        columns = {facts.column: facts for facts in early.columns} | {
            ref: await self.column(ref) for ref in questions.columns
        }
        there = {facts.column: facts for facts in early.there} | {
            ref: await self.column(ref, Side.NEW) for ref in questions.there
        }
        lookups = [await self.lookup(question) for question in questions.lookups]
        misfits = [await self._misfits(question) for question in questions.misfits]
        changed = [await changed_values(self.asker, self._catalogs, one) for one in questions.losses]
        refused = [await self._refusals(question) for question in questions.refusals]
        return replace(
            early,
            columns=_known(columns.values()),
            there=_known(there.values()),
            lookups=_known(lookups),
            misfits=_known(misfits),
            changed=tuple(chain.from_iterable(changed)),
            refusals=_known(refused),
        )

    async def trial(self, question: TrialQuestion) -> TrialFacts | None:
        """Returns whether an expression translates every old row. An error about a value is an answer, too;
        which values do not fit is then counted without the expression.
        """
        refused: list[asyncpg.PostgresError] = []
        tried = await self._trial(question, question.sql, refused)
        if not refused:
            return tried
        counted = await self._trial(question, sql.NOT_COMPUTED, [])
        return replace(counted or TrialFacts(question, 0, 0), failed=True)

    async def _trial(
        self, question: TrialQuestion, computed: str, refused: list[asyncpg.PostgresError]
    ) -> TrialFacts | None:
        table = self._catalogs[Side.OLD].table(question.table)
        if table is None:
            return None
        percent = percent_read(table)
        text = sql.trial(table, computed, question.fits, question.shown, percent)
        rows = await self.asker.ask(
            Side.OLD, f"whether {question.sql} does for {question.table}", text, refused=refused
        )
        if not rows:
            return None
        row = rows[0]
        counts = [int(str(row[name])) for name in ("rows", "fitting", "results")]
        examples = row["examples"]
        shown = tuple(map(str, examples)) if isinstance(examples, list) else ()
        return TrialFacts(question, counts[0], min(counts[1:]), shown, sampled=percent is not None)

    def _table(self, side: Side, ref: ColumnRef) -> Table | None:
        return self._catalogs[side].table(ref.table)

    async def column(self, ref: ColumnRef, side: Side = Side.OLD) -> ColumnFacts | None:
        """Returns what a column holds; None where there is no answer."""
        counted = await self._values(ref, side)
        return counted[0] if counted is not None else None

    async def _numbers(self, side: Side, ref: ColumnRef) -> NumberFacts | None:
        table = self._table(side, ref)
        if table is None or (side is Side.NEW and not table.pages):
            return None
        percent = percent_read(table)
        rows = await self.asker.ask(side, f"magnitudes of {ref}", sql.magnitudes(table, ref.column, percent))
        return _magnitudes(ref, rows[0], sampled=percent is not None) if rows else None

    async def _values(self, ref: ColumnRef, side: Side = Side.OLD) -> Counted | None:
        """Returns the facts of a column, and its distinct values as many as are looked up.

        None where there is no answer, and for a table of NEW without pages: it holds nothing yet.
        """
        if (side, ref) in self._counted:
            return self._counted[side, ref]
        table = self._table(side, ref)
        if table is None or (side is Side.NEW and not table.pages):
            return None
        percent = percent_read(table)
        text = sql.distinct_values(table, ref.column, percent, _LOOKED_UP)
        rows = await self.asker.ask(side, f"values of {ref}", text)
        if rows is None:
            return None
        self._counted[side, ref] = _counted(ref, rows, sampled=percent is not None)
        return self._counted[side, ref]

    async def lookup(self, question: LookupQuestion) -> LookupFacts | None:
        """Returns how far a lookup covers an old column; None where there is no answer."""
        if question.key_columns:
            return await composite_facts(self.asker, self._catalogs[Side.OLD], question)
        counted = await self._values(question.old)
        if counted is None:
            return None
        return await lookup_facts(self.asker, self._catalogs, question, counted)

    async def _misfits(self, question: MisfitQuestion) -> Misfits | None:
        table = self._table(Side.OLD, question.old)
        if table is None:
            return None
        percent, column = percent_read(table), question.old.column
        if question.length is not None:
            text = sql.longer_than(table, column, question.length, percent, self._units)
        else:
            text = sql.outside_of(table, column, question.low, question.high, percent)
        rows = await self.asker.ask(Side.OLD, f"values of {question.old} that do not fit", text)
        if not rows:
            return None
        count = int(str(rows[0]["count"]))
        what = question.what(in_bytes=self._units[1])
        return Misfits(question.old, question.new, count, what, percent is not None)

    @property
    def _units(self) -> tuple[bool, bool]:
        """Whether OLD counts the length of a text in bytes, and whether NEW does."""
        return self._catalogs[Side.OLD].counts_bytes, self._catalogs[Side.NEW].counts_bytes

    async def _refusals(self, question: RefusalQuestion) -> Refusals | None:
        table = self._table(Side.OLD, question.old)
        if table is None:
            return None
        zone = self._catalogs[Side.OLD].timezone
        return await refusals(self.asker, table, question, zone, percent_read(table))

    async def breaks(self, demand: Demand) -> Breaks | None:
        """Returns how many old rows break a new constraint; None where there is no answer.

        Equal keys are not searched in a table that is too large to be read whole: a sample misses most of the
        pairs.
        """
        table = self._catalogs[Side.OLD].table(demand.table)
        target = self._catalogs[Side.OLD].table(demand.target) if demand.target is not None else None
        if table is None:
            return None
        percent = percent_read(table)
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
        rows = await self.asker.ask(
            Side.OLD, f"rows of {demand.table} that break the new constraint on ({names})", text
        )
        return Breaks(demand, int(str(rows[0]["count"])), percent is not None) if rows else None


def _known(facts: Iterable[_Facts | None]) -> tuple[_Facts, ...]:
    """Returns the answers without the questions that have none."""
    return tuple(one for one in facts if one is not None)


def _magnitudes(ref: ColumnRef, row: Mapping[str, object], *, sampled: bool) -> NumberFacts:
    rows, nonzero, fractional = (int(str(row[name])) for name in ("rows", "nonzero", "fractional"))
    lowest, median, highest = (
        None if row[name] is None else float(str(row[name])) for name in ("lowest", "median", "highest")
    )
    return NumberFacts(ref, rows, nonzero, fractional, lowest, median, highest, sampled)


def _counted(ref: ColumnRef, rows: Sequence[Mapping[str, object]], *, sampled: bool) -> Counted:
    total = int(str(rows[0]["rows"])) if rows else 0
    distinct = int(str(rows[0]["distinct"])) if rows else 0
    longest = int(str(rows[0]["longest"] or 0)) if rows else 0
    nulls = sum(int(str(row["n"])) for row in rows if row["v"] is None)
    values = tuple(_listed(rows))
    short = values[:_LISTED] if longest <= sql.LONGEST_SHOWN else ()
    # The server's order among equals is by hash, so that a part stands for all; all of them are sorted for
    # people.
    if len(short) == distinct:
        short = tuple(sorted(short, key=lambda counted: (-counted.rows, counted.value)))
    complete = not sampled and len(short) == distinct
    return ColumnFacts(ref, total, nulls, distinct, short, complete, sampled, longest), values


def _listed(rows: Sequence[Mapping[str, object]]) -> Iterator[ValueCount]:
    kept = [row for row in rows if row["v"] is not None][:_LOOKED_UP]
    return (ValueCount(str(row["v"]), int(str(row["n"]))) for row in kept)
