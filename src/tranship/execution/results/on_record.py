"""What is said where a run is not on record in the journal."""

from __future__ import annotations

import asyncpg

from tranship.config import Config
from tranship.errors import UsageError
from tranship.errors.codes.runs import NoRun, NoSuchRun, RunRolledBack, RunRolledBackInPart
from tranship.model.options import command_line
from tranship.server.journal import Journal, RolledBack


async def unknown_run(
    new: asyncpg.Connection,
    journal: Journal | None,
    config: Config,
    run: str | None,
    invocation: str = "tranship",
) -> UsageError:
    """Returns the error, for the caller to raise, that a run is not on record, or that none is.

    Of a run that was rolled back, the latest where none is named, it says so, and what comes next.
    """
    gone = await journal.rolled_back(new) if journal is not None else ()
    wanted = [one for one in gone if run in (None, one.id)]
    if wanted:
        return UsageError(_rolled_back(wanted[-1], config, invocation))
    status = command_line(invocation, "status", *config.words)
    return UsageError(NoSuchRun(status, run) if run else NoRun(status))


def _rolled_back(run: RolledBack, config: Config, invocation: str) -> RunRolledBack:
    purge = command_line(invocation, "purge", *config.words)
    again = run.again or command_line(invocation, "migrate", *config.words, "--live")
    at = f"{run.at:%Y-%m-%d %H:%M:%S %Z}"
    if run.stays:
        return RunRolledBackInPart(purge, run.id, at, again, run.stays)
    return RunRolledBack(purge, run.id, at, again)
