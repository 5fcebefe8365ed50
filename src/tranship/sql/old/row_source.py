"""How OLD reads the rows that a flow makes of one of its sources: the FROM clause, the conditions that always
hold, and what identifies a row.

Every read of a flow's rows begins here, so that checks, counts, batches and records see the same rows: those
that the filter selects, taken apart into items, or the rows of a query.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar, assert_never

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.locator import Address, Locator, Pages, Range
from tranship.model.plan import Source, TablePlan
from tranship.model.shape import CutKind, Filter, Items, Query, Shape
from tranship.sql import ctid
from tranship.sql.joins import Joins
from tranship.sql.left_out import filtered, lines, not_followed
from tranship.sql.old.merged import repointed_heap
from tranship.sql.quote import ident, relation, text_array, tid_array
from tranship.sql.row_id import hex_value, padded_value, unpadded
from tranship.sql.survivors import UNLED, over_own_row

T = TypeVar("T")


class Part(Struct, frozen=True):
    """An expression that identifies a row, alone or with others."""

    value: str
    type: str


class RowSource(Struct, frozen=True):
    """One source of a flow as it is read."""

    heap: str
    """The FROM clause with the alias ``old``, and ``item`` where old rows are taken apart."""
    conditions: tuple[str, ...]
    """They hold for every row of the flow: they keep to the leaf, and to the rows that are taken."""
    parts: tuple[Part, ...]
    id: str
    """One value that identifies a row; ``sql/row_id.py`` reads what the driver makes of it."""
    id_text: str
    """The same as a text without tabs and newlines."""

    @property
    def order(self) -> str:
        """The ORDER BY list of a fixed order: physical where the rows lie in a heap."""
        return ", ".join(part.value for part in self.parts)

    def read(self, conditions: Iterable[str] = (), joins: str = "") -> str:
        """Returns FROM, joins and WHERE of the rows that meet further conditions."""
        return f"{self.heap}{joins}{where((*self.conditions, *conditions))}"

    def read_joined(self, conditions: Iterable[str], joins: Joins, also: Iterable[str] = ()) -> str:
        """Returns the same with the joins of all lookups; ``also`` are conditions on what they find."""
        kept = tuple(conditions)
        # An old row without items has no number of one.
        made = (f"{_ITEM.value} IS NOT NULL",) if _ITEM in self.parts else ()
        return self.read((*kept, *also), joins.all((*self.conditions, *made, *kept)))


TID = "pg_catalog.tid"
_CTID = Part("old.ctid", TID)
_ITEM = Part("item.item_number", "pg_catalog.int4")


def row_source(plan: TablePlan, number: int, within: Range | None = None) -> RowSource:
    """Returns how the rows of one source of a plan are read; ``number`` is its position.

    ``within``: a range to which the caller keeps. Where only some rows are read, those of the range alone
    are listed.
    """
    shape = plan.shape
    source = _narrowed(plan.sources[number], within) if within is not None else plan.sources[number]
    if shape.query is not None:
        rows = _of_query(shape.query)
        only = [Locator(0, address) for address in source.only] if source.only is not None else None
        return rows if only is None else replace(rows, conditions=(among(rows, only),))
    unmade = _makes_items(source) if shape.items is not None else ()
    rows = _made(shape.items, heap_of(plan, source), (*in_source(source), *unmade, *taken(plan)))
    return replace(rows, conditions=(*rows.conditions, *_wanted_items(source, shape.items)))


def _made(items: Items | None, heap: str, conditions: tuple[str, ...]) -> RowSource:
    """Returns how the rows are read that are made of old rows: one of each, or its items."""
    if items is None:
        return RowSource(heap, conditions, (_CTID,), "old.ctid", "CAST(old.ctid AS pg_catalog.text)")
    return RowSource(
        heap=f"{heap}{_items(items)}",
        conditions=(*conditions, *_condition(items.where)),
        parts=(_CTID, _ITEM),
        id=f"ROW({_CTID.value}, {_ITEM.value})",
        id_text=f"(CAST(old.ctid AS pg_catalog.text) || '#' || {_ITEM.value})",
    )


def heap_of(plan: TablePlan, source: Source) -> str:
    """Returns the FROM clause with the alias ``old``; references to merged rows lead to their survivors."""
    heap = from_source(source)
    return heap if plan.repointing is None else repointed_heap(heap.removesuffix(" AS old"), plan.repointing)


def own_row(plan: TablePlan) -> str:
    """Returns the alias under which a row has the values that OLD holds, whatever its references lead to."""
    return "old" if plan.repointing is None else UNLED


def whole_table(plan: TablePlan) -> RowSource:
    """Returns how all rows of a flow are read at once, partitions included."""
    first = plan.sources[0]
    if len(plan.sources) == 1:
        return row_source(plan, 0)
    root = f"FROM {relation(first.root)} AS old"
    heap = root if plan.repointing is None else repointed_heap(root.removesuffix(" AS old"), plan.repointing)
    unmade = (
        f"NOT (old.tableoid = {source.oid} AND {unmade_row(source)})"
        for source in plan.sources
        if source.unmade
    )
    return _made(plan.shape.items, heap, (*unmade, *taken(plan)))


def row_sources(plan: TablePlan) -> list[tuple[int, RowSource]]:
    """Returns all sources of a plan with their positions."""
    return [(number, row_source(plan, number)) for number in range(len(plan.sources))]


def items_of_row(plan: TablePlan, source: Source, *conditions: str) -> str:
    """Returns FROM and WHERE of the items that a flow makes of one row ``old`` of a source, where conditions
    over ``old`` hold; the plan has items. What reads them raises where numbering them does.
    """
    items = plan.shape.items
    if items is None:
        raise ValueError(f"{plan.flow} does not take rows apart")
    # A number that nobody reads is not computed, nor the values by which items are numbered.
    computed = (f"{_ITEM.value} > 0",) if items.late else ()
    of_items = (*computed, *_condition(items.where), *_wanted_items(source, items))
    read = f"{_numbered(items)} AS item" if of_items else lines(items.source)
    return f"FROM {read}{where((*of_items, *conditions))}"


def _wanted_items(source: Source, items: Items | None) -> tuple[str, ...]:
    """Returns the condition of the items that are read, where these are not all."""
    if items is None or not source.items:
        return ()
    places = _tids([Locator(0, address) for address, _ in source.items])
    numbers = "'{" + ",".join(str(number) for _, number in source.items) + "}'::pg_catalog.int4[]"
    arrays = f"ROWS FROM (pg_catalog.unnest({places}), pg_catalog.unnest({numbers})) AS wanted(p0, p1)"
    which = f"wanted.p0 = {_CTID.value} AND wanted.p1 IN (0, {_ITEM.value})"
    return (f"EXISTS (SELECT FROM {arrays} WHERE {which})",)


def taken(plan: TablePlan) -> tuple[str, ...]:
    """Returns the conditions over ``old`` that select the old rows of a flow; empty where all are taken.

    A NULL result does not select.
    """
    own = filter_of(plan)
    return (*((own,) if own is not None else ()), *not_followed(plan.shape))


def filter_of(plan: TablePlan) -> str | None:
    """Returns the condition of a flow's filter; None without one. It reads what OLD holds, whatever the
    references lead to: a person who names a row by its number means that row.
    """
    own = filtered(plan.shape)
    return own if own is None or plan.repointing is None else over_own_row(own, plan.repointing.columns)


def left_out_rows(plan: TablePlan) -> TablePlan:
    """Returns a flow of the old rows that a flow, which takes no rows apart, leaves out."""
    chosen = " AND ".join(f"({condition}) IS TRUE" for condition in taken(plan))
    return replace(plan, name=f"{plan.name} (left out)", shape=Shape(filter=Filter(f"NOT ({chosen})")))


def from_source(source: Source) -> str:
    """Returns the FROM clause over one heap of OLD, with the alias ``old``.

    ONLY keeps inheritance children out, which are tables of their own; partitions are sources of their own.
    """
    # The role has SELECT on the root alone: PostgreSQL checks the privileges of the relation that a query
    # names.
    if source.through_root:
        return f"FROM {relation(source.root)} AS old"
    return f"FROM ONLY {relation(source.relation)} AS old"


def in_source(source: Source) -> tuple[str, ...]:
    """Returns the conditions that keep a read through the root to the one leaf, and to the rows that are
    read; empty where these are all rows of the relation.
    """
    leaf = (f"old.tableoid = {source.oid}",) if source.through_root else ()
    if source.only is None:
        return leaf
    # Read as a TID scan: one literal, which the parser makes one constant of.
    return (*leaf, f"old.ctid = ANY ({tid_array(map(ctid.render, source.only))})")


def unmade_row(source: Source) -> str:
    """Returns the condition that the row ``old`` is one that cannot be taken apart; there are some."""
    return f"old.ctid = ANY ({tid_array(ctid.render(one.address) for one in source.unmade)})"


def _makes_items(source: Source) -> tuple[str, ...]:
    # A condition on the old row alone is met before its items are computed; an anti-join need not be.
    return (f"NOT ({unmade_row(source)})",) if source.unmade else ()


def _narrowed(source: Source, range_: Range) -> Source:
    """Returns a source of which only the single rows in a range are named."""
    unmade = _between(source.unmade, [one.address for one in source.unmade], range_)
    only = _between(source.only, source.only, range_) if source.only is not None else None
    items = _between(source.items, [address for address, _ in source.items], range_)
    return replace(source, only=only, items=items, unmade=unmade)


def _between(rows: tuple[T, ...], addresses: Sequence[Address], range_: Range) -> tuple[T, ...]:
    first = bisect_left(addresses, range_.start) if range_.start is not None else 0
    last = bisect_left(addresses, range_.end) if range_.end is not None else len(addresses)
    return rows[first:last]


def without(rows: RowSource, gone: Collection[Locator]) -> tuple[str, ...]:
    """Returns the condition that leaves these rows out; empty without rows.

    An anti-join over an array costs one hash table; ``<> ALL (array)`` would compare each row with thousands
    of ctids.
    """
    if not gone:
        return ()
    return (f"NOT EXISTS (SELECT FROM {_listed(rows, gone, 'gone')})",)


def among(rows: RowSource, chosen: Collection[Locator]) -> str:
    """Returns the condition that keeps just these rows; rows of a heap are read as a TID scan."""
    if rows.parts == (_CTID,):
        return f"old.ctid = ANY ({_tids(chosen)})"
    listed = f"EXISTS (SELECT FROM {_listed(rows, chosen, 'chosen')})"
    return f"old.ctid = ANY ({_tids(chosen)}) AND {listed}" if rows.parts[0] == _CTID else listed


def where(conditions: Iterable[str]) -> str:
    """Returns a WHERE clause on a line of its own, or nothing without conditions."""
    joined = " AND ".join(conditions)
    return f"\nWHERE {joined}" if joined else ""


def _of_query(query: Query) -> RowSource:
    keys = [hex_value(f"CAST(old.{ident(name)} AS pg_catalog.text)") for name in query.key]
    if query.cut_by:
        keys.insert(0, cut_text(query))
    joined = " || '.' || ".join(keys)
    return RowSource(
        heap=f"FROM ({lines(query.sql)}) AS old",
        conditions=(),
        parts=tuple(Part(key, "pg_catalog.text") for key in keys),
        id=f"ARRAY[{', '.join(keys)}]::pg_catalog.text[]",
        id_text=f"({joined})",
    )


def cut_text(query: Query) -> str:
    """Returns SQL for the text of the value by whose ranges a query is cut, as an address has it."""
    value = f"old.{ident(query.cut_by)}"
    if query.cut_kind is CutKind.NUMBER:
        return padded_value(value)
    return hex_value(f"CAST({value} AS pg_catalog.text)")


def in_key_range(query: Query, range_: Pages) -> tuple[str, ...]:
    """Returns the conditions of a range of the values by which a query is cut.

    They are over the column itself where its own order is that of the addresses, so that the planner may use
    them inside the SELECT.
    """
    ends = ((">=", range_.start), ("<", range_.end))
    return tuple(
        f"{value} {operator} {bound}"
        for operator, end in ends
        if end is not None
        for value, bound in [_cut_value(query, str(end[0]))]
    )


def _cut_value(query: Query, text: str) -> tuple[str, str]:
    """Returns SQL of the column as it is compared, and of the value that an address's text names."""
    value = f"old.{ident(query.cut_by)}"
    match query.cut_kind:
        case CutKind.NUMBER:
            return value, str(unpadded(text))
        case CutKind.STRING:
            return f'{value} COLLATE pg_catalog."C"', _text_of(text)
        case CutKind.OTHER:
            return f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C"', _text_of(text)
        case _:
            assert_never(query.cut_kind)


