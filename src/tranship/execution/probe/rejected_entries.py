"""Values that a lookup finds no entry for because the row of OLD that would be the entry is rejected: their
rows are consequences of that reject, as children of rejected parents are.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.encoding import Encoding
from tranship.execution.probe.lookups import Key
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import Reader, by_source
from tranship.execution.probe.reject_book import Book
from tranship.model.expression import Lookup, NewDefault
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.sql.old import lookup_keys
from tranship.sql.row_id import locate

_REMEMBERED = 100_000
"""Values without an entry of which it is remembered, by column, whether one was rejected."""


class _Lost(Struct, frozen=True):
    """The keys that rejected rows would have had as entries."""

    canonical: AbstractSet[str]
    """As NEW would compare them."""
    texts: AbstractSet[Key]
    """Of rows whose key NEW refuses, or cannot be asked for: what would have been sent."""


class RejectedEntries:
    """Tells for one group of tables which values lack an entry that is rejected."""

    def __init__(self, job: Job, derived: Derived, book: Book) -> None:
        self._job, self._derived, self._book = job, derived, book
        self._lost: dict[tuple[TableName, tuple[str, ...]], _Lost] = {}
        self._known: dict[tuple[FlowId, int], dict[str, bool]] = {}

    async def among(self, reader: Reader, position: int, rows: Mapping[str, Locator]) -> AbstractSet[str]:
        """Returns those of some values whose entry is rejected; ``rows`` has a row for each value that the
        lookup at a position finds no entry for.

        Raises:
            Refused: the lookup table cannot be read.
        """
        lookup = reader.plan.columns[position].expression
        # Rows of the group itself are not rejected yet, and what they would be is found all the same.
        if not isinstance(lookup, Lookup) or not lookup.reads_new or lookup.within:
            return frozenset()
        lost = await self._lost_keys(lookup)
        if not lost.canonical and not lost.texts:
            return frozenset()
        known = self._known.setdefault((reader.plan.flow, position), {})
        if len(known) > _REMEMBERED:
            known.clear()
        unknown = {row: value for value, row in rows.items() if value not in known}
        known.update(dict.fromkeys(unknown.values(), False))
        known.update({unknown[row]: True for row in await self._without(reader, lookup, lost, unknown)})
        return {value for value in rows if known[value]}

    async def _without(
        self, reader: Reader, lookup: Lookup, lost: _Lost, rows: Mapping[Locator, str]
    ) -> list[Locator]:
        """Returns those of some rows that look one of the lost keys up."""
        found: list[tuple[Locator, Key]] = []
        for some in by_source(rows):
            records = await reader.old.fetch(lookup_keys.keys_by_row(reader.plan, some, lookup))
            found += [(locate(some[0].source, id_), tuple(key)) for id_, *key in records]
        asked = await reader.lookups.answers(reader.new, reader.plan, lookup, [key for _, key in found])
        canonical = {answer.row: str(answer.which) for answer in asked}
        return [
            row
            for n, (row, key) in enumerate(found)
            if canonical.get(n) in lost.canonical or key in lost.texts
        ]

    async def _lost_keys(self, lookup: Lookup) -> _Lost:
        place = lookup.table, lookup.keys
        if place not in self._lost:
            canonical, texts = set[str](), set[Key]()
            for plan in self._job.fillers(lookup.table):
                rejected = sorted(self._book.rejected(plan.flow))
                rendered = await self._rendered(plan, lookup, rejected) if rejected else {}
                canonical |= set(rendered.values())
                texts |= await self._sent(plan, lookup, [row for row in rejected if row not in rendered])
            self._lost[place] = _Lost(canonical, texts)
        return self._lost[place]

    async def _rendered(self, plan: TablePlan, lookup: Lookup, rows: list[Locator]) -> Mapping[Locator, str]:
        try:
            return await self._derived.keys_of(plan, lookup.keys, rows)
        except NotAskable:
            return {}

    async def _sent(self, plan: TablePlan, lookup: Lookup, rows: list[Locator]) -> set[Key]:
        """Returns the texts of the keys that would be sent for rows; keys with a NULL are never looked up."""
        at = {m.column: n for n, m in enumerate(plan.columns) if not isinstance(m.expression, NewDefault)}
        if not rows or not at.keys() >= set(lookup.keys):
            return set()
        positions = tuple(at[name] for name in lookup.keys)
        keys = set[Key]()
        async for chunk in self._derived.reader(plan).chosen(rows, positions):
            for texts in zip(*(chunk.texts[position] for position in positions), strict=True):
                key = tuple(text for text in texts if text is not None)
                if len(key) == len(texts):
                    keys.add(key)
        return keys


class Tellers(Struct, frozen=True):
    """What all tables of a group ask why a value has no place in NEW."""

    encoding: Encoding
    entries: RejectedEntries
