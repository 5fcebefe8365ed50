"""Rows that NEW held before the run and that stand for rows of OLD: whether they hold OLD's values.

They are found by their key and compared text by text in every column that the flow fills: those that were
equal when the run found them, and those that it gave OLD's values. Rows that NEW keeps by decision are not
compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.questions import Answer, NotAskable
from tranship.execution.probe.reading import Chunk, Reader
from tranship.execution.probe.typed_rows import ask, json_rows, typed
from tranship.execution.probe.within import lookups_of
from tranship.execution.proof.naming import Listing
from tranship.execution.proof.new_rows import Runs
from tranship.model.difference import Difference, DifferenceKind, RowsBefore
from tranship.model.expression import Coalesce, Constant, MapValues, NewDefault, Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.verdict import Held, HeldAs
from tranship.planning.plan.found import filled_columns, found_by
from tranship.server.snapshot import Snapshot
from tranship.sql.new.existing import compared_part
from tranship.sql.new.given_rows import rows_query
from tranship.sql.new.matched_key import matched_key

_OF_ITS_ROW = Take | Constant | NewDefault | MapValues | Coalesce
"""Expressions that read nothing but OLD's row."""
_COMPARED = (HeldAs.ALREADY_THERE, HeldAs.UPDATED)


class BeforeResult(NamedTuple):
    """What was found of them."""

    said: RowsBefore | None
    """None: NEW held none of them."""
    differences: list[Difference]
    anew: frozenset[str] = frozenset()
    """Where those lie in NEW, kept ones included, that others wrote anew since the run began: nobody added
    them.
    """


class OldSince(NamedTuple):
    """What is known of OLD some time after the run."""

    changed: int
    """Further rows, which OLD changed since, so that they cannot be compared."""


class HeldRows(Struct, frozen=True):
    """The rows of one flow."""

    job: Job
    plan: TablePlan
    held: Mapping[Locator, Held]
    runs: Runs
    """Of the table."""
    updated_by: frozenset[int] = frozenset()
    """Transactions, 32 bits, in which other flows gave rows of NEW other values, as their decisions say."""
    since: OldSince | None = None
    """OLD is read as it is now; None: in the run's snapshot."""

    def not_compared(self, why: str) -> RowsBefore | None:
        """Returns that none of them is compared, and why; None: NEW held none."""
        outcomes = Counter(one.outcome for one in self.held.values())
        kept, rows = outcomes[HeldAs.KEPT], sum(outcomes[one] for one in _COMPARED)
        apart = (f"{self.plan.new}: {why}",) if rows else ()
        return RowsBefore(0, kept, rows, apart) if rows + kept else None

    async def compared(self, snapshot: Snapshot, new: asyncpg.Connection) -> BeforeResult:
        """Compares OLD's rows of the run's snapshot with those of NEW, in the caller's transaction there."""
        outcomes = Counter(one.outcome for one in self.held.values())
        kept, rows = outcomes[HeldAs.KEPT], sum(outcomes[one] for one in _COMPARED)
        changed = self.since.changed if self.since is not None else 0
        if not rows + kept + changed:
            return BeforeResult(None, [])
        nothing = BeforeResult(RowsBefore(0, kept, rows + changed, self._apart), [])
        if not rows + kept or not self._columns[0]:
            return nothing
        found = _Found()
        try:
            async with snapshot.reader(self.plan.zone) as old:
                reader = Reader(self.job, self.plan, old, new, lookups_of(self.job), {})
                await self._read(reader, found)
        except NotAskable:
            return nothing
        said = RowsBefore(found.compared, kept, rows - found.compared + changed, self._apart)
        return BeforeResult(said, found.listing.all, frozenset(found.anew))

    @property
    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Returns a key of NEW, empty without one that can be told, and the columns that are compared."""
        key, columns = self._key_and_filled
        following = self._following
        known = not following & {*key}
        return key if known else (), tuple(name for name in columns if name not in following)

    @property
    def _apart(self) -> tuple[str, ...]:
        columns = (name for name in self._key_and_filled[1] if name in self._following)
        return tuple(f"{self.plan.new}.{name} (its values follow other rows)" for name in columns)

    @property
    def _following(self) -> frozenset[str]:
        """The columns whose values follow other rows than OLD's row, which may be others by now."""
        if self.since is None:
            return frozenset()
        return frozenset(m.column for m in self.plan.columns if not isinstance(m.expression, _OF_ITS_ROW))

    @property
    def _key_and_filled(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        existing, filled = self.plan.shape.existing, filled_columns(self.plan)
        if existing is not None:
            by = found_by(existing, self.plan, self.job.new)
            return by.key, by.compared
        keys = sorted(self.job.after(self.plan).keys, key=lambda one: (not one.primary, one.name))
        own = (one.columns for one in keys if set(one.columns) <= set(filled))
        return next(own, ()), filled

    async def _read(self, reader: Reader, found: _Found) -> None:
        """Enters the rows that differ, and how many were compared."""
        key, columns = self._columns
        question = typed(self.job, self.plan, {*key, *columns}, written=True)
        matched = matched_key(self.job.after(self.plan), key)
        query = rows_query(question.rows, [compared_part(question.rows, matched, columns)])
        rows = sorted(row for row, one in self.held.items() if one.outcome in (*_COMPARED, HeldAs.KEPT))
        async for chunk in reader.chosen(rows, question.positions):
            given = json_rows(chunk, question.positions, range(len(chunk.rows)))
            answers = {one.row: one for one in await ask(reader, query, given) if one.kind == "compared"}
            found.anew += filter(None, map(self._anew, answers.values()))
            found.listing.add(self._differences(chunk, answers))
            found.compared += sum(self.held[row].outcome in _COMPARED for row in chunk.rows)

    def _anew(self, answer: Answer) -> str | None:
        """Returns where NEW's row of an answer lies, if others wrote it since the run began."""
        place = answer.detail[1] if isinstance(answer.detail, list) else None
        return place if self.runs.by_others(int(answer.which)) else None

    def _differences(self, chunk: Chunk, answers: Mapping[int, Answer]) -> Iterator[Difference]:
        """Yields the rows that NEW lacks, or that hold other values in some columns."""
        (key, columns), table = self._columns, str(self.plan.new)
        places = {mapping.column: n for n, mapping in enumerate(self.plan.columns)}
        for n, row in enumerate(chunk.rows):
            if self.held[row].outcome is HeldAs.KEPT:
                continue
            named = {name: chunk.texts[places[name]][n] for name in key}
            answer = answers.get(n)
            if answer is None:
                yield Difference(table, DifferenceKind.MISSING, named)
                continue
            xid, wrong = int(answer.which), _positions(answer)
            if wrong and xid not in self.updated_by:
                differing = tuple(columns[at] for at in wrong)
                # The run found it equal: somebody else changed it, unless the run itself wrote it.
                others = xid not in self.runs.mine
                yield Difference(table, DifferenceKind.CHANGED, named, differing, by_others=others)


class _Found:
    """What is found while rows are read."""

    def __init__(self) -> None:
        self.compared = 0
        self.listing = Listing()
        self.anew: list[str] = []


def _positions(answer: Answer) -> list[int]:
    """Returns the positions of the columns in which a row of NEW has other texts."""
    listed = answer.detail[0] if isinstance(answer.detail, list) else None
    return [int(at) for at in listed.split(",")] if listed else []