def _text_of(digits: str) -> str:
    """Returns SQL for the text whose bytes are given as hexadecimal digits."""
    decoded = f"pg_catalog.decode('{digits}', 'hex')"
    return f"pg_catalog.convert_from({decoded}, pg_catalog.getdatabaseencoding())"


def _items(items: Items) -> str:
    """Returns the join that takes an old row apart."""
    return f"\nCROSS JOIN LATERAL {_numbered(items)} AS item"


def _numbered(items: Items) -> str:
    """Returns the items of one old row as a subquery. They are numbered before any condition on them."""
    order = _numbering(items)
    numbered = f"CAST(pg_catalog.row_number() OVER (ORDER BY {order}) AS pg_catalog.int4) AS item_number"
    return f"(SELECT item.*, {numbered} FROM {lines(items.source)})"


def _numbering(items: Items) -> str:
    """Returns what items are numbered by. The texts of their columns come last and decide between equals, so
    that a number means the same item each time: items with equal texts are interchangeable.
    """
    named = [f"item.{ident(name)}" for name in items.columns] or ["item"]
    texts = [f'CAST({name} AS pg_catalog.text) COLLATE pg_catalog."C"' for name in named]
    given = lines(items.order_by) if items.order_by else ""
    counted = f"item.{ident(items.ordinality)}" if items.ordinality else ""
    return ", ".join(term for term in (given or counted, *texts) if term)


def _condition(text: str) -> tuple[str, ...]:
    return (f"({lines(text)})",) if text else ()


def _listed(rows: RowSource, these: Collection[Locator], alias: str) -> str:
    """Returns a FROM item over an array for each part of an id, with the condition that it is the row's."""
    if rows.parts == (_CTID,):
        return f"pg_catalog.unnest({_tids(these)}) AS {alias}(id) WHERE {alias}.id = old.ctid"
    if rows.parts[0] == _CTID:
        items = "'{" + ",".join(str(row.item) for row in these) + "}'::pg_catalog.int4[]"
        arrays = [_tids(these), items]
    else:
        arrays = [text_array(str(row.address[n]) for row in these) for n in range(len(rows.parts))]
    lists = ", ".join(f"pg_catalog.unnest({array})" for array in arrays)
    names = [f"p{n}" for n in range(len(rows.parts))]
    same = " AND ".join(f"{alias}.{n} = {part.value}" for n, part in zip(names, rows.parts, strict=True))
    return f"ROWS FROM ({lists}) AS {alias}({', '.join(names)}) WHERE {same}"


def _tids(rows: Iterable[Locator]) -> str:
    return tid_array(ctid.render(row.address) for row in rows)
