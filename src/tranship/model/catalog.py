"""What a database looks like, without its rows.

Expressions and definitions are texts as the server prints them (``pg_get_expr``, ``pg_get_constraintdef``,
``pg_get_indexdef`` …) under an empty search_path: every name outside of pg_catalog is qualified. One-letter
codes are those of the system catalogs (PostgreSQL documentation, "System Catalogs"). A text or name that is
None, and a tuple that is empty, mean that the object has none.

The fingerprint of a catalog covers what decides about a plan. Sizes, estimates and privileges are left out of
it, because data and grants may change while a migration is prepared.
"""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from tranship.model.catalog_codes import RelationKind, TriggerState
from tranship.model.database_objects import (
    Extension,
    OtherObject,
    ReadingFunction,
    Routine,
    Sequence,
    UserType,
)
from tranship.model.names import TableName
from tranship.model.types import PgType


class Column(Struct, frozen=True, omit_defaults=True):
    """One live column (dropped ones never appear)."""

    name: str
    attnum: int
    """``pg_attribute.attnum``: the position in the row, from 1, with gaps where columns were dropped."""
    type: PgType
    not_null: bool = False
    """The column itself is NOT NULL; a domain's NOT NULL is in its type."""
    null_before: bool = False
    """Its NOT NULL is NOT VALID: rows from before it may hold NULL (PostgreSQL 18)."""
    default: str | None = None
    """The default's expression; None without one, and for generated columns."""
    identity: str = ""
    """``a`` ALWAYS, ``d`` BY DEFAULT, empty: none (``pg_attribute.attidentity``)."""
    generated: str = ""
    """``s`` stored, ``v`` virtual, empty: a plain column."""
    generation: str | None = None
    """The expression of a generated column; None for others."""
    collation: str | None = None
    """Schema-qualified collation; None where it is the type's default."""
    sequence: TableName | None = None
    """The sequence behind an identity column or named by the default's ``nextval``."""
    comment: str | None = None
    volatile_default: bool = False
    """The default calls a volatile function (``nextval``, ``gen_random_uuid``, ``clock_timestamp``)."""
    storage: str = ""
    """TOAST strategy, compression and statistics target where they are not the type's default, as one text
    for people: ``EXTERNAL, COMPRESSION lz4, STATISTICS 500``."""

    @property
    def filled_by_server(self) -> bool:
        """Whether the server gives it a value when the row names none: a default (its own or its domain's),
        identity, generated.
        """
        return bool(
            self.default is not None or self.identity or self.generated or self.type.default is not None
        )

    @property
    def computed_when_read(self) -> bool:
        """Whether it is a virtual generated column (PostgreSQL 18): reading it evaluates its expression,
        which may raise for single rows.
        """
        return self.generated == "v"

    @property
    def refuses_null(self) -> bool:
        """Whether it is NOT NULL by itself or through one of its domains."""
        # Any domain on the way down may refuse NULL, not only the outermost.
        inner: PgType | None = self.type
        while inner is not None and inner.kind == "domain":
            if inner.not_null:
                return True
            inner = inner.element
        return self.not_null


class Key(Struct, frozen=True, omit_defaults=True):
    """A PRIMARY KEY or UNIQUE constraint, or a unique index without a constraint over plain columns and
    without predicate.
    """

    name: str
    primary: bool
    columns: tuple[str, ...]
    """In the key's order."""
    nulls_not_distinct: bool = False
    """Two NULLs are equal (PostgreSQL 15); otherwise a key with a NULL is never a duplicate."""
    deferrable: bool = False
    initially_deferred: bool = False
    constraint: bool = True
    """False: a unique index that no constraint owns."""
    without_overlaps: bool = False
    """The last column is a range that must not overlap (WITHOUT OVERLAPS, PostgreSQL 18)."""


class ForeignKey(Struct, frozen=True, omit_defaults=True):
    """A foreign key as declared on this table (not the copies that partitions inherit)."""

    name: str
    columns: tuple[str, ...]
    target: TableName
    """The referenced table."""
    target_columns: tuple[str, ...]
    """The referenced columns, in the order of ``columns``."""
    match_full: bool = False
    """MATCH FULL: a key of which only some columns are NULL is refused."""
    on_update: str = "a"
    """``pg_constraint.confupdtype``: ``a`` no action, ``r`` restrict, ``c`` cascade, ``n`` set null, ``d``
    set default.
    """
    on_delete: str = "a"
    """``pg_constraint.confdeltype``, with the same letters."""
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    """False: NOT VALID, so rows from before it may break it."""
    enforced: bool = True
    """False: NOT ENFORCED (PostgreSQL 18), so no row is ever checked."""
    definition: str = ""
    """``pg_get_constraintdef``."""
    period: bool = False
    """The last column is a range that the target's rows must cover (PERIOD, PostgreSQL 18)."""
    set_columns: tuple[str, ...] = ()
    """The columns that ON DELETE SET NULL or SET DEFAULT sets; empty: all columns of the key."""
    operators: tuple[str, ...] = ()
    """Per column the equality of both ends as ``OPERATOR(schema.=)`` (``pg_constraint.conpfeqop``); empty:
    ``=`` of pg_catalog. No part of a fingerprint, likewise the next field."""
    collations: tuple[str | None, ...] = ()
    """Per column the parent's collation, which decides, if the child's is another; empty: none is."""


