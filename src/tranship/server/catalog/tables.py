"""Tables with everything that hangs on them."""

from __future__ import annotations

from collections import defaultdict

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import (
    Check,
    Column,
    ForeignKey,
    Index,
    Key,
    Partition,
    Policy,
    Rule,
    Table,
    Trigger,
)
from tranship.model.names import TableName
from tranship.server.catalog.rows import (
    ColumnRow,
    ConstraintRow,
    IndexRow,
    InheritanceRow,
    PartitionRow,
    PolicyRow,
    RelationRow,
    RuleRow,
    TriggerRow,
    UnreadableRow,
    by_relation,
    fetch,
)
from tranship.server.catalog.types import TypeReader

_UNKNOWN = -1.0


class TableParts(Struct, frozen=True):
    """What hangs on the relations in scope, per relation OID."""

    columns: dict[int, list[ColumnRow]]
    unreadable: dict[int, list[UnreadableRow]]
    constraints: dict[int, list[ConstraintRow]]
    indexes: dict[int, list[IndexRow]]
    triggers: dict[int, list[TriggerRow]]
    rules: dict[int, list[RuleRow]]
    policies: dict[int, list[PolicyRow]]
    partitions: dict[int, list[PartitionRow]]
    leaf_constraints: dict[int, list[ConstraintRow]]
    leaf_indexes: dict[int, list[IndexRow]]
    leaf_triggers: dict[int, list[TriggerRow]]
    parents: dict[int, list[InheritanceRow]]
    children: dict[int, list[InheritanceRow]]


async def read_parts(conn: asyncpg.Connection, version: int, relations: list[RelationRow]) -> TableParts:
    """One query per kind of part, for all relations at once."""
    oids = [relation.oid for relation in relations]
    veiled = [relation.oid for relation in relations if "SELECT" not in relation.privileges]
    partitioned = [relation.oid for relation in relations if relation.kind == "p"]
    links = await fetch(conn, version, "inheritance", InheritanceRow, oids)
    parents: dict[int, list[InheritanceRow]] = defaultdict(list)
    children: dict[int, list[InheritanceRow]] = defaultdict(list)
    for link in links:
        parents[link.child].append(link)
        children[link.parent].append(link)
    nodes = await fetch(conn, version, "partitions", PartitionRow, partitioned)
    leaves = [node.oid for node in nodes if node.kind != "p"]
    return TableParts(
        columns=by_relation(await fetch(conn, version, "columns", ColumnRow, oids)),
        unreadable=by_relation(await fetch(conn, version, "unreadable", UnreadableRow, veiled)),
        constraints=by_relation(await fetch(conn, version, "constraints", ConstraintRow, oids, False)),
        indexes=by_relation(await fetch(conn, version, "indexes", IndexRow, oids)),
        triggers=by_relation(await fetch(conn, version, "triggers", TriggerRow, oids)),
        rules=by_relation(await fetch(conn, version, "rules", RuleRow, oids)),
        policies=by_relation(await fetch(conn, version, "policies", PolicyRow, oids)),
        partitions=by_relation(nodes),
        leaf_constraints=by_relation(await fetch(conn, version, "constraints", ConstraintRow, leaves, True)),
        leaf_indexes=by_relation(await fetch(conn, version, "indexes", IndexRow, leaves)),
        leaf_triggers=by_relation(await fetch(conn, version, "triggers", TriggerRow, leaves)),
        parents=parents,
        children=children,
    )


def build_table(
    relation: RelationRow, parts: TableParts, types: TypeReader, sequences: dict[tuple[int, str], TableName]
) -> Table:
    """The table of one relation. *sequences*: by relation OID and column name."""
    oid = relation.oid
    constraints = parts.constraints.get(oid, [])
    indexes = parts.indexes.get(oid, [])
    tree = parts.partitions.get(oid, [])
    leaves = [node for node in tree if node.kind != "p"]
    links = parts.parents.get(oid, [])
    table = Table(
        name=TableName(relation.schema, relation.name),
        kind=relation.kind,
        columns=tuple(
            _column(row, types, sequences.get((oid, row.name))) for row in parts.columns.get(oid, [])
        ),
        oid=oid,
        keys=_keys(constraints, indexes),
        foreign_keys=tuple(_foreign_key(row) for row in constraints if row.kind == "f"),
        checks=tuple(_check(row) for row in constraints if row.kind == "c"),
        indexes=tuple(_index(row) for row in indexes),
        triggers=tuple(_trigger(row) for row in parts.triggers.get(oid, [])),
        rules=tuple(
            Rule(row.name, row.event, row.instead, row.enabled, row.definition)
            for row in parts.rules.get(oid, [])
        ),
        policies=tuple(Policy(row.name, row.definition) for row in parts.policies.get(oid, [])),
        row_security=relation.row_security,
        force_row_security=relation.force_row_security,
        persistence=relation.persistence,
        partition_key=relation.partition_key,
        partition_of=next(
            (TableName(link.parent_schema, link.parent_name) for link in links if link.partition), None
        ),
        has_default_partition=bool(tree) and all(node.complete for node in tree if node.kind == "p"),
        parents=tuple(
            TableName(link.parent_schema, link.parent_name) for link in links if not link.partition
        ),
        children=tuple(
            sorted(
                TableName(link.child_schema, link.child_name)
                for link in parts.children.get(oid, [])
                if not link.partition
            )
        ),
        access_method=relation.access_method,
        of_type=relation.of_type,
        owner=relation.owner,
        owned=relation.owned,
        privileges=relation.privileges,
        unreadable_columns=tuple(row.name for row in parts.unreadable.get(oid, [])),
        row_security_active=relation.row_security_active,
        row_estimate=_estimate(relation, leaves),
        pages=relation.pages + sum(leaf.pages for leaf in leaves),
        bytes=relation.bytes + sum(leaf.bytes for leaf in leaves),
        comment=relation.comment,
        definition=relation.definition,
        options=relation.options,
        replica_identity=relation.replica_identity,
        tablespace=relation.tablespace,
        grants=relation.grants,
    )
    return (
        replace(table, partitions=tuple(_partition(leaf, table, parts) for leaf in leaves))
        if leaves
        else table
    )


