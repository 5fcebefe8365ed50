"""TS366 to TS379: privileges and objects of the two databases that a run needs and does not have."""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.names import Side, TableName


class PrivilegeMissing(RefusalMessage, frozen=True):
    code = "TS366"
    meaning = "privileges on a table are missing"
    cure = "grant what the message names"
    about = "{table}"
    message = "{side} table {table}: {user} lacks {rights}"
    hint = "{grant}"
    side: Side
    table: TableName
    user: str
    rights: str
    grant: str


class ColumnPrivilegeMissing(PrivilegeMissing, frozen=True):
    message = f"{PrivilegeMissing.message} ({{columns:column #|columns #}})"
    columns: tuple[str, ...]


class JournalMayNotBeMade(RefusalMessage, frozen=True):
    code = "TS367"
    meaning = "the journal schema may not be made or used"
    cure = "grant what the message names"
    about = "{schema}"
    message = "the journal schema {schema} does not exist in NEW and may not be made"
    hint = "{grant}"
    schema: str
    grant: str


class JournalMayNotBeUsed(JournalMayNotBeMade, frozen=True):
    message = "the journal schema {schema} in NEW may not be used"


class JournalOfEarlierRole(JournalMayNotBeUsed, frozen=True):
    message = "the journal schema {schema} in NEW belongs to {owner}, and this role may not use it"
    hint = "run as {owner}; a role that only looks (status, verify) needs {grant}"
    owner: str


class JournalRefused(RefusalMessage, frozen=True):
    code = JournalMayNotBeMade.code
    about = "{schema}"
    message = "the journal schema {schema} of NEW may not be used: {said}"
    schema: str
    said: str


class TriggerNotDisabled(RefusalMessage, frozen=True):
    code = "TS368"
    meaning = "a trigger or a cyclic foreign key may not be switched off"
    cure = "run as the table's owner, or grant what the message names"
    about = "{relation}"
    message = "trigger {trigger} of {relation} would fire and may not be disabled by {user}"
    hint = "{grant} (PostgreSQL 15 and newer), or run as the tables' owner"
    trigger: str
    relation: TableName
    user: str
    grant: str


class RuleNotDisabled(TriggerNotDisabled, frozen=True):
    message = "rule {trigger} of {relation} would change updated rows and may not be disabled by {user}"
    hint = "run as the tables' owner"


class TriggerOfAnotherOwner(TriggerNotDisabled, frozen=True):
    hint = (
        "run as the tables' owner: a key that is DEFERRABLE or has a PERIOD would not be checked "
        "with session_replication_role = replica"
    )


class KeyNotDropped(RefusalMessage, frozen=True):
    code = TriggerNotDisabled.code
    about = "{table}"
    message = "foreign key {key} of {table} is part of a cycle and may not be removed by {user}"
    hint = TriggerNotDisabled.hint
    key: str
    table: TableName
    user: str
    grant: str


class KeyOfAnotherOwner(KeyNotDropped, frozen=True):
    hint = TriggerOfAnotherOwner.hint


class SequenceNotMovable(RefusalMessage, frozen=True):
    code = "TS369"
    meaning = "a sequence may not be read or moved"
    cure = "grant what the message names"
    about = "{sequence}"
    message = "sequence {sequence} of NEW may not be moved by {user}"
    hint = "{grant}"
    sequence: TableName
    user: str
    grant: str


class SequenceUnreadable(SequenceNotMovable, frozen=True):
    message = "sequence {sequence} of OLD may not be read by {user}"


class ForeignPartition(RefusalMessage, frozen=True):
    code = "TS370"
    meaning = "a partition is a foreign table"
    cure = "detach it for the migration, or leave the table out"
    about = "{partition}"
    message = (
        "partition {partition} of {side} table {table} is a foreign table: its rows are on another server"
    )
    hint = (
        "detach the partition for the migration, or leave the table out; "
        "move the other server's rows by themselves"
    )
    partition: TableName
    side: Side
    table: TableName


