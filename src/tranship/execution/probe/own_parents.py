"""Which row of the run is a row's parent, by the columns of OLD or by the values that NEW will have.

A child of a rejected row does not go to whoever else has that key in NEW, and a row that has no parent in OLD
does not get one by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.context import Job, MovedBefore
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.held_parents import HeldParents
from tranship.execution.probe.parent_flows import (
    ParentFlows,
    as_taken,
    computes,
    is_led,
    parent_flows,
    parents_absent,
    redirected,
    refers_in_old,
)
from tranship.execution.probe.references import faithful
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_list import RowList
from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.expression import Coalesce, Rule, Take
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.server.deadline import each_row
from tranship.server.journal import Journal, some_leads
from tranship.sql.canonical import OldValue, comparable, own_equality, taken_on_old, value_on_old
from tranship.sql.left_out import nulled
from tranship.sql.old.merged import referring
from tranship.sql.old.row_source import own_row
from tranship.sql.old.rows import End, children_of_keys, orphaned, orphans
from tranship.sql.quote import ident
from tranship.sql.row_id import locate

_AT_ONCE = 5_000
"""Rows that are fetched together."""
Absent = Mapping[FlowId, AbstractSet[Locator]]
"""By flow the rows that are nobody's parents."""

Pair = tuple[str, str, str]
"""SQL of a child's value and of its parent's, and the operator between them."""


class Ends(Struct, frozen=True):
    """The expressions by which OLD compares a child and its parent."""

    parent: TablePlan
    compared: tuple[str, ...]
    """The child's expressions."""
    key: End
    """The parent's key."""


