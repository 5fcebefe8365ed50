"""TS130 and TS351 to TS399: what other runs and earlier ones forbid, and what a rollback or a purge
refuses.
"""

from __future__ import annotations

from datetime import datetime

from tranship.errors.message import RefusalMessage, UsageMessage
from tranship.model.names import TableName


class NoRun(UsageMessage, frozen=True):
    code = "TS130"
    meaning = "no such run is on record in the journal"
    cure = (
        "see `tranship status CONFIG`; dry runs and rehearsals leave no record; of one that was rolled back "
        "the message says so"
    )
    message = "no live run is on record in NEW"
    hint = "dry runs and rehearsals leave no record; what is there: {command}"
    command: str


class NoSuchRun(NoRun, frozen=True):
    message = "no run {run} is on record in NEW"
    hint = "the runs on record: {command}"
    run: str


class RunRolledBack(NoRun, frozen=True):
    message = "run {run} was rolled back on {at}: NEW holds none of its rows"
    hint = "move the rows again: {again}; or remove the journal from NEW: {command}"
    run: str
    at: str
    again: str
    """The command that moves the rows again."""


class RunRolledBackInPart(RunRolledBack, frozen=True):
    message = (
        "run {run} was rolled back on {at}; {stays:# row|# rows} of its tables that others wrote or changed "
        "meanwhile {stays:was|were} left"
    )
    stays: int


class CopiedServer(RefusalMessage, frozen=True):
    code = "TS351"
    meaning = "too long ago, or copied from another server: rows do not prove whose they are"
    cure = "nothing: the run cannot be rolled back"
    message = (
        "the run wrote into another server, of which NEW is a copy: its rows carry other transactions here"
    )
    hint = "roll it back where it ran, or empty its tables by hand"


class TooManyTransactions(RefusalMessage, frozen=True):
    code = CopiedServer.code
    about = "{run}"
    message = "too many transactions ran in NEW since: a row no longer proves that the run wrote it"
    run: str


class ReferredTo(RefusalMessage, frozen=True):
    code = "TS352"
    meaning = "rows of others refer to rows that would be rolled back"
    cure = "delete or re-point them first"
    about = "{table}"
    message = (
        "{rows:# row|# rows} of {table} that this run did not write{named} {rows:refers|refer} to rows of "
        "{parent} that it wrote ({key})"
    )
    hint = "delete or re-point {rows:it|them} first{order}"
    table: TableName
    rows: int
    parent: TableName
    key: str
    named: str = ""
    """The first of them, in words."""
    order: str = ""
    """Which rows have to be deleted before them, in words."""


class RunAtWork(RefusalMessage, frozen=True):
    code = "TS353"
    meaning = "the journal is still needed"
    cure = "finish or roll back the runs, or use `doctor --restore`"
    about = "{schema}"
    message = "a run is at work: the journal is still needed"
    hint = "wait for its end; watch it: {watch}"
    schema: str
    watch: str


class RunsNotFinished(RefusalMessage, frozen=True):
    code = RunAtWork.code
    about = "{run}"
    message = "run {run} is not finished{runs:| (# are not)}: the journal is still needed"
    hint = "resume it: {again}; or roll it back: {command}"
    run: str
    runs: int
    command: str
    again: str
    """The command that resumes it."""


class StillSwitchedOff(RefusalMessage, frozen=True):
    code = RunAtWork.code
    message = "something is still switched off: the journal holds what restores it"
    hint = "{command}"
    command: str


class MayNotDelete(RefusalMessage, frozen=True):
    code = "TS354"
    meaning = "DELETE or UPDATE is missing on a table whose rows would be rolled back"
    cure = "grant what the message names"
    about = "{table}"
    message = "{user} lacks {rights} on {table} of NEW"
    hint = "{grant}"
    table: TableName
    user: str
    rights: str
    grant: str


class NoReplicaIdentity(RefusalMessage, frozen=True):
    code = "TS355"
    meaning = (
        "a table whose rows would be updated or rolled back is published without a replica identity, "
        "so that the server changes none"
    )
    cure = "run the statement that the message names"
    about = "{table}"
    message = (
        "no row of {table} can be deleted: publication {publication} publishes deletes, "
        "and the table has no replica identity"
    )
    hint = "{statement}"
    table: TableName
    publication: str
    statement: str


