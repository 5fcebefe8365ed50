"""Rows that look a value up under the key of a rejected row: the row that NEW holds under that key is another
one.

A lookup into a table that the run fills means OLD's rows first. Where OLD has no row with the key, NEW's own
entry is the one that the decision means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.lookups import Key
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reject_book import Book
from tranship.model.expression import Lookup
from tranship.model.locator import Locator, Whole
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.progress import Batch
from tranship.model.references import references
from tranship.sql.old import lookup_keys
from tranship.sql.row_id import locate

_AT_ONCE = 20_000
"""Keys that one question looks up."""


class LookupStrangers:
    """Finds the rows of one flow that look up what a rejected row would have been."""

    def __init__(self, job: Job, derived: Derived, book: Book) -> None:
        self._job, self._derived, self._book = job, derived, book

    async def reject(self, plan: TablePlan, *, within: bool = False) -> None:
        """Enters the rows into the book, and a note for each lookup that cannot be asked.

        ``within``: of the lookups in tables that are filled together with the rows; otherwise of all others.

        Raises:
            Refused: a key stands for two values, or the lookup table cannot be read.
        """
        for mapping in plan.columns:
            lookup = mapping.expression
            if not isinstance(lookup, Lookup) or not lookup.reads_new or self._adopted(plan, mapping):
                continue
            if lookup.within is not within:
                continue
            try:
                lost = await self._lost(lookup)
            except NotAskable as why:
                self._book.note(plan.flow, f"{mapping.column}: lookups of rejected rows: {why}")
                continue
            keys = await self._found(plan, lookup, lost) if lost else []
            for row in await self._rows(plan, lookup, keys):
                self._book.add(plan.flow, reasons.looked_up_another(row, mapping.column, lookup))

    def _adopted(self, plan: TablePlan, mapping: ColumnMapping) -> bool:
        """Returns whether a person says that NEW's rows are meant."""
        keys = references(self._job.after(plan))
        return any(key.name in plan.adopting and mapping.column in key.columns for key in keys)

    async def _lost(self, lookup: Lookup) -> set[str]:
        """Returns the canonical keys that only rejected rows of this run would have had."""
        fillers = self._job.fillers(lookup.table)
        lost: set[str] = set()
        for plan in fillers:
            rejected = sorted(self._book.rejected(plan.flow))
            if rejected:
                lost.update((await self._derived.keys_of(plan, lookup.keys, rejected)).values())
        return lost - await self._derived.standing(fillers, lookup.keys, sorted(lost)) if lost else lost

    async def _found(self, plan: TablePlan, lookup: Lookup, lost: set[str]) -> list[Key]:
        """Returns the keys, as OLD has them, under which NEW holds a row while this run has only rejected
        ones.
        """
        reader = self._derived.reader(plan)
        keys: dict[Key, None] = {}
        gone = sorted(self._book.rejected(plan.flow))
        for source in range(len(plan.sources)):
            batch = Batch(0, plan.flow, Whole(source), -1)
            excluded = [row for row in gone if row.source == source]
            records = await reader.old.fetch(lookup_keys.batch_keys(plan, batch, lookup, excluded))
            keys |= dict.fromkeys(tuple(record) for record in records)
        found: list[Key] = []
        for some in _parts(list(keys)):
            entries = await self._derived.lookups.entries(reader.old, reader.new, plan, lookup, some)
            found += [key for key in some if (entry := entries[key]) is not None and entry.key in lost]
        return found

    async def _rows(self, plan: TablePlan, lookup: Lookup, keys: Sequence[Key]) -> list[Locator]:
        if not keys:
            return []
        by_column = [list(texts) for texts in zip(*keys, strict=True)]
        query = lookup_keys.rows_with_keys(plan, lookup, sorted(self._book.rejected(plan.flow)))
        records = await self._derived.reader(plan).old.fetch(query, *by_column)
        gone = self._book.not_written(plan.flow)
        rows = {locate(source, id_) for source, id_ in records}
        return sorted(row for row in rows if row not in gone)


def _parts(keys: Sequence[Key]) -> Iterable[Sequence[Key]]:
    return (keys[n : n + _AT_ONCE] for n in range(0, len(keys), _AT_ONCE))
