"""What a database looks like, without its rows. Statistics are kept apart: data must not change a fingerprint."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from tranship.model.names import ColumnRef, TableName
from tranship.model.types import PgType


class Column(Struct, frozen=True, omit_defaults=True):
    """One live column (dropped ones never appear)."""

    name: str
    attnum: int
    type: PgType
    not_null: bool = False
    null_before: bool = False
    """Its NOT NULL is NOT VALID: rows from before it may hold NULL."""
    default: str | None = None
    """The default's expression; None for generated columns."""
    identity: str = ""
    """``a`` ALWAYS, ``d`` BY DEFAULT, empty: none (``pg_attribute.attidentity``)."""
    generated: str = ""
    """``s`` stored, ``v`` virtual, empty: a plain column."""
    generation: str | None = None
    """The expression of a generated column."""
    collation: str | None = None
    """Schema-qualified collation where it is not the type's default."""
    sequence: TableName | None = None
    """The sequence behind an identity column or named by the default's ``nextval``."""
    comment: str | None = None
    volatile_default: bool = False
    """The default calls a volatile function (``nextval``, ``gen_random_uuid``, ``clock_timestamp``)."""
    storage: str = ""
    """How its values lie on disk and are counted, where that is not the type's default: ``EXTERNAL, COMPRESSION lz4, STATISTICS 500``."""

    @property
    def filled_by_server(self) -> bool:
        """NEW gives it a value by itself when the row names none (default, identity, generated)."""
        return bool(
            self.default is not None or self.identity or self.generated or self.type.default is not None
        )

    @property
    def computed_when_read(self) -> bool:
        """Generated and not stored: reading it may raise, for each row by itself (PostgreSQL 18)."""
        return self.generated == "v"

    @property
    def refuses_null(self) -> bool:
        """NOT NULL by itself or through its domain."""
        inner: PgType | None = self.type
        while inner is not None and inner.kind == "domain":
            if inner.not_null:
                return True
            inner = inner.element
        return self.not_null


class Key(Struct, frozen=True, omit_defaults=True):
    """A PRIMARY KEY or UNIQUE constraint, or a unique index without a constraint over plain columns and without predicate."""

    name: str
    primary: bool
    columns: tuple[str, ...]
    nulls_not_distinct: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    constraint: bool = True
    without_overlaps: bool = False


class ForeignKey(Struct, frozen=True, omit_defaults=True):
    """A foreign key as declared on this table (not the copies that partitions inherit)."""

    name: str
    columns: tuple[str, ...]
    target: TableName
    target_columns: tuple[str, ...]
    match_full: bool = False
    on_update: str = "a"
    on_delete: str = "a"
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    enforced: bool = True
    definition: str = ""
    period: bool = False
    set_columns: tuple[str, ...] = ()
    """What ON DELETE SET NULL or SET DEFAULT sets; none: all of its columns."""


class Check(Struct, frozen=True, omit_defaults=True):
    """A CHECK constraint; ``expression`` as ``pg_get_expr`` prints it, columns bare."""

    name: str
    expression: str
    columns: tuple[str, ...] = ()
    validated: bool = True
    enforced: bool = True
    no_inherit: bool = False


class Index(Struct, frozen=True, omit_defaults=True):
    """An index, those behind constraints included."""

    name: str
    definition: str
    """``pg_get_indexdef``."""
    method: str = "btree"
    unique: bool = False
    keys: tuple[str, ...] = ()
    """Each key as its expression text (``pg_get_indexdef(oid, n, true)``); a plain column is quoted where needed."""
    columns: tuple[str | None, ...] = ()
    """Each key's bare column name; None for an expression."""
    collations: tuple[str | None, ...] = ()
    predicate: str | None = None
    valid: bool = True
    nulls_not_distinct: bool = False
    constraint: str | None = None
    constraint_kind: str = ""
    """``p``, ``u`` or ``x`` where a constraint owns the index."""
    deferrable: bool = False
    exclusion_operators: tuple[str, ...] = ()
    """Per key ``OPERATOR(schema.op)`` of an EXCLUDE constraint."""


class Trigger(Struct, frozen=True, omit_defaults=True):
    """A user trigger (constraint triggers of foreign keys are not among them)."""

    name: str
    enabled: str
    """``O`` origin, ``D`` disabled, ``R`` replica, ``A`` always."""
    definition: str
    function: str = ""
    on_insert: bool = True
    inherited: bool = False
    """Cloned from a partitioned parent's trigger."""


class Policy(Struct, frozen=True, omit_defaults=True):
    """A row-level security policy, its parts as one definition text."""

    name: str
    definition: str


class Rule(Struct, frozen=True, omit_defaults=True):
    """A rewrite rule other than a view's own."""

    name: str
    event: str
    """``INSERT``, ``UPDATE``, ``DELETE`` or ``SELECT``."""
    instead: bool
    enabled: str
    definition: str


