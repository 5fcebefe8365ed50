"""The plan: what will be done, as data. It holds no SQL but a person's own, and no connection."""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import StrEnum
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.expression import Constant, Expression, Lookup
from tranship.model.flow import FlowId
from tranship.model.locator import Address
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.model.shape import PLAIN, Repointing, Shape
from tranship.model.types import PgType


class Origin(StrEnum):
    """Why this expression fills this column."""

    SAME_NAME = "same name"
    RULE = "rule"
    """A rule proved a rename."""
    RENAMED = "renamed"
    """A person says that it is the old column under another name: what its values mean is not said."""
    DECIDED = "decided"
    """A person's resolution says so."""
    SERVER = "server"
    """No old column does: NEW fills it itself."""


class ColumnMapping(Struct, frozen=True):
    """What fills one column of NEW."""

    column: str
    type: PgType
    expression: Expression
    origin: Origin
    because: str = ""
    """The evidence of a rule, or a person's ``because``."""


class Unmade(Struct, frozen=True):
    """An old row of which a flow makes no items, because computing them raises an error on OLD."""

    address: Address
    sqlstate: str
    message: str
    """In OLD's words. It may hold values of the row, so it goes to files and the journal only."""


class Source(Struct, frozen=True):
    """A heap of OLD that is read by itself: the table (``ONLY``), or one leaf of a partitioned table."""

    relation: TableName
    root: TableName
    """The table of the plan it belongs to; equal to ``relation`` unless it is a leaf."""
    oid: int = 0
    through_root: bool = False
    """The role may not read the leaf itself, so its root is read and filtered by ``tableoid``."""
    pageable: bool = True
    """Ranges of its ctid select rows: it is a table with heap storage, not a foreign table."""
    only: tuple[Address, ...] | None = None
    """The rows that are read, ascending; None: all. A rejects-only run reads the rejected ones."""
    items: tuple[tuple[Address, int], ...] = ()
    """Of rows that are taken apart, ascending, which items of those in ``only`` are made; 0: all of the row.
    Empty: all items of all rows.
    """
    unmade: tuple[Unmade, ...] = ()
    """Rows that are taken, ascending, and cannot be taken apart: each counts as one row made, which is
    rejected.
    """


class HazardKind(StrEnum):
    """In which way a row may be rejected, judged by types and constraints alone."""

    CONVERSION = "conversion"
    GAP = "gap"
    """A value without mapping or lookup entry and without a default."""
    ENCODING = "encoding"
    NOT_NULL = "not null"
    GENERATED = "generated"
    """The expression of a generated column that NEW stores raises."""
    INDEX = "index"
    """The expression or predicate of an index that is neither unique nor an exclusion raises."""
    CHECK = "check"
    ROUTING = "routing"
    ROW_SIZE = "row size"
    """The row may be too large for a page."""
    FOREIGN_KEY = "foreign key"
    UNIQUE = "unique"
    EXCLUDE = "exclude"
    EXISTING = "existing"
    """A unique or exclusion index of NEW against rows that are already there."""


class Hazard(Struct, frozen=True):
    """One reason for which rows of one table may be rejected. The data checks count those rows."""

    kind: HazardKind
    columns: tuple[str, ...] = ()
    """The columns of NEW that it reads."""
    constraint: str | None = None
    """Name of the constraint or index in NEW."""
    new: bool = True
    """False: OLD has the same constraint, so only converted values or other rejects can break it."""


