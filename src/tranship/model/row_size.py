"""How much room columns take in a row of a page.

The server moves long values out of the row, or compresses them, until it fits; what stays of a column has a
greatest size. Sizes are those of pages of 8 kB (PostgreSQL documentation, "Database Page Layout", "TOAST").
"""

from __future__ import annotations

from tranship.model.catalog import Column
from tranship.model.types import TypeKind

LARGEST = 8160
"""Bytes of the largest row: a page without its header and one line pointer."""
KEPT = 24
"""Bytes of the largest value that is never moved out of its row, its header included."""
HEADER = 24
"""Bytes before the values, without the bits that say which are NULL."""
_FIXED = {
    "bool": (1, 1),
    "char": (1, 1),
    "int2": (2, 2),
    "int4": (4, 4),
    "int8": (8, 8),
    "float4": (4, 4),
    "float8": (8, 8),
    "money": (8, 8),
    "oid": (4, 4),
    "xid": (4, 4),
    "date": (4, 4),
    "time": (8, 8),
    "timetz": (12, 8),
    "timestamp": (8, 8),
    "timestamptz": (8, 8),
    "interval": (16, 8),
    "uuid": (16, 1),
    "macaddr": (6, 4),
    "macaddr8": (8, 4),
    "name": (64, 1),
    "pg_lsn": (8, 8),
    "point": (16, 8),
    "lseg": (32, 8),
    "box": (32, 8),
    "line": (24, 8),
    "circle": (24, 8),
}
"""Length and alignment by the name of a built-in type of fixed length (``pg_type.typlen``, ``typalign``)."""
_NEVER_MOVED = frozenset({"tsquery", "int2vector", "oidvector"})
"""Types of any length whose values stay in the row (``pg_type.typstorage`` is plain)."""


def fixed_size(column: Column) -> tuple[int, int] | None:
    """Returns length and alignment of a column's values; None: their length varies, or is not known."""
    leaf = column.type.leaf
    if column.computed_when_read:
        return 0, 1
    return (4, 4) if leaf.kind is TypeKind.ENUM else _FIXED.get(leaf.typname)


def never_moved(column: Column) -> bool:
    """Returns whether long values of a column stay in the row."""
    return "PLAIN" in column.storage or column.type.leaf.typname in _NEVER_MOVED
