"""When a conversion that succeeds changes a value: predicates over the old row, counted by OLD."""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.model.expression import Coalesce, Conversion, Loss, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.types import PgType
from tranship.sql.quote import ident, literal

_FLOATS = frozenset({"real", "double precision"})
_MOMENTS = frozenset({"timestamp without time zone", "timestamp with time zone"})


def loss(plan: TablePlan, mapping: ColumnMapping, old: Table) -> tuple[Loss, str] | None:
    """What may be lost and the predicate of the rows that lose it; None: nothing is, or OLD cannot tell (text that NEW reads)."""
    match mapping.expression:
        case Take() as take:
            pass
        case Coalesce(of=take):
            pass
        case _:
            return None
    column = old.column(take.column)
    if column is None or take.conversion.loss is Loss.NONE:
        return None
    predicate = _predicate(
        f"old.{ident(take.column)}", take.conversion, column.type.leaf, mapping.type.leaf, plan.zone or "UTC"
    )
    return (take.conversion.loss, predicate) if predicate else None


def _predicate(value: str, conversion: Conversion, old: PgType, new: PgType, zone: str) -> str | None:
    match conversion.loss:
        case Loss.ROUNDED:
            return _rounded(value, old, new)
        case Loss.CUT_SPACES if new.modifiers and old.category == "S":
            return f"pg_catalog.char_length(CAST({value} AS pg_catalog.text)) > {new.modifiers[0]}"
        case Loss.FLOAT if old.category == "N":
            return _inexact(value, old, new)
        case Loss.ZONE:
            return f"{value} IS NOT NULL"
        case Loss.TRUNCATED if old.base in _MOMENTS and new.base == "date":
            wall = (
                f"pg_catalog.timezone({literal(zone)}, {value})"
                if old.base == "timestamp with time zone"
                else value
            )
            return f"{wall} <> pg_catalog.date_trunc('day', {wall})"
        case _:
            return None


def _rounded(value: str, old: PgType, new: PgType) -> str | None:
    if old.category == "D" or old.base == "interval":
        return f"{value} <> CAST({value} AS {new.text})" if new.base == old.base else None
    if old.category != "N" or old.base == "money" or new.base == "money":
        return None
    scale = new.modifiers[1] if new.base == "numeric" and len(new.modifiers) > 1 else 0
    if old.base not in _FLOATS:
        return f"CAST({value} AS pg_catalog.numeric) <> pg_catalog.round(CAST({value} AS pg_catalog.numeric), {scale})"
    exact = f"CAST(CAST({value} AS pg_catalog.text) AS pg_catalog.numeric)"
    return f"CASE WHEN {value} IN ('Infinity', '-Infinity', 'NaN') THEN false ELSE {exact} <> pg_catalog.round({exact}, {scale}) END"


def _inexact(value: str, old: PgType, new: PgType) -> str:
    """A number whose nearest float prints as another number; what overflows is a reject, not a loss."""
    if old.base in _FLOATS:
        limit = "CAST('3.4e38' AS pg_catalog.float8)"
        in_range = f"pg_catalog.abs({value}) < {limit} AND ({value} = 0 OR pg_catalog.abs({value}) > 1e-37)"
        return f"CASE WHEN {in_range} THEN CAST({value} AS {new.text}) <> {value} ELSE false END"
    limit = "1e37" if new.base == "real" else "1e307"
    exact = f"CAST({value} AS pg_catalog.numeric)"
    back = f"CAST(CAST(CAST({exact} AS {new.base}) AS pg_catalog.text) AS pg_catalog.numeric)"
    if old.base in ("integer", "bigint", "smallint"):
        back = f"CAST(CAST(CAST({exact} AS {new.base}) AS pg_catalog.float8) AS pg_catalog.numeric)"
        if old.base == "bigint":
            # Through the integer itself: float8 to numeric keeps 15 digits only.
            wide = f"CAST(CAST({value} AS {new.base}) AS pg_catalog.float8)"
            return f"CASE WHEN {wide} < 9.2e18 AND {wide} > -9.2e18 THEN CAST({wide} AS pg_catalog.int8) <> {value} ELSE {value} IS NOT NULL END"
    size = f"pg_catalog.abs({exact})"
    plain = f"{exact} NOT IN ('NaN') AND {size} < {limit} AND ({exact} = 0 OR {size} > 1 / CAST({limit} AS pg_catalog.numeric))"
    return f"CASE WHEN {plain} THEN {back} <> {exact} ELSE false END"
