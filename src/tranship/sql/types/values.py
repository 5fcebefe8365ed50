"""What the families say about values of whole types: domains, arrays, composites and ranges are taken apart
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.builtin_types import BUILTINS, Family
from tranship.model.expression import Loss
from tranship.model.types import PgType, TypeKind
from tranship.sql.quote import ident
from tranship.sql.types.family import Change
from tranship.sql.types.strings import is_label, is_plain, read_by_settings, shaped, short_enough
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


def changes(value: str, old: PgType, new: PgType, zone: str) -> tuple[Change, ...]:
    """Returns what a conversion does to values that it accepts, each with the predicate of the values to
    which it does.

    Empty: it changes none, or OLD cannot tell, because NEW reads a text. ``zone`` is that of zone
    conversions.
    """
    found: dict[Loss, list[str]] = {}
    for loss, predicate in _changes(value, old.leaf, new.leaf, zone, 0):
        found.setdefault(loss, []).append(predicate)
    return tuple((loss, " OR ".join(predicates)) for loss, predicates in found.items())


def _changes(value: str, old: PgType, new: PgType, zone: str, depth: int) -> Iterator[Change]:
    """Returns the parts of two leaves of the same kind, in pairs. ``depth`` tells the aliases of nested
    arrays apart.
    """
    if old.family is not None:
        found = FAMILY_SQL[old.family].changed(value, old, new, zone)
        if found is not None:
            yield found
        if old.family is Family.STRING:
            yield from read_by_settings(value, new)
        return
    if old.kind is not new.kind:
        return
    for part, before, after in _parts(value, old, new, depth):
        for loss, predicate in _changes(part, before.leaf, after.leaf, zone, depth + 1):
            if part != f"e{depth}":
                yield loss, predicate
            else:
                yield loss, f"EXISTS (SELECT FROM pg_catalog.unnest({value}) AS {part} WHERE {predicate})"


def _parts(value: str, old: PgType, new: PgType, depth: int) -> Iterator[tuple[str, PgType, PgType]]:
    """Returns SQL for each part of a value, with its types. An element of an array or a multirange is the
    alias ``e<depth>``.
    """
    if old.kind is TypeKind.COMPOSITE:
        for before, after in zip(old.attributes, new.attributes, strict=False):
            yield f"({value}).{ident(before.name)}", before.type, after.type
    if old.element is None or new.element is None:
        return
    match old.kind:
        case TypeKind.ARRAY | TypeKind.MULTIRANGE:
            yield f"e{depth}", old.element, new.element
        case TypeKind.RANGE:
            yield f"pg_catalog.lower({value})", old.element, new.element
            yield f"pg_catalog.upper({value})", old.element, new.element
        case _:
            pass
