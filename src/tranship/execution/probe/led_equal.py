"""Rows that become equal to another row of their flow only because references to merged rows lead to the
survivors: they are merged into that row, and no rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tranship.execution.context import Job
from tranship.execution.probe.reading import Reader, by_source
from tranship.model.expression import NewDefault
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.shape import Repointing
from tranship.sql.old.unled import unled_references
from tranship.sql.row_id import locate

_Pair = tuple[Locator, Locator]

_AT_ONCE = 10_000
"""Rows whose references one statement reads."""


async def equal_when_led(
    reader: Reader, key: Sequence[str | None], pairs: Sequence[_Pair]
) -> frozenset[_Pair]:
    """Returns those pairs of rows that differ in OLD in references which are led, and in NEW in nothing but
    a surrogate key to which nobody refers.

    ``key``: the columns of NEW in which they collide; None: an expression.
    """
    plan, job = reader.plan, reader.job
    if plan.repointing is None or plan.shape.items is not None or not pairs or _referred_to(job, plan):
        return frozenset()
    led = await _references(reader, plan.repointing, _rows(pairs))
    moved = [(row, other) for row, other in pairs if led[row] != led[other]]
    made = await _made(reader, _compared(job, plan, key), _rows(moved))
    return frozenset((row, other) for row, other in moved if row in made and made[row] == made.get(other))


def _rows(pairs: Iterable[_Pair]) -> list[Locator]:
    return sorted({row for pair in pairs for row in pair})


def _referred_to(job: Job, plan: TablePlan) -> bool:
    """Returns whether a foreign key of either database leads to the rows of a flow."""
    sides = ((job.old, plan.old), (job.new, plan.new))
    return any(
        key.target == name for catalog, name in sides for table in catalog.tables for key in references(table)
    )


def _compared(job: Job, plan: TablePlan, key: Sequence[str | None]) -> list[int]:
    """Returns the positions of the columns that OLD fills, without a surrogate key."""
    primary = job.after(plan).primary_key
    alone = primary is not None and len(primary.columns) == 1 and primary.columns[0] not in key
    surrogate = set(primary.columns) if primary is not None and alone else set[str]()
    return [
        n
        for n, mapping in enumerate(plan.columns)
        if mapping.column not in surrogate and not isinstance(mapping.expression, NewDefault)
    ]


async def _references(reader: Reader, repointing: Repointing, rows: Iterable[Locator]) -> dict[Locator, str]:
    columns = sorted({column for parents in repointing.parents for column in parents.columns})
    found: dict[Locator, str] = {}
    for group in by_source(rows):
        for at in range(0, len(group), _AT_ONCE):
            query = unled_references(reader.plan, group[at : at + _AT_ONCE], columns)
            found |= {locate(group[0].source, id_): text for id_, text in await reader.old.fetch(query)}
    return found


async def _made(
    reader: Reader, positions: Sequence[int], rows: Iterable[Locator]
) -> dict[Locator, tuple[str | None, ...]]:
    """Returns what is written of each row; rows for which an expression raises are missing."""
    made: dict[Locator, tuple[str | None, ...]] = {}
    async for chunk in reader.chosen(rows, positions):
        columns = [chunk.texts[position] for position in positions]
        made |= {row: tuple(column[n] for column in columns) for n, row in enumerate(chunk.rows)}
    return made
