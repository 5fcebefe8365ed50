"""The rows of the catalog queries as typed values; beyond `ask` no record of the driver is seen.

The fields of a type are the columns of the query whose name it bears (``ColumnRow``:
``catalog_columns.sql``), where their meaning stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol, TypeVar

from msgspec import Struct

from tranship.model.catalog_codes import RelationKind, TriggerState


class OfRelation(Protocol):
    """A row that belongs to one relation."""

    @property
    def relation(self) -> int: ...


Part = TypeVar("Part", bound=OfRelation)


def by_relation(rows: Iterable[Part]) -> dict[int, list[Part]]:
    """Returns the rows of each relation by its OID, in their order."""
    found: dict[int, list[Part]] = defaultdict(list)
    for row in rows:
        found[row.relation].append(row)
    return found


class SessionRow(Struct, frozen=True):
    """A row of ``catalog_session.sql``, which says what its columns mean."""

    version: int
    database: str
    encoding: str
    collation: str
    role: str
    superuser: bool
    timezone: str
    datestyle: str
    search_path: str
    money: str
    large_objects: int
    loose_collations: tuple[str, ...]


class SchemaRow(Struct, frozen=True):
    """A row of ``catalog_schemas.sql``, which says what its columns mean."""

    oid: int
    name: str
    usable: bool


class RelationRow(Struct, frozen=True):
    """A row of ``catalog_relations.sql``, which says what its columns mean."""

    oid: int
    schema: str
    name: str
    kind: RelationKind
    persistence: str
    row_security: bool
    force_row_security: bool
    row_security_active: bool
    partition_key: str | None
    access_method: str
    of_type: str | None
    owner: str
    owned: bool
    privileges: tuple[str, ...]
    row_estimate: float
    pages: int
    bytes: int
    comment: str | None
    definition: str | None
    options: tuple[str, ...]
    replica_identity: str | None
    tablespace: str | None
    grants: tuple[str, ...]


class ColumnRow(Struct, frozen=True):
    """A row of ``catalog_columns.sql``, which says what its columns mean."""

    relation: int
    attnum: int
    name: str
    type: int
    modifier: int
    not_null: bool
    null_before: bool
    identity: str
    generated: str
    expression: str | None
    collation: str | None
    comment: str | None
    volatile: bool
    storage: str


class UnreadableRow(Struct, frozen=True):
    """A row of ``catalog_unreadable.sql``, which says what its columns mean."""

    relation: int
    name: str


class ConstraintRow(Struct, frozen=True):
    """A row of ``catalog_constraints.sql``, which says what its columns mean."""

    relation: int
    name: str
    kind: str
    columns: tuple[str, ...]
    target_schema: str | None
    target_name: str | None
    target_columns: tuple[str, ...]
    set_columns: tuple[str, ...]
    operators: tuple[str, ...]
    collations: tuple[str | None, ...]
    match: str
    on_update: str
    on_delete: str
    deferrable: bool
    deferred: bool
    validated: bool
    enforced: bool
    period: bool
    no_inherit: bool
    definition: str | None
    expression: str | None
    nulls_not_distinct: bool


class IndexRow(Struct, frozen=True):
    """A row of ``catalog_indexes.sql``, which says what its columns mean."""

    relation: int
    name: str
    definition: str
    method: str
    unique: bool
    valid: bool
    immediate: bool
    nulls_not_distinct: bool
    keys: tuple[str, ...]
    columns: tuple[str | None, ...]
    collations: tuple[str | None, ...]
    predicate: str | None
    constraint: str | None
    constraint_kind: str
    deferrable: bool
    exclusion_operators: tuple[str, ...]


class TriggerRow(Struct, frozen=True):
    """A row of ``catalog_triggers.sql``, which says what its columns mean."""

    relation: int
    name: str
    enabled: TriggerState
    definition: str
    function: str
    on_insert: bool
    inherited: bool


class RuleRow(Struct, frozen=True):
    """A row of ``catalog_rules.sql``, which says what its columns mean."""

    relation: int
    name: str
    event: str
    instead: bool
    enabled: TriggerState
    definition: str


class PolicyRow(Struct, frozen=True):
    """A row of ``catalog_policies.sql``, which says what its columns mean."""

    relation: int
    name: str
    definition: str


class PartitionRow(Struct, frozen=True):
    """A row of ``catalog_partitions.sql``, which says what its columns mean."""

    root: int
    oid: int
    schema: str
    name: str
    kind: RelationKind
    complete: bool
    constraint: str | None
    selectable: bool
    row_estimate: float
    pages: int
    bytes: int

    @property
    def relation(self) -> int:
        """The root it belongs to."""
        return self.root


class InheritanceRow(Struct, frozen=True):
    """A row of ``catalog_inheritance.sql``, which says what its columns mean."""

    child: int
    child_schema: str
    child_name: str
    parent: int
    parent_schema: str
    parent_name: str
    partition: bool


class SequenceRow(Struct, frozen=True):
    """A row of ``catalog_sequences.sql``, which says what its columns mean."""

    oid: int
    schema: str
    name: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cycle: bool
    cache: int
    privileges: tuple[str, ...]
    owned: bool


class SequenceUseRow(Struct, frozen=True):
    """A row of ``catalog_sequence_uses.sql``, which says what its columns mean."""

    sequence: int
    tie: str
    relation: int
    schema: str
    name: str
    column: str


class TypeRow(Struct, frozen=True):
    """A row of ``catalog_types.sql``, which says what its columns mean."""

    oid: int
    schema_oid: int
    schema: str
    name: str
    kind: str
    category: str
    relation: int
    relation_kind: str
    element: int
    is_array: bool
    modifier: int
    not_null: bool
    default: str | None
    volatile_default: bool
    collation_oid: int
    collation: str | None
    extension: str | None
    comment: str | None


class EnumRow(Struct, frozen=True):
    """A row of ``catalog_enums.sql``, which says what its columns mean."""

    type: int
    labels: tuple[str, ...]


class DomainCheckRow(Struct, frozen=True):
    """A row of ``catalog_domain_checks.sql``, which says what its columns mean."""

    type: int
    name: str
    expression: str
    validated: bool


class RangeRow(Struct, frozen=True):
    """A row of ``catalog_ranges.sql``, which says what its columns mean."""

    type: int
    subtype: int
    multirange: int
    collation_oid: int
    collation: str | None


class AttributeRow(Struct, frozen=True):
    """A row of ``catalog_attributes.sql``, which says what its columns mean."""

    relation: int
    name: str
    type: int
    modifier: int


class EqualityRow(Struct, frozen=True):
    """A row of ``catalog_equality.sql``, which says what its columns mean."""

    type: int
    operator: str


class CoercionRow(Struct, frozen=True):
    """A row of ``catalog_coercions.sql``, which says what its columns mean."""

    source: int
    target: int


class TypeTextRow(Struct, frozen=True):
    """A row of ``catalog_type_texts.sql``, which says what its columns mean."""

    text: str
    base: str


class RoutineRow(Struct, frozen=True):
    """A row of ``catalog_routines.sql``, which says what its columns mean."""

    schema: str
    name: str
    arguments: str
    kind: str
    definition_hash: str


class FunctionSourceRow(Struct, frozen=True):
    """A row of ``catalog_function_sources.sql``, which says what its columns mean."""

    printed: str
    name: str
    readable: bool
    source: str
    relations: tuple[str, ...]
    functions: tuple[str, ...]


class ExtensionRow(Struct, frozen=True):
    """A row of ``catalog_extensions.sql``, which says what its columns mean."""

    name: str
    version: str
    schema: str
    table_schemas: list[str]
    table_names: list[str]
    conditions: list[str | None]


class DatabaseObjectRow(Struct, frozen=True):
    """A row of ``catalog_database_objects.sql``, which says what its columns mean."""

    kind: str
    text: str


class OtherObjectRow(Struct, frozen=True):
    """A row of ``catalog_other_objects.sql``, which says what its columns mean."""

    kind: str
    schema: str | None
    name: str
    definition: str