def _partition(leaf: PartitionRow, root: Table, parts: TableParts) -> Partition:
    """A leaf with what it demands beyond its root: an own constraint of the same meaning is none."""
    constraints = parts.leaf_constraints.get(leaf.oid, [])
    keys = {(key.primary, frozenset(key.columns)) for key in root.keys}
    references = {_reference(key) for key in root.foreign_keys}
    checks = {check.expression for check in root.checks}
    triggers = {trigger.name for trigger in root.triggers}
    return Partition(
        name=TableName(leaf.schema, leaf.name),
        constraint=leaf.constraint,
        kind=leaf.kind,
        selectable=leaf.selectable,
        oid=leaf.oid,
        keys=tuple(
            key
            for key in _keys(constraints, parts.leaf_indexes.get(leaf.oid, []))
            if (key.primary, frozenset(key.columns)) not in keys
        ),
        foreign_keys=tuple(
            key
            for row in constraints
            if row.kind == "f" and _reference(key := _foreign_key(row)) not in references
        ),
        checks=tuple(
            check
            for row in constraints
            if row.kind == "c" and (check := _check(row)).expression not in checks
        ),
        triggers=tuple(
            _trigger(row) for row in parts.leaf_triggers.get(leaf.oid, []) if row.name not in triggers
        ),
    )


def _reference(key: ForeignKey) -> tuple[TableName, frozenset[tuple[str, str]]]:
    return key.target, frozenset(zip(key.columns, key.target_columns, strict=True))


def _trigger(row: TriggerRow) -> Trigger:
    return Trigger(row.name, row.enabled, row.definition, row.function, row.on_insert, row.inherited)


def _estimate(relation: RelationRow, leaves: list[PartitionRow]) -> float:
    """``reltuples``, -1 when never counted (before 14 a server says 0 then); of a partitioned table the sum over its leaves."""
    if relation.kind != "p":
        return relation.row_estimate if relation.row_estimate > 0 or relation.bytes == 0 else _UNKNOWN
    estimates = [
        leaf.row_estimate if leaf.row_estimate > 0 or leaf.pages == 0 else _UNKNOWN for leaf in leaves
    ]
    return _UNKNOWN if _UNKNOWN in estimates else sum(estimates)


def _column(row: ColumnRow, types: TypeReader, sequence: TableName | None) -> Column:
    plain = not row.generated
    own_default = row.expression if plain else None
    inherited_default = plain and not row.identity and own_default is None
    return Column(
        name=row.name,
        attnum=row.attnum,
        type=types.build(row.type, row.modifier),
        not_null=row.not_null,
        null_before=row.null_before,
        default=own_default,
        identity=row.identity,
        generated=row.generated,
        generation=None if plain else row.expression,
        collation=row.collation,
        sequence=sequence,
        comment=row.comment,
        storage=row.storage,
        volatile_default=types.volatile_default(row.type) if inherited_default else plain and row.volatile,
    )


def _keys(constraints: list[ConstraintRow], indexes: list[IndexRow]) -> tuple[Key, ...]:
    declared = [
        Key(
            name=row.name,
            primary=row.kind == "p",
            columns=row.columns,
            nulls_not_distinct=row.nulls_not_distinct,
            deferrable=row.deferrable,
            initially_deferred=row.deferred,
            without_overlaps=row.period,
        )
        for row in constraints
        if row.kind in "pu"
    ]
    plain = [
        Key(
            name=row.name,
            primary=False,
            columns=tuple(column for column in row.columns if column is not None),
            nulls_not_distinct=row.nulls_not_distinct,
            constraint=False,
        )
        for row in indexes
        if row.unique
        and row.valid
        and row.constraint is None
        and row.predicate is None
        and None not in row.columns
    ]
    return (*declared, *plain)


def _foreign_key(row: ConstraintRow) -> ForeignKey:
    return ForeignKey(
        name=row.name,
        columns=row.columns,
        target=TableName(row.target_schema or "", row.target_name or ""),
        target_columns=row.target_columns,
        match_full=row.match == "f",
        on_update=row.on_update,
        on_delete=row.on_delete,
        deferrable=row.deferrable,
        initially_deferred=row.deferred,
        validated=row.validated,
        enforced=row.enforced,
        definition=row.definition or "",
        period=row.period,
        set_columns=row.set_columns,
    )


def _check(row: ConstraintRow) -> Check:
    return Check(
        name=row.name,
        expression=row.expression or "",
        columns=row.columns,
        validated=row.validated,
        enforced=row.enforced,
        no_inherit=row.no_inherit,
    )


def _index(row: IndexRow) -> Index:
    return Index(
        name=row.name,
        definition=row.definition,
        method=row.method,
        unique=row.unique,
        keys=row.keys,
        columns=row.columns,
        collations=row.collations,
        predicate=row.predicate,
        valid=row.valid,
        nulls_not_distinct=row.nulls_not_distinct,
        constraint=row.constraint,
        constraint_kind=row.constraint_kind,
        deferrable=row.deferrable,
        exclusion_operators=row.exclusion_operators,
    )
