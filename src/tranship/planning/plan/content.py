"""The content record of a table plan: which old rows are read and what fills each column, in normal form.

Two plans with equal records put the same rows with the same values into NEW. The record is built field by
field and never from the encoding of a class, so that a class can gain a field, or a sentence be reworded,
without a change of any hash. What is left out on purpose:

- words: ``because``, ``origin``, why a conversion is automatic;
- orders that mean nothing: of tables, columns, the keys of a value mapping, the key columns of a lookup;
- how rows travel: hazards, COPY format, OIDs, streams.

A change of what stands in the record, or of its form, is a new version of it (`VERSION`) and makes every
earlier hash another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.expression import (
    Coalesce,
    Constant,
    Expression,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Sql,
    Take,
)
from tranship.model.names import TableName
from tranship.model.plan import Plan, TablePlan
from tranship.model.shape import PLAIN, Parent, Shape
from tranship.model.types import PgType
from tranship.planning.plan.order import keys_inside

VERSION = 1
"""Version of the record's form; part of every record, and so of every hash."""

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


def content_record(plan: TablePlan) -> dict[str, Json]:
    """Returns what decides the content that a table plan gives NEW, as JSON values in normal form."""
    record: dict[str, Json] = {
        "record": VERSION,
        "old": _name(plan.old),
        "new": _name(plan.new),
        "reads": sorted([_name(source.relation), _name(source.root)] for source in plan.sources),
        # The order of OLD's key decides which of two colliding rows stays.
        "key": list(plan.key),
        "zone": plan.zone,
        "columns": {m.column: {"type": _type(m.type), "filled": _filled(m.expression)} for m in plan.columns},
    }
    if plan.repointing is not None:
        record["follows"] = [
            [
                *(list(one.columns), _name(one.table), list(one.merge.key), one.merge.keep, one.where),
                *(_parent(above) for above in one.left_with),
            ]
            for one in plan.repointing.parents
        ]
    # A plain flow has the record that it had before there were other shapes, and so the same hash.
    if plan.shape != PLAIN:
        record["shape"] = _shape(plan.shape)
    # Under the usual settings a plan has the record that it had before others were part of it.
    if plan.settings:
        record["settings"] = sorted(plan.settings)
    if plan.adopting:
        record["adopting"] = sorted(plan.adopting)
    if plan.tolerating:
        record["tolerating"] = sorted(plan.tolerating)
    # The time at which a run begins is another one each time, and no other decision.
    return {key: _timeless(value, plan.moment) for key, value in record.items()} if plan.moment else record


def _timeless(value: Json, moment: str) -> Json:
    match value:
        case str():
            return value.replace(moment, "run.started")
        case Mapping():
            return {key: _timeless(member, moment) for key, member in value.items()}
        case Sequence():
            return [_timeless(member, moment) for member in value]
        case _:
            return value


def _shape(shape: Shape) -> dict[str, Json]:
    """Returns what decides which rows a flow makes; reasons are left out."""
    parts: dict[str, Json] = {}
    if shape.query is not None:
        parts["query"] = {"sql": shape.query.sql, "key": list(shape.query.key)}
    if shape.filter is not None:
        of: list[Json] = [[_name(table), children.value] for table, children in sorted(shape.filter.of)]
        parts["filter"] = {"where": shape.filter.where, "children": shape.filter.children.value, "of": of}
    if shape.left_with:
        parts["left with"] = [_parent(parent) for parent in shape.left_with]
    if shape.null_with:
        parts["null with"] = [_parent(parent) for parent in shape.null_with]
    if shape.items is not None:
        items = shape.items
        parts["items"] = {"from": items.source, "where": items.where, "order": items.order_by}
    if shape.merge is not None:
        merge = shape.merge
        parts["merge"] = {"key": list(merge.key), "keep": merge.keep, "repoint": merge.repoint_children}
    parts["new keys"] = {
        one.column: {"kind": one.kind.value, "namespace": one.namespace, "offset": one.offset}
        for one in shape.new_keys
    }
    if shape.existing is not None:
        found = shape.existing
        repoint = found.repoint_children
        parts["existing"] = {"key": list(found.key), "rows": found.rows.value, "repoint": repoint}
    return parts


def _parent(parent: Parent) -> Json:
    """A parent that may be left out, and what takes it."""
    flows: list[Json] = [[flow.where, [_parent(above) for above in flow.parents]] for flow in parent.flows]
    ends: list[Json] = [list(parent.columns), list(parent.target_columns)]
    record: dict[str, Json] = {
        "table": _name(parent.table),
        "ends": ends,
        "itself": parent.itself,
        "flows": flows,
    }
    if parent.becoming_null != parent.columns:
        record["lost"] = list(parent.becoming_null)
    if parent.only_in:
        record["only in"] = list(parent.only_in)
    return record


