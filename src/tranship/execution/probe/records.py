"""Rejected rows for people: OLD's key and the whole old row as JSON, which OLD itself writes."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import asyncpg
from msgspec import UNSET, Raw
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.probe.portions import in_portions, may_differ_much
from tranship.execution.probe.reading import Reader, by_source
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import Table
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.shape import PLAIN
from tranship.model.verdict import MergedRecord, Reject, RejectRecord
from tranship.server.snapshot import Snapshot
from tranship.sql.old.whole_rows import bytes_of_rows, kept_columns, whole_rows
from tranship.sql.row_id import locate, render

_AT_ONCE = 500
"""Rows that are fetched together at most."""
_FIRST = 20
"""Rows that are fetched together before their size is known."""
_BYTES = 2 * 1024 * 1024
"""Text of whole rows that is fetched together, as far as the rows before tell."""


async def fetch_records(
    old: asyncpg.Connection, job: Job, plan: TablePlan, rejects: Iterable[Reject]
) -> AsyncIterator[RejectRecord]:
    """Yields rejects of one table, given in row order, with key and row, as :func:`whole_rows_of` does."""
    async for reject, key, row in whole_rows_of(old, job, plan, rejects):
        record = _record(plan, reject, key, row)
        # Nothing holds a large row while the next one is read.
        del row
        yield record
        del record


async def whole_rows_of(
    old: asyncpg.Connection, job: Job, plan: TablePlan, rejects: Iterable[Reject]
) -> AsyncIterator[tuple[Reject, bytes | None, bytes]]:
    """Yields rejects of one table, given in row order, with key and row as JSON in UTF-8.

    ``old`` reads the run's snapshot. Values that are no text (SQL_ASCII) stand as ``{"$bytes": hex}``.
    Memory: some whole rows, of which a single one may be large.
    """
    raw = job.old.encoding == "SQL_ASCII"
    before = job.before(plan)
    size = _FIRST
    for _, mine in itertools.groupby(rejects, key=lambda reject: reject.row.source):
        while some := list(itertools.islice(mine, size)):
            width = 0
            for portion in in_portions(some, await _lengths(old, plan, before, some), _BYTES):
                found = await _rows(old, plan, before, [reject.row for reject in portion], raw=raw)
                for reject in portion:
                    key, whole = found.pop(reject.row)
                    width += len(whole)
                    made = (reject, key.encode() if key is not None else None, whole.encode())
                    # Only who is given the row holds it, while the next one is read.
                    del whole
                    yield made
                    del made
            size = max(1, min(_AT_ONCE, int(_BYTES * len(some) / max(width, 1)), size * 10))


async def _lengths(
    old: asyncpg.Connection, plan: TablePlan, before: Table, rejects: Sequence[Reject]
) -> list[int]:
    """Returns the bytes of each whole row, where a few may be much larger than the others; else zeros."""
    if not may_differ_much(before) or not plan.shape.in_a_heap:
        return [0] * len(rejects)
    rows = [reject.row for reject in rejects]
    source = rows[0].source
    known = {
        locate(source, id_): length for id_, length in await old.fetch(bytes_of_rows(plan, before, rows))
    }
    return [known.get(row, 0) for row in rows]


async def shown_keys(reader: Reader, rows: Iterable[Locator]) -> dict[Locator, str]:
    """Returns keys as JSON for reasons, or the row's place when the table has no key."""
    return await keys_shown(reader.old, reader.job, reader.plan, rows)


async def keys_shown(
    old: asyncpg.Connection, job: Job, plan: TablePlan, rows: Iterable[Locator]
) -> dict[Locator, str]:
    """Returns the same; ``old`` reads the run's snapshot. An item is named by its number, too."""
    given = list(rows)
    keys = await _keys(old, job, plan, given) if plan.key else {}
    return {row: _shown(row, keys.get(row)) for row in given}


async def merged_rows(snapshot: Snapshot, job: Job, book: Book) -> tuple[MergedRecord, ...]:
    """Returns the rows that are merged into others, with the keys of both, in plan and row order.

    Rows that are rejected with their survivors are none of them. Memory: two keys per merged row.
    """
    records: list[MergedRecord] = []
    for plan in (plan for plan in job.plan.tables if plan.may_merge):
        async with snapshot.reader() as old:
            records += await _merged(old, job, plan, book)
    return tuple(records)


