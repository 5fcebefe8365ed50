"""The second opinion: what rows of OLD become, computed in Python, beside what NEW holds under their keys.

Looked at are rows at the edges of every column (least, greatest, NULL, empty, longest, each mapped value),
the neighbours of rejected rows, and rows drawn by a hash. In a large table the edges are those of a part of
its pages, so that the time does not grow with it.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.proof.one_reader import OneReader
from tranship.model.builtin_types import BUILTINS, Family
from tranship.model.catalog import Column, Table
from tranship.model.difference import Difference, DifferenceKind, SecondOpinion
from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.names import Side
from tranship.model.plan import TablePlan
from tranship.planning.opinion.rows import REFUSED, Computable, Entries, Opinion, Part, opinion_of
from tranship.planning.opinion.texts import Refused, Unsure
from tranship.sql import ctid
from tranship.sql import second_opinion as sql

EDGE_ROWS = 500_000
"""Rows among which edges are looked for; of a larger table they are those of some pages."""
EDGE_CELLS = 5_000_000
"""Values among which they are looked for, of a table with many columns: about two seconds of OLD."""
DRAWN = 200
"""Rows that are drawn, from the pages of ``POOL`` rows. Of a table with so few rows all are looked at."""
POOL = 4_000
NEIGHBOURS = 100
"""Rejected rows whose neighbours are looked at."""
MOST_HEAPS = 16
"""Partitions of one table that are looked at, evenly spread."""
MOST_EDGES = 100
"""Columns whose edges one statement asks for: each has up to a hundred mapped values, and a target list at
most 1 664 entries.
"""
_NOT_ANSWERED = (
    asyncpg.DataError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.OutOfMemoryError,
    asyncpg.CheckViolationError,
)
"""What a server raises for a statement of this module where a type, a right or a filter is unusual."""


Expected = Mapping[str, str | type[Unsure] | None]
"""What NEW should hold of a row, by column; ``Unsure`` where that is not known."""

Held = Mapping[str, str | type[Unsure] | None] | None
"""What NEW holds of a row, by column; None: it has no such row."""
_UNLIKE = ("SQL_ASCII", "EUC_JIS_2004")
"""Encodings of a database that counts the characters of a text otherwise than Python: as bytes, or two code
points as one.
"""


class OpinionResult(NamedTuple):
    """What was computed, and what differs."""

    said: SecondOpinion
    differences: tuple[Difference, ...] = ()


def none_of(plan: TablePlan, why: str) -> OpinionResult:
    """Returns that nothing of a flow was computed, and why."""
    return OpinionResult(SecondOpinion(apart=(f"{plan.flow}: {why}",)))


class Compare(Struct, frozen=True):
    """What is compared."""

    job: Job
    plan: TablePlan
    rows: int
    """Rows of the flow."""
    gone: Collection[Locator]
    """Rows of it that the run did not add to NEW."""
    lookups_kept: frozenset[Side] = frozenset(Side)
    """The databases whose tables in which values are looked up hold what they held when rows were copied."""
    unchanged: tuple[str, ...] = ()
    """SQL conditions of the rows of OLD that nobody wrote since the run; empty: its snapshot is read."""
    updated_by: frozenset[int] = frozenset()
    """Transactions, 32 bits, in which other flows gave rows of NEW other values, as their decisions say."""

    @property
    def _after(self) -> Table:
        return self.job.after(self.plan)

    async def result(self, reader: OneReader, new: asyncpg.Connection) -> OpinionResult:
        """Computes rows of OLD's snapshot and compares them with NEW, in the caller's transaction there."""
        opinion = self._opinion()
        key = self._key(opinion)
        unlike = [db.encoding for db in (self.job.old, self.job.new) if db.encoding in _UNLIKE]
        if not opinion.columns:
            return OpinionResult(SecondOpinion(apart=opinion.apart))
        if unlike or not key:
            return none_of(self.plan, f"a database is {unlike[0]}" if unlike else self._why_no_key(opinion))
        try:
            old = await reader.on(self.plan.zone)
            rows = await self._old_rows(old, opinion)
            written = await self._written_since(old)
            looked_up = await self._entries(opinion, rows, old, new)
            found = await self._compared(new, opinion, key, _expected(opinion, rows, looked_up))
            return _beside(found, written)
        except _NOT_ANSWERED as error:
            await reader.close()
            # Not its text, which may hold values of rows.
            apart = (f"{self.plan.flow}: a server raised {error.sqlstate}", *opinion.apart)
            return OpinionResult(SecondOpinion(apart=apart))

    def _opinion(self) -> Opinion:
        told = opinion_of(self.plan, self.job.before(self.plan), self._lookup_tables(), self._recast())
        return told.without_lookups(self.plan, self.lookups_kept).without(self.plan, self._retyped())

    def _retyped(self) -> frozenset[str]:
        """Returns the columns of NEW that are gone or have another type than when they were written."""
        now = {column.name: column.type.text for column in self._after.columns}
        return frozenset(m.column for m in self.plan.columns if now.get(m.column) != m.type.text)

    def _recast(self) -> frozenset[str]:
        """Returns the types that a user of either database casts to text."""
        casts = (cast.partition(" -> ") for cast in (*self.job.old.casts, *self.job.new.casts))
        own = frozenset(source for source, _, target in casts if target == "text")
        # A cast of a built-in type serves programs of versions before 8.3, and prints as the type does.
        return own - {row.printed for row in BUILTINS.values()}

    def _lookup_tables(self) -> dict[int, Table]:
        found = dict[int, Table]()
        for position, mapping in enumerate(self.plan.columns):
            if isinstance(mapping.expression, Lookup):
                catalog = self.job.new if mapping.expression.side is Side.NEW else self.job.old
                table = catalog.table(mapping.expression.table)
                if table is not None:
                    found[position] = table
        return found

    def _key(self, opinion: Opinion) -> tuple[Computable, ...]:
        """Returns the columns of NEW's key; empty: it has none that can be computed and compared by text."""
        known, names = _finding(opinion), self._after.order_key
        return tuple(known[name] for name in names) if names and set(names) <= set(known) else ()

    def _why_no_key(self, opinion: Opinion) -> str:
        """Returns why no row of NEW can be found by a key."""
        names = self._after.order_key
        if not names:
            return "NEW has neither a primary key nor a unique key without NULL by which a row could be found"
        lacking = [name for name in names if name not in _finding(opinion)]
        computed = {one.name for one in opinion.columns}.issuperset(lacking)
        how = "does not find rows by the text of" if computed else "does not compute"
        return f"a row is found by its key ({', '.join(names)}), and Python {how} {', '.join(lacking)}"

    async def _old_rows(self, old: asyncpg.Connection, opinion: Opinion) -> list[Mapping[Part, str | None]]:
        """Returns the texts of the rows that are looked at."""
        parts = list(dict.fromkeys(part for one in opinion.columns for part in one.parts))
        found = list[Mapping[Part, str | None]]()
        percent = min(100.0, 100.0 * min(EDGE_ROWS, EDGE_CELLS / max(len(parts), 1)) / max(self.rows, 1))
        for number in _spread(len(self.plan.sources)):
            read = sql.OldRead(self.plan, self.plan.sources[number], percent, self.unchanged)
            some = self.rows > DRAWN or read.source.only is not None
            ids = await self._chosen(old, read, number, opinion) if some else None
            texts = await old.fetch(sql.old_texts(read, parts, ids)) if ids != [] else []
            found += [
                dict(zip(parts, row["v"], strict=True))
                for row in texts
                if Locator(number, ctid.parse(row["id"])) not in self.gone
            ]
        return found

    async def _written_since(self, old: asyncpg.Connection) -> str:
        """Returns how many rows, of those among which edges are looked for, OLD wrote since; empty: none."""
        if not self.unchanged:
            return ""
        percent, number = min(100.0, 100.0 * EDGE_ROWS / max(self.rows, 1)), 0
        for heap in _spread(len(self.plan.sources)):
            read = sql.OldRead(self.plan, self.plan.sources[heap], percent, self.unchanged)
            number += await old.fetchval(sql.others_than(read))
        among = "" if percent == 100 else f" in {percent:.1g} % of its pages"
        return f"{self.plan.flow}: rows{among} written in OLD since the run: {number}" if number else ""

    async def _chosen(
        self, old: asyncpg.Connection, read: sql.OldRead, number: int, opinion: Opinion
    ) -> list[str]:
        """Returns the ctids of the rows of one heap that are looked at."""
        if read.source.only is not None:
            return [f"({page},{line})" for page, line in read.source.only[: 10 * DRAWN]]
        ids = dict.fromkeys(_neighbours(row for row in self.gone if row.source == number))
        edges = list(self._edges(opinion))
        for first in range(0, len(edges), MOST_EDGES):
            row = await old.fetchrow(sql.edge_rows(read, edges[first : first + MOST_EDGES]))
            ids |= dict.fromkeys(id_ for id_ in row["ids"] if id_ is not None)
        percent = min(100.0, 100.0 * POOL / max(self.rows, 1))
        ids |= dict.fromkeys(row["id"] for row in await old.fetch(sql.drawn_rows(read, percent, DRAWN)))
        return list(ids)

    def _edges(self, opinion: Opinion) -> Iterator[sql.Edge]:
        """Yields the old columns that are read, each with the values that mappings name."""
        before = self.job.before(self.plan)
        mapped = dict[str, dict[str, None]]()
        for one in opinion.columns:
            for part in one.parts:
                mapped.setdefault(part.column, {}).update(dict.fromkeys(one.mapped[:MOST_EDGES]))
        for name, keys in mapped.items():
            column = before.column(name)
            if column is not None:
                yield sql.Edge(column, tuple(keys))

    async def _entries(
        self,
        opinion: Opinion,
        rows: Sequence[Mapping[Part, str | None]],
        old: asyncpg.Connection,
        new: asyncpg.Connection,
    ) -> dict[str, Entries]:
        """Returns, by column of NEW, what its lookup's table holds for these rows."""
        found = dict[str, Entries]()
        for one in (one for one in opinion.columns if one.lookup is not None):
            keys = {tuple(text for part in one.parts if (text := row[part]) is not None) for row in rows}
            whole = sorted(key for key in keys if len(key) == len(one.parts))
            if one.lookup is not None and whole:
                found[one.name] = await self._looked_up(one.lookup, whole, old, new)
        return found

    async def _looked_up(
        self,
        lookup: Lookup,
        keys: Sequence[tuple[str, ...]],
        old: asyncpg.Connection,
        new: asyncpg.Connection,
    ) -> Entries:
        catalog = self.job.new if lookup.reads_new else self.job.old
        table = catalog.table(lookup.table)
        if table is None:
            return Entries({})
        statement = sql.entries(lookup, table, keys)
        if lookup.reads_new:
            async with new.transaction():
                answer = await new.fetch(statement)
        else:
            answer = await old.fetch(statement)
        values = dict[tuple[str, ...], str | None]()
        twice = set[tuple[str, ...]]()
        for row in answer:
            key = tuple(row["k"])
            if key in values or _cut(row["v"]):
                twice.add(key)
            values[key] = row["v"]
        return Entries(values, frozenset(twice))

    async def _compared(
        self, new: asyncpg.Connection, opinion: Opinion, key: Sequence[Computable], rows: Sequence[Expected]
    ) -> OpinionResult:
        """Compares computed rows with those of NEW that have their keys."""
        known = [row for row in rows if _named(row, key)]
        pairs = zip(known, await self._rows_of_new(new, opinion, key, known), strict=True)
        held = [(row, _held(opinion, there)) for row, there in pairs if self._of_run(there)]
        found = tuple(self._difference(key, row, there) for row, there in held if _differ(row, there))
        return OpinionResult(SecondOpinion(len(held), _cells(row for row, _ in held), opinion.apart), found)

    async def _rows_of_new(
        self, new: asyncpg.Connection, opinion: Opinion, key: Sequence[Computable], rows: Sequence[Expected]
    ) -> list[asyncpg.Record | None]:
        """Returns the rows of NEW that have the keys of computed rows, None where there is none."""
        columns, named = ([self._column(one) for one in some] for some in (opinion.columns, key))
        keys = [[row[one.name] for row in rows] for one in key]
        async with new.transaction():
            found = await new.fetch(sql.new_texts(self._after, columns, named), *keys)
        answer = {row["n"]: row for row in found}
        return [answer.get(number) for number in range(1, len(rows) + 1)]

    def _of_run(self, found: asyncpg.Record | None) -> bool:
        """Returns whether no other flow gave a row of NEW other values; None: NEW has no such row."""
        return found is None or found["xid"] not in self.updated_by

    def _difference(self, key: Sequence[Computable], row: Expected, held: Held) -> Difference:
        """Returns that a row is missing, or holds other values in some columns."""
        table, named = str(self.plan.new), {one.name: _key_text(one, row) for one in key}
        if held is None:
            return Difference(table, DifferenceKind.MISSING, named)
        wrong = _differ(row, held)
        due, there = (tuple(_shown(side[name]) for name in wrong) for side in (row, held))
        return Difference(table, DifferenceKind.CHANGED, named, wrong, due, there)

    def _column(self, one: Computable) -> Column:
        found = self._after.column(one.name)
        if found is None:
            raise ValueError(f"{self._after.name} has no column {one.name}")
        return found


