"""Values that reach NEW otherwise than OLD holds them: changed by conversions, or led by an expression to a
row that NEW held before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tranship.model.count import count_of
from tranship.model.expression import Loss
from tranship.model.verdict import LossCount, TableResult
from tranship.report.verification import grouped, shown

_SAME_MOMENT = Loss.ZONE
"""A moment that is written with a zone, or without, is still the moment that was decided."""
MET_BY_CHANCE = "References that an expression leads to rows which NEW held before"
MEANT = 'an entry "adopt" says that these rows are meant'
"""What a person can do about them."""
_FEW_COLUMNS = 5
"""Columns in which a conversion changed the same, and that are named one by one."""


def leads_to_new(loss: LossCount) -> bool:
    """Returns whether the values are references to rows that NEW held before."""
    return loss.loss == Loss.MET.value


def changed_values(losses: Iterable[LossCount], *, done: bool) -> str:
    """Returns sentences about the values that OLD holds otherwise, with a space before them; empty where
    there are none. ``done``: they are in NEW.
    """
    found = [one for one in losses if one.loss != _SAME_MOMENT.value and one.rows]
    lost = [one for one in found if not leads_to_new(one)]
    met = sum(one.rows for one in found if leads_to_new(one))
    return (_changed(lost, done=done) if lost else "") + (_met(met, done=done) if met else "")


def _changed(lost: Sequence[LossCount], *, done: bool) -> str:
    values = count_of(sum(one.rows for one in lost), "value", write=grouped)
    how = ", ".join(dict.fromkeys(one.loss for one in lost))
    return f" Conversions {'changed' if done else 'change'} {values} ({how}), listed below."


def _met(references: int, *, done: bool) -> str:
    lead = "led" if done else "leads" if references == 1 else "lead"
    rows = "a row" if references == 1 else "rows"
    told = count_of(references, "reference", write=grouped)
    return f" {told} {lead} to {rows} that NEW held before, listed below."


def changed_lines(tables: Sequence[TableResult]) -> Iterator[str]:
    """Yields what conversions changed, what is the same in many columns in one line; then the references to
    rows that NEW held before.
    """
    found = [(table, loss) for table in tables for loss in table.losses]
    yield from _converted([(table, loss) for table, loss in found if not leads_to_new(loss)])
    met = [(table, loss.column, loss.rows) for table, loss in found if leads_to_new(loss)]
    yield from _titled(f"{MET_BY_CHANCE} (rows; {MEANT}):", met)


def _converted(losses: Sequence[tuple[TableResult, LossCount]]) -> Iterator[str]:
    columns = Counter(loss.loss for _, loss in losses)
    lines = []
    for what, count in columns.items():
        if count > _FEW_COLUMNS:
            rows = sum(loss.rows for _, loss in losses if loss.loss == what)
            values = f"{count_of(rows, 'value')} in {count_of(count, 'column')}"
            lines.append(f"  {shown(what)}: {values}, which the result file names")
    few = ((t, f"{x.column}: {x.loss}", x.rows) for t, x in losses if columns[x.loss] <= _FEW_COLUMNS)
    named = list(_titled("Values that a conversion changes (rows):", few))
    if lines and not named:
        yield "Values that a conversion changes:"
    yield from (*named, *lines)


def _titled(title: str, parts: Iterable[tuple[TableResult, str, int]]) -> Iterator[str]:
    found = sorted(parts, key=lambda part: (part[0].label, -part[2], part[1]))
    if found:
        yield title
    for table, what, rows in found:
        yield f"  [{shown(table.label)}] {shown(what)}: {rows}"
