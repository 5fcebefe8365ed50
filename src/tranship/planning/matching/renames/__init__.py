"""Renames: which old column or table is which new one under another name.

Two questions are kept apart. A rename that is proven (the same physical column, a rule that the whole schema
follows, the only place that is left) is taken; one that is only likely is proposed to a person with a
probability.

Lives here: rules, features, and the logistic weights that ``benchmarks/_fit_renames.py`` fits. Does not live
here: renames that a person decides (``matching.match`` takes them first). Begin with ``columns`` and
``tables``. Order of the files: context · convention · lineage · gap · data · vetoes → columns_context ·
overlap · links · only_references → features · table_features → score · assign · rivals → evidence → columns ·
tables.
"""

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
