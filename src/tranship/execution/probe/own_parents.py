"""Which row of the run is a row's parent. A parent is a row, not a value: a child of a rejected row does
not go to whoever else has that key in NEW.

Where OLD declares the foreign key, its own columns say who is whose parent, whatever the columns become in
NEW. Otherwise the values do, provided that one old table alone fills the parent table. A value that a
person mapped or looked up names its parent by decision, and is left to NEW's foreign key; unless the
parent's own key is mapped alike, which only writes the same reference in other words.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.held_parents import HeldParents
from tranship.execution.probe.references import faithful
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.expression import Coalesce, Expression, Lookup, MapValues, Rule, Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.canonical import OldValue, comparable, own_equality, taken_on_old, value_on_old
from tranship.sql.ctid import locate
from tranship.sql.old.rows import End, children_of_keys, orphaned
from tranship.sql.quote import ident


class Ends(Struct, frozen=True):
    """The expressions by which OLD compares a child and its parent."""

    parent: TablePlan
    compared: tuple[str, ...]
    """The child's expressions."""
    key: End
    """The parent's key."""


class OwnParents:
    """Finds the rows of one flow whose own parent is rejected."""

    def __init__(self, job: Job, derived: Derived, book: Book) -> None:
        self._job, self._derived, self._book = job, derived, book
        self._held = HeldParents(job, derived, book)

    async def orphaned(self, plan: TablePlan, key: ForeignKey) -> list[Locator]:
        """Returns the rows whose parents in OLD are all rejected, less those that are not written anyway.

        Raises:
            NotAskable: keys that only NEW can compute are too many, or are made by its server.
        """
        declared = self._declared(plan, key)
        found = await self._of_this_run(plan, key, declared)
        if declared is not None:
            found += await self._of_earlier_runs(plan, key, declared)
        gone = self._book.not_written(plan.flow)
        return sorted(row for row in set(found) if row not in gone)

    async def _of_this_run(
        self, plan: TablePlan, key: ForeignKey, declared: ForeignKey | None
    ) -> list[Locator]:
        parents = self._of(plan, key, declared)
        if not any(self._book.rejected(parent.flow) for parent in parents):
            return []
        ends = [self._ends(plan, key, parent, declared) for parent in parents]
        known = [end for end in ends if end is not None]
        by_old = await self._by_old(plan, known) if len(known) == len(ends) else None
        if declared is not None and by_old is not None:
            return by_old
        if faithful(self._job.after(plan), key):
            return by_old if by_old is not None else await self._by_key(plan, key, parents)
        return [*(by_old or ()), *await self._held.children(plan, key, parents)]

    async def _of_earlier_runs(self, plan: TablePlan, key: ForeignKey, declared: ForeignKey) -> list[Locator]:
        """Children of rows that an earlier run rejected, found by OLD's key: places of another snapshot tell
        nothing.
        """
        keys = [
            written
            for before in self._job.moved
            if before.flow.old == declared.target and not _redirected(plan, key, before.plan)
            for text in before.rejected_keys
            if (written := _key_text(text, declared.target_columns)) is not None
        ]
        if not keys:
            return []
        child = End(plan, tuple(f"old.{ident(column)}" for column in declared.columns))
        records = await self._derived.reader(plan).old.fetch(children_of_keys(child), keys)
        return [locate(source, ctid) for source, ctid in records]

    def _of(self, plan: TablePlan, key: ForeignKey, declared: ForeignKey | None) -> tuple[TablePlan, ...]:
        """Returns the flows that copy the parent table; none unless it is one table of OLD."""
        fillers = self._job.fillers(key.target)
        if declared is not None:
            fillers = tuple(
                p for p in fillers if declared.target in (p.old, *(s.relation for s in p.sources))
            )
        if any(_redirected(plan, key, parent) for parent in fillers):
            return ()
        if declared is not None:
            return fillers
        return fillers if len({p.old for p in fillers}) == 1 else ()

    def _declared(self, plan: TablePlan, key: ForeignKey) -> ForeignKey | None:
        """Returns the foreign key of OLD over the columns that fill one of NEW."""
        columns = [_taken(expression) for expression in self._expressions(plan, key)]
        if len(columns) != len(key.columns) or None in columns:
            return None
        keys = self._job.before(plan).foreign_keys
        return next((k for k in keys if set(k.columns) == set(columns) and k.enforced), None)

    def _expressions(self, plan: TablePlan, key: ForeignKey) -> list[Expression]:
        filled = {m.column: m.expression for m in plan.columns}
        return [filled[name] for name in key.columns if name in filled]

    def _ends(
        self, plan: TablePlan, key: ForeignKey, parent: TablePlan, declared: ForeignKey | None
    ) -> Ends | None:
        before, above = self._job.before(plan), self._job.before(parent)
        if declared is not None:
            names = zip(declared.columns, declared.target_columns, strict=True)
            pairs = [
                _compared(value_on_old(before, c), value_on_old(above, k), before.column(c), above.column(k))
                for c, k in names
            ]
        else:
            names = zip(key.columns, key.target_columns, strict=True)
            pairs = [
                _compared(
                    taken_on_old(plan, c, before),
                    taken_on_old(parent, k, above),
                    _unchanged(plan, c, before),
                    _unchanged(parent, k, above),
                )
                for c, k in names
            ]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            return None
        child, values, operators = zip(*known, strict=True)
        return Ends(parent, child, End(parent, values, operators))

    async def _by_old(self, plan: TablePlan, ends: Sequence[Ends]) -> list[Locator]:
        parents = [(e.compared, e.key, sorted(self._book.rejected(e.parent.flow))) for e in ends]
        query = orphaned(End(plan, ends[0].compared), parents)
        return [locate(source, ctid) for source, ctid in await self._derived.reader(plan).old.fetch(query)]

    async def _by_key(self, plan: TablePlan, key: ForeignKey, parents: Sequence[TablePlan]) -> list[Locator]:
        """Finds children by the keys that rejected parents would have had in NEW."""
        lost: set[str] = set()
        for parent in parents:
            rejected = sorted(self._book.rejected(parent.flow))
            lost.update((await self._derived.keys_of(parent, key.target_columns, rejected)).values())
        lost -= await self._derived.survivors(key.target, key.target_columns, sorted(lost))
        children = await self._derived.holders(plan.new, key.columns, sorted(lost))
        return [child.row for rows in children.values() for child in rows if child.plan.flow == plan.flow]


