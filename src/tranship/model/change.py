"""What differs between the two schemas, and how grave it is."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tranship.model.evidence import Demand
from tranship.model.names import TableName


class ChangeClass(StrEnum):
    """How a change is handled (the specification's three classes)."""

    SAFE = "safe"
    TRANSFORMABLE = "transformable"
    BREAKING = "breaking"


class Pairing(StrEnum):
    """Why an old and a new object are taken for the same."""

    NAME = "same name"
    DECIDED = "decided"
    """By a resolution or by ``table_mapping``."""
    LINEAGE = "lineage"
    RULE = "rule"
    """A rule of renaming that proves itself (gap, case and separators, naming convention)."""
    PARENT = "inheritance parent"
    """An inheritance child without a counterpart that flows into its parent's partitioned counterpart."""


class ColumnPair(Struct, frozen=True):
    """An old and a new column that are the same; ``evidence`` says why when the names differ."""

    old: str
    new: str
    pairing: Pairing
    evidence: tuple[str, ...] = ()


class Proposal(Struct, frozen=True):
    """A likely but unproven rename: a question, never an action."""

    old: str
    new: str
    score: float
    evidence: tuple[str, ...] = ()
    runner_up: str | None = None


class TablePair(Struct, frozen=True):
    """An old table and the new table that receives its rows."""

    old: TableName
    new: TableName
    pairing: Pairing
    columns: tuple[ColumnPair, ...] = ()
    """Pairs in NEW's column order; what is in neither side's pairs is only old or only new."""
    proposals: tuple[Proposal, ...] = ()
    evidence: tuple[str, ...] = ()


class TableProposal(Struct, frozen=True):
    """A likely but unproven table rename."""

    old: TableName
    new: TableName
    score: float
    evidence: tuple[str, ...] = ()
    runner_up: TableName | None = None


class Matching(Struct, frozen=True):
    """Who corresponds to whom (``planning/matching/match.py``)."""

    pairs: tuple[TablePair, ...]
    """In plan scope, by old name."""
    only_old: tuple[TableName, ...]
    only_new: tuple[TableName, ...]
    proposals: tuple[TableProposal, ...] = ()
    out_of_scope: int = 0
    """Number of old tables that the configured ``tables`` leave out."""
    schema_pairs: tuple[tuple[str, str], ...] = ()
    """Old schema → new schema: user types of the same name in a pair are the same."""
    configured: tuple[TableName, ...] | None = None
    """The configured ``tables`` in their order; None: all, by name."""


class Change(Struct, frozen=True):
    """One difference. ``table`` is the old table's name, or the new one's where OLD has none, as ``schema.table``; empty for database-wide ones."""

    cls: ChangeClass
    kind: str
    """A stable word: ``column_added``, ``column_removed``, ``column_renamed``, ``type_changed``, ``table_removed`` …"""
    table: str
    description: str
    old_column: str | None = None
    new_column: str | None = None
    new_table: str | None = None
    auto_action: str | None = None
    """Present on every safe and transformable change."""
    evidence: tuple[str, ...] = ()
    conversion: str | None = None
    """For a type change: the conversion's reason word."""
    demand: Demand | None = None
    """For a new constraint: what it asks of OLD's rows, where OLD can be asked."""

    @property
    def requires_manual(self) -> bool:
        """A person must decide before anything moves."""
        return self.cls is ChangeClass.BREAKING


class Comparison(Struct, frozen=True):
    """All differences between two catalogs in scope, ordered: configured table order, else by name; then kind and column."""

    matching: Matching
    changes: tuple[Change, ...]
    notes: tuple[Change, ...] = ()
    """Structure that differs or will not come along and asks nothing (indexes, triggers, views …): reported, not counted among the changes."""

    def of(self, cls: ChangeClass) -> tuple[Change, ...]:
        """The changes of one class in order."""
        return tuple(c for c in self.changes if c.cls is cls)
