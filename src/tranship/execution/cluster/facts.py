"""What the coordinator of a run and each of its workers have to agree on."""

from __future__ import annotations

import asyncpg
from msgspec import Struct

from tranship import __version__
from tranship.config import Config
from tranship.execution.context import Job
from tranship.server.identity import Identity, read_identity
from tranship.server.journal import SharedRun
from tranship.server.session import ISO, open_session, refuse_pooler
from tranship.sql.new.journal import FORMAT
from tranship.sql.session import CURRENT_ROLE


class Facts(Struct, frozen=True):
    """One process's version, and where its configuration leads."""

    version: str
    format: int
    """The journal's."""
    old: str
    """OLD's identity, as the journal has it; likewise NEW's."""
    new: str
    old_role: str
    new_role: str

    @classmethod
    def of_coordinator(cls, job: Job, old: Identity, new: Identity) -> Facts:
        """Returns the facts of the process that begins or resumes a run."""
        return cls(__version__, FORMAT, old.key, new.key, job.old.user, job.new.user)

    @classmethod
    def of_run(cls, shared: SharedRun) -> Facts:
        """Returns the facts of a run that is in the journal."""
        return cls(
            shared.tool_version,
            shared.format,
            shared.old_identity,
            shared.new_identity,
            shared.old_role,
            shared.new_role,
        )

    def unlike(self, worker: Facts) -> str:
        """Returns in which facts a worker differs from this coordinator; empty: in none."""
        found = []
        if worker.version != self.version:
            found.append(f"it has tranship {worker.version}, this run {self.version}")
        if worker.format != self.format:
            found.append(f"it writes journal format {worker.format}, this run {self.format}")
        for side, theirs, mine in (("OLD", worker.old, self.old), ("NEW", worker.new, self.new)):
            if theirs != mine:
                found.append(f"its {side} is another database ({theirs} instead of {mine})")
        for side, theirs, mine in (
            ("OLD", worker.old_role, self.old_role),
            ("NEW", worker.new_role, self.new_role),
        ):
            if theirs != mine:
                found.append(f"its role in {side} is {theirs}, not {mine}")
        return "; ".join(found)


async def facts_here(config: Config, new: asyncpg.Connection) -> Facts:
    """Returns the facts of this process. ``new``: a session on NEW.

    Raises:
        ConnectError: OLD cannot be reached.
        Refused: a pooler stands in between that changes the backend between transactions.
    """
    await refuse_pooler(new, config.new)
    old = await open_session(config.old, datestyle=ISO, direct=True)
    try:
        identity, role = await read_identity(old), await old.fetchval(CURRENT_ROLE)
    finally:
        old.terminate()
    theirs = await read_identity(new)
    return Facts(__version__, FORMAT, identity.key, theirs.key, role, await new.fetchval(CURRENT_ROLE))