class Check(Struct, frozen=True, omit_defaults=True):
    """A CHECK constraint."""

    name: str
    expression: str
    """As ``pg_get_expr`` prints it, with unqualified column names."""
    columns: tuple[str, ...] = ()
    """The columns that the expression reads."""
    validated: bool = True
    """False: NOT VALID, so rows from before it may break it."""
    enforced: bool = True
    """False: NOT ENFORCED (PostgreSQL 18), so no row is ever checked."""
    no_inherit: bool = False


class Index(Struct, frozen=True, omit_defaults=True):
    """An index, those behind constraints included."""

    name: str
    definition: str
    """``pg_get_indexdef``."""
    method: str = "btree"
    """The access method."""
    unique: bool = False
    keys: tuple[str, ...] = ()
    """Each key as its expression text (``pg_get_indexdef(oid, n, true)``); a plain column is quoted where
    needed.
    """
    columns: tuple[str | None, ...] = ()
    """Each key's bare column name; None for an expression."""
    collations: tuple[str | None, ...] = ()
    """Each key's collation; None where it is the plain column's own, or the key is not collatable."""
    predicate: str | None = None
    """The condition of a partial index; None: it covers every row."""
    valid: bool = True
    """False: a CREATE INDEX CONCURRENTLY failed or has not ended."""
    nulls_not_distinct: bool = False
    constraint: str | None = None
    """The constraint that owns the index."""
    constraint_kind: str = ""
    """``p``, ``u`` or ``x`` where a constraint owns the index."""
    deferrable: bool = False
    exclusion_operators: tuple[str, ...] = ()
    """Per key ``OPERATOR(schema.op)`` of an EXCLUDE constraint."""


class Trigger(Struct, frozen=True, omit_defaults=True):
    """A user trigger (constraint triggers of foreign keys are not among them)."""

    name: str
    enabled: TriggerState
    definition: str
    function: str = ""
    """The function it calls, schema-qualified."""
    on_insert: bool = True
    """It fires on INSERT, COPY included."""
    inherited: bool = False
    """Cloned from a partitioned parent's trigger."""


class Policy(Struct, frozen=True, omit_defaults=True):
    """A row-level security policy."""

    name: str
    definition: str
    """Command, roles and expressions as one text that compares."""


class Rule(Struct, frozen=True, omit_defaults=True):
    """A rewrite rule other than a view's own."""

    name: str
    event: str
    """``INSERT``, ``UPDATE``, ``DELETE`` or ``SELECT``."""
    instead: bool
    """It replaces the statement (DO INSTEAD); False: it adds to it (DO ALSO)."""
    enabled: TriggerState
    definition: str


