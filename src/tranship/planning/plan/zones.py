"""Which values of a table depend on a time zone or on the order of day and month, and on whose. Pure.

Each server computes expressions, defaults and CHECKs under its own database's zone. Two things are settled
by OLD's zone, on whichever server they happen: a wall-clock time becomes a moment, or a moment one; and a
text without a zone becomes a moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from tranship.model.catalog import Catalog, Table
from tranship.model.date_order import USUAL_ORDER, date_order
from tranship.model.expression import (
    Coalesce,
    Constant,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Rule,
    Sql,
    Take,
)
from tranship.model.plan import ColumnMapping
from tranship.model.shape import PLAIN, Shape
from tranship.model.types import PgType

_THROUGH_ZONE = re.compile(
    r"::(?:date|time|timestamp|text|character|varchar)\b(?! with time zone)"
    r"|\b(?:date_part|date_trunc|to_char|age|date|timezone)\(|\bextract\(",
    re.IGNORECASE,
)
"""What makes a wall-clock value of a moment: casts and functions as ``pg_get_expr`` prints them."""
_CLOCK = re.compile(r"now\(|current_|localtime|timestamp\(|::date|::time", re.IGNORECASE)
"""What may give a wall-clock time of the present moment."""


def converts_through_zone(columns: Sequence[ColumnMapping]) -> bool:
    """Returns whether OLD's zone decides what becomes of a column's values on OLD."""
    return any(take is not None and take.conversion.rule is Rule.ZONE for take in map(_taken, columns))


def reads_without_zone(columns: Sequence[ColumnMapping], before: Table) -> bool:
    """Returns whether NEW reads texts that may lack a zone as moments: texts of OLD, and values of
    decisions.
    """
    return any(_is_zoned(mapping.type) and _arrives_as_text(mapping, before) for mapping in columns)


def deciding_settings(
    columns: Sequence[ColumnMapping], before: Table, shape: Shape, old: Catalog, new: Catalog
) -> tuple[str, ...]:
    """Returns the settings of the databases that decide what becomes of values, other than the usual ones.

    NEW's order of day and month decides what 01/02/2024 becomes, and SQL of a decision is computed under that
    order and OLD's zone.
    """
    composed = shape != PLAIN or any(isinstance(mapping.expression, Sql) for mapping in columns)
    dated = any(_is_dated(mapping.type) and _arrives_as_text(mapping, before) for mapping in columns)
    found = []
    order = date_order(new.datestyle)
    if (composed or dated) and order != USUAL_ORDER:
        found.append(f"DateStyle {order}")
    if composed and old.timezone != "UTC":
        found.append(f"TimeZone {old.timezone}")
    return tuple(found)


def depends_on_zone(expression: str, table: Table) -> bool:
    """Returns whether an expression over a table's row may give another value under another time zone."""
    moments = any(_is_zoned(column.type) and column.name in expression for column in table.columns)
    return moments and _THROUGH_ZONE.search(expression) is not None


def computed_in_zone(columns: Sequence[ColumnMapping], after: Table) -> tuple[str, ...]:
    """Returns what of NEW's table depends on the session's zone, in words: defaults that are used, and
    CHECKs.
    """
    left = {mapping.column for mapping in columns if isinstance(mapping.expression, NewDefault)}
    defaults = [
        f"the default of {column.name}"
        for column in after.columns
        if column.name in left and column.default is not None and _CLOCK.search(column.default)
    ]
    checks = [f"CHECK {check.name}" for check in after.checks if depends_on_zone(check.expression, after)]
    return (*defaults, *checks)


def domain_depends_on_zone(pg_type: PgType) -> bool:
    """Returns whether a CHECK of a domain over moments may give another answer under another time zone."""
    return _is_zoned(pg_type) and any(_THROUGH_ZONE.search(check.expression) for check in pg_type.checks)


def _is_zoned(pg_type: PgType) -> bool:
    return "with time zone" in pg_type.leaf.text


def _is_dated(pg_type: PgType) -> bool:
    name = pg_type.leaf.text
    return name.startswith(("date", "timestamp", "ts"))


def _taken(mapping: ColumnMapping) -> Take | None:
    match mapping.expression:
        case Take() as take:
            return take
        case Coalesce(of=take) | Followed(of=Take() as take):
            return take
        case _:
            return None


def _arrives_as_text(mapping: ColumnMapping, before: Table) -> bool:
    match mapping.expression:
        case Take() as take:
            return _is_text(take, before)
        case Followed(of=of):
            return _arrives_as_text(replace(mapping, expression=of), before)
        case Coalesce(of=take):
            return True
        case NewDefault():
            return False
        case MapValues() | Lookup() | Sql() | Constant() | Rekeyed():
            return True
        case _ as unreachable:
            assert_never(unreachable)


def _is_text(take: Take, before: Table) -> bool:
    declared = before.column(take.column)
    return (
        take.conversion.rule is Rule.NEW_INPUT and declared is not None and declared.type.leaf.category == "S"
    )