async def _merged(old: asyncpg.Connection, job: Job, plan: TablePlan, book: Book) -> list[MergedRecord]:
    gone, held = book.rejected(plan.flow), book.held(plan.flow)
    merged = {row: one.into for row, one in held.items() if one.into is not None and row not in gone}
    keys = await _keys(old, job, plan, {*merged, *merged.values()})
    return [
        MergedRecord(
            str(plan.old),
            str(plan.new),
            _raw(keys.get(row)),
            _raw(keys.get(into)),
            plan.name or UNSET,
            row.item or UNSET,
            into.item or UNSET,
        )
        for row, into in sorted(merged.items())
    ]


def _raw(key: str | None) -> Raw | None:
    return Raw(key.encode()) if key is not None else None


async def _keys(
    old: asyncpg.Connection, job: Job, plan: TablePlan, rows: Iterable[Locator]
) -> dict[Locator, str | None]:
    """Returns the keys of rows as JSON objects; None for a table without a key."""
    keys: dict[Locator, str | None] = {}
    before, raw = job.before(plan), job.old.encoding == "SQL_ASCII"
    for group in by_source(rows):
        for at in range(0, len(group), _AT_ONCE):
            found = await _rows(old, plan, before, group[at : at + _AT_ONCE], raw=raw, whole=False)
            keys |= {row: key for row, (key, _) in found.items()}
    return keys


def _shown(row: Locator, key: str | None) -> str:
    item = f", item {row.item}" if row.item else ""
    return f"{key}{item}" if key else f"at {render(row)}"


async def _rows(
    old: asyncpg.Connection,
    plan: TablePlan,
    before: Table,
    rows: Sequence[Locator],
    *,
    raw: bool,
    whole: bool = True,
) -> dict[Locator, tuple[str | None, str]]:
    # Old rows that cannot be taken apart stand by themselves among the items of others.
    apart = [row for row in rows if not row.item] if plan.shape.items is not None else []
    if not apart:
        return await _read(old, plan, before, rows, raw=raw, whole=whole)
    items = [row for row in rows if row.item]
    found = await _read(old, replace(plan, shape=PLAIN), before, apart, raw=raw, whole=whole)
    if items:
        found |= await _read(old, plan, before, items, raw=raw, whole=whole)
    return found


async def _read(
    old: asyncpg.Connection,
    plan: TablePlan,
    before: Table,
    rows: Sequence[Locator],
    *,
    raw: bool,
    whole: bool,
) -> dict[Locator, tuple[str | None, str]]:
    records = await old.fetch(whole_rows(plan, before, rows, raw=raw, whole=whole))
    source = rows[0].source
    if not raw:
        return {locate(source, id_): (key, row) for id_, key, row in records}
    found = {}
    for id_, values in records:
        fields = {c.name: _field(v) for c, v in zip(kept_columns(before), values, strict=True)}
        found[locate(source, id_)] = (
            _json({c: fields[c] for c in plan.key}) if plan.key else None,
            _json(fields),
        )
    return found


def _record(plan: TablePlan, reject: Reject, key: bytes | None, row: bytes) -> RejectRecord:
    return RejectRecord(
        table=str(plan.old),
        new_table=str(plan.new),
        key=Raw(key) if key is not None else None,
        column=reject.column,
        constraint=reject.constraint,
        sqlstate=reject.sqlstate,
        reason=reject.reason,
        row=Raw(row),
        flow=plan.name or UNSET,
        item=reject.row.item or UNSET,
    )


def _field(value: bytes | None) -> str:
    """Returns a column's JSON. A string that is no UTF-8 becomes its bytes in hexadecimal digits."""
    if value is None:
        return "null"
    try:
        return value.decode()
    except UnicodeDecodeError:
        parsed = json.loads(value.decode("latin-1"))
        text = parsed if isinstance(parsed, str) else json.dumps(parsed, ensure_ascii=False)
        return json.dumps({"$bytes": text.encode("latin-1").hex()})


def _json(fields: Mapping[str, str]) -> str:
    return (
        "{"
        + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {value}" for name, value in fields.items())
        + "}"
    )
