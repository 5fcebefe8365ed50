"""TS310, TS312, TS313, TS334 to TS348, TS350, TS357 to TS359, TS393 and TS394: before a run starts, the two
servers or their settings do not allow it, or deserve a warning.
"""

from __future__ import annotations

from datetime import datetime

from tranship.errors.codes.runs import UnfinishedFromAnotherOld
from tranship.errors.message import RefusalMessage
from tranship.model.flow import FlowId
from tranship.model.names import Side, TableName


class TransactionPooler(RefusalMessage, frozen=True):
    code = "TS310"
    meaning = "a pooler in transaction mode stands between"
    cure = "connect to the server itself or to a session-mode port"
    about = "{database}"
    message = "{side} database {database}: a transaction-mode pooler stands in between (the backend changes)"
    hint = "connect to the server itself or to a session-mode port"
    side: Side
    database: str


class NewIsStandby(RefusalMessage, frozen=True):
    code = "TS334"
    meaning = "NEW is a standby"
    cure = "give the primary"
    about = "{database}"
    message = "NEW is a standby: it takes no rows"
    hint = "give the primary as new_database"
    database: str


class TooManyRejects(RefusalMessage, frozen=True):
    code = "TS335"
    meaning = "more rejects are predicted than `--max-rejects` allows"
    cure = "see the rejects of the dry run"
    message = "{rejected:# row|# rows} would be rejected, --max-rejects allows {bound}"
    hint = "see the dry run's rejects; decide them, or raise --max-rejects"
    rejected: int
    bound: str | None


class RowSecurity(RefusalMessage, frozen=True):
    code = "TS336"
    meaning = "row-level security applies to the role"
    cure = "use a role with BYPASSRLS"
    about = "{table}"
    message = "row-level security of {side} table {table} applies to this role: it would hide rows"
    hint = "use a role that bypasses it (BYPASSRLS), or switch it off for the migration yourself"
    side: Side
    table: TableName


class RowSecurityOfNew(RowSecurity, frozen=True):
    message = "row-level security of {side} table {table} applies to this role: rows cannot be copied into it"


class LeftOutParentsDiffer(RefusalMessage, frozen=True):
    code = "TS350"
    meaning = "rows refer to a table that is left out, and NEW holds other rows under their keys"
    cure = (
        "move that table, make the rows of NEW equal, or say that NEW's are meant: by `adopt`, or by a"
        " `transform` of the column"
    )
    about = "{flow}"
    message = (
        "{flow}: {rows:# row|# rows} of {parent}, which is left out, {rows:is not the row|are not the rows} "
        "that {target} of NEW holds"
        " under the same keys ({examples}): foreign key {key} would lead to strangers"
    )
    hint = (
        "leave {parent} in, or make NEW's rows equal; where NEW's row is meant all the same, say so:"
        ' {{"action": "adopt", "constraint": "{key}"}}, or "transform" for the column that refers to it'
    )
    flow: FlowId
    key: str
    rows: int
    parent: TableName
    target: TableName
    examples: tuple[str, ...]


class RowsRaise(RefusalMessage, frozen=True):
    code = "TS312"
    meaning = (
        "OLD raises an error for a row when it evaluates a filter or the key of a merge, or for a `query`"
    )
    cure = "leave such rows out by a `filter`, or guard the expression with CASE"
    about = "{flow}"
    message = "{flow}: OLD raises an error for {what}: {said}{where}"
    hint = "leave such rows out by a filter, or guard the expression with CASE"
    flow: FlowId
    what: str
    said: str
    where: str
    """The first rows by their keys, in brackets; empty where they are not known."""


class QueryKeyRepeated(RefusalMessage, frozen=True):
    code = "TS313"
    meaning = "the `key` of a `query` does not identify its rows: it repeats, or is NULL"
    cure = "name output columns that are unique and never NULL, or group by them"
    about = "{flow}"
    message = "{flow}: several rows of the SELECT have the same key {key}: {shown}"
    hint = "name output columns in 'key' that identify a row, or group the SELECT by them"
    flow: FlowId
    key: tuple[str, ...]
    shown: tuple[str, ...]


class QueryKeyNull(RefusalMessage, frozen=True):
    code = QueryKeyRepeated.code
    about = "{flow}"
    message = (
        "{flow}: {rows:# row|# rows} of the SELECT {rows:has|have} NULL in {columns}, of 'key' or 'cut_by'"
    )
    hint = "name output columns there that are never NULL, or leave such rows out in the SELECT"
    flow: FlowId
    columns: tuple[str, ...]
    rows: int


