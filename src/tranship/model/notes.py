"""What a person who watches a run should read, as values: each says which thing happened, and
``report/notes`` words it.
"""

from __future__ import annotations

import datetime

from msgspec import Struct

from tranship.model.flow import FlowId
from tranship.model.names import Side, TableName
from tranship.model.resolution import Problem
from tranship.model.undo import Back, Gone


class Warned(Struct, frozen=True, tag=True):
    """A warning that was found before the run."""

    problem: Problem


class ResultWritten(Struct, frozen=True, tag=True):
    """The result of a run that stopped is in a file."""

    path: str


class ResultUnwritten(Struct, frozen=True, tag=True):
    """The files of a run could not be written; the journal of NEW holds its result and rejected rows."""

    reason: str
    result: str
    """What the result file would hold: JSON of several lines, without values of rows."""


class AlreadyMigrated(Struct, frozen=True, tag=True):
    """Earlier runs moved every table under the same plan: nothing is left to do."""


class NothingToMove(Struct, frozen=True, tag=True):
    """No table of OLD has a counterpart in NEW that receives its rows: none is moved."""


class NoRejectsLeft(Struct, frozen=True, tag=True):
    """``--rejects-only``: earlier runs moved every row that was once rejected."""


class NotMovedYet(Struct, frozen=True, tag=True):
    """``--rejects-only`` leaves tables that no finished run moved."""

    tables: tuple[str, ...]


class RejectedRowsGone(Struct, frozen=True, tag=True):
    """Rejected rows are no longer in OLD, so they are not moved."""

    flow: FlowId
    rows: int
    keys: tuple[str, ...]
    """OLD's keys of the first of them, JSON objects."""


class Resumed(Struct, frozen=True, tag=True):
    """An unfinished run is taken up again."""

    started: datetime.datetime
    batches: int
    """Batches that are left."""
    dry: bool = False
    """A dry run says what the live run will do."""
    counted: bool = True
    """False: some rows are not cut into batches yet."""


class MomentOfRun(Struct, frozen=True, tag=True):
    """What ``run.started`` is for all rows."""

    moment: str
    fixed: bool
    """The journal keeps it for this run; False: a dry run or a rehearsal, which takes the present moment."""


class RollbackFirst(Struct, frozen=True, tag=True):
    """A rollback was interrupted, and is finished before anything else."""


class RollingBack(Struct, frozen=True, tag=True):
    """``--restart``: what the unfinished run wrote is rolled back."""

    started: datetime.datetime
    dry: bool = False
    """A dry run says what the live run will do."""


class Retrying(Struct, frozen=True, tag=True):
    """Something failed in a way that may pass, and is tried again."""

    what: str
    """The piece of work, by its name."""
    error: str
    """In the words of the server or the driver, without row values."""
    seconds: float
    """The pause before the next try."""


class BatchDivided(Struct, frozen=True, tag=True):
    """A batch is copied in two parts."""

    flow: FlowId
    batch: int
    first: int
    """Rows of the first part."""
    second: int
    slow: bool
    """Because batches of this table take long; False: because it fails as a whole."""


class LargerBatches(Struct, frozen=True, tag=True):
    """Batches have more rows than usual, because the way to NEW is long."""

    milliseconds: float
    """Of one round trip."""
    rows: int


class FollowerBehind(Struct, frozen=True, tag=True):
    """Batches wait for a standby or a replication slot of NEW."""

    follower: str
    bytes: int
    """WAL that it lacks."""


class NotAnalyzed(Struct, frozen=True, tag=True):
    """Tables that a run filled and that it could not ANALYZE."""

    tables: tuple[TableName, ...]
    why: str
    """Of the first of them."""


class WaitingForWriters(Struct, frozen=True, tag=True):
    """Foreign keys are proven after the transactions of others that write to the parents' tables."""

    parents: tuple[TableName, ...]
    pids: tuple[int, ...]
    """Their backends in NEW."""


