"""Whether the decisions of a rejects-only run would give other values to rows that earlier runs wrote: the
table would then hold rows of two kinds.

Both plans are computed from OLD's rows as they are now. Where their texts differ, NEW says whether they are
the same value of the column's type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.rejects_only import OtherRowsTaken, OtherValues, ValuesNotCompared
from tranship.execution.context import Job
from tranship.execution.probe.questions import GivenRow, NotAskable, put, re_encodes
from tranship.model.catalog import Column, Table
from tranship.model.expression import Coalesce, Lookup, MapValues, NewDefault, Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import ExistingRows, Shape
from tranship.planning.plan.changed_columns import ChangedColumn, changed_columns
from tranship.sql import session as statements
from tranship.sql.expression import compile_text
from tranship.sql.new.given_rows import GivenRows, rendered_part, rows_query
from tranship.sql.new.probe import guarded
from tranship.sql.old.values_written import unlike
from tranship.sql.quote import ident

_AT_ONCE = 5_000
"""Pairs of texts that are fetched and judged together."""


class Written(Struct, frozen=True):
    """Rows of a flow that an earlier run wrote."""

    run: str
    plan: TablePlan
    """The run's plan of the flow, over the rows that it read."""
    rejected: tuple[Locator, ...]
    """Those that it rejected."""
    unseen: tuple[int, tuple[int, ...]] | None
    """`Mark.unseen` of the run's snapshot: later row versions are not what it moved. None: too long ago, or
    on another timeline.
    """


class _Incomparable(Exception):
    """Two values cannot be compared; ``str()`` says why, without values of rows."""


async def other_values(
    job: Job, now: TablePlan, written: Written, old: asyncpg.Connection, new: asyncpg.Connection
) -> Problem | None:
    """Returns a refusal if rows that were written would have other values under the plan ``now``.

    ``old`` reads the snapshot, ``new`` is in a READ ONLY transaction.
    """
    if not _same_rows(written.plan.shape, now.shape):
        return OtherRowsTaken(now.new, written.run).problem()
    rows, columns = 0, []
    for column in changed_columns(written.plan, now):
        try:
            unlike_rows = await _unlike(job, now, written, column, (old, new))
        except _Incomparable as why:
            return ValuesNotCompared(now.new, written.run, column.name, str(why)).problem()
        if unlike_rows:
            columns.append(column.name)
            rows = max(rows, unlike_rows)
    return OtherValues(now.new, written.run, rows, tuple(columns)).problem() if columns else None


def _same_rows(then: Shape, now: Shape) -> bool:
    """Returns whether both shapes make the same of the rows that were not rejected under the first one.

    Rows that differ from one of NEW's own may be settled otherwise now, as long as they were all rejected.
    """
    if then.existing is None or now.existing is None:
        return then == now
    settles = now.existing.rows is not ExistingRows.REJECT
    if then.existing.rows in (ExistingRows.SAME, ExistingRows.REJECT) and settles:
        then = replace(then, existing=replace(then.existing, rows=now.existing.rows))
    return then == now


async def _unlike(
    job: Job,
    now: TablePlan,
    written: Written,
    column: ChangedColumn,
    servers: tuple[asyncpg.Connection, asyncpg.Connection],
) -> int:
    """Returns the number of rows whose value in a column would be another one."""
    old, new = servers
    before = job.before(now)
    then_text = _text(written.plan, column.then, before)
    now_text = _text(now, column.now, before)
    if then_text == now_text:
        return 0
    query = unlike(written.plan, then_text, now_text, written.rejected, written.unseen)
    rows = 0
    await old.execute(statements.SAVEPOINT)
    try:
        cursor = await old.cursor(query)
        while pairs := await cursor.fetch(_AT_ONCE):
            given = [(pair["t"], pair["n"], pair["rows"]) for pair in pairs]
            rows += await _really_unlike(job, now, column.now, given, new)
    except (asyncpg.DataError, asyncpg.SyntaxOrAccessError, asyncpg.PLPGSQLError) as error:
        await old.execute(statements.TO_SAVEPOINT)
        raise _Incomparable(f"OLD does not compute both values for each row ({error.sqlstate})") from error
    return rows


def _text(plan: TablePlan, position: int | None, before: Table) -> str:
    """Returns SQL for the text that a plan ships for a column; NULL where NEW fills it.

    Raises:
        _Incomparable: the value comes from a lookup, or from a column that OLD has no more.
    """
    expression = plan.columns[position].expression if position is not None else NewDefault()
    match expression:
        case NewDefault():
            return "CAST(NULL AS pg_catalog.text)"
        case Lookup():
            raise _Incomparable("a lookup decides it")
        case Take(column=name) | Coalesce(of=Take(column=name)) | MapValues(column=name):
            if before.column(name) is None:
                raise _Incomparable(f"OLD's column {name} is gone")
    return compile_text(plan, position or 0, before)


async def _really_unlike(
    job: Job,
    plan: TablePlan,
    position: int,
    pairs: Sequence[tuple[str | None, str | None, int]],
    new: asyncpg.Connection,
) -> int:
    """Returns the rows of those pairs that are two values of the column's type, not one in two spellings."""
    declared = job.after(plan).column(plan.columns[position].column)
    values: Mapping[str, object] = {}
    # The bytes of a SQL_ASCII database may be no text that NEW could be asked about.
    if declared is not None and job.old.encoding != "SQL_ASCII":
        values = await _values(job, plan, declared, dict.fromkeys(_texts(pairs)), new)
    return sum(rows for then, now, rows in pairs if not _same(then, now, values))


def _texts(pairs: Iterable[tuple[str | None, str | None, int]]) -> Iterator[str]:
    for then, now, _ in pairs:
        yield from (text for text in (then, now) if text is not None)


async def _values(
    job: Job, plan: TablePlan, column: Column, texts: Iterable[str], new: asyncpg.Connection
) -> dict[str, object]:
    """Returns the values of texts as NEW writes them; those that it refuses have none.

    Raises:
        _Incomparable: NEW cannot be asked.
    """
    listed = list(texts)
    given = GivenRows(job.after(plan), (column,))
    value = f"CAST({ident(column.name)} AS pg_catalog.text)"
    query = guarded(rows_query(given, [rendered_part(given, [column.name], [value])]))
    sent: list[GivenRow] = [{"i": n, "c0": text} for n, text in enumerate(listed)]
    try:
        answers = await put(new, query, sent, ascii_only=re_encodes(job.new), zone=plan.input_zone)
    except NotAskable as why:
        raise _Incomparable(str(why)) from why
    return {listed[answer.row]: answer.detail for answer in answers if answer.kind == "key"}


def _same(then: str | None, now: str | None, values: Mapping[str, object]) -> bool:
    if then is None or now is None:
        return False
    return then in values and values[then] == values.get(now)
