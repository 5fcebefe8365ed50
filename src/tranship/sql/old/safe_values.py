"""Values that certainly convert, told by OLD in the query that reads them, so that only the rest travels to be judged.

Every predicate is on the safe side: what it does not vouch for is asked of NEW, whose rules decide.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.expression import Coalesce, Rule, Take
from tranship.model.plan import TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.expression import compile_text, gap
from tranship.sql.quote import ident, literal

_INTEGERS = {"smallint": (4, 32767), "integer": (9, 2147483647), "bigint": (18, 9223372036854775807)}
"""Digits that always fit, and the largest value."""
_FLOATS = frozenset({"real", "double precision"})
_STRINGS = frozenset({"text", "character varying", "character"})
_MOMENTS = frozenset({"date", "timestamp without time zone", "timestamp with time zone"})
_MOST_LABELS = 200
_WIDEST_KEY = 2600
_SHAPES = {
    "date": r"^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$",
    "timestamp without time zone": r"^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?$",
    "uuid": r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "boolean": r"^(t|f|true|false|yes|no|on|off|1|0)$",
}
"""Texts that a type's input takes on every server and under every DateStyle."""


def doubtful(plan: TablePlan, position: int, old: Table, *, in_bytes: bool = False) -> str | None:
    """True for rows whose conversion OLD cannot vouch for; None: it can for none. ``in_bytes``: NEW measures texts in bytes of UTF8."""
    mapping = plan.columns[position]
    match mapping.expression:
        case Take() as take:
            pass
        case Coalesce(of=take):
            # The constant was judged before the run; a NULL never reaches the conversion.
            pass
        case _:
            return None
    column, new = old.column(take.column), mapping.type
    if column is None or _checked(new) or take.conversion.rule is Rule.SAME or column.computed_when_read:
        return None
    safe = _safe(f"old.{ident(take.column)}", column.type.leaf, new.leaf, in_bytes=in_bytes)
    return f"(({safe}) IS FALSE)" if safe is not None else None


def too_wide(values: Sequence[str]) -> str:
    """True for rows whose values together may exceed a B-tree's limit: a third of a page of 8 kB, less what its header takes."""
    sizes = [f"COALESCE(pg_catalog.octet_length(CAST({value} AS pg_catalog.text)), 0)" for value in values]
    return f"({' + '.join(sizes)} > {_WIDEST_KEY})"


def foreign_characters(plan: TablePlan, position: int, old: Table) -> str:
    """True for rows whose shipped text is not plain ASCII."""
    return f"({compile_text(plan, position, old)} COLLATE pg_catalog.\"C\" ~ '[^\\x01-\\x7f]')"


def is_null(plan: TablePlan, position: int, old: Table) -> str:
    """True for rows whose shipped value is NULL."""
    return f"({compile_text(plan, position, old)} IS NULL)"


def missing_entry(plan: TablePlan, position: int, old: Table) -> str:
    """True for rows whose value has no entry in the mapping or lookup."""
    return gap(plan, position, old) or "false"


def _checked(new: PgType) -> bool:
    inner: PgType | None = new
    while inner is not None and inner.kind is TypeKind.DOMAIN:
        if inner.checks:
            return True
        inner = inner.element
    return False


def _safe(value: str, old: PgType, new: PgType, *, in_bytes: bool) -> str | None:
    """NULL counts as safe where this is used: the predicate is then NULL, not false."""
    if new.kind is TypeKind.ENUM:
        return _label(value, old, new)
    if new.kind is not TypeKind.BASE or old.kind is not TypeKind.BASE:
        return None
    if old.base in _STRINGS:
        return _from_text(value, new, in_bytes=in_bytes)
    if old.base in _INTEGERS or old.base == "numeric" or old.base in _FLOATS:
        return _from_number(value, old, new)
    if old.base in _MOMENTS and new.base in _MOMENTS:
        return f"{value} > '4000-01-01 BC' AND {value} < '200000-01-01'"
    return None


def _label(value: str, old: PgType, new: PgType) -> str | None:
    known = old.kind is TypeKind.ENUM or old.base in _STRINGS
    if not known or not 0 < len(new.labels) <= _MOST_LABELS:
        return None
    labels = ", ".join(literal(label) for label in new.labels)
    return f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C" IN ({labels})'


def _from_text(value: str, new: PgType, *, in_bytes: bool) -> str | None:
    text = f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C"'
    if new.base in _STRINGS:
        length = new.modifiers[0] if new.modifiers else 1 if new.base == "character" else None
        if length is None:
            return "true"
        plain = f"CAST({value} AS pg_catalog.text)"
        size = (
            f"pg_catalog.octet_length(pg_catalog.convert_to({plain}, 'UTF8'))"
            if in_bytes
            else f"pg_catalog.char_length({plain})"
        )
        return f"{size} <= {length}"
    shape = _SHAPES.get(new.base)
    if new.base in _INTEGERS:
        shape = rf"^-?\d{{1,{_INTEGERS[new.base][0]}}}$"
    elif new.base == "numeric":
        digits = new.modifiers[0] - new.modifiers[1] - 1 if new.modifiers else 100
        shape = rf"^-?\d{{1,{min(digits, 200)}}}(\.\d{{1,200}})?$" if digits > 0 else None
    elif new.base in _FLOATS:
        shape = r"^-?\d{1,30}(\.\d{1,5})?$"
    return f"{text} ~ {literal(shape)}" if shape is not None else None


def _from_number(value: str, old: PgType, new: PgType) -> str | None:
    if new.base in _INTEGERS:
        most = _INTEGERS[new.base][1]
        if old.base in _FLOATS:
            most = most // 2
        return f"{value} >= {-most} AND {value} <= {most}"
    if new.base == "numeric":
        if not new.modifiers:
            return None
        whole = new.modifiers[0] - new.modifiers[1]
        return f"{value} > -(1e{whole} - 1) AND {value} < 1e{whole} - 1" if 0 < whole <= 300 else None
    if new.base in _FLOATS:
        large, small = ("1e37", "1e-37") if new.base == "real" else ("1e307", "1e-307")
        return f"{value} = 0 OR ({value} > {small} AND {value} < {large}) OR ({value} < -{small} AND {value} > -{large})"
    return None
