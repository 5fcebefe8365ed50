"""Groups rejected rows by their cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tranship.model.reasons import (
    LookupGap,
    LookupIsAnother,
    MappingGap,
    ParentElsewhere,
    ParentIsAnother,
    ParentMissing,
    ParentNotThere,
    Reason,
    ServerSaid,
    SurvivorRejected,
)
from tranship.model.verdict import MOST_VALUES, Reject, RejectCause

_Group = tuple[str, str | None, str | None, str, str | None, bool]
"""SQLSTATE, column, constraint, name of the reason, table that it names, and whether it is a consequence."""


def causes(rejects: Iterable[Reject]) -> tuple[RejectCause, ...]:
    """Returns the causes of rejects, those with most rows first and consequences of other rejects last."""
    rows: Counter[_Group] = Counter()
    values: dict[_Group, Counter[str]] = {}
    for reject in rejects:
        group = _group(reject)
        rows[group] += 1
        value = _value(reject.reason)
        if value is not None:
            values.setdefault(group, Counter())[value] += 1
    found = [_cause(group, count, values.get(group, Counter())) for group, count in rows.items()]
    return tuple(sorted(found, key=lambda one: (one.consequence, -one.rows, one.sqlstate, one.what)))


def _group(reject: Reject) -> _Group:
    reason = reject.reason
    what = type(reason).__name__
    if isinstance(reason, ParentMissing) and reason.left_out:
        what = "ParentLeftOut"
    elif isinstance(reason, ParentMissing) and reason.gone:
        what = "ParentRejected"
    return (
        reject.sqlstate,
        reject.column,
        reject.constraint,
        what,
        _table(reason),
        what == "ParentRejected" or isinstance(reason, _CONSEQUENCES),
    )


_CONSEQUENCES = (LookupIsAnother, ParentIsAnother, ParentNotThere, SurvivorRejected)
"""Reasons of rows that would arrive if another row of OLD did."""


def _table(reason: Reason) -> str | None:
    """Returns the other table that a reason is about."""
    match reason:
        case LookupGap(table=table) | LookupIsAnother(table=table):
            return str(table)
        case ParentMissing(parent=parent) | ParentIsAnother(parent=parent) | ParentElsewhere(parent=parent):
            return str(parent)
        case ParentNotThere(parent=parent):
            return str(parent)
        case _:
            return None


def _value(reason: Reason) -> str | None:
    """Returns the value of the row that has no place in NEW."""
    match reason:
        case MappingGap(value=value) | LookupGap(value=value) | ServerSaid(value=value):
            return value
        case _:
            return None


def _cause(group: _Group, rows: int, values: Counter[str]) -> RejectCause:
    sqlstate, column, constraint, what, table, consequence = group
    return RejectCause(
        what=what,
        sqlstate=sqlstate,
        rows=rows,
        column=column,
        constraint=constraint,
        table=table,
        consequence=consequence,
        values=dict(values.most_common(MOST_VALUES)),
        distinct_values=len(values),
    )
