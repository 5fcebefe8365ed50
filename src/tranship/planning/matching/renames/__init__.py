"""Which old column or table is which new one under another name: what proves itself, and what is worth asking."""

from tranship.planning.matching.renames.columns import column_renames
from tranship.planning.matching.renames.context import ColumnRenames, RenameContext, TableRenames
from tranship.planning.matching.renames.convention import Convention, naming_convention
from tranship.planning.matching.renames.tables import table_renames

__all__ = [
    "ColumnRenames",
    "Convention",
    "RenameContext",
    "TableRenames",
    "column_renames",
    "naming_convention",
    "table_renames",
]
