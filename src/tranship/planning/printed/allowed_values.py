"""The values to which a column's declaration restricts it, where the declaration lists them."""

from __future__ import annotations

from tranship.model.catalog import Column, Table
from tranship.model.types import TypeKind
from tranship.planning.printed.listed_values import listed_values


def allowed_values(table: Table, column: Column) -> tuple[str, ...]:
    """Returns the values that a column accepts, in declared order; an empty tuple when no list says so.

    Lists are the labels of an enum, the two values of a boolean, and a CHECK (of the table on this column
    alone, or of a domain) that compares with constants.
    """
    leaf = column.type.leaf
    if leaf.kind is TypeKind.ENUM:
        return leaf.labels
    if leaf.base == "boolean":
        return ("true", "false")
    expressions = [
        check.expression for check in table.checks if check.columns == (column.name,) and check.enforced
    ]
    # A domain over a domain has to satisfy the checks of both: the outermost list is the narrowest that is
    # printed.
    inner = column.type
    while inner.kind is TypeKind.DOMAIN and inner.element is not None:
        expressions += [check.expression for check in inner.checks]
        inner = inner.element
    return next((values for expression in expressions if (values := listed_values(expression))), ())