class OwnParents:
    """Finds the rows of one flow whose own parent is rejected, or that have none."""

    def __init__(self, job: Job, derived: Derived, book: Book) -> None:
        self._job, self._derived, self._book = job, derived, book
        self._held = HeldParents(job, derived, book)
        self._rejected_before: dict[tuple[FlowId, str], AbstractSet[Locator]] = {}

    async def orphaned(self, plan: TablePlan, key: ForeignKey) -> RowList:
        """Returns the rows whose parents in OLD are all rejected, less those that are not written anyway.

        Raises:
            NotAskable: keys that only NEW can compute are too many, or are made by its server.
        """
        of = parent_flows(self._job, plan, key)
        return RowList() if of.by_decision else await self.orphaned_of(plan, key, of)

    async def orphaned_of(self, plan: TablePlan, key: ForeignKey, of: ParentFlows) -> RowList:
        """Does what `orphaned` does, where the parents are known to be in some flows."""
        absent = {p.flow: parents_absent(self._book, plan, key, p.flow) for p in of.flows}
        plain = as_taken(plan, key)
        found = RowList(await self._of_this_run(plain, key, of, absent))
        found.extend(await self._of_earlier_runs(plan, key, of))
        return self._written(plan, found)

    async def unrelated(self, plan: TablePlan, key: ForeignKey) -> RowList:
        """Returns the rows of which no row of OLD is the parent, less those that are not written anyway.

        They are rows whose values come from OLD, and whose parents OLD has to have.

        Raises:
            NotAskable: keys that only NEW can compute are too many, or are made by its server.
        """
        of = parent_flows(self._job, plan, key)
        in_old = of.looked_up or refers_in_old(self._job, plan, key)
        return await self._nobodys(plan, key, of) if in_old else RowList()

    async def met(self, plan: TablePlan, key: ForeignKey) -> RowList:
        """Returns the same of rows whose values an expression of a person computes.

        Raises:
            NotAskable: likewise.
        """
        of = parent_flows(self._job, plan, key)
        return await self._nobodys(plan, key, of) if computes(plan, key) else RowList()

    async def _nobodys(self, plan: TablePlan, key: ForeignKey, of: ParentFlows) -> RowList:
        # Of a rejects-only run's flows, too, all rows: those that it does not move are in NEW.
        parents = tuple(parent.unrestricted for parent in (*of.flows, *of.moved))
        # Where nobody fills the parents' table, its rows were compared, or a person decided.
        if of.by_decision or not (parents or self._job.fillers(key.target)):
            return RowList()
        # What a person writes in place of NULL is a row of NEW by decision.
        plain = without_constants(as_taken(plan, key), key)
        ends, by_text = self._all_ends(plain, key, parents, of), faithful(self._job.after(plan), key)
        found: Iterable[Locator]
        if ends is not None and (of.declared is not None or by_text):
            found = await self._without_parent(plan, of, ends)
        elif by_text:
            found = await self._without_key(plain, key, parents)
        else:
            found = await self._held.unrelated(plain, key, parents)
        return self._written(plan, found)

    def _written(self, plan: TablePlan, rows: Iterable[Locator]) -> RowList:
        gone = self._book.not_written(plan.flow)
        return RowList(row for row in rows if row not in gone)

    async def _of_this_run(
        self, plan: TablePlan, key: ForeignKey, of: ParentFlows, absent: Absent
    ) -> Iterable[Locator]:
        parents = of.flows if of.one_table else ()
        if not any(absent[parent.flow] for parent in parents):
            return []
        ends = self._all_ends(plan, key, parents, of)
        by_old = await self._by_old(plan, ends, absent) if ends is not None else None
        if of.declared is not None and by_old is not None:
            return by_old
        if faithful(self._job.after(plan), key):
            return by_old if by_old is not None else await self._by_key(plan, key, parents, absent)
        held = await self._held.children(plan, key, parents, absent)
        return [*(by_old or ()), *(await self._unparented(plan, ends, held) if ends is not None else held)]

    async def _of_earlier_runs(
        self, plan: TablePlan, key: ForeignKey, of: ParentFlows, *, apart: bool = True
    ) -> list[Locator]:
        """Returns children of rows that an earlier run rejected, or (``apart``) found in NEW under another
        key, by OLD's key: places of another snapshot tell nothing.
        """
        found: list[Locator] = []
        for before in self._job.moved:
            named = self._referring(plan, key, of, before)
            if named is None or (before.plan not in of.moved and redirected(plan, key, before.plan)):
                continue
            columns, target_columns = named
            written = (_key_text(text, target_columns) for text in before.rejected_keys)
            keys = [text for text in written if text is not None]
            keys += await self._apart_before(plan, key, before, target_columns) if apart else []
            if keys:
                led = referring(plan.repointing, before.flow.old, columns)
                child = End(plan, led if of.declared is not None else _of_old(columns))
                records = await self._derived.reader(plan).old.fetch(children_of_keys(child), keys)
                found += [locate(source, id_) for source, id_ in records]
        return found

    async def rejected_before(
        self, plan: TablePlan, key: ForeignKey, of: ParentFlows
    ) -> AbstractSet[Locator]:
        """Returns the rows whose parent an earlier run rejected, of flows that it moved."""
        place = plan.flow, key.name
        if place not in self._rejected_before:
            found = await self._of_earlier_runs(as_taken(plan, key), key, of, apart=False)
            self._rejected_before[place] = frozenset(found)
        return self._rejected_before[place]

    async def _apart_before(
        self, plan: TablePlan, key: ForeignKey, before: MovedBefore, columns: tuple[str, ...]
    ) -> list[str]:
        """Returns the keys of rows that an earlier run found in NEW under others, to which children are not
        led.
        """
        place = self._job.place(before.flow)
        if place is None or before.plan.shape.existing is None:
            return []
        led, new = is_led(plan, key, before.flow), self._derived.reader(plan).new
        leads = await some_leads(Journal(place.schema), new, (place.run, place.position), columns, None)
        apart = ((lead.old_key, lead.new_key) for lead in leads)
        return [
            text
            for text, texts in apart
            if any(name in texts and not (led and texts[name] is not None) for name in key.target_columns)
        ]

    def _referring(
        self, plan: TablePlan, key: ForeignKey, of: ParentFlows, before: MovedBefore
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Returns the columns of OLD by which rows refer to a flow that was moved before, and its own; None
        where they do not.
        """
        if of.declared is not None:
            leads_there = before.flow.old == of.declared.target
            return (of.declared.columns, of.declared.target_columns) if leads_there else None
        if before.flow.new != key.target:
            return None
        child, above = self._job.before(plan), self._job.before(before.plan)
        pairs = [
            (_taken(plan, name, child), _taken(before.plan, target, above))
            for name, target in zip(key.columns, key.target_columns, strict=True)
        ]
        alike = [
            (one.name, other.name) for one, other in pairs if one and other and _written_alike(one, other)
        ]
        if len(alike) < len(pairs):
            return None
        return tuple(one for one, _ in alike), tuple(other for _, other in alike)

    def _all_ends(
        self, plan: TablePlan, key: ForeignKey, parents: Sequence[TablePlan], of: ParentFlows
    ) -> list[Ends] | None:
        """Returns how OLD compares the children with each flow of parents. None: for one it cannot."""
        ends = [self._ends(plan, key, parent, of.declared) for parent in parents]
        known = [end for end in ends if end is not None]
        return known if len(known) == len(ends) else None

    def _ends(
        self, plan: TablePlan, key: ForeignKey, parent: TablePlan, declared: ForeignKey | None
    ) -> Ends | None:
        if declared is not None:
            pairs = by_declared(self._job, plan, key, parent, declared)
        else:
            before, above = self._job.before(plan), self._job.before(parent)
            pairs = [
                _compared(
                    taken_on_old(plan, c, before),
                    taken_on_old(parent, k, above),
                    _unchanged(plan, c, before),
                    _unchanged(parent, k, above),
                    _as_taken(plan, key, _unchanged(plan, c, before), _unchanged(parent, k, above)),
                )
                for c, k in zip(key.columns, key.target_columns, strict=True)
            ]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            return None
        child, values, operators = zip(*known, strict=True)
        # A rejects-only run reads rejected rows alone, and all others are parents, too.
        return Ends(parent, child, End(parent.unrestricted, values, operators))

    async def _by_old(self, plan: TablePlan, ends: Sequence[Ends], absent: Absent) -> RowList:
        parents = [(e.compared, e.key, absent[e.parent.flow]) for e in ends]
        return await self._fetch(plan, orphaned(End(plan, ends[0].compared), parents))

    async def _without_parent(self, plan: TablePlan, of: ParentFlows, ends: Sequence[Ends]) -> RowList:
        declared = of.declared.columns if of.declared is not None else ()
        child = ends[0].compared if ends else _of_old(declared)
        if of.filling:
            # A row whose key is NULL in a further column refers to nothing in OLD, and to a row in NEW.
            child = tuple(one for name, one in zip(declared, child, strict=True) if name in of.filling)
        return await self._fetch(plan, orphans(End(plan, child), [(e.compared, e.key, ()) for e in ends]))

    async def _fetch(self, plan: TablePlan, query: str) -> RowList:
        rows = RowList()
        async for source, id_ in each_row(self._derived.reader(plan).old, query, at_once=_AT_ONCE):
            rows.add(locate(source, id_))
        return rows

    async def _unparented(
        self, plan: TablePlan, ends: Sequence[Ends], rows: Sequence[Locator]
    ) -> list[Locator]:
        """Returns those of some rows that refer to no surviving row of OLD by OLD's own equality.

        A rejects-only run finds rows of this flow in NEW: whoever refers to one of those keeps it.
        """
        if not self._job.taken_up or not rows:
            return list(rows)
        parents = [(e.compared, e.key, self._book.rejected(e.parent.flow)) for e in ends]
        lacking = set(await self._fetch(plan, orphans(End(plan, ends[0].compared), parents)))
        return [row for row in rows if row in lacking]

    async def _by_key(
        self, plan: TablePlan, key: ForeignKey, parents: Sequence[TablePlan], absent: Absent
    ) -> list[Locator]:
        """Finds children by the keys that rejected parents would have had in NEW."""
        lost: set[str] = set()
        for parent in parents:
            gone = sorted(absent[parent.flow])
            lost.update((await self._derived.keys_of(parent, key.target_columns, gone)).values())
        lost -= await self._derived.standing(parents, key.target_columns, sorted(lost))
        children = await self._derived.holders([plan], key.columns, sorted(lost))
        return [child.row for rows in children.values() for child in rows]

    async def _without_key(
        self, plan: TablePlan, key: ForeignKey, parents: Sequence[TablePlan]
    ) -> list[Locator]:
        """Finds the rows whose key in NEW no row of the parents' flows will have."""
        children = await self._derived.index(plan, key.columns)
        held = await self._derived.of_all_rows.holders(parents, key.target_columns, sorted(children))
        return [row for text, rows in children.items() if text not in held for row in rows]


def by_declared(
    job: Job, plan: TablePlan, key: ForeignKey, parent: TablePlan, declared: ForeignKey
) -> list[Pair | None]:
    """Returns how OLD compares the columns of its own key. Rows that it tells apart may have one key in NEW
    once their own references are led, so that the keys are compared as OLD holds them.
    """
    before, above, row = job.before(plan), job.before(parent), own_row(parent)
    led = referring(plan.repointing, declared.target, declared.columns)
    return [
        _compared(
            value_on_old(plan, before, c, value, key.columns),
            value_on_old(parent, above, k, f"{row}.{ident(k)}", key.target_columns),
            before.column(c),
            above.column(k),
            (nulled(plan.shape, c, value, key.columns), f"{row}.{ident(k)}"),
        )
        for c, value, k in zip(declared.columns, led, declared.target_columns, strict=True)
    ]


def without_constants(plan: TablePlan, key: ForeignKey) -> TablePlan:
    """Returns the plan with NULL where a person writes a constant in its place in the key's columns."""
    columns = tuple(
        replace(m, expression=m.expression.of)
        if m.column in key.columns and isinstance(m.expression, Coalesce)
        else m
        for m in plan.columns
    )
    return replace(plan, columns=columns)


def _of_old(columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"old.{ident(column)}" for column in columns)


def _as_taken(
    plan: TablePlan, key: ForeignKey, column: Column | None, target: Column | None
) -> tuple[str, str]:
    """Returns SQL of the child's own column and of the parent's, each empty without one."""
    own = column.name if column is not None else ""
    value = nulled(plan.shape, own, f"old.{ident(own)}", key.columns) if own else ""
    return value, f"old.{ident(target.name)}" if target is not None else ""


def _compared(
    child: OldValue | None,
    parent: OldValue | None,
    column: Column | None,
    key: Column | None,
    plain: tuple[str, str],
) -> Pair | None:
    """Returns both values as OLD compares them, and by which operator: that of the columns' own type where no
    text stands for their values, as for citext or under a collation that ignores case. ``plain`` is SQL of
    both columns.
    """
    texts = comparable(child, parent)
    if texts is not None:
        return *texts, "OPERATOR(pg_catalog.=)"
    operator = own_equality(column, key)
    return (*plain, operator) if operator is not None else None


def _unchanged(plan: TablePlan, name: str, old: Table) -> Column | None:
    """Returns the column of OLD whose values arrive as they are in a column of NEW."""
    expression = next((m.expression for m in plan.columns if m.column == name), None)
    match expression:
        case Take(column=taken, conversion=conversion, led=None) if conversion.rule is Rule.SAME:
            return old.column(taken)
        case _:
            return None


def _taken(plan: TablePlan, name: str, old: Table) -> Column | None:
    """Returns the column of OLD that fills a column of NEW."""
    expression = next((m.expression for m in plan.columns if m.column == name), None)
    match expression:
        case Take(column=taken) | Coalesce(of=Take(column=taken)):
            return old.column(taken)
        case _:
            return None


def _written_alike(one: Column, other: Column) -> bool:
    """Returns whether equal values of two columns of OLD are the same text in JSON."""
    integers = one.type.leaf.family is Family.INTEGER and other.type.leaf.family is Family.INTEGER
    return integers or one.type.leaf.base == other.type.leaf.base


def _key_text(key: bytes, columns: Sequence[str]) -> str | None:
    """A journalled key as `children_of_keys` writes the child's; None where OLD's key is another one."""
    values = msgspec.json.decode(key, type=dict[str, msgspec.Raw])
    if any(column not in values for column in columns):
        return None
    return f"[{', '.join(bytes(values[column]).decode() for column in columns)}]"
