"""References that OLD declares and NEW does not: rows arrive there whether their parents do or not. Pure.

Where the key itself becomes another value, see ``unfollowed``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.expression import Coalesce, Expression, Followed, Rekeyed, Take
from tranship.model.plan import TablePlan
from tranship.model.references import references


class Unchecked(Struct, frozen=True):
    """A foreign key of OLD that NEW lacks, while its columns and those of the parents arrive."""

    plan: TablePlan
    keys: tuple[ForeignKey, ...]
    """The same as NEW would declare it, for each table of NEW that the parents fill."""
    parents: tuple[TablePlan, ...]
    """Their flows, in the order of the keys."""


def unchecked(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Unchecked]:
    """Yields the keys without which a row may lack its parent in NEW, and nothing there would notice."""
    for plan in sorted(plans, key=lambda one: one.flow):
        before, after = old.table(plan.old), new.table(plan.new)
        if before is None or after is None or plan.shape.query is not None:
            continue
        for held in references(before):
            columns = _carried(plan, held.columns)
            if columns is not None and not _checked(after, columns):
                keys = list(_keys(held, columns, plans))
                if keys:
                    yield Unchecked(plan, tuple(key for _, key in keys), tuple(one for one, _ in keys))


def _keys(
    held: ForeignKey, columns: tuple[str, ...], plans: Sequence[TablePlan]
) -> Iterator[tuple[TablePlan, ForeignKey]]:
    if not held.enforced or held.period:
        return
    for parent in plans:
        names = _carried(parent, held.target_columns)
        if parent.old == held.target and _moves_rows(parent) and names is not None:
            yield parent, ForeignKey(held.name, columns, parent.new, names)


def _moves_rows(plan: TablePlan) -> bool:
    """Returns whether a flow makes one row at most of each old row."""
    return plan.shape.query is None and plan.shape.items is None


def _carried(plan: TablePlan, columns: Sequence[str]) -> tuple[str, ...] | None:
    """Returns the columns of NEW that hold old ones, or what these are led to; None where one has none."""
    found = {_taken(mapping.expression): mapping.column for mapping in reversed(plan.columns)}
    names = tuple(found[name] for name in columns if name in found)
    return names if len(names) == len(columns) else None


def _taken(expression: Expression) -> str | None:
    match expression:
        case Take(column=column) | Rekeyed(column=column):
            return column
        case Coalesce(of=of) | Followed(of=of):
            return of.column
        case _:
            return None


def _checked(after: Table, columns: Sequence[str]) -> bool:
    """Returns whether NEW itself checks the rows' references by one of the columns."""
    return any(key.enforced and set(key.columns) & set(columns) for key in references(after))
