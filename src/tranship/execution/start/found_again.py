"""Rows that an earlier run rejected, found again in a later snapshot of OLD.

A row is what OLD's key says: its place may be another one by now. A table without a key has only places, and
they mean the same rows as long as nobody wrote to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.as_it_was import Seen, as_it_was
from tranship.model.catalog import Table
from tranship.model.locator import Address, Locator
from tranship.model.plan import TablePlan
from tranship.server.old_reader import PostgresReader
from tranship.server.snapshot import Mark
from tranship.sql import session as statements
from tranship.sql.old import cut as sql_cut
from tranship.sql.old.found_again import as_old_writes, by_index, by_text
from tranship.sql.row_id import locate

_AT_ONCE = 100_000
"""Keys that one statement takes, in one array: some megabytes."""


class Rejected(Struct, frozen=True):
    """The rows of one flow that a run rejected, as the journal has them."""

    plan: TablePlan
    """The run's plan of the flow, on the heaps as they are now."""
    seen: Seen
    """What the run saw of the table."""
    mark: Mark
    """The run's snapshot."""
    keys: tuple[bytes | None, ...]
    places: tuple[Locator, ...]


class Found(Struct, frozen=True):
    """Rejected rows in a later snapshot."""

    rows: frozenset[Locator]
    gone: tuple[bytes, ...] = ()
    """Keys under which OLD holds no row any more."""


class Unfindable(Exception):
    """Nothing tells which rows are the rejected ones; ``str()`` says why."""


async def find_again(
    old: asyncpg.Connection, now: Mark, plan: TablePlan, before: Table, rejected: Rejected, *, raw: bool
) -> Found:
    """Returns the rejected rows in the snapshot that ``old`` reads. ``raw``: OLD is SQL_ASCII.

    Raises:
        Unfindable: nothing identifies them.
    """
    if not rejected.keys:
        return Found(frozenset())
    if plan.shape.in_a_heap and not all(source.pageable for source in plan.sources):
        raise Unfindable("OLD's table has no places that can be read one by one")
    if plan.key and plan.key == rejected.plan.key:
        return await _by_keys(old, plan, before, rejected, raw=raw)
    if plan.shape.query is not None:
        raise Unfindable("its query has another key than when they were rejected")
    if await _unwritten(old, now, rejected):
        return Found(_moved(rejected, plan))
    if plan.key and rejected.plan.key:
        raise Unfindable("OLD's table has another key than when they were rejected")
    raise Unfindable("OLD's table had no key, and it may have been written to since")


async def _unwritten(old: asyncpg.Connection, now: Mark, rejected: Rejected) -> bool:
    """Returns whether the table's rows lie where the run saw them."""
    if now.timeline != rejected.mark.timeline:
        return False
    oids = [source.oid for source in rejected.seen.plan.sources]
    if now.nothing_ended_since(rejected.mark) and not await old.fetch(sql_cut.UNLOGGED, oids):
        return True
    return await as_it_was(PostgresReader(old), now, rejected.mark, rejected.seen)


def _moved(rejected: Rejected, plan: TablePlan) -> frozenset[Locator]:
    """Returns the places by the sources of the present plan."""
    numbers = {source.relation: n for n, source in enumerate(plan.sources)}
    sources = [numbers.get(source.relation) for source in rejected.plan.sources]
    rows = ((sources[row.source], row) for row in rejected.places)
    return frozenset(replace(row, source=number) for number, row in rows if number is not None)


async def _by_keys(
    old: asyncpg.Connection, plan: TablePlan, before: Table, rejected: Rejected, *, raw: bool
) -> Found:
    """Returns the rows by the keys of their old rows, each of which may have several rejected items."""
    items: dict[bytes, list[int]] = {}
    for key, place in zip(rejected.keys, rejected.places, strict=True):
        if key is not None:
            items.setdefault(key, []).append(place.item)
    keys = list(items)
    there, gone = await _by_key(old, plan, before, keys, raw=raw)
    rows = (replace(row, item=item) for n, row in there.items() for item in items[keys[n]])
    return Found(frozenset(rows), gone)


async def _by_key(
    old: asyncpg.Connection, plan: TablePlan, before: Table, keys: Sequence[bytes], *, raw: bool
) -> tuple[dict[int, Locator], tuple[bytes, ...]]:
    """Returns the old rows by the number of their key, and the keys under which there is none."""
    same: dict[int, Locator] = {}
    alike: dict[int, list[Locator]] = {}
    for first in range(0, len(keys), _AT_ONCE):
        for record in await _fetch(old, plan, before, keys[first : first + _AT_ONCE], raw=raw):
            number, row = first + record[0] - 1, locate(record[1], record[2])
            if record["same"]:
                same[number] = row
            else:
                alike.setdefault(number, []).append(row)
    found = set(same.values())
    for number, rows in alike.items():
        # The same key in another spelling, unless it is the key of another rejected row.
        if number not in same and len(rows) == 1 and rows[0] not in found:
            same[number] = rows[0]
            found.add(rows[0])
    return same, tuple(key for n, key in enumerate(keys) if n not in same)


async def _fetch(
    old: asyncpg.Connection, plan: TablePlan, before: Table, keys: Sequence[bytes], *, raw: bool
) -> list[asyncpg.Record]:
    found: list[asyncpg.Record]
    query = by_index(plan, before) if not raw else None
    if query is not None:
        await old.execute(statements.SAVEPOINT)
        try:
            found = await old.fetch(query, [key.decode() for key in keys])
        except asyncpg.DataError:
            # The key's type was changed since and does not read what it once wrote.
            await old.execute(statements.TO_SAVEPOINT)
        else:
            return found
    written = [as_old_writes(key) for key in keys] if raw else list(keys)
    found = await old.fetch(by_text(plan, before, "SQL_ASCII" if raw else "UTF8"), written)
    return found


def restricted(plan: TablePlan, rows: frozenset[Locator]) -> TablePlan:
    """Returns the plan over these rows alone; an old row without an item stands for all that it makes."""
    chosen: dict[int, set[tuple[Address, int]]] = {}
    for row in rows:
        chosen.setdefault(row.source, set()).add((row.address, row.item))
    sources = []
    for number, source in enumerate(plan.sources):
        places = tuple(sorted(chosen.get(number, ())))
        only = tuple(dict.fromkeys(address for address, _ in places))
        items = places if plan.shape.items is not None else ()
        sources.append(replace(source, only=only, items=items))
    return replace(plan, sources=tuple(sources))
