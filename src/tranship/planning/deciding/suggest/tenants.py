"""The new column that says from which schema a row comes, where the tables of several tenants go into one."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Column, Table
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems
from tranship.planning.printed.allowed_values import allowed_values
from tranship.planning.types.values import castable

_TENANT = frozenset(
    ("tenant", "schema", "customer", "client", "account", "company", "organization", "workspace", "realm")
)
"""What columns are called that name the owner of a row."""


def tenant_column(after: Table, unfilled: Sequence[Column], sources: Sequence[Table]) -> Column | None:
    """Returns the column of a new table that tells the rows of its old tables apart, among the columns that
    nothing fills. None: the old tables are not each in a schema of its own, or several columns may be meant.

    Such a column is called like a tenant, or it is the only text that every row needs.
    """
    if not _are_of_tenants(sources):
        return None
    known = {column.name for table in sources for column in table.columns}
    free = [column for column in unfilled if column.name not in known and _may_repeat(after, column)]
    likely = list(filter(_is_called_so, free)) or [one for one in free if _is_needed_text(after, one)]
    return likely[0] if len(likely) == 1 else None


def _are_of_tenants(sources: Sequence[Table]) -> bool:
    """Returns whether several old tables are each in a schema of its own."""
    return 1 < len(sources) == len({table.name.schema for table in sources})


def _may_repeat(after: Table, column: Column) -> bool:
    return not column.generated and all(key.columns != (column.name,) for key in after.keys)


def _is_called_so(column: Column) -> bool:
    return not _TENANT.isdisjoint(stems(column.name))


def _is_needed_text(after: Table, column: Column) -> bool:
    needed = column.not_null and not column.filled_by_server
    return needed and family(column.type) == "text" and not allowed_values(after, column)


def tenant_value(after: Table, column: Column, source: Table) -> str:
    """Returns what the column holds for the rows of an old table: its schema, or a placeholder where the
    column takes other values.
    """
    schema, allowed = source.name.schema, allowed_values(after, column)
    is_text = family(column.type) == "text" and castable(column.type, schema) is not False
    return schema if schema in allowed or (is_text and not allowed) else SPECIFY_DEFAULT_VALUE


def tenant_reason(column: Column) -> str:
    """Returns why the column is taken for the tenant's."""
    return f"nothing of OLD fills '{column.name}', and each of the tables is in a schema of its own"
