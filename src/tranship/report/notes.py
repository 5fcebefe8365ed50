"""The words for what happens in a run: the notes of ``model/notes``, one sentence each."""

from __future__ import annotations

from typing import assert_never

from tranship.model.count import count_of
from tranship.model.notes import (
    AlreadyMigrated,
    BatchDivided,
    CopiedAnew,
    FollowerBehind,
    FoundRestored,
    IndexesStillRemoved,
    IndexesToRemove,
    IndexRebuilding,
    IndexRebuilt,
    IndexRemoved,
    LargerBatches,
    LockAwaited,
    LockBlocked,
    LockNote,
    LockWaitEnded,
    LookingForWrites,
    MomentOfRun,
    NoRejectsLeft,
    NotAnalyzed,
    Note,
    NothingToMove,
    NotMovedYet,
    NotRestored,
    RejectedRowsGone,
    RejectsNote,
    ResultUnwritten,
    ResultWritten,
    Resumed,
    Retrying,
    RollbackFirst,
    RollingBack,
    RunNote,
    SequencesNotRestored,
    SnapshotNote,
    SnapshotReplaced,
    SwitchNote,
    UnchangedSoFar,
    WaitingForWriters,
    Warned,
)
from tranship.model.resolution import Problem
from tranship.model.undo import Back, Gone
from tranship.model.visible import visible

_MOST_NAMES = 5
"""Tables that a sentence names."""


def words(note: Note) -> str:
    """Returns the sentence for a note, on one line; it holds no row values."""
    if isinstance(note, RunNote):
        return _of_run(note)
    if isinstance(note, RejectsNote):
        return _of_rejects(note)
    if isinstance(note, SnapshotNote):
        return _of_snapshot(note)
    if isinstance(note, LockNote):
        return _of_lock(note)
    return _of_switch(note)


def _warning(problem: Problem) -> str:
    """Returns a warning with the place of the entry that it is about: its message does not say which one."""
    where = f"{problem.object}: " if problem.object.startswith("$.") else ""
    return f"⚠ {problem.code} {where}{problem.message}"


def _of_run(note: RunNote) -> str:
    match note:
        case Warned(problem=problem):
            return _warning(problem)
        case ResultWritten() | ResultUnwritten():
            return _result(note)
        case AlreadyMigrated():
            return "already migrated: an earlier run moved every table under the same plan"
        case NothingToMove():
            return "no table of OLD is moved into one of NEW"
        case Resumed() | RollbackFirst() | RollingBack():
            return _unfinished(note)
        case MomentOfRun():
            return _moment(note)
        case Retrying(what=what, error=error, seconds=seconds):
            return f"{what}: {error}; trying again in {seconds:.1f} s"
        case BatchDivided():
            return _divided(note)
        case FollowerBehind() | WaitingForWriters() | NotAnalyzed() | LargerBatches():
            return _of_new(note)
        case SequencesNotRestored(sequences=sequences):
            names = ", ".join(map(str, sequences))
            return f"sequences of another role, so the rehearsal could not set them back: {names}"
        case _ as unreachable:
            assert_never(unreachable)


def _of_new(note: FollowerBehind | WaitingForWriters | NotAnalyzed | LargerBatches) -> str:
    if isinstance(note, LargerBatches):
        way = f"the way to NEW and back takes {note.milliseconds:.0f} ms"
        return f"{way}, so batches have up to {note.rows} rows (--batch-size N sets another number)"
    if isinstance(note, FollowerBehind):
        megabytes = note.bytes // 1024 // 1024
        return f"waiting: {note.follower} is {megabytes} MB behind NEW; remove it if it is gone for good"
    if isinstance(note, NotAnalyzed):
        names = ", ".join(map(str, note.tables[:_MOST_NAMES])) + (", …" if note.tables[_MOST_NAMES:] else "")
        return f"not analyzed ({note.why}); let the owner run ANALYZE: {names}"
    names, backends = ", ".join(map(str, note.parents)), ", ".join(map(str, note.pids)) or "prepared ones"
    return f"foreign keys are proven after the transactions that write to {names}: {backends}"


def _of_rejects(note: RejectsNote) -> str:
    match note:
        case NoRejectsLeft():
            return (
                "no rejected rows are left in these tables: earlier runs moved every row of them that was "
                "once rejected"
            )
        case NotMovedYet(tables=tables):
            return f"--rejects-only leaves tables that no finished run moved: {', '.join(tables)}"
        case RejectedRowsGone(flow=flow, rows=rows, keys=keys):
            named = "; ".join(keys) + ("; …" if rows > len(keys) else "")
            verb = "is" if rows == 1 else "are"
            gone = f"{count_of(rows, 'rejected row')} {verb} no longer in OLD and {verb} left out"
            return f"{flow}: {gone}: {named}"
        case _ as unreachable:
            assert_never(unreachable)


