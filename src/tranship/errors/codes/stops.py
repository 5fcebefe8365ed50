"""TS400 to TS436: the run stopped after its start. What is committed stays, and the same command resumes."""

from __future__ import annotations

from tranship.errors.message import StopMessage
from tranship.model.flow import FlowId
from tranship.model.names import TableName


class StoppedAsAsked(StopMessage, frozen=True):
    code = "TS400"
    meaning = "the run stopped as asked"
    cure = "run the same command again: it resumes"
    message = "stopped as asked; what is committed stays"
    hint = "run the same command again to go on"


class StoppedByError(StopMessage, frozen=True):
    code = "TS401"
    meaning = "the run was stopped by an error"
    cure = "remove the cause; the same command resumes"
    message = "stopped by an error: {said}"
    hint = "{remedy} and run the same command again: it resumes where it stopped"
    said: str
    remedy: str = "remove the cause"


class RehearsalFailed(StoppedByError, frozen=True):
    message = StoppedByError.message
    hint = "nothing stays in NEW; {remedy} and rehearse again"


class RehearsalLost(StopMessage, frozen=True):
    code = StoppedByError.code
    message = "the connection of the rehearsal was lost"
    hint = "nothing stays in NEW; rehearse again"


class DiskFull(StoppedByError, frozen=True):
    code = "TS402"
    meaning = "a disk is full: a server's, or that of the folder for temporary files"
    cure = "make space on it; the same command resumes"
    message = "a server's disk is full: {said}"
    remedy: str = "make space on it"


class TemporaryFolderFull(DiskFull, frozen=True):
    message = "the folder for temporary files is full: {said}"
    remedy: str = "make space in it, or name another one in TMPDIR,"


class NoSqlite(StopMessage, frozen=True):
    code = "TS406"
    meaning = (
        "rows of NEW are not what OLD's rows became, and Python was built without SQLite, which names them"
    )
    cure = "use a Python with the module `sqlite3`, and run the same command again; do not use NEW before"
    message = "rows of NEW differ from what OLD's rows became; to say which, Python needs its module sqlite3"
    hint = (
        "do not use NEW yet. Install a Python with SQLite (for one that is built from source: the package "
        "libsqlite3-dev, before it is built), install tranship there, and run the same command again"
    )


class OutOfMemory(StoppedByError, frozen=True):
    code = "TS403"
    meaning = "a server ran out of memory"
    cure = "give it more, or use fewer `--jobs` or a smaller `--batch-size`; the same command resumes"
    message = "a server ran out of memory: {said}"
    remedy: str = "give it more, or use fewer --jobs or a smaller --batch-size,"


class OutOfLocks(OutOfMemory, frozen=True):
    message = OutOfMemory.message
    remedy: str = 'raise max_locks_per_transaction of that server, or move fewer tables at a time ("tables"),'


class PrivilegeTaken(StoppedByError, frozen=True):
    code = "TS404"
    meaning = "a privilege was taken away during the run"
    cure = "grant it again; the same command resumes"
    message = "a privilege was taken away while the run went on: {said}"
    remedy: str = "grant it"


class TableDropped(StoppedByError, frozen=True):
    code = "TS405"
    meaning = "a table, schema or column that the run needs was dropped during the run"
    cure = "put it back as it was; the same command resumes"
    message = "a table that the run needs is gone: {said}"
    remedy: str = "put it back as it was"


class SchemaDropped(TableDropped, frozen=True):
    message = "a schema that the run needs is gone: {said}"


class ColumnDropped(TableDropped, frozen=True):
    message = "a column that the run needs is gone: {said}"


class SnapshotGone(StopMessage, frozen=True):
    code = "TS410"
    meaning = "the snapshot of OLD is lost"
    cure = "run the same command again: it resumes"
    message = "the snapshot of OLD is lost: every connection that held it was closed"
    hint = "run the same command again"


class OldSetBack(StopMessage, frozen=True):
    code = "TS411"
    meaning = "the snapshot is lost, and OLD was written to since"
    cure = "decide with `--new-snapshot`"
    message = (
        "OLD's server was started anew since the run was interrupted, and holds other rows than finished "
        "batches read: it was probably set back to an earlier copy"
    )
    hint = (
        "the same command with --new-snapshot unfinished moves unfinished tables again as OLD is now "
        "(then the result is not one point in time), with --new-snapshot all it moves everything again"
    )


