"""What the rules may know besides the two tables, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct, field

from tranship.model.change import ColumnPair, Proposal, TablePair, TableProposal
from tranship.model.names import TableName
from tranship.model.statistics import ColumnStatistics, Statistics
from tranship.planning.matching.renames.convention import Convention
from tranship.planning.names.likeness import Change, compare_names


class RenameContext(Struct, frozen=True, dict=True):
    """Knowledge about both databases that goes beyond the tables themselves."""

    order_known: bool = True
    """Whether the column order is the real one; False where it is alphabetical or unknown."""
    same_table: bool = True
    """Whether the tables are known to be one: by their name, by lineage or by a rule. False where a person
    pairs tables under two names, or is asked to.
    """
    table_pairs: Mapping[TableName, TableName] = field(default_factory=dict)
    """Old table → new table as far as known: targets of foreign keys are compared through it."""
    kept_tables: frozenset[TableName] = frozenset()
    """Old tables that are known to have a counterpart of their own name; they need no entry in
    ``table_pairs``.
    """
    convention: Convention | None = None
    """A change of naming convention proven over the whole schema."""
    shared_ancestor: bool = False
    """Whether both servers have the same system identifier.

    Equal table OIDs then mean the same physical table: a restored base backup, a branch, a database made from
    a template. Without it equal OIDs may be chance, since two fresh servers count alike.
    """
    old_statistics: Statistics | None = None
    new_statistics: Statistics | None = None
    """Statistics of ANALYZE where they have been read: they give reasons to ask, and say which question comes
    first.
    """

    def statistics_of(
        self, old: TableName, before: str, new: TableName, after: str
    ) -> tuple[ColumnStatistics | None, ColumnStatistics | None]:
        """Returns the statistics of an old and of a new column; None for a side without."""
        left = self.old_statistics.of(old, before) if self.old_statistics is not None else None
        right = self.new_statistics.of(new, after) if self.new_statistics is not None else None
        return left, right

    @cached_property
    def table_changes(self) -> tuple[Change, ...]:
        """Words that gave way to others in the names of the tables known to be renamed."""
        return tuple(
            change
            for a, b in self.table_pairs.items()
            if a.name != b.name and any(change := compare_names(a.name, b.name).change)
        )


class ColumnRenames(Struct, frozen=True):
    """Renamed columns of one table pair.

    A lineage pair may contradict a pair of equal names (a swap): it wins.
    """

    automatic: tuple[ColumnPair, ...] = ()
    proposals: tuple[Proposal, ...] = ()


class TableRenames(Struct, frozen=True):
    """Renamed tables; the pairs come without their columns."""

    automatic: tuple[TablePair, ...] = ()
    proposals: tuple[TableProposal, ...] = ()