class TablePlan(Struct, frozen=True):
    """How the rows of one old table reach one new table."""

    old: TableName
    new: TableName
    columns: tuple[ColumnMapping, ...]
    """In NEW's column order; NewDefault columns included."""
    key: tuple[str, ...]
    """The columns of OLD key order (``Table.order_key``); empty: physical order, which is declared
    unstable.
    """
    sources: tuple[Source, ...]
    hazards: tuple[Hazard, ...] = ()
    binary: bool = False
    """COPY in binary format: the types of every copied column are portable on both sides."""
    why_text: str = ""
    """The first column that forbids the binary format, for the report."""
    ignored: tuple[str, ...] = ()
    """Old columns that a person decided not to copy."""
    zone: str | None = None
    """OLD's database time zone, where it decides what becomes of a column's values."""
    input_zone: str | None = None
    """The zone in which NEW's sessions read this table's texts without a zone: that of OLD.

    None: there are no such texts, and NEW's sessions have their database's own zone.
    """
    settings: tuple[str, ...] = ()
    """Other settings of the databases that decide what becomes of values, where they are not the usual ones:
    ``DateStyle DMY``, ``TimeZone Asia/Tokyo``.
    """
    serial: bool = False
    """Copied by one stream, because NEW's sequence numbers the rows in the order in which they arrive."""
    inserts_defaults: bool = False
    """No column is copied: NEW fills every column of each row by default."""
    name: str = ""
    """What a person calls the flow, as the key of the resolutions file; empty for the pair of tables that a
    comparison found.
    """
    shape: Shape = PLAIN
    repointing: Repointing | None = None
    """Which references follow rows that are merged into others; None: none does."""
    adopting: tuple[str, ...] = ()
    """Foreign keys of NEW under which a person lets any row of NEW be the parent."""
    tolerating: tuple[str, ...] = ()
    """NOT VALID constraints of NEW whose offenders a person keeps, as OLD does."""
    moment: str = ""
    """What stands in the SQL of people for ``run.started``; empty: nothing reads it."""

    @property
    def flow(self) -> FlowId:
        """The identity of these rows wherever a run speaks of them."""
        return FlowId(self.old, self.new, self.name)

    @property
    def may_merge(self) -> bool:
        """Whether rows may be merged into others: by a decision, or because their references are led."""
        return self.shape.merge is not None or self.repointing is not None

    @property
    def keyed_by_sql(self) -> tuple[int, ...]:
        """Positions of the columns whose lookups compute their keys by a person's SQL, which may raise."""
        expressions = enumerate(mapping.expression for mapping in self.columns)
        return tuple(n for n, e in expressions if isinstance(e, Lookup) and e.key_sql)

    def with_lookups(self, positions: Container[int]) -> TablePlan:
        """Returns the plan with the lookups at these positions alone, for a read that needs no others."""
        columns = tuple(
            replace(mapping, expression=Constant(None))
            if isinstance(mapping.expression, Lookup) and n not in positions
            else mapping
            for n, mapping in enumerate(self.columns)
        )
        return replace(self, columns=columns)

    @property
    def unrestricted(self) -> TablePlan:
        """The same plan over all rows of its sources."""
        if all(source.only is None for source in self.sources):
            return self
        whole = (replace(source, only=None, items=()) for source in self.sources)
        return replace(self, sources=tuple(whole))

    @property
    def unlooked(self) -> TablePlan:
        """The same plan as it is before anything is known of single rows."""
        bare = (replace(source, only=None, items=(), unmade=()) for source in self.sources)
        return replace(self, sources=tuple(bare))


class LeftOut(Struct, frozen=True):
    """An old table that a ``drop_table`` resolution leaves out. Its rows count as read and left out."""

    old: TableName
    because: str = ""


class SequencePair(Struct, frozen=True):
    """A sequence of NEW that is moved forward at the end, and the sequence of OLD whose position it takes
    over.
    """

    new: TableName
    old: TableName | None
    table: TableName | None = None
    """NEW's table that it numbers, likewise ``column``; None: it belongs to no column."""
    column: str | None = None


class Group(Struct, frozen=True):
    """Tables that are copied together: one table, or a cycle (a strongly connected component of NEW's foreign
    keys).
    """

    tables: tuple[TablePlan, ...]
    cyclic: bool = False
    """Their foreign keys form a cycle; a table that refers to itself is one."""
    cyclic_keys: tuple[tuple[TableName, str], ...] = ()
    """The foreign keys inside the cycle, as NEW's table and constraint name."""


class Plan(Struct, frozen=True, dict=True):
    """The whole migration, in the order in which it is done."""

    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...] = ()
    sequences: tuple[SequencePair, ...] = ()
    warnings: tuple[Problem, ...] = ()
    old_fingerprint: str = ""
    new_fingerprint: str = ""

    @property
    def moment(self) -> str:
        """What stands in the SQL of people for ``run.started``; empty: nothing reads it."""
        return next((table.moment for table in self.tables if table.moment), "")

    @cached_property
    def tables(self) -> tuple[TablePlan, ...]:
        """All table plans, in that order."""
        return tuple(t for g in self.groups for t in g.tables)

    def part(self, tables: Iterable[TablePlan]) -> Plan:
        """Returns the plan of some of its tables, which replace those of the same flows."""
        kept = {table.flow: table for table in tables}
        groups = (
            replace(group, tables=tuple(kept[t.flow] for t in group.tables if t.flow in kept))
            for group in self.groups
        )
        return replace(self, groups=tuple(group for group in groups if group.tables))
