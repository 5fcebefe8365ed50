"""Checks that the sequences of NEW have a value for each row that needs one.

A failed batch does not give back the sequence values it consumed, so a retry could exhaust the sequence.
The run is refused when a sequence has fewer values left than rows need.
"""

from __future__ import annotations

from collections import Counter

import asyncpg

from tranship.errors.codes.privileges import SequenceExhausted
from tranship.execution.context import Job
from tranship.execution.probe.everything import ProbeResult
from tranship.execution.switches.sequences import drawn_by, position
from tranship.model.database_objects import Sequence


def numbers_left(sequence: Sequence, value: int, *, called: bool) -> int:
    """Returns how many values ``nextval`` still gives (PostgreSQL documentation, CREATE SEQUENCE)."""
    way = sequence.maximum - value if sequence.increment > 0 else value - sequence.minimum
    return max(0, way // abs(sequence.increment) + (0 if called else 1))


async def without_room(new: asyncpg.Connection, job: Job, probed: ProbeResult) -> SequenceExhausted | None:
    """Returns the first sequence with fewer values than rows arrive. Those that this role may not read
    are left out.
    """
    rows: Counter[Sequence] = Counter()
    for plan in job.plan.tables:
        arriving = probed.cuts[plan.flow].rows - len(probed.book.not_copied(plan.flow))
        rows.update({sequence: arriving for sequence in drawn_by(job, plan) if not sequence.cycle})
    for sequence, arriving in rows.items():
        if arriving == 0 or "SELECT" not in sequence.privileges:
            continue
        stands = await position(new, sequence.name)
        left = numbers_left(sequence, stands.value, called=stands.called)
        if left < arriving:
            return SequenceExhausted(sequence.name, left, arriving)
    return None
