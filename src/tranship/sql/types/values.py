"""What the families say about values of whole types: domains, arrays, composites and ranges are taken apart
here and nowhere else.
"""

from __future__ import annotations

from tranship.model.builtin_types import BUILTINS
from tranship.model.types import PgType, TypeKind
from tranship.sql.types.family import Change
from tranship.sql.types.strings import is_label, is_plain, shaped, short_enough
from tranship.sql.types.table import FAMILY_SQL


def canonical(value: str, pg_type: PgType, collation: str | None = None) -> str | None:
    """Returns SQL for one text per value: equal exactly where the type's own ``=`` says equal, on both
    servers and every version.

    None: no such text is certain. Only deterministic collations count, which all of ``pg_catalog`` are.
    """
    leaf = pg_type.leaf
    if not deterministic(collation or pg_type.collation or leaf.collation):
        return None
    if leaf.kind is TypeKind.ENUM:
        return f"CAST({value} AS pg_catalog.text)"
    return canonical_builtin(value, leaf.typname) if leaf.kind is TypeKind.BASE else None


def canonical_builtin(value: str, typname: str) -> str | None:
    """Returns the same for a type of ``pg_catalog`` by its name there."""
    row = BUILTINS.get(typname)
    return FAMILY_SQL[row.family].canonical(value, row) if row is not None else None


def deterministic(collation: str | None) -> bool:
    """Says whether a collation is known to call equal only what is the same bytes; None is the type's or
    database's default.
    """
    return collation is None or collation.startswith(("pg_catalog.", '"pg_catalog".'))


def certain(value: str, old: PgType, new: PgType, *, in_bytes: bool) -> str | None:
    """Returns a predicate that holds for values that NEW's type certainly takes; None: OLD can vouch for no
    value.

    Both types are leaves. NULL makes it NULL. ``in_bytes``: NEW measures texts in bytes of UTF8.
    """
    if new.kind is TypeKind.ENUM:
        return is_label(value, new) if old.kind is TypeKind.ENUM or is_plain(old) else None
    if new.family is None or old.family is None:
        return None
    if not is_plain(old):
        return FAMILY_SQL[new.family].takes(value, old, new)
    if is_plain(new):
        return short_enough(value, new, in_bytes=in_bytes)
    shape = FAMILY_SQL[new.family].shape(new)
    return shaped(value, shape) if shape is not None else None


def changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns what a conversion does to values that it accepts, with the predicate of the values to which it
    does.

    None: it changes none, or OLD cannot tell, because NEW reads a text.
    """
    before, after = old.leaf, new.leaf
    return (
        FAMILY_SQL[before.family].changed(value, before, after, zone) if before.family is not None else None
    )
