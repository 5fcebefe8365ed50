"""What passes between the coordinator of a run and its workers: assignments and reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from tranship.execution.active_run import FlowTask
from tranship.model.progress import Batch
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow, RejectRow


class Assignment(Struct, frozen=True):
    """One batch for a worker."""

    task: FlowTask
    batch: Batch
    most_rows: int
    """Rows that one transaction is to copy. A batch that has more is divided first."""


class Moved(Struct, frozen=True):
    """A batch that is committed in NEW."""

    row: BatchRow
    """As the journal has it."""
    records: Sequence[RejectRow] = ()
    """The first of its rejects, as many as are shown; none when an earlier try had committed the batch and
    the answer was lost.
    """
    runtime_rejects: Sequence[Reject] = ()
    """Those of them that no data check predicted."""


class Report(Struct, frozen=True):
    """Says what a worker did with an assignment."""

    moved: Moved | None = None
    """None: the batch was divided and none of its rows is copied yet."""
    rest: Sequence[Batch] = ()
    """Journalled batches that are still to be copied, in order."""
    slow: bool = False
    """The batch was divided because batches take long, not because it failed as a whole or NEW refused rows
    of it.
    """


class Copier(Protocol):
    """Copies batches: a worker of this process, or one elsewhere."""

    async def move(self, assignment: Assignment) -> Report:
        """Copies a batch, or divides it, and returns what became of it.

        Raises:
            Stopped: another run took over, or the last try failed.
        """
        ...
