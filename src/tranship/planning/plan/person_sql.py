"""The SQL that people wrote for the flows of a plan: each text with the rows that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.expression import Lookup, Sql
from tranship.model.plan import TablePlan
from tranship.model.shape import PLAIN, Items, Merge


class Kind(StrEnum):
    """What a text is for."""

    VALUE = "value"
    """One value of a row."""
    CONDITION = "condition"
    ORDER = "order"
    """A list of expressions to sort by."""
    ITEMS = "items"
    """What makes the items of an old row."""
    SELECT = "select"
    """A whole SELECT."""


class PersonSql(Struct, frozen=True):
    """One text that a person wrote."""

    field: str
    """The field of the entry, as in the resolutions file."""
    text: str
    kind: Kind
    rows: TablePlan
    """The flow with the rows over which OLD computes it: an old row alone, or with its items."""
    column: str = ""
    """The new column that it fills; empty where it fills none."""

    @property
    def about(self) -> str:
        """What problems of the text are about."""
        return f"{self.rows.flow}.{self.column}" if self.column else str(self.rows.flow)

    @property
    def makes_rows(self) -> bool:
        """Whether every further text of the flow is computed over what this one makes."""
        return self.field in ("sql", "from", "order_by")

    @property
    def produces_values(self) -> bool:
        """Whether what it reads reaches NEW; what only selects, orders or tells rows apart does not."""
        return self.kind in (Kind.ITEMS, Kind.SELECT) or bool(self.column)


def person_sql(plan: TablePlan) -> Iterator[PersonSql]:
    """Yields all texts of one flow, in the order in which OLD computes them."""
    shape = plan.shape
    if shape.query is not None:
        yield PersonSql("sql", shape.query.sql, Kind.SELECT, plan)
    elif not plan.sources:
        # A partitioned table without partitions holds no rows over which anything could be tried.
        return
    if shape.filter is not None:
        yield PersonSql("where", shape.filter.where, Kind.CONDITION, replace(plan, shape=PLAIN))
    if shape.items is not None:
        yield from _of_items(plan, shape.items)
    if shape.merge is not None:
        yield from _of_merge(plan, shape.merge)
    for mapping in plan.columns:
        match mapping.expression:
            case Sql(text=text):
                yield PersonSql("transform_sql", text, Kind.VALUE, plan, mapping.column)
            case Lookup(key_sql=texts):
                yield from (PersonSql("key_sql", text, Kind.VALUE, plan, mapping.column) for text in texts)
            case _:
                pass


def _of_items(plan: TablePlan, items: Items) -> Iterator[PersonSql]:
    yield PersonSql("from", items.source, Kind.ITEMS, replace(plan, shape=PLAIN))
    if items.order_by:
        unordered = replace(plan.shape, items=replace(items, order_by=""))
        yield PersonSql("order_by", items.order_by, Kind.ORDER, replace(plan, shape=unordered))
    if items.where:
        yield PersonSql("where", items.where, Kind.CONDITION, plan)


def _of_merge(plan: TablePlan, merge: Merge) -> Iterator[PersonSql]:
    yield from (PersonSql("key", text, Kind.VALUE, plan) for text in merge.key)
    if merge.keep:
        yield PersonSql("keep", merge.keep, Kind.ORDER, plan)
