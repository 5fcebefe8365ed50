"""Tables that a view of NEW stands before: a table was renamed, and a view of its old name keeps its readers
alive. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tranship.model.catalog import Catalog, Table
from tranship.model.change import TableProposal
from tranship.model.names import TableName
from tranship.planning.matching.scope import quoted

_MOST = 0.95
"""The score where each column of the old table has its namesake: a name and a query are no proof."""


def behind_views(
    lost: Sequence[Table], new: Catalog, free: Collection[TableName], schemas: dict[str, str]
) -> list[TableProposal]:
    """Returns for old tables without a counterpart whose name NEW gives to a view the only table that this
    view reads, if it is ``free``: nothing else fills it.
    """
    found = []
    for table in lost:
        view = new.table(TableName(schemas.get(table.name.schema, table.name.schema), table.name.name))
        stored = _only_source(view, new) if view is not None and view.definition is not None else None
        if view is not None and stored is not None and stored.name in free:
            found.append(_proposal(table, view, stored))
    return [proposal for proposal in found if proposal is not None]


def _only_source(view: Table, new: Catalog) -> Table | None:
    """Returns the relation that a view's query names, if it is one only. Names are printed with schemas."""
    text = view.definition or ""
    named = [
        table for table in new.tables if re.search(rf"(?<![\w\"]){_printed(table.name)}(?![\w\"])", text)
    ]
    return named[0] if len(named) == 1 else None


def _printed(name: TableName) -> str:
    return re.escape(f"{quoted(name.schema)}.{quoted(name.name)}")


def _proposal(table: Table, view: Table, stored: Table) -> TableProposal | None:
    """Returns the proposal, unless most columns of the old table have no namesake in the stored one."""
    names = {column.name for column in table.columns}
    common = names & {column.name for column in stored.columns}
    if not names or len(common) * 2 <= len(names):
        return None
    evidence = (
        f"{view.name} is a view in NEW, and reads {stored.name} alone",
        f"{len(common)} of {len(names)} columns of the same name",
    )
    return TableProposal(table.name, stored.name, round(_MOST * len(common) / len(names), 2), evidence)