def _redirected(plan: TablePlan, key: ForeignKey, parent: TablePlan) -> bool:
    """Returns whether a decision gives children another value than their parent's own key."""
    child = {m.column: m.expression for m in plan.columns}
    above = {m.column: m.expression for m in parent.columns}
    for name, target in zip(key.columns, key.target_columns, strict=True):
        match child.get(name), above.get(target):
            case MapValues() as mapped, MapValues() as own if (mapped.pairs, mapped.otherwise) == (
                own.pairs,
                own.otherwise,
            ):
                continue
            case MapValues() | Lookup(), _:
                return True
            case _:
                continue
    return False


def _taken(expression: Expression) -> str | None:
    match expression:
        case Take(column=column) | Coalesce(of=Take(column=column)) | MapValues(column=column):
            return column
        case _:
            return None


def _compared(
    child: OldValue | None, parent: OldValue | None, column: Column | None, key: Column | None
) -> tuple[str, str, str] | None:
    """Returns both values as OLD compares them, and by which operator: that of the columns' own type where no
    text stands for their values, as for citext or under a collation that ignores case.
    """
    texts = comparable(child, parent)
    if texts is not None:
        return *texts, "OPERATOR(pg_catalog.=)"
    operator = own_equality(column, key)
    if operator is None or column is None or key is None:
        return None
    return f"old.{ident(column.name)}", f"old.{ident(key.name)}", operator


def _unchanged(plan: TablePlan, name: str, old: Table) -> Column | None:
    """Returns the column of OLD whose values arrive as they are in a column of NEW."""
    expression = next((m.expression for m in plan.columns if m.column == name), None)
    match expression:
        case Take(column=taken, conversion=conversion) if conversion.rule is Rule.SAME:
            return old.column(taken)
        case _:
            return None


def _key_text(key: bytes, columns: Sequence[str]) -> str | None:
    """A journalled key as `children_of_keys` writes the child's; None where OLD's key is another one."""
    values = msgspec.json.decode(key, type=dict[str, msgspec.Raw])
    if any(column not in values for column in columns):
        return None
    return f"[{', '.join(bytes(values[column]).decode() for column in columns)}]"