class DeleteNoticed(RefusalMessage, frozen=True):
    code = "TS356"
    meaning = "a trigger or a rule would act on the rows that a rollback deletes, and may not be disabled"
    cure = "run as the table's owner, or grant what the message names"
    about = "{relation}"
    message = "{what} would act on every row that the rollback deletes and may not be disabled by {user}"
    hint = "{grant} (PostgreSQL 15 and newer), run as the table's owner, or have it disabled meanwhile"
    what: str
    relation: TableName
    user: str
    grant: str


class DeleteNoticedAlways(DeleteNoticed, frozen=True):
    hint = "run as the table's owner, or have it disabled meanwhile: it is enabled for replication, too"


class NoReplicaIdentityToUpdate(NoReplicaIdentity, frozen=True):
    message = (
        "no row of {table} can be updated: publication {publication} publishes updates, "
        "and the table has no replica identity"
    )


class LockHeld(RefusalMessage, frozen=True):
    code = "TS360"
    meaning = "another run holds the lock"
    cure = "wait for it; see [Interrupted runs](interrupted.md)"
    message = "another run of this migration holds the lock: {who}"
    hint = "wait for it, or see where it stands: {command}"
    who: str
    command: str


class LockHeldSilently(LockHeld, frozen=True):
    message = LockHeld.message
    hint = "if it hangs, the same command with --take-over takes the lock from it"


class SameDatabase(RefusalMessage, frozen=True):
    code = "TS361"
    meaning = "OLD is NEW"
    cure = "check the configuration"
    about = "{new}"
    message = "OLD and NEW are the same database: {old} and {new}"
    hint = "check old_database and new_database"
    old: str
    new: str


class OldIsStandbyOfNew(RefusalMessage, frozen=True):
    code = "TS362"
    meaning = "OLD is a standby of NEW"
    cure = "check the configuration"
    about = "{old}"
    message = "OLD ({old}) is a standby of NEW ({new})"
    old: str
    new: str


class OldAltered(RefusalMessage, frozen=True):
    code = "TS363"
    meaning = "OLD was altered while the run began"
    cure = "run it again"
    message = "OLD was altered since it was compared: {changes}"
    hint = "run the same command again"
    changes: str


class AnotherPlan(RefusalMessage, frozen=True):
    code = "TS364"
    meaning = "an unfinished run has another plan"
    cure = "give the same decisions, or use `--restart`"
    message = "an unfinished run of {started:%Y-%m-%d %H:%M} has another plan: {changes}"
    hint = (
        "run it to its end with the same decisions, or add --restart: what it wrote is rolled back, "
        "and the run starts over"
    )
    started: datetime
    changes: str


class NewChangedSince(RefusalMessage, frozen=True):
    code = "TS389"
    meaning = (
        "what NEW computes for rows (a function, a default, the `search_path`) changed while a run was "
        "interrupted"
    )
    cure = "change it back and run again; if it changed before the interruption: `--restart`"
    message = (
        "NEW changed since the run of {started:%Y-%m-%d %H:%M} was interrupted, so that rows that are left "
        "may get other values or pass other checks: {what}"
    )
    hint = (
        "if nothing was written since the change, change it back and run the same command again; else add "
        "--restart: what the run wrote is rolled back, and the run starts over in NEW as it is"
    )
    started: datetime
    what: tuple[str, ...]


class UnfinishedRejectsOnly(RefusalMessage, frozen=True):
    code = AnotherPlan.code
    message = "an unfinished run of {started:%Y-%m-%d %H:%M} moves only rejected rows"
    hint = (
        "run it to its end with --rejects-only, or add --restart: what it wrote is rolled back, "
        "and this run begins"
    )
    started: datetime


class UnfinishedWholeRun(RefusalMessage, frozen=True):
    code = AnotherPlan.code
    message = "the run of {started:%Y-%m-%d %H:%M} is unfinished: which rows it rejects is known at its end"
    hint = "run it to its end without --rejects-only"
    started: datetime


class UnfinishedBeforeRehearsal(RefusalMessage, frozen=True):
    code = "TS365"
    meaning = "a rehearsal while a run is unfinished"
    cure = "run it to its end, or roll it back"
    message = "an unfinished run stands in the journal"
    hint = "run it to its end with --live, or roll it back: {command}"
    command: str


class UnfinishedFromAnotherOld(RefusalMessage, frozen=True):
    code = "TS376"
    meaning = (
        "a run from another OLD wrote into the same tables, and it is unfinished, or no key tells its rows "
        "from new ones: was the old database restored or upgraded meanwhile?"
    )
    cure = (
        "run an unfinished one to its end, or roll it back; a finished one is a warning: roll it back unless "
        "the two databases hold different rows"
    )
    about = "{run}"
    message = "an unfinished run of {started:%Y-%m-%d %H:%M} from another OLD wrote into {tables}"
    hint = "run that one to its end, or roll it back: {command}"
    run: str
    started: datetime
    tables: tuple[TableName, ...]
    command: str