def _beside(result: OpinionResult, what: str) -> OpinionResult:
    """Returns a result that also says what OLD wrote since; empty: nothing."""
    said, more = result.said, filter(None, (what,))
    return result._replace(said=replace(said, apart=(*said.apart, *more), old_written=bool(what)))


def _finding(opinion: Opinion) -> dict[str, Computable]:
    """Returns by name the columns by whose text a row of NEW can be found."""
    by_text = (one for one in opinion.columns if one.type.leaf.family not in (Family.FLOAT, Family.JSON))
    return {one.name: one for one in by_text if one.lookup is None}


def _held(opinion: Opinion, found: asyncpg.Record | None) -> Held:
    """Returns what NEW holds of a row."""
    if found is None:
        return None
    return {one.name: _seen(one, text) for one, text in zip(opinion.columns, found["v"], strict=True)}


def _seen(one: Computable, text: str | None) -> str | type[Unsure] | None:
    try:
        return Unsure if _cut(text) else one.seen(text)
    except Unsure:
        return Unsure


def _cut(text: str | None) -> bool:
    """Returns whether only the beginning of a text was read."""
    return text is not None and len(text) > sql.MOST_CHARACTERS


def _expected(
    opinion: Opinion, rows: Sequence[Mapping[Part, str | None]], looked_up: Mapping[str, Entries]
) -> list[Expected]:
    """Returns what NEW should hold of each row, by column; ``Unsure`` where that is not known."""
    return [
        {one.name: _value(one, row, looked_up.get(one.name, Entries({}))) for one in opinion.columns}
        for row in rows
    ]