class AmbiguousLookup(RefusalMessage, frozen=True):
    code = "TS337"
    meaning = "a lookup's key stands for different values"
    cure = "make the key unique, or use more key columns"
    about = "{flow}"
    message = "lookup table {lookup}: the key {columns} = {key!r} stands for different values of {value}"
    hint = "make the key unique in the lookup table, or use more key columns"
    flow: FlowId
    lookup: TableName
    columns: tuple[str, ...]
    key: str
    value: str


class LookupUnreadable(RefusalMessage, frozen=True):
    code = "TS338"
    meaning = "a lookup table cannot be read"
    cure = "grant SELECT on it"
    about = "{flow}"
    message = "lookup table {lookup} cannot be read in NEW: {said}"
    flow: FlowId
    lookup: TableName
    said: str


class LookupNotInEncoding(LookupUnreadable, frozen=True):
    message = "lookup table {lookup}: values of {value} cannot pass OLD's encoding {encoding}: {said}"
    value: str
    encoding: str


class FewerStreams(RefusalMessage, frozen=True):
    code = "TS343"
    meaning = "there are fewer streams than `--jobs` asks for"
    cure = "nothing has to be done: this is a warning"
    warning = True
    message = "{side} leaves room for {possible:# stream|# streams}, not {jobs}"
    side: Side
    possible: int
    jobs: int


class ManyLocks(RefusalMessage, frozen=True):
    code = "TS344"
    meaning = "many tables: the server's lock table may not hold them"
    cure = "raise `max_locks_per_transaction` to the value that the message names, and restart the server"
    warning = True
    message = (
        "{side}: a run locks about {tables:# relation|# relations}; the lock table has "
        "{entries:# entry|# entries}"
    )
    hint = "set max_locks_per_transaction = {enough} and restart the server"
    side: Side
    tables: int
    entries: int
    enough: int


class NewPublishes(RefusalMessage, frozen=True):
    code = "TS345"
    meaning = "NEW has publications that the run feeds"
    cure = "nothing has to be done: this is a warning"
    warning = True
    about = "{publications}"
    message = "NEW publishes tables that are filled ({publications}): subscribers receive the rows too"
    publications: tuple[str, ...]


class NewPublishesJournal(NewPublishes, frozen=True):
    message = (
        f"{NewPublishes.message}, and the journal {{journal}} with the rejected rows: "
        "a PostgreSQL subscriber applies nothing while it lacks those tables"
    )
    hint = "once the run has made them: pg_dump --schema-only --schema={journal} of NEW into each subscriber"
    journal: str


class EventTriggers(RefusalMessage, frozen=True):
    code = "TS346"
    meaning = "NEW has event triggers that the run sets off"
    cure = "nothing has to be done: this is a warning"
    warning = True
    about = "{triggers}"
    message = (
        "NEW has {triggers:the event trigger #|event triggers (#)}: DDL of this run (triggers, keys) "
        "sets {triggers:it|them} off"
    )
    triggers: tuple[str, ...]


class NewInUse(RefusalMessage, frozen=True):
    code = "TS347"
    meaning = (
        "somebody writes to a table, or a run from another OLD fills one, "
        "whose triggers or keys must be removed for the load"
    )
    cure = "stop the writers, or use [another role](servers.md)"
    about = "{table}"
    message = "NEW is in use: backend {pid} ({role}, {application}) writes to {table}, or locks it"
    hint = (
        "stop its writers for the migration, or use a role that may SET session_replication_role: "
        "then nothing is removed"
    )
    table: str
    pid: int
    role: str
    application: str


class FilledFromAnotherOld(RefusalMessage, frozen=True):
    code = NewInUse.code
    about = "{tables}"
    message = (
        "a run from another OLD (host {host}, pid {pid}) fills {tables} now, "
        "for which triggers or foreign keys have to be off"
    )
    hint = "wait for its end, or use a role that may SET session_replication_role"
    tables: tuple[TableName, ...]
    host: str
    pid: int


