"""Which old rows a flow takes: the filter, and the parents whose rows are left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tranship.model.shape import Parent, Shape, Taken
from tranship.sql.quote import ident, relation

_EQUALS = "OPERATOR(pg_catalog.=)"


def lines(text: str) -> str:
    """Returns a person's SQL on lines of its own, so that a comment at its end does not swallow what
    follows.
    """
    return f"\n{text}\n"


def filtered(shape: Shape) -> str | None:
    """Returns the filter's condition over ``old``, which a row that is taken meets; None without one."""
    return f"({lines(shape.filter.where)})" if shape.filter is not None and shape.filter.where else None


def not_followed(shape: Shape) -> tuple[str, ...]:
    """Returns the conditions over ``old`` that no parent is left out with which the row would go."""
    return tuple(f"NOT {parent_left_out(parent)}" for parent in shape.left_with)


def parent_left_out(parent: Parent) -> str:
    """Returns the condition over ``old`` that the row's parent is in OLD and left out. It is never NULL."""
    names = [f"k{n}" for n in range(len(parent.columns))]
    same = _same(parent, names)
    rows = _left_out(parent, names)
    if parent.itself:
        # The recursion stands in a subquery of its own, so that the planner can join its rows.
        rows = f"WITH RECURSIVE gone AS ({_chain(parent, names)}) SELECT * FROM gone"
    return f"EXISTS (SELECT FROM ({rows}) AS gone WHERE {same})"


def _chain(parent: Parent, names: Sequence[str]) -> str:
    """Returns the rows of a table that are left out, and those below them by the table's key to itself."""
    listed = ", ".join(f"old.{ident(key)}" for key in parent.target_columns)
    below = f"SELECT {listed} {_heap(parent)} JOIN gone ON {_same(parent, names)}"
    return f"{_left_out(parent, names)} UNION {below}"


def _left_out(parent: Parent, names: Sequence[str]) -> str:
    keys = zip(parent.target_columns, names, strict=True)
    listed = ", ".join(f"old.{ident(key)} AS {name}" for key, name in keys)
    taken = " OR ".join(_taken(flow) for flow in parent.flows)
    return f"SELECT {listed} {_heap(parent)} WHERE NOT ({taken})"


def _heap(parent: Parent) -> str:
    # A foreign key reads partitions with their table, and inheritance children not at all.
    return f"FROM {'' if parent.with_partitions else 'ONLY '}{relation(parent.table)} AS old"


def _taken(flow: Taken) -> str:
    """Returns a condition over ``old``, never NULL: the flow takes the row."""
    own = [f"(({lines(flow.where)}) IS TRUE)"] if flow.where else []
    return " AND ".join([*own, *(f"NOT {parent_left_out(above)}" for above in flow.parents)]) or "true"


def _same(parent: Parent, names: Sequence[str]) -> str:
    operators = parent.operators or (_EQUALS,) * len(names)
    collations = parent.collations or (None,) * len(names)
    ends = zip(names, collations, operators, parent.columns, strict=True)
    return " AND ".join(
        f"gone.{name}{f' COLLATE {collation}' if collation else ''} {operator} old.{ident(column)}"
        for name, collation, operator, column in ends
    )


def nulled(shape: Shape, column: str, value: str, new: Collection[str]) -> str:
    """Returns SQL for a value that is made of a column for some columns of NEW, NULL where it refers there to
    a parent that is left out.
    """
    lost = [parent_left_out(parent) for parent in shape.null_with if parent.nullifies(column, new)]
    return f"CASE WHEN {' OR '.join(lost)} THEN NULL ELSE {value} END" if lost else value