class OldWrittenSince(OldSetBack, frozen=True):
    message = "OLD was written to since the run was interrupted, and its snapshot is gone: {what}"
    hint = OldSetBack.hint
    what: str


class OldNotCounted(OldSetBack, frozen=True):
    message = (
        "the run was interrupted before all rows of {flows} were counted, and its snapshot is gone. "
        "Transactions have run in OLD since, or its server was started anew, and nothing can prove that "
        "these rows are what they were"
    )
    hint = OldSetBack.hint
    flows: tuple[str, ...]


class OldChangedSince(OldSetBack, frozen=True):
    message = "OLD changed since the run was interrupted, and its snapshot is gone: {what}"
    hint = OldSetBack.hint
    what: tuple[str, ...]


class TakenOver(StopMessage, frozen=True):
    code = "TS412"
    meaning = "another run took over"
    cure = "see `tranship status CONFIG`"
    message = "another run of the same migration took over"
    hint = "see {command}"
    command: str


class SessionStays(StopMessage, frozen=True):
    code = "TS413"
    meaning = "a session of the interrupted run cannot be ended"
    cure = "end it; `pg_stat_activity` of NEW shows it"
    about = "{run}"
    message = "a session of the interrupted run keeps its batch open and cannot be ended"
    hint = "see pg_stat_activity of NEW"
    run: str


class UntraceableOrphans(StopMessage, frozen=True):
    code = "TS420"
    meaning = "rows of NEW changed while the run resolved foreign keys"
    cure = "find out who else writes to NEW; the same command resumes"
    about = "{table}"
    message = (
        "{rows:# row|# rows} of {table} {rows:lacks its|lack their} parent in {parent} ({key}) "
        "and cannot be traced back to OLD"
    )
    hint = "was NEW written to by others meanwhile?"
    table: TableName
    rows: int
    parent: TableName
    key: str


class OrphansChanged(StopMessage, frozen=True):
    code = UntraceableOrphans.code
    about = "{table}"
    message = "rows of {table} without a parent changed while they were taken out"
    table: TableName


class RejectsReached(StopMessage, frozen=True):
    code = "TS421"
    meaning = "`--max-rejects` was reached"
    cure = "raise the bound, or decide the rejects"
    message = "{rejected:# row is|# rows are} rejected, --max-rejects allows {bound}"
    hint = "raise --max-rejects and run the same command again"
    rejected: int
    bound: str | None


class Unaccounted(StopMessage, frozen=True):
    code = "TS422"
    meaning = "a table's rows do not add up"
    cure = "please report it"
    about = "{flow}"
    message = "{flow}: {rows:# row|# rows} in the snapshot, {read} accounted for"
    flow: FlowId
    rows: int
    read: int


class LookupChanged(StopMessage, frozen=True):
    code = "TS423"
    meaning = (
        "a lookup table was changed while rows were translated through it, "
        "or between an interruption and the next run"
    )
    cure = "change it back and run again, or `--restart`"
    about = "{flow}"
    message = (
        "{lookups:a lookup table|lookup tables} of {flow} {lookups:was|were} changed while its rows "
        "were translated: {lookups}"
    )
    hint = "change {lookups:it|them} back and run again, or --restart takes back what was written"
    flow: FlowId
    lookups: tuple[str, ...]


class CommittedRowsLost(StopMessage, frozen=True):
    code = "TS426"
    meaning = "the new database lost what it had committed: a crash, or a failover"
    cure = "run the same command again: it resumes from what NEW holds"
    about = "{run}"
    message = "NEW has lost {what}: it crashed without synchronous_commit, or another server took its place"
    hint = "run the same command again: it resumes from what NEW holds"
    run: str
    what: str


class IndexNotRebuilt(StopMessage, frozen=True):
    code = "TS427"
    meaning = "an index that was removed for the load could not be rebuilt"
    cure = "remove the cause, or let it be as it is (`doctor --accept`); the same command resumes"
    about = "{index}"
    message = "{index} could not be rebuilt: {said}"
    hint = (
        "remove the cause, or let it be as it is (tranship doctor CONFIG --accept); "
        "then run the same command again"
    )
    index: str
    said: str


