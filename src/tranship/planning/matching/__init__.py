"""Who corresponds to whom: old tables and columns with new ones.

Lives here: which tables take part (``scope``), the pairing of tables and columns (``match``), and renames
(``renames/``). Does not live here: what a difference between paired things means (``comparing``), and what a
person may decide (``deciding``); decisions come in as a ``Decided``. Begin with ``match``. Order of the
files: scope → renames/ → match.
"""
