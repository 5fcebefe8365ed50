"""What fills a column, and what a run does to the rows of a flow, in words."""

from __future__ import annotations

from collections.abc import Mapping

from tranship.model.expression import (
    Coalesce,
    Constant,
    Expression,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Sql,
    Take,
    old_columns,
)
from tranship.model.plan import TablePlan
from tranship.model.preview import PreviewColumn

_HOW: Mapping[type, str] = {
    Take: "copied",
    Coalesce: "null_value",
    Constant: "constant",
    NewDefault: "filled by NEW",
    MapValues: "value_mapping",
    Lookup: "lookup_table",
    Rekeyed: "new_key",
    Followed: "follows its parent",
    Sql: "transform_sql",
}


def column_words(name: str, expression: Expression, said: tuple[str, ...] = ()) -> PreviewColumn:
    """Returns a column of NEW with what fills it. ``said``: the old columns that an entry with SQL names."""
    return PreviewColumn(name, _HOW[type(expression)], old_columns(expression) or said)


def notes_about(plan: TablePlan) -> tuple[str, ...]:
    """Returns what a run does to the rows beyond their values."""
    notes = []
    if plan.shape.merge is not None:
        notes.append("rows with an equal key are merged by the run; here each of them is shown")
    if plan.shape.existing is not None:
        notes.append("the run compares these rows with those that NEW holds already")
    led = [m.column for m in plan.columns if isinstance(m.expression, Followed)]
    if led:
        notes.append(f"{', '.join(led)}: the run follows parents that NEW holds under other keys")
    return tuple(notes)
