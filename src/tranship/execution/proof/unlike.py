"""Rows that do not hold what NEW should have filled in by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.compare import LOW, in_zone
from tranship.execution.proof.naming import NAMED, Naming
from tranship.execution.proof.rows import AT_ONCE
from tranship.execution.proof.strangers import Strangers
from tranship.model.difference import Difference, DifferenceKind
from tranship.server.journal import BatchRow
from tranship.sql.new.digest import rows_unlike


class Unlike(Struct, frozen=True):
    """Which rows are looked at."""

    done: Sequence[BatchRow]
    """Those of these batches."""
    least: int
    """How many of them do not hold it at least, where they have no key."""
    others: bool
    """Whether others may have written some of them anew."""
    strangers: Strangers
    """Of the rows that others wrote, those that were taken out are some of these batches."""


async def with_unlike(naming: Naming, of: Unlike, found: Sequence[Difference]) -> list[Difference]:
    """Returns differences together with those rows; one that differs already gets these columns, too. At most
    ``NAMED`` rows are named, the others are counted.

    Rows that others added, or that another flow made, are none of them: nothing is known of what they should
    hold here.
    """
    if not naming.keys:
        return [*found, *await _without_key(naming, of)]
    known = {_key(one): one for one in found if one.key is not None}
    told = [one for one in found if one.key is None]
    named = more = 0
    async for one in _differences(naming, of):
        if named == NAMED:
            more += 1
            continue
        named += 1
        before = known.get(_key(one))
        if before is None:
            known[_key(one)] = one
        elif before.kind is DifferenceKind.CHANGED:
            known[_key(one)] = _together(before, one)
    if more:
        told.append(naming.told(DifferenceKind.CHANGED, None, more))
    return [*known.values(), *told]


async def _differences(naming: Naming, unlike: Unlike) -> AsyncIterator[Difference]:
    statement = await _asked(naming, unlike)
    cursor = await naming.rows.new.cursor(statement, naming.rows.runs.oldest & LOW, None)
    while rows := await cursor.fetch(AT_ONCE):
        mine = unlike.strangers.among_taken(row["k"] for row in rows if row["o"])
        for row in rows:
            if not row["o"] or row["k"] in mine:
                yield _difference(naming, row)


async def _asked(naming: Naming, unlike: Unlike) -> str:
    """Returns the query for those rows as NEW holds them, whose session then is in the zone of the plan."""
    of, xids = naming.of, [xid for row in unlike.done for xid in row.xids]
    known = sorted(naming.rows.runs.mine) if unlike.others else None
    after, key = of.job.after(of.plan), naming.rows.texts().key
    await in_zone(naming.rows.new, of.plan)
    return rows_unlike(after, key, of.filled.compared, xids, known)


def _difference(naming: Naming, row: asyncpg.Record) -> Difference:
    fillings = naming.of.filled.compared
    wrong = [n for n, unlike in enumerate(row["u"]) if unlike]
    due, there = (tuple(row[side][n] for n in wrong) for side in ("due", "found"))
    columns = tuple(fillings[n].name for n in wrong)
    one = naming.told(DifferenceKind.CHANGED, row["k"])
    return replace(one, columns=columns, expected=due, found=there, by_others=row["o"])


def _together(one: Difference, other: Difference) -> Difference:
    return replace(
        one,
        columns=(*one.columns, *other.columns),
        expected=(*one.expected, *other.expected),
        found=(*one.found, *other.found),
    )


async def _without_key(naming: Naming, of: Unlike) -> list[Difference]:
    """Returns the same of a table without a key, as one difference."""
    if not of.least:
        return []
    statement = await _asked(naming, of)
    unlike = await naming.rows.new.fetch(statement, naming.rows.runs.oldest & LOW, NAMED)
    wrong = {n for row in unlike for n, differs in enumerate(row["u"]) if differs}
    columns = tuple(naming.of.filled.compared[n].name for n in sorted(wrong))
    return [replace(naming.told(DifferenceKind.CHANGED, None, of.least), columns=columns)]


def _key(one: Difference) -> tuple[tuple[str, str | None], ...]:
    return tuple((one.key or {}).items())
