"""Where the rows of an inheritance child go that NEW does not have. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tranship.model.catalog import Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName


def home_of_child(
    child: Table,
    old: Mapping[TableName, Table],
    new: Mapping[TableName, Table],
    found: Mapping[TableName, TableName],
) -> tuple[TableName, str] | None:
    """Returns the new table of the child's nearest ancestor, and why; None: the child is a question.

    Where that table is partitioned, its partitions are the form that the children have there. Where it has no
    children, and the child has no column beyond its ancestor's, the child was a partition of the old style,
    and NEW keeps all rows in one table. ``found`` are the pairs of tables so far.
    """
    ancestor = _paired_ancestor(child, old, found)
    if ancestor is None:
        return None
    target = new[found[ancestor]]
    if target.kind == RelationKind.PARTITIONED_TABLE:
        return target.name, f"inherits from {ancestor}, whose counterpart is partitioned"
    if not target.children and _adds_nothing(child, old[ancestor]):
        return target.name, f"inherits from {ancestor} without a column of its own; NEW has one table"
    return None


def _adds_nothing(child: Table, ancestor: Table) -> bool:
    return {column.name for column in child.columns} <= {column.name for column in ancestor.columns}


def _paired_ancestor(
    table: Table, old: Mapping[TableName, Table], found: Mapping[TableName, TableName]
) -> TableName | None:
    """Returns the nearest ancestor that has a counterpart: breadth first, since a table may inherit from
    several.
    """
    waiting, seen = list(table.parents), set[TableName]()
    while waiting:
        name = waiting.pop(0)
        if name in found:
            return name
        if name in old and name not in seen:
            seen.add(name)
            waiting += old[name].parents
    return None