class Partition(Struct, frozen=True, omit_defaults=True):
    """A leaf of a partitioned table (at any depth)."""

    name: TableName
    constraint: str | None
    """``pg_get_partition_constraintdef``: what a row must satisfy to be routed here; None: everything."""
    kind: RelationKind = RelationKind.TABLE
    selectable: bool = True
    """The connected role may read the leaf by itself, not only through its root."""
    oid: int = 0
    keys: tuple[Key, ...] = ()
    """Keys that this leaf has and its root has not, compared by meaning; likewise the three fields below."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    triggers: tuple[Trigger, ...] = ()


class Table(Struct, frozen=True, dict=True, omit_defaults=True):
    """A relation that can hold or show rows."""

    name: TableName
    kind: RelationKind
    columns: tuple[Column, ...] = ()
    """By ``attnum``."""
    oid: int = 0
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    rules: tuple[Rule, ...] = ()
    policies: tuple[Policy, ...] = ()
    row_security: bool = False
    """Row-level security is enabled; ``force_row_security``: also for the owner."""
    force_row_security: bool = False
    persistence: str = "p"
    """``p`` permanent, ``u`` unlogged."""
    partition_key: str | None = None
    """``pg_get_partkeydef``: strategy and key of a partitioned table; None for others."""
    partition_of: TableName | None = None
    """The partitioned table directly above it; None where there is none."""
    partitions: tuple[Partition, ...] = ()
    """All leaves below a partitioned table, by name."""
    has_default_partition: bool = False
    """Every row finds a partition: each level has a default one, or a complete set of hash partitions."""
    parents: tuple[TableName, ...] = ()
    """Parents by classic inheritance, in their order."""
    children: tuple[TableName, ...] = ()
    """Direct children by classic inheritance."""
    access_method: str = "heap"
    of_type: str | None = None
    """The composite type of a typed table (CREATE TABLE … OF)."""
    extension: str | None = None
    """The extension that owns it."""
    owner: str = ""
    owned: bool = True
    """Whether the connected role may ALTER it: it is the owner, a member of the owner, or a superuser."""
    privileges: tuple[str, ...] = ()
    """What the connected role may do on the whole table: SELECT, INSERT, DELETE, TRUNCATE, REFERENCES,
    TRIGGER …; empty without USAGE on the schema."""
    unreadable_columns: tuple[str, ...] = ()
    """Columns the connected role may not SELECT."""
    row_security_active: bool = False
    """``row_security_active()``: policies would filter what the connected role reads."""
    row_estimate: float = -1.0
    """Rows by ``reltuples``, leaves included; -1: never counted. Not part of a fingerprint."""
    pages: int = 0
    """Pages of the heap by ``relpages``, leaves included. Not part of a fingerprint."""
    bytes: int = 0
    """Bytes of heap and TOAST, leaves included. Not part of a fingerprint."""
    comment: str | None = None
    definition: str | None = None
    """A view's query; None for others."""
    options: tuple[str, ...] = ()
    """Storage parameters as ``name=value``, the TOAST table's as ``toast.name=value``."""
    leaving: tuple[int, ...] = ()
    """In a dry run, transactions whose rows the live run rolls back first: they are taken for gone."""
    replica_identity: str | None = None
    """``FULL``, ``NOTHING`` or ``USING INDEX …``; None: the default, which is the primary key."""
    tablespace: str | None = None
    """None: the database's own."""
    grants: tuple[str, ...] = ()
    """What roles other than the owner may do, as ``role: PRIVILEGE`` or ``role: PRIVILEGE (column)``."""

    def column(self, name: str) -> Column | None:
        """Returns the column of exactly this name, or None."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def primary_key(self) -> Key | None:
        """The PRIMARY KEY, if the table has one."""
        return next((k for k in self.keys if k.primary), None)

    @property
    def every_foreign_key(self) -> tuple[ForeignKey, ...]:
        """Its own foreign keys, then those that only some partitions declare: both order the tables."""
        return (*self.foreign_keys, *(key for leaf in self.partitions for key in leaf.foreign_keys))

    @property
    def order_key(self) -> tuple[str, ...]:
        """OLD key order: the primary key, else the first unique key by name without NULLs, or none.

        Of two rows that collide in NEW the one that comes first in this order is kept, so the order has to be
        total and must not depend on the way a server reads the table. A deferrable key may be broken for a
        while inside a transaction and does not count.
        """
        if self.primary_key is not None:
            return self.primary_key.columns
        # A key with NULLs is no total order, and a NOT VALID NOT NULL may leave some.
        refusing = {c.name for c in self.columns if c.not_null and not c.null_before}
        for key in sorted(self.keys, key=lambda k: k.name):
            if not key.deferrable and set(key.columns) <= refusing:
                return key.columns
        return ()


class Catalog(Struct, frozen=True, dict=True, omit_defaults=True):
    """One database as read in one read-only transaction."""

    database: str
    server_version: int
    """``server_version_num``, for example 150018."""
    schemas: tuple[str, ...]
    """The schemas in scope, in configured order."""
    tables: tuple[Table, ...] = ()
    """Relations of the kinds r, p, v, m and f in the schemas in scope, by name; partitions of a table in
    scope are part of that table.
    """
    sequences: tuple[Sequence, ...] = ()
    types: tuple[UserType, ...] = ()
    routines: tuple[Routine, ...] = ()
    extensions: tuple[Extension, ...] = ()
    encoding: str = "UTF8"
    collation: str = ""
    """The database's default locale, with the provider where it is not libc, as one text that compares."""
    timezone: str = "UTC"
    """The time zone of a fresh session of the connected role; likewise ``datestyle`` and ``search_path``."""
    datestyle: str = "ISO, MDY"
    search_path: str = ""
    user: str = ""
    """The connected role."""
    superuser: bool = False
    event_triggers: tuple[str, ...] = ()
    """Enabled event triggers."""
    publications: tuple[str, ...] = ()
    """Publications that cover a table in scope, as ``name`` or ``name (all tables)``."""
    large_objects: int = 0
    """Number of large objects. Not part of a fingerprint."""
    casts: tuple[str, ...] = ()
    """User-defined casts as ``source -> target``."""
    loose_collations: tuple[str, ...] = ()
    """Collations under which different texts may be equal. Not part of a fingerprint."""
    others: tuple[OtherObject, ...] = ()
    """By kind, schema and name. Not part of a fingerprint."""
    reading_functions: tuple[ReadingFunction, ...] = ()
    """Functions of any schema that may read tables, by name. Not part of a fingerprint."""
    fingerprint: str = ""
    outside: tuple[Table, ...] = ()
    """Relations out of scope that the ones in scope refer to (foreign keys, lookups). They are known and
    never copied. Not part of a fingerprint."""

    @property
    def counts_bytes(self) -> bool:
        """Whether the length of a text is its number of bytes: SQL_ASCII knows no characters."""
        return self.encoding == "SQL_ASCII"

    @cached_property
    def _by_name(self) -> dict[TableName, Table]:
        return {table.name: table for table in (*self.outside, *self.tables)}

    def table(self, name: TableName) -> Table | None:
        """Returns the relation of exactly this name, in scope or not, or None."""
        return self._by_name.get(name)