class SequencesNotRestored(Struct, frozen=True, tag=True):
    """A rehearsal drew from sequences that its role may not set back."""

    sequences: tuple[TableName, ...]


class SnapshotReplaced(Struct, frozen=True, tag=True):
    """The snapshot of OLD is lost, and the run resumes from the journal with a new one."""


class LookingForWrites(Struct, frozen=True, tag=True):
    """Transactions ran on OLD's server since the interruption: the tables are searched for newer row
    versions.
    """

    tables: int
    rows: int


class UnchangedSoFar(Struct, frozen=True, tag=True):
    """That search goes on, and found nothing yet."""

    tables: int
    """Tables that are left."""


class CopiedAnew(Struct, frozen=True, tag=True):
    """Unfinished tables are copied again as OLD is now, so the result is not one point in time."""


class LockBlocked(Struct, frozen=True, tag=True):
    """A session of NEW holds a lock that the run waits for."""

    pid: int
    role: str | None
    """None, as the next two: hidden from this role."""
    application: str | None
    state: str | None
    seconds: int | None
    """The age of its transaction."""
    relations: str


class LockAwaited(Struct, frozen=True, tag=True):
    """A statement waits for a lock that a session of somebody else holds, or asked for before."""

    side: Side
    pid: int
    """0: a prepared transaction."""
    role: str | None
    """None, as the next two: hidden from this role."""
    application: str | None
    state: str | None
    seconds: int | None
    """The age of its transaction."""
    relation: str | None
    """The table or index whose lock is awaited; None: it is another kind of lock, such as that of a row."""


class LockWaitEnded(Struct, frozen=True, tag=True):
    """No statement waits for a session any more: the lock was given, or the statement gave up."""

    side: Side
    pid: int
    seconds: float


class IndexesToRemove(Struct, frozen=True, tag=True):
    """A dry run says which indexes of a table a live run removes for the load."""

    table: TableName
    indexes: tuple[str, ...]


class IndexRemoved(Struct, frozen=True, tag=True):
    """An index is removed until the rows are there."""

    index: str


class IndexRebuilding(Struct, frozen=True, tag=True):
    """An index is being built again."""

    index: str


class IndexRebuilt(Struct, frozen=True, tag=True):
    """An index is there again."""

    index: str
    seconds: float


class IndexesStillRemoved(Struct, frozen=True, tag=True):
    """A run that stopped leaves indexes removed for the next one."""

    indexes: int


class FoundRestored(Struct, frozen=True, tag=True):
    """What a run had switched off was restored or dropped by somebody else meanwhile."""

    what: str
    found: Back | Gone


class NotRestored(Struct, frozen=True, tag=True):
    """A run that stopped could not switch everything on again."""

    error: str


RunNote = (
    Warned
    | ResultWritten
    | ResultUnwritten
    | AlreadyMigrated
    | NothingToMove
    | Resumed
    | MomentOfRun
    | RollbackFirst
    | RollingBack
    | Retrying
    | BatchDivided
    | LargerBatches
    | FollowerBehind
    | WaitingForWriters
    | NotAnalyzed
    | SequencesNotRestored
)
"""Notes on the run as a whole and on its batches."""
RejectsNote = NoRejectsLeft | NotMovedYet | RejectedRowsGone
"""Notes on a rejects-only run."""
SnapshotNote = SnapshotReplaced | LookingForWrites | UnchangedSoFar | CopiedAnew
"""Notes on OLD while a run is resumed."""
LockNote = LockAwaited | LockWaitEnded
"""Notes on statements that wait."""
SwitchNote = (
    LockBlocked
    | IndexesToRemove
    | IndexRemoved
    | IndexRebuilding
    | IndexRebuilt
    | IndexesStillRemoved
    | FoundRestored
    | NotRestored
)
"""Notes on triggers, foreign keys and indexes of NEW."""
Note = RunNote | RejectsNote | SnapshotNote | SwitchNote | LockNote
