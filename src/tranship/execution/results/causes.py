"""Groups rejected rows by their cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.model.reasons import (
    LookupGap,
    LookupIsAnother,
    MappingGap,
    ParentIsAnother,
    ParentNotThere,
    Reason,
    ServerSaid,
    SurvivorRejected,
    kind_of,
    named_table,
)
from tranship.model.verdict import MOST_VALUES, Reject, RejectCause
from tranship.planning.printed.constraint_rules import rules_of

_Group = tuple[str, str | None, str | None, str, str | None, bool]
"""SQLSTATE, column, constraint, name of the reason, table that it names, and whether it is a consequence."""


class CauseCounter:
    """Counts rejects by their cause, one after the other."""

    def __init__(self) -> None:
        self._rows: Counter[_Group] = Counter()
        self._values: dict[_Group, Counter[str]] = {}

    def add(self, reject: Reject) -> None:
        """Counts a reject."""
        group = group_of(reject)
        self._rows[group] += 1
        value = _value(reject.reason)
        if value is not None:
            self._values.setdefault(group, Counter())[value] += 1

    def causes(self) -> tuple[RejectCause, ...]:
        """Returns the causes, those with most rows first and consequences of other rejects last."""
        found = [
            _cause(group, rows, self._values.get(group, Counter())) for group, rows in self._rows.items()
        ]
        return tuple(sorted(found, key=lambda one: (one.consequence, -one.rows, one.sqlstate, one.what)))


def causes(rejects: Iterable[Reject]) -> tuple[RejectCause, ...]:
    """Returns the causes of rejects."""
    counter = CauseCounter()
    for reject in rejects:
        counter.add(reject)
    return counter.causes()


def with_rules(found: Iterable[RejectCause], table: Table) -> tuple[RejectCause, ...]:
    """Returns causes with what the constraint of each demands of the rows of NEW's table."""
    rules = rules_of(table)
    return tuple(replace(one, rule=rules.get(one.constraint or "")) for one in found)


def group_of(reject: Reject) -> _Group:
    """Returns what rejected rows of one table have in common whose cause is the same."""
    reason = reject.reason
    what = kind_of(reason)
    return (
        reject.sqlstate,
        reject.column,
        reject.constraint,
        what,
        named_table(reason),
        what in _OF_REJECTED or isinstance(reason, _CONSEQUENCES),
    )


_OF_REJECTED = ("ParentRejected", "LookupRejected")
_CONSEQUENCES = (LookupIsAnother, ParentIsAnother, ParentNotThere, SurvivorRejected)
"""Kinds of reasons, and reasons, of rows that would arrive if another row of OLD did."""


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


def by_reason(found: Iterable[RejectCause]) -> dict[str, int]:
    """Returns the number of rejects by SQLSTATE and constraint or column."""
    counted: Counter[str] = Counter()
    for cause in found:
        counted[reason_key(cause.sqlstate, cause.constraint, cause.column)] += cause.rows
    return dict(sorted(counted.items()))


def reason_key(sqlstate: str, constraint: str | None, column: str | None) -> str:
    """Returns what rejects are grouped by in the result file: ``23505 users_email_key``."""
    return " ".join(filter(None, (sqlstate, constraint or column)))
