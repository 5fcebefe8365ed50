"""Whether NEW's triggers, indexes and constraints are as they were before the runs."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.config import Config
from tranship.errors.codes.differs import StillOff, StructureChanged
from tranship.execution.verification.recorded import RecordedRun
from tranship.model.options import command_line
from tranship.model.resolution import Problem
from tranship.server.catalog import read_catalog
from tranship.server.journal import Journal, RunStatus


async def structure_problems(
    new: asyncpg.Connection, journal: Journal, config: Config, runs: Sequence[RecordedRun]
) -> list[Problem]:
    """Returns what runs left switched off, and whether NEW's schema is another one than the latest finished
    run was planned on.
    """
    off = await journal.open_undo(new)
    found = [StillOff(tuple(undo.what for undo in off)).problem()] if off else []
    finished = [run for run in runs if run.run.state is RunStatus.FINISHED and run.plan is not None]
    if off or not finished or finished[-1].plan is None:
        return found
    async with new.transaction(isolation="repeatable_read", readonly=True):
        now = await read_catalog(new, config.new.schemas, journal_schema=journal.schema)
    if now.fingerprint != finished[-1].plan.new_fingerprint:
        analyze = command_line("tranship", "analyze", *config.words)
        found.append(StructureChanged(finished[-1].run.id, analyze).problem())
    return found
