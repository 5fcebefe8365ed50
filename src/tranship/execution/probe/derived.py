"""The rows that this run will put into a table of NEW, computed before they are there.

OLD is asked where it can tell. Otherwise NEW renders the keys, which are kept in memory.

Memory: an index of at most 1 000 000 keys, about 250 bytes each, and only when OLD cannot compute a key
    because
NEW's input converts it, or a mapping or a lookup makes it. Beyond that nothing is predicted, and the
findings of the table say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.lookups import Lookups
from tranship.execution.probe.merged import merged
from tranship.execution.probe.questions import Failure, NotAskable
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import Renderer
from tranship.model.expression import Followed, Lookup, NewDefault
from tranship.model.flow import FlowId
from tranship.model.locator import Locator, Whole
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.progress import Batch
from tranship.sql.canonical import computed_on_old, key_text
from tranship.sql.old.rows import holders
from tranship.sql.row_id import locate

_HELD = 1_000_000


class Holder(Struct, frozen=True):
    """A row of OLD that becomes the row of NEW with some key, unless it is rejected."""

    plan: TablePlan
    row: Locator


class Derived:
    """Computes the keys that the rows of OLD will have in NEW."""

    def __init__(
        self,
        job: Job,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        book: Book,
        pending: Callable[[TableName], bool],
    ) -> None:
        self._job, self._old, self._new, self._book = job, old, new, book
        self._pending = pending
        self.lookups = Lookups(job, self, self, pending)
        self._broken: dict[FlowId, dict[Locator, Failure]] = {}
        self._indexes: dict[tuple[FlowId, tuple[ColumnMapping, ...]], dict[str, list[Locator]]] = {}
        self._merged_rows: dict[FlowId, AbstractSet[Locator]] = {}

    def over(self, old: asyncpg.Connection, new: asyncpg.Connection) -> Derived:
        """Returns the same over other connections of the same snapshot, with what is known so far."""
        other = Derived(self._job, old, new, self._book, self._pending)
        other._indexes, other._merged_rows = self._indexes, self._merged_rows
        other._broken = self._broken
        return other

    @cached_property
    def of_all_rows(self) -> Derived:
        """The same over all rows of OLD's tables, of which a rejects-only run moves some; those that it does
        not move are in NEW already.
        """
        whole = self._job.unrestricted
        return self if whole is self._job else Derived(whole, self._old, self._new, self._book, self._pending)

    def reader(self, plan: TablePlan) -> Reader:
        """Returns a reader of a plan's rows with all its lookups bound."""
        return Reader(
            self._job, plan, self._old, self._new, self.lookups, self._broken.setdefault(plan.flow, {})
        )

    async def holders(
        self, flows: Sequence[TablePlan], columns: tuple[str, ...], keys: Sequence[str]
    ) -> Mapping[str, Sequence[Holder]]:
        """Returns the rows of some flows, rejected ones included, that will have each of some canonical keys.

        Raises:
            NotAskable: the keys cannot be known before NEW has them.
        """
        found: dict[str, list[Holder]] = {}
        for plan in flows:
            for key, row in await self._rows(plan, columns, keys):
                found.setdefault(key, []).append(Holder(plan, row))
        return found

    async def survivors(
        self, flows: Sequence[TablePlan], columns: tuple[str, ...], keys: Sequence[str]
    ) -> set[str]:
        """Returns the keys that a row of some flows will have in NEW.

        Raises:
            NotAskable: the keys cannot be computed.
        """
        found = await self.holders(flows, columns, keys)
        absent = {plan.flow: self._book.absent(plan.flow, columns) for plan in flows}
        return {key for key, rows in found.items() if any(h.row not in absent[h.plan.flow] for h in rows)}

    async def standing(
        self, flows: Sequence[TablePlan], columns: tuple[str, ...], keys: Sequence[str]
    ) -> set[str]:
        """Returns the same of all rows of OLD, those included that earlier runs moved.

        Raises:
            NotAskable: the keys cannot be computed.
        """
        return await self.of_all_rows.survivors([flow.unrestricted for flow in flows], columns, keys)

    async def values(
        self, lookup: Lookup, keys: Sequence[str], *, added: bool = False
    ) -> Mapping[str, str | None] | None:
        """Returns the value of a lookup by canonical key among the rows of this run.

        None stands for a value that NEW's server will make (``Lookups.unknowable``). A row that is merged
        into another one is no entry. ``added``: rows that NEW holds already do not count.
        """
        fillers = self._job.fillers(lookup.table)
        try:
            found = await self.holders(fillers, lookup.keys, keys)
        except NotAskable:
            return None
        values: dict[str, str | None] = {}
        for plan in fillers:
            gone = self._book.not_copied(plan.flow) if added else self._book.absent(plan.flow)
            own = [(h.row, key) for key, rows in found.items() for h in rows if h.plan == plan]
            rows = {row: key for row, key in own if row not in gone}
            values |= await self._values_of(plan, rows, lookup.value)
        return values

    async def within(
        self, old: asyncpg.Connection, new: asyncpg.Connection, lookup: Lookup, keys: Sequence[str]
    ) -> Mapping[str, Sequence[str | None]]:
        """Returns the values of a lookup by canonical key among the rows of this run, rejected ones included
        and merged ones left out: whatever is known of rejects by now, a value is the same.

        Raises:
            NotAskable: they cannot be computed.
        """
        fillers = self._job.fillers(lookup.table)
        found = await self.holders(fillers, lookup.keys, keys)
        values: dict[str, list[str | None]] = {}
        for plan in fillers:
            merged = await self._merged(plan)
            own = [(h.row, key) for key, rows in found.items() for h in rows if h.plan is plan]
            rows = {row: key for row, key in own if row not in merged}
            for row, value in (await self._texts_of(plan, rows, lookup.value)).items():
                values.setdefault(rows[row], []).append(value)
        return values

    async def _merged(self, plan: TablePlan) -> AbstractSet[Locator]:
        """Returns the rows that are merged into others; in one snapshot they are the same at every look."""
        if plan.shape.merge is None:
            return frozenset()
        if plan.flow not in self._merged_rows:
            found = await merged(self.reader(plan), plan.shape.merge)
            self._merged_rows[plan.flow] = frozenset(one.row for one in found)
        return self._merged_rows[plan.flow]

    def leads(self, followed: Followed) -> Mapping[str, Mapping[str, str | None]]:
        """Returns by OLD's key where children of the parents' rows are led."""
        return self._book.leads(followed.parent).get(followed.keys, {})

    async def _values_of(
        self, plan: TablePlan, rows: Mapping[Locator, str], column: str
    ) -> dict[str, str | None]:
        """Returns by key the value that a column of NEW will have in the row with that key."""
        return {rows[row]: text for row, text in (await self._texts_of(plan, rows, column)).items()}

    async def _texts_of(
        self, plan: TablePlan, rows: Iterable[Locator], column: str
    ) -> dict[Locator, str | None]:
        """Returns by row the value that a column of NEW will have; rows for which OLD raises have none."""
        position = next(n for n, m in enumerate(plan.columns) if m.column == column)
        if isinstance(plan.columns[position].expression, NewDefault):
            return dict.fromkeys(rows)
        values: dict[Locator, str | None] = {}
        async for chunk in self.reader(plan).chosen(rows, (position,)):
            values |= dict(zip(chunk.rows, chunk.texts[position], strict=True))
        return values

    async def keys_of(
        self, plan: TablePlan, columns: tuple[str, ...], rows: Sequence[Locator]
    ) -> dict[Locator, str]:
        """Returns canonical keys of chosen rows; rows that NEW refuses have none.

        Raises:
            NotAskable: NEW cannot be asked.
        """
        reader = self.reader(plan)
        renderer = Renderer(reader, columns)
        keys: dict[Locator, str] = {}
        async for chunk in reader.chosen(rows, renderer.positions):
            keys |= {chunk.rows[n]: key for n, key in (await renderer.render(chunk)).items()}
        return keys

    async def index(self, plan: TablePlan, columns: tuple[str, ...]) -> Mapping[str, Sequence[Locator]]:
        """Returns all rows of a table by canonical key, and keeps them in memory.

        Raises:
            NotAskable: NEW cannot be asked, or there are too many rows.
        """
        # The same flow may be asked with other expressions: as if no value stood for NULL.
        of = plan.flow, tuple(m for name in columns for m in plan.columns if m.column == name)
        if of not in self._indexes:
            self._indexes[of] = await self._build(plan, columns)
        return self._indexes[of]

    async def _rows(
        self, plan: TablePlan, columns: tuple[str, ...], keys: Sequence[str]
    ) -> list[tuple[str, Locator]]:
        texts = [
            text for c in columns if (text := computed_on_old(plan, c, self._job.before(plan))) is not None
        ]
        if len(texts) == len(columns):
            records = await self._old.fetch(holders(plan, key_text(texts)), list(keys))
            return [(key, locate(source, id_)) for key, source, id_ in records]
        index = await self.index(plan, columns)
        return [(key, row) for key in keys for row in index.get(key, ())]

    async def _build(self, plan: TablePlan, columns: tuple[str, ...]) -> dict[str, list[Locator]]:
        reader = self.reader(plan)
        renderer = Renderer(reader, columns)
        index: dict[str, list[Locator]] = {}
        held = 0
        async for chunk in reader.chunks(whole(plan), renderer.positions):
            for n, key in (await renderer.render(chunk)).items():
                index.setdefault(key, []).append(chunk.rows[n])
                held += 1
            if held > _HELD:
                raise NotAskable(f"{plan.flow} has more than {_HELD} keys that only NEW can compute")
        return index


def whole(plan: TablePlan) -> list[Batch]:
    """Returns each source of a table as one range, whose number of rows is not known (-1)."""
    return [Batch(0, plan.flow, Whole(n), -1) for n in range(len(plan.sources))]
