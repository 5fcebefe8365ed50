"""What a run works on: the plan and the two catalogs it was built from."""

from __future__ import annotations

from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.model.plan import Plan, TablePlan


class Job(Struct, frozen=True, dict=True):
    """The plan with both catalogs; everything an engine needs beside its connections."""

    plan: Plan
    old: Catalog
    new: Catalog

    def before(self, plan: TablePlan) -> Table:
        """OLD's table of a plan."""
        return _known(self.old, plan.old)

    def after(self, plan: TablePlan) -> Table:
        """NEW's table of a plan."""
        return _known(self.new, plan.new)

    def fillers(self, table: TableName) -> tuple[TablePlan, ...]:
        """The plans that fill a table of NEW, in plan order; none: the run leaves it as it is."""
        return tuple(p for p in self.plan.tables if p.new == table)


def _known(catalog: Catalog, name: TableName) -> Table:
    table = catalog.table(name)
    if table is None:
        raise ValueError(f"{name} is not in the catalog the plan was built from")
    return table
