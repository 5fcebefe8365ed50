"""Sequences from which NEW numbers the rows of a run: where they stand behind a number that a row of NEW has
already, they would give it once more, and refuse a row for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import asyncpg

from tranship.execution.context import Job
from tranship.execution.start.sequence_headroom import numbers_left
from tranship.execution.switches.sequences import drawn_by, extremes, filled_by_new, furthest, positions
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.plan import SequencePair
from tranship.sql.new import sequences as sql_sequences


async def pass_held_numbers(
    new: asyncpg.Connection, job: Job, rows: Mapping[FlowId, int], untouched: Collection[TableName] = ()
) -> None:
    """Moves the sequences, but for the ``untouched`` ones, behind the numbers that rows of NEW have in the
    columns that they fill, as the end of the run would.

    Left where they stand are those that this role may not move, and those that would have too few numbers
    for the ``rows`` of each flow.
    """
    known = {one.name: one for one in job.new.sequences if {"SELECT", "UPDATE"} <= set(one.privileges)}
    pairs = [pair for pair in _drawn_columns(job) if pair.new in known and pair.new not in untouched]
    wanted = _wanted(job, rows)
    held, stands = await extremes(new, pairs, known), await positions(new, [pair.new for pair in pairs])
    for name, own in stands.items():
        sequence = known[name]
        end = furthest(own, [at for pair, at in held.items() if pair.new == name], sequence)
        room = numbers_left(sequence, end.value, called=end.called)
        if end != own and room >= wanted[name]:
            down = sequence.increment < 0
            moved = sql_sequences.advance_sequence(name, end.value, called=end.called, descending=down)
            await new.execute(moved)


def _wanted(job: Job, rows: Mapping[FlowId, int]) -> Counter[TableName]:
    """Returns how many numbers each sequence gives to the rows of the flows."""
    wanted = Counter[TableName]()
    for plan in job.plan.tables:
        wanted.update(dict.fromkeys((one.name for one in drawn_by(job, plan)), rows.get(plan.flow, 0)))
    return wanted


def _drawn_columns(job: Job) -> list[SequencePair]:
    """Returns the columns that sequences fill, of tables that this role may read."""
    found: dict[SequencePair, None] = {}
    for plan in job.plan.tables:
        if "SELECT" not in job.after(plan).privileges and not job.new.superuser:
            continue
        for column in filled_by_new(job, plan):
            if column.sequence is not None:
                found[SequencePair(column.sequence, None, plan.new, column.name)] = None
    return [*found]