def plan_hash(plan: TablePlan) -> str:
    """Returns the SHA-256 of the content record as hexadecimal digits."""
    record = json.dumps(content_record(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(record.encode("ascii")).hexdigest()


def run_hash(plans: Iterable[TablePlan]) -> str:
    """Returns the SHA-256 over all tables of a run, whatever their order."""
    return hashlib.sha256("\n".join(sorted(plan_hash(p) for p in plans)).encode("ascii")).hexdigest()


def rebound(decided: Plan, now: Plan, new: Catalog) -> Plan:
    """Returns a plan as it was decided, with what is now: OIDs of heaps, how to read them, and the names of
    NEW's foreign keys, of which a person may have put one back under another name.

    Rows that it is restricted to, or that cannot be taken apart, stay what they are.
    """
    heaps = {(table.old, source.relation): source for table in now.tables for source in table.sources}

    def bound(table: TablePlan) -> TablePlan:
        found = ((heaps.get((table.old, source.relation), source), source) for source in table.sources)
        sources = (
            replace(heap, only=then.only, items=then.items, unmade=then.unmade) for heap, then in found
        )
        return replace(table, sources=tuple(sources))

    groups = tuple(
        replace(
            group,
            cyclic_keys=keys_inside({table.new for table in group.tables}, new),
            tables=tuple(map(bound, group.tables)),
        )
        for group in decided.groups
    )
    return replace(decided, groups=groups)


def _name(name: TableName) -> list[Json]:
    return [name.schema, name.name]


def _type(type_: PgType) -> Json:
    """The type as NEW prints it; a type that NEW defines itself also with what it accepts."""
    record: dict[str, Json] = {"name": type_.text}
    if type_.labels:
        record["labels"] = list(type_.labels)
    if type_.attributes:
        record["attributes"] = [[a.name, _type(a.type)] for a in type_.attributes]
    if type_.checks:
        record["checks"] = sorted(check.expression for check in type_.checks)
    if type_.not_null:
        record["not null"] = True
    if type_.element is not None:
        record["of"] = _type(type_.element)
    return record


def _filled(expression: Expression) -> dict[str, Json]:
    """What fills a column; one shape per member of the union of expressions."""
    match expression:
        case Take(column=column, conversion=conversion):
            return {"column": column, "rule": conversion.rule.value}
        case Coalesce(of=of, for_null=for_null):
            return {**_filled(of), "null": _constant(for_null)}
        case Constant():
            return {"constant": expression.value}
        case NewDefault():
            return {"default": True}
        case MapValues(column=column, pairs=pairs, otherwise=otherwise, for_null=for_null):
            mapping: list[Json] = [[key, value] for key, value in sorted(pairs, key=lambda pair: pair[0])]
            return {
                "column": column,
                "mapping": mapping,
                "otherwise": _constant(otherwise),
                "null": _constant(for_null),
            }
        case Lookup():
            return _lookup(expression)
        case Rekeyed(column=column, key=key, table=table):
            made: list[Json] = [key.kind.value, key.namespace, key.offset, key.column]
            return {"column": column, "key of": _name(table), "made": made}
        case Followed(of=of, columns=columns, parent=parent, keys=keys, value=value):
            led: list[Json] = [_name(parent.old), _name(parent.new), parent.name, value]
            return {**_filled(of), "led": led, "by": [list(columns), list(keys)]}
        case Sql(text=text):
            return {"sql": text}
        case _:
            assert_never(expression)


def _lookup(lookup: Lookup) -> dict[str, Json]:
    pairs = sorted(zip(lookup.keys, lookup.key_sql or lookup.columns, strict=True))
    # A lookup by columns alone has the record that it had before there were expressions.
    more: dict[str, Json] = {"by": "sql"} if lookup.key_sql else {}
    more |= {"add missing": True} if lookup.add_missing else {}
    return {
        **more,
        "lookup": _name(lookup.table),
        "side": lookup.side.value,
        "value": lookup.value,
        "keys": [[key, column] for key, column in pairs],
        "otherwise": _constant(lookup.otherwise),
        "null": _constant(lookup.for_null),
    }


def _constant(constant: Constant | None) -> Json:
    """None where there is no constant, else a list of its one value, which may be NULL."""
    return None if constant is None else [constant.value]
