"""Reads tables with everything that belongs to them: columns, constraints, indexes, triggers, rules,
policies, partitions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

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
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.server.catalog.ask import Answers, Question
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
)
from tranship.server.catalog.types import BUILT_IN_EQUALITY, TypeReader

Thing = TypeVar("Thing")
_UNKNOWN = -1.0


class TableParts(Struct, frozen=True):
    """What belongs to the relations in scope, by relation OID. The ``leaf_`` fields are about leaves of
    partitioned tables.
    """

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


class PartQuestions(NamedTuple):
    """What is asked of relations: one query per kind of part, however many relations there are."""

    inheritance: Question[InheritanceRow]
    partitions: Question[PartitionRow]
    columns: Question[ColumnRow]
    unreadable: Question[UnreadableRow]
    constraints: Question[ConstraintRow]
    indexes: Question[IndexRow]
    triggers: Question[TriggerRow]
    rules: Question[RuleRow]
    policies: Question[PolicyRow]

    @classmethod
    def of(cls, relations: Sequence[RelationRow]) -> PartQuestions:
        """Returns the questions about some relations."""
        oids = [relation.oid for relation in relations]
        # Column privileges are read only where the role may not SELECT the relation as a whole.
        veiled = [relation.oid for relation in relations if "SELECT" not in relation.privileges]
        partitioned = [one.oid for one in relations if one.kind == RelationKind.PARTITIONED_TABLE]
        return cls(
            Question("inheritance", InheritanceRow, (oids,)),
            Question("partitions", PartitionRow, (partitioned,)),
            Question("columns", ColumnRow, (oids,)),
            Question("unreadable", UnreadableRow, (veiled,)),
            Question("constraints", ConstraintRow, (oids, False)),
            Question("indexes", IndexRow, (oids,)),
            Question("triggers", TriggerRow, (oids,)),
            Question("rules", RuleRow, (oids,)),
            Question("policies", PolicyRow, (oids,)),
        )


class LeafQuestions(NamedTuple):
    """What is asked of the leaves of partitioned tables."""

    constraints: Question[ConstraintRow]
    indexes: Question[IndexRow]
    triggers: Question[TriggerRow]

    @classmethod
    def of(cls, nodes: Sequence[PartitionRow]) -> LeafQuestions:
        """Returns the questions about the leaves among some partitions."""
        leaves = [node.oid for node in nodes if node.kind != RelationKind.PARTITIONED_TABLE]
        return cls(
            Question("constraints", ConstraintRow, (leaves, True)),
            Question("indexes", IndexRow, (leaves,)),
            Question("triggers", TriggerRow, (leaves,)),
        )


def table_parts(answers: Answers, asked: PartQuestions, leaves: LeafQuestions) -> TableParts:
    """Returns the parts of the relations that were asked about."""
    links = answers[asked.inheritance]
    parents: dict[int, list[InheritanceRow]] = defaultdict(list)
    children: dict[int, list[InheritanceRow]] = defaultdict(list)
    for link in links:
        parents[link.child].append(link)
        children[link.parent].append(link)
    return TableParts(
        columns=by_relation(answers[asked.columns]),
        unreadable=by_relation(answers[asked.unreadable]),
        constraints=by_relation(answers[asked.constraints]),
        indexes=by_relation(answers[asked.indexes]),
        triggers=by_relation(answers[asked.triggers]),
        rules=by_relation(answers[asked.rules]),
        policies=by_relation(answers[asked.policies]),
        partitions=by_relation(answers[asked.partitions]),
        leaf_constraints=by_relation(answers[leaves.constraints]),
        leaf_indexes=by_relation(answers[leaves.indexes]),
        leaf_triggers=by_relation(answers[leaves.triggers]),
        parents=parents,
        children=children,
    )


def build_table(
    relation: RelationRow, parts: TableParts, types: TypeReader, sequences: dict[tuple[int, str], TableName]
) -> Table:
    """Returns the table of one relation. *sequences* are by relation OID and column name."""
    oid = relation.oid
    constraints, indexes = parts.constraints.get(oid, []), parts.indexes.get(oid, [])
    nodes, links = parts.partitions.get(oid, []), parts.parents.get(oid, [])
    leaves = [node for node in nodes if node.kind != RelationKind.PARTITIONED_TABLE]
    table = Table(
        name=TableName(relation.schema, relation.name),
        kind=relation.kind,
        columns=_columns(oid, parts, types, sequences),
        oid=oid,
        keys=_keys(constraints, indexes),
        foreign_keys=_foreign_keys(constraints),
        checks=_checks(constraints),
        indexes=tuple(map(_index, indexes)),
        triggers=tuple(map(_trigger, parts.triggers.get(oid, []))),
        rules=tuple(map(_rule, parts.rules.get(oid, []))),
        policies=tuple(map(_policy, parts.policies.get(oid, []))),
        row_security=relation.row_security,
        force_row_security=relation.force_row_security,
        persistence=relation.persistence,
        partition_key=relation.partition_key,
        partition_of=next(iter(_parents(links, partition=True)), None),
        has_default_partition=_takes_every_row(nodes),
        parents=_parents(links, partition=False),
        children=_children(parts.children.get(oid, [])),
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
    # A leaf is described by what it has beyond its root, so the root is built first.
    return replace(table, partitions=tuple(_partition(leaf, table, parts) for leaf in leaves))


def _columns(
    oid: int, parts: TableParts, types: TypeReader, sequences: dict[tuple[int, str], TableName]
) -> tuple[Column, ...]:
    rows = parts.columns.get(oid, [])
    return tuple(_column(row, types, sequences.get((oid, row.name))) for row in rows)


def _parents(links: list[InheritanceRow], *, partition: bool) -> tuple[TableName, ...]:
    """Returns the parents by partitioning (at most one) or by classic inheritance."""
    return tuple(
        TableName(link.parent_schema, link.parent_name) for link in links if link.partition == partition
    )


def _children(links: list[InheritanceRow]) -> tuple[TableName, ...]:
    """Returns the children by classic inheritance, by name."""
    return tuple(
        sorted(TableName(link.child_schema, link.child_name) for link in links if not link.partition)
    )


def _takes_every_row(nodes: list[PartitionRow]) -> bool:
    """Returns whether each partitioned table of a tree has a partition for every row; False for a plain
    table.
    """
    return bool(nodes) and all(node.complete for node in nodes if node.kind == RelationKind.PARTITIONED_TABLE)


def _partition(leaf: PartitionRow, root: Table, parts: TableParts) -> Partition:
    """Returns a leaf with what it demands beyond its root.

    Constraints are compared by meaning and not by name: a copy of the root's constraint may have another
    name.
    """
    constraints = parts.leaf_constraints.get(leaf.oid, [])
    keys = _keys(constraints, parts.leaf_indexes.get(leaf.oid, []))
    triggers = tuple(map(_trigger, parts.leaf_triggers.get(leaf.oid, [])))
    return Partition(
        name=TableName(leaf.schema, leaf.name),
        constraint=leaf.constraint,
        kind=leaf.kind,
        selectable=leaf.selectable,
        oid=leaf.oid,
        keys=_beyond(keys, root.keys, lambda key: (key.primary, frozenset(key.columns))),
        foreign_keys=_beyond(_foreign_keys(constraints), root.foreign_keys, _reference),
        checks=_beyond(_checks(constraints), root.checks, lambda check: check.expression),
        triggers=_beyond(triggers, root.triggers, lambda trigger: trigger.name),
    )


def _beyond(
    leaf: Iterable[Thing], root: Iterable[Thing], meaning: Callable[[Thing], Hashable]
) -> tuple[Thing, ...]:
    """Returns what a leaf has and its root has not, compared by meaning."""
    known = set(map(meaning, root))
    return tuple(one for one in leaf if meaning(one) not in known)


def _reference(key: ForeignKey) -> tuple[TableName, frozenset[tuple[str, str]]]:
    """Returns what a foreign key means: its target and the pairs of columns, in any order."""
    return key.target, frozenset(zip(key.columns, key.target_columns, strict=True))


def _trigger(row: TriggerRow) -> Trigger:
    return Trigger(row.name, row.enabled, row.definition, row.function, row.on_insert, row.inherited)


def _rule(row: RuleRow) -> Rule:
    return Rule(row.name, row.event, row.instead, row.enabled, row.definition)


def _policy(row: PolicyRow) -> Policy:
    return Policy(row.name, row.definition)


def _estimate(relation: RelationRow, leaves: list[PartitionRow]) -> float:
    """Returns the estimated rows, or -1 when the table was never counted.

    ``reltuples`` is -1 then; before PostgreSQL 14 it was 0, which is believed only of a table without pages.
    A partitioned table has the sum of its leaves, because only ANALYZE and not autovacuum counts it itself.
    """
    if relation.kind != RelationKind.PARTITIONED_TABLE:
        return relation.row_estimate if relation.row_estimate > 0 or relation.bytes == 0 else _UNKNOWN
    estimates = [
        leaf.row_estimate if leaf.row_estimate > 0 or leaf.pages == 0 else _UNKNOWN for leaf in leaves
    ]
    return _UNKNOWN if _UNKNOWN in estimates else sum(estimates)


def _column(row: ColumnRow, types: TypeReader, sequence: TableName | None) -> Column:
    # pg_attrdef holds a plain column's default and a generated column's expression. Without its own default a
    # column takes the one of its domain.
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
    """Returns PRIMARY KEY and UNIQUE constraints, then unique indexes that no constraint owns and that say
    the same.
    """
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


def _foreign_keys(rows: list[ConstraintRow]) -> tuple[ForeignKey, ...]:
    return tuple(_foreign_key(row) for row in rows if row.kind == "f")


def _checks(rows: list[ConstraintRow]) -> tuple[Check, ...]:
    return tuple(_check(row) for row in rows if row.kind == "c")


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
        operators=row.operators if set(row.operators) != {BUILT_IN_EQUALITY} else (),
        collations=row.collations if set(row.collations) != {None} else (),
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
