"""What differs between the two schemas, and how grave it is."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Demand
from tranship.model.names import TableName


class ChangeClass(StrEnum):
    """How a change is handled."""

    SAFE = "safe"
    """No value changes and nobody has to decide."""
    TRANSFORMABLE = "transformable"
    """tranship converts the values by a rule."""
    BREAKING = "breaking"
    """A person decides before anything is copied."""


class Pairing(StrEnum):
    """Why an old and a new object are taken for the same."""

    NAME = "same name"
    DECIDED = "decided"
    """By a resolution or by ``table_mapping``."""
    LINEAGE = "lineage"
    """Both databases descend from one: equal OIDs or attribute numbers show that the object was renamed."""
    RULE = "rule"
    """A rule of renaming that proves itself (gap, case and separators, naming convention)."""
    PARENT = "inheritance parent"
    """An inheritance child without a counterpart that flows into its parent's partitioned counterpart."""


class ColumnPair(Struct, frozen=True):
    """An old and a new column that correspond to each other."""

    old: str
    new: str
    pairing: Pairing
    evidence: tuple[str, ...] = ()
    """Why they correspond, in words for people, where the names differ."""


EVEN = 0.5
"""Probability below which a rename is less likely than none."""


class Proposal(Struct, frozen=True):
    """A likely but unproven rename: a question, never an action."""

    old: str
    new: str
    score: float
    """0 to 1."""
    evidence: tuple[str, ...] = ()
    runner_up: str | None = None
    """The second most likely column."""
    rival: str | None = None
    """An old column without a counterpart that the new one may be made of as well."""
    of_place_alone: bool = False
    """Nothing but the places and the declarations of the two columns speaks for it."""

    @property
    def instead(self) -> str | None:
        """The column that may be meant as well; empty: none at all may; None: nothing else fits."""
        if self.rival is not None:
            return self.rival
        return "" if self.score < EVEN or self.of_place_alone else self.runner_up


class TablePair(Struct, frozen=True):
    """An old table and the new table that receives its rows."""

    old: TableName
    new: TableName
    pairing: Pairing
    columns: tuple[ColumnPair, ...] = ()
    """In NEW's column order. A column that is in no pair exists on one side only."""
    proposals: tuple[Proposal, ...] = ()
    evidence: tuple[str, ...] = ()
    name: str = ""
    """What a person calls the flow that they made of these tables; empty for a pair that was found."""

    @property
    def flow(self) -> str:
        """What people see: the flow's name, and the old table's where the flow has none."""
        return self.name or str(self.old)


class TableProposal(Struct, frozen=True):
    """A likely but unproven table rename."""

    old: TableName
    new: TableName
    score: float
    evidence: tuple[str, ...] = ()
    runner_up: TableName | None = None
    rival: TableName | None = None
    """An old table without a counterpart that the new one may be made of as well."""
    of_few_columns: bool = False
    """Nothing but a few columns of the same names speaks for it."""

    @property
    def doubtful(self) -> bool:
        """Whether another old or new table may be meant as well, or none."""
        others = self.runner_up is not None or self.rival is not None
        return others or self.score < EVEN or self.of_few_columns

    @property
    def other(self) -> str:
        """The name of the table that may be meant as well; empty: nothing else fits."""
        other = self.rival or self.runner_up
        return other.name if other is not None else ""


class ToolTable(Struct, frozen=True):
    """A table in which a migration tool keeps its records: it is neither copied nor asked about."""

    old: TableName | None
    new: TableName | None
    tool: str
    """The name of the tool, or of the tools that write this table."""


class Matching(Struct, frozen=True):
    """Which tables and columns correspond to each other (``planning/matching/match.py``)."""

    pairs: tuple[TablePair, ...]
    """By old name, within the configured scope. One old table may be in several pairs: first comes the one
    that was found, then those that a person named, by their names.
    """
    only_old: tuple[TableName, ...]
    only_new: tuple[TableName, ...]
    proposals: tuple[TableProposal, ...] = ()
    out_of_scope: int = 0
    """Number of old tables that the configured ``tables`` leave out."""
    schema_pairs: tuple[tuple[str, str], ...] = ()
    """Old schema and new schema. User-defined types of one name in a pair of schemas correspond."""
    configured: tuple[TableName, ...] | None = None
    """The configured ``tables`` in their order; None: all, by name."""
    tool_tables: tuple[ToolTable, ...] = ()
    """Tables of migration tools, which stay as they are on both sides."""


class Change(Struct, frozen=True):
    """One difference.

    ``table`` is the old table's name as ``schema.table``, or the new one's where OLD has none, or the name of
    a flow that a person made; it is empty for a difference of the whole database.
    """

    cls: ChangeClass
    kind: ChangeKind
    table: str
    description: str
    old_column: str | None = None
    new_column: str | None = None
    new_table: str | None = None
    auto_action: str | None = None
    """Present on every safe and transformable change."""
    evidence: tuple[str, ...] = ()
    conversion: str | None = None
    """For a type change: why the conversion is not automatic, in one phrase."""
    demand: Demand | None = None
    """For a new constraint: what it demands of OLD's rows, where OLD can check that."""

    @property
    def requires_manual(self) -> bool:
        """Whether a person has to decide before anything is copied."""
        return self.cls is ChangeClass.BREAKING


class Comparison(Struct, frozen=True):
    """All differences between two catalogs in scope, by table (configured order, else name), kind and
    column.
    """

    matching: Matching
    changes: tuple[Change, ...]
    notes: tuple[Change, ...] = ()
    """Structure that differs or is not copied, and about which nobody has to decide (indexes, triggers, views
    …): reported, and not counted among the changes."""

    def of(self, cls: ChangeClass) -> tuple[Change, ...]:
        """Returns the changes of one class, in their order."""
        return tuple(c for c in self.changes if c.cls is cls)