class ProbablySwapped(RefusalMessage, frozen=True):
    code = "TS386"
    meaning = "no table of OLD holds a row, and those of NEW do: the two are probably swapped"
    cure = "check `old_database` and `new_database`; an OLD that is really empty: `--allow-empty-old`"
    about = "{old}"
    message = "OLD ({old}) holds no row in {tables} and NEW ({new}) does in {full}: are they swapped?"
    hint = "check old_database and new_database; for an OLD that is really empty add --allow-empty-old"
    old: str
    new: str
    tables: str
    full: str


class PerhapsSwapped(ProbablySwapped, frozen=True):
    warning = True
    hint = "check old_database and new_database"


class TwoSnapshots(RefusalMessage, frozen=True):
    code = "TS348"
    meaning = "OLD was read in two snapshots, as `--new-snapshot unfinished` or `--rejects-only` allows"
    cure = "nothing has to be done: this is a warning"
    warning = True
    message = "OLD was read in two snapshots: the result is not one point in time"
    hint = "as --new-snapshot unfinished allowed"


class RejectsReadLater(RefusalMessage, frozen=True):
    code = TwoSnapshots.code
    warning = True
    message = (
        "OLD may have been written to since {started:%Y-%m-%d %H:%M}: the rejected rows are moved as they "
        "are now, so the result is not one point in time"
    )
    started: datetime


class UnloggedTable(RefusalMessage, frozen=True):
    code = "TS393"
    meaning = "a table of NEW is UNLOGGED: a crash of its server empties it"
    cure = "nothing has to be done: this is a warning; a LOGGED table keeps its rows"
    warning = True
    about = "{table}"
    message = "{table} of NEW is UNLOGGED: a crash of its server empties it, and its rows are in no backup"
    hint = "its rows are counted at the end and whenever the run goes on; a LOGGED table keeps them"
    table: TableName


class OrphansNoticed(RefusalMessage, frozen=True):
    code = "TS357"
    meaning = "a trigger or a rule would act on rows that have to leave NEW again, and may not be disabled"
    cure = "nothing has to be done: this is a warning; the table's owner can disable it"
    warning = True
    about = "{relation}"
    message = "{what} acts on DELETE, and {user} may not disable it: it notices rows that have to leave again"
    hint = (
        "rows leave only if a parent is refused in a way that nobody predicts; run as the table's owner, "
        "or have it disabled meanwhile"
    )
    what: str
    relation: TableName
    user: str


class UnseenReads(RefusalMessage, frozen=True):
    code = "TS394"
    meaning = "an expression reaches something of OLD whose changes cannot be seen"
    cure = "nothing has to be done: this is a warning; after an interruption the run may have to start over"
    warning = True
    about = "{what}"
    message = "an expression reaches {what}, and what that reads cannot be seen"
    hint = (
        "after a lost snapshot the run goes on only if nothing at all was written on OLD's server meanwhile"
    )
    what: str


class AmbiguousExistingKey(RefusalMessage, frozen=True):
    code = "TS358"
    meaning = "the key of `existing` finds several rows of NEW for one row of OLD"
    cure = "name more columns in `key`, so that it finds one row, or remove the rows that are twice in NEW"
    about = "{flow}"
    message = "{flow}: several rows of {table} in NEW have the same key {key}, among them {examples}"
    hint = "name more columns in the key of the action existing, or remove what is twice in NEW"
    flow: FlowId
    table: TableName
    key: tuple[str, ...]
    examples: tuple[str, ...]


class ExistingNotAskable(RefusalMessage, frozen=True):
    code = "TS359"
    meaning = "NEW cannot be asked which of its rows the rows of OLD are"
    cure = "name key columns that the flow fills, of types that can be compared"
    about = "{flow}"
    message = "{flow}: which rows of {table} were in NEW before the run cannot be asked: {why}"
    hint = "name key columns that the flow fills itself, of types that can be compared"
    flow: FlowId
    table: TableName
    why: str


class FinishedFromAnotherOld(RefusalMessage, frozen=True):
    code = UnfinishedFromAnotherOld.code
    warning = True
    about = "{old}"
    message = (
        "the finished run {run} of {started:%Y-%m-%d %H:%M} from another OLD moved {rows:# row|# rows} of "
        "{old} into {new}, where no key tells them from new ones: if OLD was restored since, they would come "
        "twice"
    )
    hint = "if so, roll that run back first: {command}; where the two OLDs hold different rows, all is well"
    run: str
    started: datetime
    rows: int
    old: TableName
    new: TableName
    command: str
