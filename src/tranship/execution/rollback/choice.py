"""Which run a rollback is about where none is named: the latest one from the OLD of the configuration."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.config import Config
from tranship.errors import TranshipError, UsageError
from tranship.errors.codes.rollback import NoRunFromThisOld, RunsFromSeveralOlds
from tranship.model.options import command_line
from tranship.server.identity import read_identity
from tranship.server.journal import Journal, Run, RunStatus
from tranship.server.session import ISO, open_session
from tranship.server.trouble import DATABASE_TROUBLE, spoken


async def chosen_run(
    new: asyncpg.Connection, journal: Journal, config: Config, run: str | None
) -> Run | None:
    """Returns the run that is named, else the latest from this OLD. None: there is no such run.

    An OLD that is gone is no obstacle as long as all runs on record are from one OLD.

    Raises:
        UsageError: all runs are from other OLDs, or they are from several ones and OLD cannot be asked.
    """
    every = await journal.runs(new, None)
    if run is not None:
        return next((one for one in every if one.id == run), None)
    return await _latest(config, every) if every else None


async def _latest(config: Config, every: Sequence[Run]) -> Run:
    """Returns the latest of some runs that is from this OLD."""
    olds, latest = {run.old_identity for run in every}, every[-1]
    command = command_line("tranship", "rollback", *config.words, "--run", latest.id)
    identity, trouble = await _old_identity(config)
    if identity is None:
        if len(olds) > 1:
            raise UsageError(RunsFromSeveralOlds(command, len(olds), trouble, latest.id))
        return latest
    own = [run for run in every if run.old_identity == identity]
    if own:
        return own[-1]
    # An OLD that was restored elsewhere has another identity, and its interrupted run is in the way (TS376).
    if len(olds) == 1 and latest.state == RunStatus.RUNNING:
        return latest
    raise UsageError(NoRunFromThisOld(command, latest.id))


async def _old_identity(config: Config) -> tuple[str | None, str]:
    """Returns the journal's key for OLD, or None and why OLD cannot be asked."""
    try:
        conn = await open_session(config.old, datestyle=ISO)
    except TranshipError as error:
        return None, error.message
    try:
        return (await read_identity(conn)).key, ""
    except DATABASE_TROUBLE as error:
        return None, spoken(error)
    finally:
        conn.terminate()