class StillOff(StopMessage, frozen=True):
    code = "TS440"
    meaning = "a trigger, rule or foreign key that was switched off for the load could not be restored"
    cure = (
        "remove the cause, restore it by hand, or let it be as it is (`doctor --accept`); "
        "the same command resumes"
    )
    about = "{what}"
    message = "{what} could not be restored: {said}"
    hint = (
        "remove the cause, or restore it by hand, or let it be as it is (tranship doctor CONFIG --accept); "
        "then run the same command again"
    )
    what: str
    said: str


class TriggerFired(StopMessage, frozen=True):
    code = "TS428"
    meaning = (
        "a trigger of the new database was made or enabled while rows were moved; "
        "the batch in which it fired is rolled back"
    )
    cure = "run the same command again: it resumes with the trigger disabled"
    about = "{table}"
    message = (
        "trigger {trigger} of {relation} was made or enabled while the run went on; "
        "the batch in which it fired is rolled back"
    )
    hint = "run the same command again: it resumes with the trigger disabled"
    table: TableName
    trigger: str
    relation: TableName


class OthersRefer(StopMessage, frozen=True):
    code = "TS434"
    meaning = (
        "rows of others refer to rows that have to leave NEW again, because their own parents did not arrive"
    )
    cure = "delete them or give them another parent; the same command resumes"
    about = "{table}"
    message = (
        "{rows:# row|# rows} of {table} that others wrote {rows:refers|refer} to rows of {parent} "
        "that have to leave again because their own parents did not arrive ({key})"
    )
    hint = "delete {rows:it or give it|them or give them} another parent, and run the same command again"
    table: TableName
    rows: int
    parent: TableName
    key: str


class RowsGone(StopMessage, frozen=True):
    code = "TS430"
    meaning = "NEW lacks rows that the run had committed"
    cure = "put them back and run again, or `--restart`"
    about = "{table}"
    message = (
        "{table}: the run wrote {rows:# row|# rows}, and NEW holds at most {found}: "
        "the table was emptied, rows were deleted, or it is UNLOGGED and its server crashed"
    )
    hint = "put the rows back and run again, or --restart takes back what is left and starts over"
    table: TableName
    rows: int
    found: int


class TableSwapped(StopMessage, frozen=True):
    code = RowsGone.code
    about = "{table}"
    message = (
        "{table}: the run wrote {rows:# row|# rows} into another relation of this name: "
        "the table was dropped and made again, or renamed"
    )
    hint = RowsGone.hint
    table: TableName
    rows: int


class DefinitionsChanged(StopMessage, frozen=True):
    code = "TS431"
    meaning = (
        "a function, view, enum label or column of OLD changed while rows were read, "
        "or a function of NEW that computes or checks their values"
    )
    cure = "`--restart`: to change it back is not enough, because rows of both kinds are written"
    message = "OLD changed while its rows were read, so that they may be of two kinds: {what}"
    hint = "--restart takes back what was written and copies it again"
    what: tuple[str, ...]


class NewDefinitionsChanged(DefinitionsChanged, frozen=True):
    message = "NEW changed while rows were written, so that they may be of two kinds: {what}"
    hint = DefinitionsChanged.hint


class NotTakenUpAgain(StopMessage, frozen=True):
    code = "TS433"
    meaning = "the snapshot of OLD was lost, and the run could not be taken up again by itself"
    cure = "remove what the message names, then run the same command again"
    message = "the snapshot of OLD was lost, and the run could not go on by itself: {why}"
    hint = "what is committed stays; {cure_of}"
    why: str
    cure_of: str


class UpdatesDiffer(StopMessage, frozen=True):
    code = "TS436"
    meaning = "NEW changed another number of its own rows than it was asked to"
    cure = (
        "look for a rule or a trigger on UPDATE that was made during the run, and run the same command again"
    )
    about = "{table}"
    message = (
        "{table}: {rows:# row|# rows} of NEW {rows:was|were} to be updated, the server answered {answer}"
    )
    hint = "look for a rule or a trigger on UPDATE of the table that was made during the run"
    table: TableName
    rows: int
    answer: str