def _value(one: Computable, row: Mapping[Part, str | None], entries: Entries) -> str | type[Unsure] | None:
    if any(_cut(row[part]) for part in one.parts):
        return Unsure
    try:
        return one.expected(row, entries)
    except Refused:
        return REFUSED
    # Where Python computes otherwise than thought, nothing is known: a run does not end by it.
    except (Unsure, ValueError, ArithmeticError, RecursionError):
        return Unsure


def _named(row: Expected, key: Sequence[Computable]) -> bool:
    """Returns whether the key of a row is known."""
    return all(isinstance(row[one.name], str) and row[one.name] != REFUSED for one in key)


def _key_text(one: Computable, row: Expected) -> str | None:
    """Returns a key's value as the comparison by sums names it: moments without the offset, in UTC."""
    text = _shown(row[one.name])
    moment = one.type.leaf.typname == "timestamptz"
    return text.removesuffix("+00") if text is not None and moment else text


def _cells(rows: Iterable[Expected]) -> int:
    """Returns how many values of rows are known."""
    return sum(value is not Unsure for row in rows for value in row.values())


def _differ(row: Expected, held: Held) -> tuple[str, ...]:
    """Returns the columns in which NEW holds another value; all of a row that it lacks."""
    if held is None:
        return tuple(row)
    return tuple(name for name, due in row.items() if Unsure not in (due, held[name]) and due != held[name])


def _shown(value: str | type[Unsure] | None) -> str | None:
    return None if value is None else str(value)


def _neighbours(gone: Iterable[Locator]) -> Iterator[str]:
    """Yields the places beside the first rows that were not copied."""
    for page, line in (row.address for row in heapq.nsmallest(NEIGHBOURS, gone)):
        yield from (f"({page},{int(line) + step})" for step in (-1, 1) if int(line) + step > 0)


def _spread(heaps: int) -> list[int]:
    """Returns the positions of the heaps that are looked at."""
    if heaps <= MOST_HEAPS:
        return list(range(heaps))
    return [n * heaps // MOST_HEAPS for n in range(MOST_HEAPS)]
