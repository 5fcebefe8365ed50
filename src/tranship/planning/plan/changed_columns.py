"""What changes between two plans of one flow: for the rows that were moved under the earlier one."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.expression import Expression, Lookup, MapValues
from tranship.model.plan import TablePlan


class ChangedColumn(Struct, frozen=True):
    """A column of NEW that the later plan fills in another way."""

    name: str
    then: int | None
    """Position of its mapping in the earlier plan; None: that plan did not know the column."""
    now: int


def changed_columns(then: TablePlan, now: TablePlan) -> tuple[ChangedColumn, ...]:
    """Returns the columns whose values may differ for a row that both plans accept.

    A column that only the earlier plan filled is none: it is gone from NEW.
    """
    positions = {mapping.column: n for n, mapping in enumerate(then.columns)}
    found = (
        ChangedColumn(mapping.column, positions.get(mapping.column), n)
        for n, mapping in enumerate(now.columns)
    )
    return tuple(column for column in found if not _same(then, now, column))


def _same(then: TablePlan, now: TablePlan, column: ChangedColumn) -> bool:
    if column.then is None:
        return False
    one, other = then.columns[column.then].expression, now.columns[column.now].expression
    return (one == other and then.zone == now.zone) or _accepts_more(one, other)


def _accepts_more(then: Expression, now: Expression) -> bool:
    """Returns whether the later expression gives every value that the earlier one gave, and further ones for
    rows that had none.
    """
    match then, now:
        case MapValues(), MapValues():
            # Further entries come last: two spellings of one number are one key, and the first entry counts.
            kept = now.pairs[: len(then.pairs)]
            wider = replace(now, pairs=kept, otherwise=None if then.otherwise is None else now.otherwise)
            return wider == then
        case Lookup(otherwise=None), Lookup():
            return replace(now, otherwise=None) == then
        case _:
            return False
