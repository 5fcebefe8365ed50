"""The values that a column's declaration lists."""

from __future__ import annotations

from tranship.model.catalog import Column, Table
from tranship.model.types import TypeKind
from tranship.planning.printed.listed_values import listed


def allowed_values(table: Table, column: Column) -> tuple[str, ...]:
    """What NEW allows, where it says so by a list: an enum's labels, true and false, a CHECK that is one IN list."""
    leaf = column.type.leaf
    if leaf.kind is TypeKind.ENUM:
        return leaf.labels
    if leaf.base == "boolean":
        return ("true", "false")
    expressions = [
        check.expression for check in table.checks if check.columns == (column.name,) and check.enforced
    ]
    inner = column.type
    while inner.kind is TypeKind.DOMAIN and inner.element is not None:
        expressions += [check.expression for check in inner.checks]
        inner = inner.element
    return next((values for expression in expressions if (values := listed(expression))), ())
