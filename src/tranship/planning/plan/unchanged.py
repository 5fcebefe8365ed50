"""Which values arrive in NEW as they were in OLD: a constraint that OLD holds over them cannot be broken
there.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.expression import Conversion, Loss, Rule, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.types import PgType

# Numbers compare by value across these families; floats are left out, since a cast to them rounds.
_EXACT_NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC})
# char(n) is left out: it ignores trailing blanks, so that it takes more texts for equal.
_UNPADDED = frozenset({"text", "varchar"})


def mapping_of(plan: TablePlan, column: str) -> ColumnMapping | None:
    """Returns the mapping that fills a new column; None when the plan has no such column."""
    return next((mapping for mapping in plan.columns if mapping.column == column), None)


def is_unchanged(plan: TablePlan, new_column: str, old_column: str) -> bool:
    """Returns whether the old column arrives in the new one without any conversion."""
    take = _take(plan, new_column)
    return take is not None and take.column == old_column and take.conversion.rule is Rule.SAME


def all_unchanged(plan: TablePlan, columns: Iterable[str | None]) -> bool:
    """Returns whether every column arrives without a conversion under its own name; False for an expression
    (None).
    """
    return all(column is not None and is_unchanged(plan, column, column) for column in columns)


def surely_taken(plan: TablePlan, column: str) -> str | None:
    """Returns the old column whose value arrives in ``column`` by a conversion that cannot fail; None without
    one.
    """
    take = _take(plan, column)
    if take is None or not _keeps_value(take.conversion) or take.conversion.fallible:
        return None
    return take.column


def equal_origin(plan: TablePlan, before: Table, after: Table, column: str) -> str | None:
    """Returns the old column that arrives in ``column`` with an equality that means the same; None without
    one.
    """
    take = _take(plan, column)
    if take is None:
        return None
    old, new = before.column(take.column), after.column(column)
    if old is None or new is None or not same_equality(collation_of(old), collation_of(new)):
        return None
    if not _keeps_value(take.conversion) or take.conversion.loss is not Loss.NONE:
        return None
    return old.name if _compare_alike(take.conversion, old.type.leaf, new.type.leaf) else None


def collation_of(column: Column) -> str:
    """Returns the collation under which a column is compared; empty for the database's default."""
    return column.collation or column.type.collation or ""


def same_equality(one: str, other: str) -> bool:
    """Returns whether the same texts are equal under two collations.

    Under the server's own collations, and under the default, only the same text is equal. A collation that a
    user made may be nondeterministic and take more for equal (PostgreSQL documentation, Collation Support).
    """
    own = all(not name or name.startswith(("pg_catalog.", '"pg_catalog".')) for name in (one, other))
    return one == other or own


def _take(plan: TablePlan, column: str) -> Take | None:
    """Returns what takes an old column's value; None where a reference gets another value on the way."""
    mapping = mapping_of(plan, column)
    if mapping is None or not isinstance(mapping.expression, Take):
        return None
    return None if mapping.expression.column in led_columns(plan) else mapping.expression


def led_columns(plan: TablePlan) -> frozenset[str]:
    """Returns the old columns whose references lead to survivors, or become NULL with their parents."""
    repointed = plan.repointing.parents if plan.repointing is not None else ()
    columns = [*(one.columns for one in repointed), *(one.becoming_null for one in plan.shape.null_with)]
    return frozenset(chain.from_iterable(columns))


def _keeps_value(conversion: Conversion) -> bool:
    """Returns whether a value arrives as it is, or by a cast of OLD, which cannot fail."""
    return conversion.rule in (Rule.SAME, Rule.OLD_CAST)


def _compare_alike(conversion: Conversion, old: PgType, new: PgType) -> bool:
    """Returns whether two values are equal in NEW's type exactly where they were in OLD's."""
    same_type = conversion.rule is Rule.SAME and old.base == new.base
    exact_numbers = _EXACT_NUMBERS.issuperset((old.family, new.family))
    return same_type or exact_numbers or {old.typname, new.typname} <= _UNPADDED