def _unfinished(note: Resumed | RollbackFirst | RollingBack) -> str:
    if isinstance(note, RollbackFirst):
        return "a rollback was interrupted: it is finished first"
    began = f"{note.started:%Y-%m-%d %H:%M}"
    if isinstance(note, Resumed):
        resuming = "a live run resumes" if note.dry else "resuming"
        more = "" if note.counted else ", and rows that are not counted yet"
        return f"{resuming} the run of {began}: {note.batches} batches are left{more}"
    rolling = "a live run first rolls back" if note.dry else "rolling back"
    return f"{rolling} what the unfinished run of {began} wrote"


def _moment(note: MomentOfRun) -> str:
    if note.fixed:
        return f"run.started is {note.moment} for all rows of this run"
    return f"run.started is the present moment here, {note.moment}; a live run has its own"


def _result(note: ResultWritten | ResultUnwritten) -> str:
    if isinstance(note, ResultWritten):
        return f"Result: {note.path}"
    lines = " ".join(line.strip() for line in note.result.splitlines())
    return f"{note.reason}; the journal of NEW holds the result and the rejected rows. Result: {lines}"


def _divided(note: BatchDivided) -> str:
    why = "batches take long" if note.slow else "it does not go through as a whole"
    parts = f"{note.first} and {count_of(note.second, 'row')}"
    return f"{note.flow} batch {note.batch} is copied in parts of {parts}: {why}"


def _of_snapshot(note: SnapshotNote) -> str:
    match note:
        case SnapshotReplaced():
            return (
                "the snapshot of OLD is lost: every connection that held it was closed;"
                " resuming from the journal"
            )
        case LookingForWrites(tables=tables, rows=rows):
            return (
                "transactions ran on OLD's server since: looking through"
                f" {count_of(tables, 'table')} ({count_of(rows, 'row')}) "
                "for newer row versions"
            )
        case UnchangedSoFar(tables=tables):
            return f"unchanged so far, {count_of(tables, 'table')} to go"
        case CopiedAnew():
            return "unfinished tables are copied again as OLD is now: the result is not one point in time"
        case _ as unreachable:
            assert_never(unreachable)


def _of_switch(note: SwitchNote) -> str:
    match note:
        case LockBlocked():
            return _blocked(note)
        case IndexesToRemove(table=table, indexes=indexes):
            return (
                f"{table}: indexes are removed before the load and rebuilt after it, under a lock that keeps "
                f"writers out of this table: {', '.join(indexes)}"
            )
        case IndexRemoved(index=index):
            return f"{index} is removed until the rows are there"
        case IndexRebuilding(index=index):
            return f"rebuilding {index}"
        case IndexRebuilt(index=index, seconds=seconds):
            return f"{index} rebuilt in {seconds:.1f} s"
        case IndexesStillRemoved(indexes=indexes):
            return (
                f"{indexes} indexes are removed: the next live run resumes without them and rebuilds them; "
                "tranship doctor CONFIG --restore does it now"
            )
        case FoundRestored(what=what, found=found):
            return f"{what}: {settled(found)}"
        case NotRestored(error=error):
            return (
                f"not everything could be switched on again ({error}): "
                "the next live run does it, or tranship doctor CONFIG --restore"
            )
        case _ as unreachable:
            assert_never(unreachable)


def settled(found: Back | Gone) -> str:
    """Returns how something stands that a run had switched off and that is off no more."""
    if isinstance(found, Gone):
        return f"{found.what} was dropped meanwhile, so nothing is restored"
    name = f" under the name {visible(found.name)}" if found.name is not None else ""
    form = f", in another form: {visible(found.form)}" if found.form is not None else ""
    return f"somebody has restored it already{name}{form}"


def _blocked(note: LockBlocked) -> str:
    return f"a lock is held by process {note.pid} ({_session(note)}) on {note.relations}{_since(note)}"


def _of_lock(note: LockNote) -> str:
    holder = holder_of(note)
    if isinstance(note, LockWaitEnded):
        return f"the wait for {holder} in {note.side.upper()} is over, after {note.seconds:.0f} s"
    what = f"a lock on {note.relation}" if note.relation is not None else "a lock"
    session = f" ({_session(note)})" if note.pid else ""
    return f"waiting for {what} in {note.side.upper()}, held or asked for by {holder}{session}{_since(note)}"


def holder_of(note: LockNote) -> str:
    """Returns what people call the session for which a statement waits."""
    return f"process {note.pid}" if note.pid else "a prepared transaction"


def _session(note: LockBlocked | LockAwaited) -> str:
    hidden = (("role", note.role), ("application", note.application), ("state", note.state))
    return ", ".join(value or f"{name} hidden" for name, value in hidden)


def _since(note: LockBlocked | LockAwaited) -> str:
    return f", in its transaction for {note.seconds} s" if note.seconds is not None else ""