class Partition(Struct, frozen=True, omit_defaults=True):
    """A leaf of a partitioned table (at any depth)."""

    name: TableName
    constraint: str | None
    """``pg_get_partition_constraintdef``: what a row must satisfy to be routed here; None: everything."""
    kind: str = "r"
    selectable: bool = True
    """The connected role may read the leaf by itself, not only through its root."""
    oid: int = 0
    keys: tuple[Key, ...] = ()
    """What this leaf demands or does beyond its root, compared by meaning: keys, and likewise the three below."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    triggers: tuple[Trigger, ...] = ()


class Table(Struct, frozen=True, omit_defaults=True):
    """A relation that can hold or show rows."""

    name: TableName
    kind: str
    """``pg_class.relkind``: r table, p partitioned, v view, m materialized view, f foreign table."""
    columns: tuple[Column, ...] = ()
    oid: int = 0
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    rules: tuple[Rule, ...] = ()
    policies: tuple[Policy, ...] = ()
    row_security: bool = False
    force_row_security: bool = False
    persistence: str = "p"
    """``p`` permanent, ``u`` unlogged."""
    partition_key: str | None = None
    partition_of: TableName | None = None
    partitions: tuple[Partition, ...] = ()
    """All leaves below a partitioned table, by name."""
    has_default_partition: bool = False
    """Every row finds a partition: a default one (or a whole set of hash partitions) at each level of the tree."""
    parents: tuple[TableName, ...] = ()
    """Classic inheritance parents in order."""
    children: tuple[TableName, ...] = ()
    """Direct classic inheritance children."""
    access_method: str = "heap"
    of_type: str | None = None
    extension: str | None = None
    owner: str = ""
    owned: bool = True
    """The connected role may ALTER it (owner, member of the owner, or superuser)."""
    privileges: tuple[str, ...] = ()
    """Of the connected role on the whole table: SELECT, INSERT, DELETE, TRUNCATE, REFERENCES, TRIGGER …; none without usage of the schema."""
    unreadable_columns: tuple[str, ...] = ()
    """Columns the connected role may not SELECT."""
    row_security_active: bool = False
    """``row_security_active``: policies would filter this role."""
    row_estimate: float = -1.0
    """``reltuples``, -1 unknown. Not part of a fingerprint."""
    pages: int = 0
    bytes: int = 0
    """Heap, TOAST and partitions. Not part of a fingerprint."""
    comment: str | None = None
    definition: str | None = None
    """A view's query."""
    options: tuple[str, ...] = ()
    """Storage parameters as ``name=value``, the TOAST table's as ``toast.name=value``."""
    replica_identity: str | None = None
    """``FULL``, ``NOTHING`` or ``USING INDEX …``; None: the default."""
    tablespace: str | None = None
    grants: tuple[str, ...] = ()
    """What others than the owner may, as ``role: PRIVILEGE`` or ``role: PRIVILEGE (column)``."""

    def column(self, name: str) -> Column | None:
        """The column of exactly this name."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def primary_key(self) -> Key | None:
        """The PRIMARY KEY, if the table has one."""
        return next((k for k in self.keys if k.primary), None)

    @property
    def every_foreign_key(self) -> tuple[ForeignKey, ...]:
        """Its own foreign keys, then those that only some partitions declare: what the order of the tables must respect."""
        return (*self.foreign_keys, *(key for leaf in self.partitions for key in leaf.foreign_keys))

    @property
    def order_key(self) -> tuple[str, ...]:
        """Columns of OLD key order: the primary key, else the first all-NOT-NULL unique key by name, else none."""
        primary = self.primary_key
        if primary is not None:
            return primary.columns
        refusing = {c.name for c in self.columns if c.not_null and not c.null_before}
        for key in sorted(self.keys, key=lambda k: k.name):
            if not key.deferrable and set(key.columns) <= refusing:
                return key.columns
        return ()


class Sequence(Struct, frozen=True, omit_defaults=True):
    """A sequence's definition; its position is data and read apart."""

    name: TableName
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cycle: bool
    cache: int = 1
    owned_by: ColumnRef | None = None
    identity: bool = False
    used_by: tuple[ColumnRef, ...] = ()
    """Columns whose default calls ``nextval`` on it or whose identity it is."""
    privileges: tuple[str, ...] = ()
    owned: bool = True


class UserType(Struct, frozen=True, omit_defaults=True):
    """An enum, domain, composite or range type of the user's."""

    name: TableName
    type: PgType
    comment: str | None = None


class Routine(Struct, frozen=True, omit_defaults=True):
    """A function, procedure or aggregate, by its identity arguments."""

    name: TableName
    arguments: str
    kind: str
    definition_hash: str


class Extension(Struct, frozen=True, omit_defaults=True):
    """An installed extension."""

    name: str
    version: str
    schema: str


class OtherObject(Struct, frozen=True, omit_defaults=True):
    """An object that the moving never touches: told where the two sides differ."""

    kind: str
    """As a person says it: ``text search configuration``, ``event trigger``."""
    schema: str
    """Empty for what belongs to the whole database."""
    name: str
    definition: str
    """Its meaning in words that compare."""


class Catalog(Struct, frozen=True, dict=True, omit_defaults=True):
    """One database as read in one read-only transaction."""

    database: str
    server_version: int
    """``server_version_num``, for example 150018."""
    schemas: tuple[str, ...]
    """The schemas in scope, in configured order."""
    tables: tuple[Table, ...] = ()
    """Relations of kinds r, p, v, m, f in the schemas in scope, by name; partitions of a table in scope are not listed by themselves."""
    sequences: tuple[Sequence, ...] = ()
    types: tuple[UserType, ...] = ()
    routines: tuple[Routine, ...] = ()
    extensions: tuple[Extension, ...] = ()
    encoding: str = "UTF8"
    collation: str = ""
    timezone: str = "UTC"
    """The database's configured zone as a fresh session of this role sees it."""
    datestyle: str = "ISO, MDY"
    search_path: str = ""
    user: str = ""
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
    fingerprint: str = ""
    outside: tuple[Table, ...] = ()
    """Relations out of scope that the ones in scope refer to (foreign keys, lookups): known, never moved. Not part of a fingerprint."""

    @property
    def counts_bytes(self) -> bool:
        """The length of a text is its bytes: SQL_ASCII knows no characters."""
        return self.encoding == "SQL_ASCII"

    @cached_property
    def _by_name(self) -> dict[TableName, Table]:
        return {table.name: table for table in (*self.outside, *self.tables)}

    def table(self, name: TableName) -> Table | None:
        """The relation of exactly this name."""
        return self._by_name.get(name)
