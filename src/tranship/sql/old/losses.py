"""Which conversions change values that they accept: predicates over the old row, which OLD counts."""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.model.expression import Coalesce, Followed, Loss, Rekeyed, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.sql.left_out import parent_left_out
from tranship.sql.quote import ident
from tranship.sql.types.family import Change
from tranship.sql.types.values import changes


def losses(plan: TablePlan, mapping: ColumnMapping, old: Table) -> tuple[Change, ...]:
    """Returns what the mapping's conversion may drop, each with the predicate of the rows that lose it.

    Empty: it drops nothing, or OLD cannot tell, because NEW reads a text.
    """
    match mapping.expression:
        case Take() as take:
            pass
        case Coalesce(of=take):
            pass
        case _:
            return ()
    column = old.column(take.column)
    if column is None or take.conversion.loss is Loss.NONE:
        return ()
    return changes(f"old.{ident(take.column)}", column.type, mapping.type, plan.zone or "UTC")


def parents_lost(plan: TablePlan) -> list[tuple[str, str]]:
    """Returns NEW's columns that become NULL where a parent is left out, each with the predicate of such
    rows.
    """
    found = []
    for mapping in plan.columns:
        match mapping.expression:
            case (
                Take(column=column)
                | Coalesce(of=Take(column=column))
                | Rekeyed(column=column)
                | Followed(of=Take(column=column))
                | Followed(of=Rekeyed(column=column))
            ):
                nulls = plan.shape.null_with
                lost = [parent_left_out(p) for p in nulls if p.nullifies(column, (mapping.column,))]
                found += [(mapping.column, predicate) for predicate in lost]
            case _:
                pass
    return found
