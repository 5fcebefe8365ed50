"""Lookups into tables that are filled together with the rows that look up in them: a table whose rows name
one another, and cycles of such tables. Pure.

What such a lookup finds has to be known before the rows are in NEW, so OLD has to tell it. A value that a
sequence of NEW would give is one of those: the rows are numbered instead, as ``new_key`` numbers them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.scope import LookupCycle
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Lookup, NewDefault, Rekeyed
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Origin, TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import KeyKind, NewKey, Numbering
from tranship.planning.plan.order import lookup_circles


class _Needed(Struct, frozen=True):
    """A column of NEW that a lookup reads in a table that is filled together with its own."""

    reader: TablePlan
    lookup: Lookup
    filler: TablePlan
    mapping: ColumnMapping


def with_lookups_within(
    tables: Sequence[TablePlan], old: Catalog, new: Catalog
) -> tuple[list[TablePlan], tuple[Problem, ...]]:
    """Returns the plans whose lookups know that they read what is filled together with them, and a refusal
    for each value that OLD cannot tell.
    """
    circles = lookup_circles(tables)
    if not circles:
        return list(tables), ()
    marked = [_marked(plan, circles.get(n, frozenset())) for n, plan in enumerate(tables)]
    fillers: dict[TableName, list[TablePlan]] = {}
    for plan in marked:
        fillers.setdefault(plan.new, []).append(plan)
    numbered: dict[tuple[TableName, str], ColumnMapping] = {}
    problems = []
    for needed in _needed(marked, fillers):
        alone = len(fillers[needed.lookup.table]) == 1
        made = _numbered(needed, old, new) if alone else None
        why = _why_unknown(needed)
        if why and made is not None:
            numbered[needed.filler.new, needed.mapping.column] = made
        elif why:
            wrong = LookupCycle(needed.lookup.table, needed.mapping.column, why)
            problems.append(wrong.problem(str(needed.reader.flow)))
    plans = [_with_numbers(plan, numbered, new) for plan in marked]
    return plans, tuple(dict.fromkeys(problems))


def _marked(plan: TablePlan, within: frozenset[TableName]) -> TablePlan:
    # OLD tells what is found, and may write it otherwise than NEW.
    columns = tuple(
        replace(mapping, expression=replace(mapping.expression, within=True, own=False))
        if isinstance(mapping.expression, Lookup) and _reads_new(mapping.expression, within)
        else mapping
        for mapping in plan.columns
    )
    if columns == plan.columns:
        return plan
    first = next(new.column for new, mapping in zip(columns, plan.columns, strict=True) if new != mapping)
    why_text = plan.why_text or f"{first}: computed as text"
    return replace(plan, columns=columns, binary=False, why_text=why_text)


def _reads_new(lookup: Lookup, tables: frozenset[TableName]) -> bool:
    return lookup.reads_new and lookup.table in tables


def _needed(
    tables: Sequence[TablePlan], fillers: Mapping[TableName, Sequence[TablePlan]]
) -> Iterator[_Needed]:
    for plan in tables:
        for one in plan.columns:
            lookup = one.expression
            if not isinstance(lookup, Lookup) or not lookup.within:
                continue
            for filler in fillers[lookup.table]:
                wanted = {*lookup.keys, lookup.value}
                yield from (_Needed(plan, lookup, filler, m) for m in filler.columns if m.column in wanted)


def _why_unknown(needed: _Needed) -> str:
    """Returns why OLD cannot tell a value; empty where it can."""
    match needed.mapping.expression:
        case NewDefault():
            return "NEW's server makes its values"
        case Lookup(within=True):
            return "it is itself looked up there"
        case _:
            return ""


def _numbered(needed: _Needed, old: Catalog, new: Catalog) -> ColumnMapping | None:
    """Returns a column that a sequence would fill as numbers in OLD key order; None: the rows have no key of
    one column by which to number them.
    """
    plan, before, after = needed.filler, old.table(needed.filler.old), new.table(needed.filler.new)
    column = after.column(needed.mapping.column) if after is not None else None
    by_sequence = isinstance(needed.mapping.expression, NewDefault) and column is not None and column.sequence
    shape = plan.shape
    if not by_sequence or before is None or shape.items is not None or shape.query is not None:
        return None
    key = before.column(before.order_key[0]) if len(before.order_key) == 1 else None
    if key is None:
        return None
    made = NewKey(key.name, KeyKind.NUMBER)
    expression = Rekeyed(key.name, made, plan.old, key.type.text, numbering=_numbering(plan, before))
    because = "numbered, because rows of the same run look it up"
    return replace(needed.mapping, expression=expression, origin=Origin.RULE, because=because)


def _numbering(plan: TablePlan, before: Table) -> Numbering:
    strings = {column.name for column in before.columns if column.type.leaf.category == "S"}
    order = tuple((name, name in strings) for name in before.order_key)
    where = plan.shape.filter.where if plan.shape.filter is not None else ""
    return Numbering(order, before.kind == RelationKind.PARTITIONED_TABLE, where)


def _with_numbers(
    plan: TablePlan, numbered: Mapping[tuple[TableName, str], ColumnMapping], new: Catalog
) -> TablePlan:
    """Returns the plan with its numbered columns, which no sequence numbers as the rows arrive."""
    columns = tuple(numbered.get((plan.new, mapping.column), mapping) for mapping in plan.columns)
    if columns == plan.columns:
        return plan
    after = new.table(plan.new)
    drawn = {column.name for column in after.columns if column.sequence} if after is not None else set()
    serial = any(m.column in drawn and isinstance(m.expression, NewDefault) for m in columns)
    first = next(m.column for m in columns if not isinstance(m.expression, NewDefault))
    why_text = plan.why_text or f"{first}: computed as text"
    return replace(
        plan, columns=columns, serial=serial, binary=False, why_text=why_text, inserts_defaults=False
    )
