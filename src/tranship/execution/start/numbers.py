"""From which number on a run numbers keys anew (``new_key`` as ``number``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import asyncpg
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.shapes import NumbersOfAnotherRun
from tranship.execution.context import Job
from tranship.execution.switches.sequences import position
from tranship.model.database_objects import Sequence
from tranship.model.expression import Followed, Rekeyed
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import Numbering
from tranship.planning.plan.numbers import KeyOf, key_of, numbered, with_starts
from tranship.sql.new import sequences as sql_sequences
from tranship.sql.new_keys import numbered_count


async def rows_beside(old: asyncpg.Connection, job: Job) -> Mapping[KeyOf, int]:
    """Returns how many rows are numbered for each key whose numbers fill a column of NEW together with those
    of another key, as where two tables become one. OLD is asked about no other key.
    """
    places = [((plan.new, name), made) for plan, name, made in numbered(job.plan)]
    filling = Counter(place for place, _ in places)
    return {
        key_of(made): await old.fetchval(numbered_count(made)) for place, made in places if filling[place] > 1
    }


async def numbering(new: asyncpg.Connection, job: Job, beside: Mapping[KeyOf, int]) -> Job:
    """Returns the job with the numbers that are free now: behind NEW's rows, its sequence, and the numbers of
    other keys that fill the same column (``beside``, of :func:`rows_beside`).

    Raises:
        Refused: rows refer to a key that is numbered in another run, or only some of its rows are numbered.
    """
    lacking = tuple(_numbered_elsewhere(job))
    if lacking:
        raise Refused(lacking)
    starts: dict[KeyOf, int] = {}
    starts |= job.numbered_before
    given: dict[tuple[TableName, str], int] = {}
    for plan, name, made in numbered(job.plan):
        if key_of(made) in job.numbered_before:
            continue
        sequence = _sequence(job, plan, name)
        largest = await new.fetchval(sql_sequences.extreme(plan.new, name, descending=False))
        next_free = int(largest or 0) + 1
        if sequence is not None and "SELECT" in sequence.privileges:
            stands = await position(new, sequence.name)
            next_free = max(next_free, stands.value + stands.called)
        # One key may fill columns of several tables: its numbers are free in all of them.
        next_free = max(next_free, given.get((plan.new, name), 0) + 1, starts.get(key_of(made), 0))
        given[plan.new, name] = next_free + beside.get(key_of(made), 0) - 1
        starts[key_of(made)] = next_free
    return replace(job, plan=with_starts(job.plan, starts)) if starts else job


def _numbered_elsewhere(job: Job) -> Iterator[Problem]:
    """Yields the columns that need numbers which this run does not give to all rows of the key's table."""
    counted = numbered(job.plan)
    whole = {key_of(made) for plan, _, made in counted if all(s.only is None for s in plan.sources)}
    whole |= job.numbered_before.keys()
    for plan in job.plan.tables:
        for mapping in plan.columns:
            match mapping.expression:
                case (Rekeyed(numbering=Numbering()) as made) | Followed(
                    of=Rekeyed(numbering=Numbering()) as made
                ) if key_of(made) not in whole:
                    yield NumbersOfAnotherRun(plan.new, mapping.column, made.table).problem()
                case _:
                    continue


async def reserve(
    new: asyncpg.Connection, job: Job, rows: Mapping[FlowId, int], untouched: Collection[TableName] = ()
) -> None:
    """Moves the sequences, but for the ``untouched`` ones, behind the numbers that the run will give, where
    this role may move them.
    """
    for plan, name, made in numbered(job.plan):
        sequence = _sequence(job, plan, name)
        count = rows.get(plan.flow, 0)
        if sequence is None or sequence.name in untouched or key_of(made) in job.numbered_before:
            continue
        if "UPDATE" not in sequence.privileges or not count:
            continue
        # A sequence at its end gives no number that a row has; the rows behind it have theirs all the same.
        last = min(made.start + count - 1, sequence.maximum)
        await new.execute(sql_sequences.advance_sequence(sequence.name, last, called=True, descending=False))


def _sequence(job: Job, plan: TablePlan, name: str) -> Sequence | None:
    """Returns the sequence of a column of NEW."""
    column = job.after(plan).column(name)
    return next((one for one in job.new.sequences if column and one.name == column.sequence), None)
