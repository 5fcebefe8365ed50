"""Predicates with which OLD leaves out the rows that certainly convert, so that only the rest is sent to NEW
to be judged.

Every predicate is on the safe side: NEW, whose rules decide, judges each row that a predicate does not vouch
for.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.expression import Coalesce, Rule, Take
from tranship.model.plan import TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.expression import compile_text, gap
from tranship.sql.quote import ident
from tranship.sql.types.values import certain

_WIDEST_KEY = 2600
"""Bytes of a key that fit a B-tree for certain: a third of a page of 8 kB, less what its header takes."""


def uncertain(plan: TablePlan, position: int, old: Table, *, in_bytes: bool = False) -> str | None:
    """Returns a predicate that is true for rows whose conversion OLD cannot vouch for; None: OLD can vouch
    for no row.

    ``in_bytes``: NEW measures texts in bytes of UTF8.
    """
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
    if column is None or _checked(new) or column.computed_when_read:
        return None
    if take.conversion.rule is Rule.SAME and not take.conversion.fallible:
        return None
    safe = certain(f"old.{ident(take.column)}", column.type.leaf, new.leaf, in_bytes=in_bytes)
    return f"(({safe}) IS FALSE)" if safe is not None else None


def too_wide(values: Sequence[str]) -> str:
    """Returns a predicate that is true for rows whose values together may be too large for a key of a
    B-tree.
    """
    sizes = [f"COALESCE(pg_catalog.octet_length(CAST({value} AS pg_catalog.text)), 0)" for value in values]
    return f"({' + '.join(sizes)} > {_WIDEST_KEY})"


def foreign_characters(plan: TablePlan, position: int, old: Table) -> str:
    """Returns a predicate that is true for rows whose shipped text is not plain ASCII."""
    return f"({compile_text(plan, position, old)} COLLATE pg_catalog.\"C\" ~ '[^\\x01-\\x7f]')"


def is_null(plan: TablePlan, position: int, old: Table) -> str:
    """Returns a predicate that is true for rows whose shipped value is NULL."""
    return f"({compile_text(plan, position, old)} IS NULL)"


def missing_entry(plan: TablePlan, position: int, old: Table) -> str:
    """Returns a predicate that is true for rows whose value has no entry in the mapping or lookup."""
    return gap(plan, position, old) or "false"


def _checked(new: PgType) -> bool:
    inner: PgType | None = new
    while inner is not None and inner.kind is TypeKind.DOMAIN:
        if inner.checks:
            return True
        inner = inner.element
    return False
