"""Rows that do not hold what NEW should have filled in by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.compare import LOW, in_zone
from tranship.execution.proof.naming import NAMED, Naming
from tranship.model.difference import Difference, DifferenceKind
from tranship.server.journal import BatchRow
from tranship.sql.new.digest import rows_unlike


class Unlike(Struct, frozen=True):
    """Which rows are looked at."""

    done: Sequence[BatchRow]
    """Those of these batches."""
    rows: int
    """How many of them do not hold it, of which at most ``NAMED`` are named."""
    others: bool
    """Whether others may have written some of them anew."""


async def with_unlike(naming: Naming, of: Unlike, found: Sequence[Difference]) -> list[Difference]:
    """Returns differences together with those rows; one that differs already gets these columns, too.

    Rows that others added are none of them: nothing is known of what they should hold.
    """
    unlike, rows = await _read(naming, of), of.rows
    if not naming.keys:
        return [*found, *_without_key(naming, unlike, found, rows)]
    known = {_key(one): one for one in found if one.key is not None}
    told = [one for one in found if one.key is None]
    for one in (_difference(naming, row) for row in unlike):
        before = known.get(_key(one))
        if before is None:
            known[_key(one)] = one
        elif before.kind is DifferenceKind.CHANGED:
            known[_key(one)] = _together(before, one)
    if rows > len(unlike):
        told.append(naming.told(DifferenceKind.CHANGED, None, rows - len(unlike)))
    return [*known.values(), *told]


async def _read(naming: Naming, unlike: Unlike) -> list[asyncpg.Record]:
    """Returns the first of those rows as NEW holds them."""
    of, xids = naming.of, [xid for row in unlike.done for xid in row.xids]
    known = sorted(naming.rows.mine) if unlike.others else None
    after, key = of.job.after(of.plan), naming.rows.texts().key
    statement = rows_unlike(after, key, of.filled.compared, xids, known)
    await in_zone(naming.rows.new, of.plan)
    return list(await naming.rows.new.fetch(statement, naming.rows.oldest & LOW, NAMED))


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


def _without_key(
    naming: Naming, unlike: Sequence[asyncpg.Record], found: Iterable[Difference], rows: int
) -> list[Difference]:
    """Returns the same of a table without a key, as one difference."""
    added = sum(one.rows for one in found if one.kind is DifferenceKind.ADDED)
    left = rows - min(added, sum(row["o"] for row in unlike))
    if left <= 0:
        return []
    wrong = {n for row in unlike for n, differs in enumerate(row["u"]) if differs}
    columns = tuple(naming.of.filled.compared[n].name for n in sorted(wrong))
    return [replace(naming.told(DifferenceKind.CHANGED, None, left), columns=columns)]


def _key(one: Difference) -> tuple[tuple[str, str | None], ...]:
    return tuple((one.key or {}).items())
