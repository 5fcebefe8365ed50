"""What will be done: data only, no SQL but a person's own, no connection."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tranship.model.expression import Expression
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.model.types import PgType


class Origin(StrEnum):
    """Who said that this expression fills this column."""

    SAME_NAME = "same name"
    RULE = "rule"
    DECIDED = "decided"
    SERVER = "server"
    """Nobody: NEW fills it by itself."""


class ColumnMapping(Struct, frozen=True):
    """What fills one column of NEW."""

    column: str
    type: PgType
    expression: Expression
    origin: Origin
    because: str = ""
    """Evidence of a rule, or a person's ``because``."""


class Source(Struct, frozen=True):
    """A heap of OLD that is read by itself: the table (``ONLY``) or one leaf of a partitioned table."""

    relation: TableName
    root: TableName
    """The table of the plan it belongs to; equal to ``relation`` unless it is a leaf."""
    oid: int = 0
    through_root: bool = False
    """The leaf itself may not be read by this role: read the root and filter by ``tableoid``."""
    pageable: bool = True
    """It has a ctid that can be ranged over (heap table, not foreign)."""


class HazardKind(StrEnum):
    """What the types and constraints say could reject a row."""

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
    FOREIGN_KEY = "foreign key"
    UNIQUE = "unique"
    EXCLUDE = "exclude"
    EXISTING = "existing"
    """A unique or exclusion index of NEW against rows that are already there."""


class Hazard(Struct, frozen=True):
    """One thing that can reject rows of one table."""

    kind: HazardKind
    columns: tuple[str, ...] = ()
    """NEW's columns that it reads."""
    constraint: str | None = None
    """Name of the constraint or index in NEW."""
    new: bool = True
    """False: OLD holds the same constraint, so only changed values or other rejects can break it."""


class TablePlan(Struct, frozen=True):
    """How the rows of one old table reach one new table."""

    old: TableName
    new: TableName
    columns: tuple[ColumnMapping, ...]
    """In NEW's column order; NewDefault columns included."""
    key: tuple[str, ...]
    """OLD key order (``Table.order_key``); empty: physical order, declared unstable."""
    sources: tuple[Source, ...]
    hazards: tuple[Hazard, ...] = ()
    binary: bool = False
    """COPY in binary format: both sides' type trees are portable for every shipped column."""
    why_text: str = ""
    """The first column that forbids binary, for the report."""
    ignored: tuple[str, ...] = ()
    """Old columns left behind by a decision."""
    zone: str | None = None
    """OLD's database time zone where a column of this table converts through it; NEW's sessions of this table use it too."""
    serial: bool = False
    """One stream only: NEW's sequence numbers the rows as they come."""
    inserts_defaults: bool = False
    """No column is mapped: rows arrive by ``INSERT … DEFAULT VALUES`` (or empty COPY lines)."""

    @property
    def flow(self) -> FlowId:
        """The identity of these rows wherever a run speaks of them; the plain pair of the two tables."""
        return FlowId(self.old, self.new)


class LeftOut(Struct, frozen=True):
    """An old table that a ``drop_table`` resolution leaves out: its rows count as read and left out."""

    old: TableName
    because: str = ""


class SequencePair(Struct, frozen=True):
    """A sequence of NEW to be moved forward at the end."""

    new: TableName
    old: TableName | None
    table: TableName | None = None
    """NEW's table and column that it numbers; None: standalone."""
    column: str | None = None


class Group(Struct, frozen=True):
    """Tables that are settled together: one table, or a strongly connected component of NEW's foreign keys."""

    tables: tuple[TablePlan, ...]
    cyclic: bool = False
    """Their foreign keys form a cycle (a self reference is one)."""
    cyclic_keys: tuple[tuple[TableName, str], ...] = ()
    """NEW's (table, constraint) inside the cycle."""


class Plan(Struct, frozen=True):
    """The whole move, in order."""

    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...] = ()
    sequences: tuple[SequencePair, ...] = ()
    warnings: tuple[Problem, ...] = ()
    old_fingerprint: str = ""
    new_fingerprint: str = ""

    @property
    def tables(self) -> tuple[TablePlan, ...]:
        """All table plans in order."""
        return tuple(t for g in self.groups for t in g.tables)
