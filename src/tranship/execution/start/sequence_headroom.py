"""Checks that the sequences of NEW have a value for each row that needs one.

A failed batch does not give back the sequence values it consumed, so a retry could exhaust the sequence.
The run is refused when a sequence has fewer values left than rows need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import asyncpg

from tranship.errors.codes.privileges import SequenceExhausted
from tranship.execution.context import Job
from tranship.execution.switches.sequences import drawn_by, positions
from tranship.model.database_objects import Sequence
from tranship.model.flow import FlowId

_AT_ONCE = 100
"""Sequences that one statement reads."""


def numbers_left(sequence: Sequence, value: int, *, called: bool) -> int:
    """Returns how many values ``nextval`` still gives (PostgreSQL documentation, CREATE SEQUENCE)."""
    way = sequence.maximum - value if sequence.increment > 0 else value - sequence.minimum
    return max(0, way // abs(sequence.increment) + (0 if called else 1))


async def without_room(
    new: asyncpg.Connection, job: Job, arriving: Mapping[FlowId, int]
) -> SequenceExhausted | None:
    """Returns the first sequence with fewer values than rows arrive, which are given by flow. Sequences that
    this role may not read are left out.
    """
    rows: Counter[Sequence] = Counter()
    for plan in job.plan.tables:
        drawn = [sequence for sequence in drawn_by(job, plan) if not sequence.cycle]
        rows.update(dict.fromkeys(drawn, arriving[plan.flow]))
    asked = [one for one, wanted in rows.items() if wanted and "SELECT" in one.privileges]
    for first in range(0, len(asked), _AT_ONCE):
        some = asked[first : first + _AT_ONCE]
        stand = await positions(new, [sequence.name for sequence in some])
        for sequence in some:
            at = stand[sequence.name]
            left = numbers_left(sequence, at.value, called=at.called)
            if left < rows[sequence]:
                return SequenceExhausted(sequence.name, left, rows[sequence])
    return None
