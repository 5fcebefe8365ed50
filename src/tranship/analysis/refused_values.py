"""Which values of an old column NEW would refuse: sent as a conversion would send them, and tried by its
input function.
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.analysis.asker import Asker, Rows
from tranship.model.catalog import Table
from tranship.model.evidence import RefusalQuestion, Refusals, ValueCount
from tranship.model.names import Side
from tranship.model.types import PgType
from tranship.planning.deciding.otherwise import reads_as_another
from tranship.sql.evidence import sent_values
from tranship.sql.expression import sent_text

_MOST = 5000
"""Distinct values that are tried, the most frequent first."""
_LISTED = 200
"""Refused values that are kept."""
_LONGEST = 1000
"""Characters of a value up to which it is tried: the values of a column travel in one message."""


async def refusals(
    asker: Asker, table: Table, question: RefusalQuestion, zone: str, percent: float | None
) -> Refusals | None:
    """Returns what NEW says about the values of an old column, or None where there is no answer in time.

    ``zone`` is OLD's time zone. ``percent`` of the table's pages are read; None: all of them.
    """
    column = table.column(question.old.column)
    if column is None:
        return None
    sent = sent_text(column, question.conversion, question.type, zone)
    what = f"values of {question.old} that {question.type.text} refuses"
    rows = await asker.ask(Side.OLD, what, sent_values(table, sent, percent, _MOST, _LONGEST))
    if rows is None:
        return None
    tried = _short_ones(rows)
    refused = await asker.refused(Side.NEW, what, question.type.text, [value.value for value in tried])
    if refused is None:
        return None
    values = [tried[at] for at in refused]
    otherwise = _read_otherwise(tried, column.type, question.type)
    return Refusals(
        question.old,
        question.new,
        question.type.text,
        rows=sum(value.rows for value in values),
        values=len(tried),
        refused_values=len(values),
        refused=tuple(value.value for value in values[:_LISTED]),
        complete=percent is None and len(tried) == len(rows),
        otherwise=tuple(value.value for value in otherwise[:_LISTED]),
        otherwise_rows=sum(value.rows for value in otherwise),
    )


def _read_otherwise(tried: Iterable[ValueCount], old: PgType, new: PgType) -> list[ValueCount]:
    """Returns the values that are taken and may have meant something else."""
    doubted = reads_as_another(old, new)
    return [value for value in tried if doubted(value.value)] if doubted is not None else []


def _short_ones(rows: Rows) -> list[ValueCount]:
    """Returns the values that are tried: the group of NULL stands for the long ones."""
    found = [ValueCount(str(row["v"]), int(str(row["n"]))) for row in rows if row["v"] is not None]
    return found[:_MOST]
