"""What a preview asks of OLD: the first rows of a flow, their values, and the texts that would be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.preview.texts import MOST_BYTES, SHOWN, Read, Sent, as_text, cut, to_send
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import RAISED
from tranship.execution.probe.reject_book import Book
from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.names import Side
from tranship.model.plan import TablePlan
from tranship.model.preview import PREVIEWED, PreviewCell
from tranship.sql.expression import gap
from tranship.sql.joins import Bindings, LookupContent
from tranship.sql.old import preview as sql
from tranship.sql.old.rows import TextColumns, select_texts_of
from tranship.sql.old.whole_rows import kept_columns
from tranship.sql.row_id import locate

_TOO_LONG = "too long for a preview"
_NO_ENTRY = "no entry for "


class OldRows:
    """Reads the rows of one flow, inside a read-only transaction of each side."""

    def __init__(self, job: Job, old: asyncpg.Connection, new: asyncpg.Connection, plan: TablePlan) -> None:
        self._job, self._old, self._new, self._plan = job, old, new, plan
        self._before = job.before(plan)
        self._raw = job.old.encoding == "SQL_ASCII"
        filled = frozenset(p.new for p in job.plan.tables)
        self._lookups = _FromOld(job, old, new, Book(), filled.__contains__).lookups

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values that :meth:`own_values` gives."""
        items = self._plan.shape.items
        own = (column.name for column in kept_columns(self._before))
        return (*own, *(f"item.{name}" for name in (items.columns if items is not None else ())))

    async def first(self, most: int = PREVIEWED, predicates: Sequence[str] = ()) -> list[Locator]:
        """Returns the first rows, in physical order of the sources: those of which one of the predicates is
        true, where there are any.
        """
        rows: list[Locator] = []
        for number in range(len(self._plan.sources)):
            found = await self._old.fetch(sql.first_rows(self._plan, number, most - len(rows), predicates))
            rows += [locate(number, row[0]) for row in found]
            if len(rows) >= most:
                break
        return rows

    async def own_values(self, rows: Sequence[Locator]) -> list[tuple[PreviewCell, ...]]:
        """Returns the old values of rows of one source."""
        query = sql.own_values(self._plan, kept_columns(self._before), rows, SHOWN, raw=self._raw)
        found = {locate(rows[0].source, row[0]): list(row)[1:] for row in await self._old.fetch(query)}
        return [tuple(PreviewCell(cut(as_text(value))) for value in found[row]) for row in rows]

    async def texts(self, rows: Sequence[Locator], positions: Sequence[int]) -> Read:
        """Returns what the mappings at these positions send for rows of one source."""
        bound = await self._lookups.bind_rows(self._old, self._new, self._plan, rows)
        bindings = tuple(self._without_added(content) for content in bound)
        whole = await self._tried(rows, positions, bindings)
        if whole is not None:
            return Read(tuple(rows), whole)
        # An expression raises for a row, so what can be computed is found one by one.
        sent: dict[int, tuple[Sent, ...]] = {}
        for position in positions:
            own = await self._tried(rows, [position], bindings)
            sent |= own if own is not None else {position: await self._singly(rows, position, bindings)}
        return Read(tuple(rows), sent)

    async def _singly(self, rows: Sequence[Locator], position: int, bindings: Bindings) -> tuple[Sent, ...]:
        found: list[Sent] = []
        for row in rows:
            raised: list[str] = []
            own = await self._tried([row], [position], bindings, raised)
            found.append(
                own[position][0] if own is not None else Sent(note=f"raises: {raised[0]}", rejects=True)
            )
        return tuple(found)

    async def _tried(
        self,
        rows: Sequence[Locator],
        positions: Sequence[int],
        bindings: Bindings,
        raised: list[str] | None = None,
    ) -> dict[int, tuple[Sent, ...]] | None:
        """Returns the texts by position; None where computing them raises, with the message in ``raised``."""
        if not positions:
            return {}
        try:
            async with self._old.transaction():
                return await self._computed(rows, positions, bindings)
        except RAISED as error:
            if raised is not None:
                raised.append(error.message or str(error))
            return None

    async def _computed(
        self, rows: Sequence[Locator], positions: Sequence[int], bindings: Bindings
    ) -> dict[int, tuple[Sent, ...]]:
        gaps = [n for n in positions if gap(self._plan, n, self._before) is not None]
        texts = TextColumns(positions, gaps, bindings, self._raw)
        select = select_texts_of(self._plan, self._before, rows, texts)
        read = [*positions, *gaps]
        fetched = await self._old.fetch(sql.bounded(select, len(read), MOST_BYTES))
        found = {locate(rows[0].source, row[0]): list(row)[1:] for row in fetched}
        sent = {position: list[Sent]() for position in positions}
        for row in (found[one] for one in rows):
            values, sizes = row[: len(read)], row[len(read) :]
            for place, position in enumerate(positions):
                missing = values[len(positions) + gaps.index(position)] if position in gaps else None
                sent[position].append(self._one(position, (values[place], sizes[place]), missing))
        return {position: tuple(texts) for position, texts in sent.items()}

    def _one(self, position: int, given: tuple[object, int | None], missing: object) -> Sent:
        """Returns one text; ``given`` is the value with its bytes, ``missing`` the value without an entry."""
        value, size = given
        if missing is not None:
            key = f"'{cut(as_text(missing))}'"
            if self._adds(position):
                return Sent(note=f"this run adds {key} to the lookup table, and NEW gives the value")
            # What the run puts into the table may hold the entry: whether it does, only a dry run tells.
            filled = self._filled(position)
            later = "; this run fills the lookup table" if filled else ""
            return Sent(note=f"{_NO_ENTRY}{key}{later}", rejects=not filled)
        return Sent(note=_TOO_LONG) if size is not None and size > MOST_BYTES else Sent(to_send(value))

    def _adds(self, position: int) -> bool:
        lookup = self._plan.columns[position].expression
        return isinstance(lookup, Lookup) and lookup.add_missing

    def _without_added(self, content: LookupContent) -> LookupContent:
        """Returns what is found without the entries that the run will add: they have no value as yet, and
        would be shown as NULL.
        """
        if not self._adds(content.position):
            return content
        there = [n for n, value in enumerate(content.values) if value is not None]
        keys = tuple(content.keys[n] for n in there)
        return replace(content, keys=keys, values=tuple(content.values[n] for n in there))

    def _filled(self, position: int) -> bool:
        lookup = self._plan.columns[position].expression
        return (
            isinstance(lookup, Lookup) and lookup.side is Side.NEW and bool(self._job.fillers(lookup.table))
        )


class _FromOld(Derived):
    """What this run will put into lookup tables, as far as OLD alone can tell."""

    async def index(self, plan: TablePlan, columns: tuple[str, ...]) -> Mapping[str, Sequence[Locator]]:
        """Refuses: rendering the keys of all rows would take as long as a dry run.

        Raises:
            NotAskable: always.
        """
        raise NotAskable(f"{plan.flow}: only NEW can compute the keys {', '.join(columns)}")