class RuleWouldFire(RefusalMessage, frozen=True):
    code = "TS371"
    meaning = "a rule would change rows of a table that receives no column of OLD"
    cure = "disable the rule for the migration"
    about = "{table}"
    message = "rule {rule} of {table} would change its rows: none of its columns comes from OLD"
    hint = "disable the rule meanwhile"
    table: TableName
    rule: str


class JournalOccupied(RefusalMessage, frozen=True):
    code = "TS372"
    meaning = "the schema named as `journal_schema` holds something else"
    cure = "give the journal a schema of its own"
    about = "{schema}"
    message = "the journal schema {schema} of NEW holds what is no journal: {others}"
    hint = 'give a schema of its own as "journal_schema", or leave the key out for _tranship'
    schema: str
    others: tuple[str, ...]


class NoXml(RefusalMessage, frozen=True):
    code = "TS373"
    meaning = "NEW was built without XML support and has xml columns to fill"
    cure = "use another server, or another type"
    about = "{column}"
    message = "NEW was built without xml support and cannot take {column}"
    hint = "use a server that was built with libxml"
    column: str


class JournalNotRemovable(RefusalMessage, frozen=True):
    code = "TS375"
    meaning = "the journal's tables may not be removed"
    cure = "purge as the role that owns them"
    about = "{schema}"
    message = "the journal {schema} may not be removed: {said}"
    hint = "remove it as the role that owns it; what depends on it goes first"
    schema: str
    said: str


class IndexNotRemovable(RefusalMessage, frozen=True):
    code = "TS378"
    meaning = "an index may not be removed and rebuilt, and `--rebuild-indexes always` asks for it"
    cure = "run as the owner, or grant what the message names"
    about = "{table}"
    message = "index {index} of {table} may not be removed and rebuilt by {user}"
    hint = "{grants}; or --rebuild-indexes auto leaves it"
    table: TableName
    index: str
    user: str
    grants: str


class SequenceExhausted(RefusalMessage, frozen=True):
    code = "TS379"
    meaning = "a sequence of NEW has fewer values left than rows need"
    cure = "raise its MAXVALUE, or give the column a type with room"
    about = "{sequence}"
    message = (
        "sequence {sequence} of NEW has {left:# value|# values} left, "
        "{rows:# row needs one|# rows need one each}"
    )
    hint = "raise its MAXVALUE, or give its column a type with room"
    sequence: TableName
    left: int
    rows: int


class JournalOfOthers(RefusalMessage, frozen=True):
    code = "TS381"
    meaning = (
        "somebody who is neither the migrating role nor a superuser owns the journal or may write into it"
    )
    cure = "run as its owner, or look at what it holds and take the rights away"
    about = "{schema}"
    message = (
        "the journal {schema} of NEW belongs to {owners}, not to this role or a superuser: it is not used"
    )
    hint = (
        "run tranship as its owner, or, if you trust what the journal holds, "
        "give its schema and tables to this role (ALTER … OWNER TO)"
    )
    schema: str
    owners: tuple[str, ...]


class JournalWritable(RefusalMessage, frozen=True):
    code = JournalOfOthers.code
    about = "{schema}"
    message = "{writers} may write into the journal {schema} of NEW, so it is not trusted and not used"
    hint = "look at what it holds, then: {revoke}"
    schema: str
    writers: tuple[str, ...]
    revoke: str


class JournalNotWhole(RefusalMessage, frozen=True):
    code = "TS382"
    meaning = "tables of the journal are missing"
    cure = "restore them from a backup, or drop the journal when nothing is to be resumed or rolled back"
    about = "{schema}"
    message = "the journal {schema} of NEW is not whole: {missing} missing"
    hint = (
        "restore {missing:this table|these tables} from a backup, or, if no run is to be resumed or "
        "rolled back, {drop}"
    )
    schema: str
    missing: tuple[str, ...]
    drop: str


class JournalOfLaterVersion(RefusalMessage, frozen=True):
    code = "TS383"
    meaning = "a later version of tranship wrote the journal"
    cure = "use that version"
    about = "{schema}"
    message = "the journal {schema} of NEW has format {format}, this version knows {known}"
    hint = "use tranship {version} or newer"
    schema: str
    format: int
    known: int
    version: str