class BegunInEarlierFormat(RefusalMessage, frozen=True):
    code = "TS384"
    meaning = "an unfinished run was begun by a version whose journal has an earlier format"
    cure = "finish it with the version that is named, or `--restart`, or roll it back"
    about = "{run}"
    message = "the unfinished run {run} was begun by tranship {version}, whose journal has an earlier format"
    hint = (
        "tranship {version} can finish it; this version can roll it back: "
        "migrate with --restart, or tranship rollback CONFIG --run {run} --live"
    )
    run: str
    version: str


class NoPlanInJournal(BegunInEarlierFormat, frozen=True):
    message = "the unfinished run {run} was begun by tranship {version} and has no plan in the journal"
    hint = "roll it back: migrate with --restart, or tranship rollback CONFIG --run {run} --live"


class FilledBefore(RefusalMessage, frozen=True):
    code = "TS390"
    meaning = (
        "a finished run from the same OLD filled the table under other decisions, or it holds rows that no "
        "run on record wrote, and no key of NEW tells them from OLD's: was the journal purged meanwhile?"
    )
    cure = (
        "move only the rejected rows: `--rejects-only`, roll that run back (or empty the table) and run "
        "again, or move the rows a second time on purpose: `--again`; a warning where none of OLD's rows was "
        "found in NEW"
    )
    about = "{table}"
    # The same for every table of the run, so that it is said once.
    message = "the finished run {run} of {started:%Y-%m-%d %H:%M} moved its rows under other decisions"
    hint = "roll it back and run again: {command}; or let all rows come a second time: --again"
    run: str
    started: datetime
    table: str
    """The old table, and the new one where it has another name."""
    command: str


class FilledBeforeWithRejects(FilledBefore, frozen=True):
    message = FilledBefore.message
    hint = (
        "move only the rows that it rejected: --rejects-only; or roll it back and run again: {command}; "
        "or let all rows come a second time: --again"
    )


class KnownToAnotherJournal(RefusalMessage, frozen=True):
    code = "TS391"
    meaning = "another journal in NEW knows a run from the same OLD into the same table"
    cure = "use that one (`journal_schema`), or roll that run back; after a finished run also `--again`"
    about = "{old}"
    message = (
        "the journal in schema {schema} knows the {state} run {run} of {started:%Y-%m-%d %H:%M}, "
        "which moved {rows:# row|# rows} of {old} into {new}"
    )
    hint = 'write "journal_schema": "{schema}" into the configuration, or roll that run back with it'
    schema: str
    state: str
    run: str
    started: datetime
    rows: int
    old: TableName
    new: TableName


class JournalNotSeen(RefusalMessage, frozen=True):
    code = "TS392"
    meaning = "another journal in NEW cannot be looked into"
    cure = "nothing has to be done where it has nothing to do with this migration: this is a warning"
    warning = True
    about = "{schema}"
    message = "schema {schema} of {owner} looks like a journal and cannot be looked into: {said}"
    schema: str
    owner: str
    said: str


class RowsEdited(RefusalMessage, frozen=True):
    code = "TS395"
    meaning = "others changed rows that an unfinished run wrote, and these would come a second time"
    cure = "delete them, or let OLD's rows come beside them: `--again`"
    about = "{table}"
    message = (
        "{table}: up to {rows:# row|# rows} that the unfinished run {run} wrote {rows:was|were} changed "
        "by others since{named}: {rows:it|they} cannot be told from rows of others, {rows:stays|stay}, "
        "and OLD's rows would come beside {rows:it|them}"
    )
    hint = "delete those that came from the run, or add --again: they stay, and all of OLD's rows come again"
    table: TableName
    rows: int
    run: str
    named: str = ""
    """The first keys of rows that others wrote or changed, in words."""


class UpdatesEdited(RefusalMessage, frozen=True):
    code = RowsEdited.code
    about = "{table}"
    message = (
        "{table}: {rows:# row|# rows} of NEW's own that the unfinished run {run} updated "
        "{rows:was|were} changed by others since: OLD's values would replace theirs"
    )
    hint = "add --again: OLD's values win once more; or decide otherwise about rows that NEW holds"
    table: TableName
    rows: int
    run: str
