"""TS304, TS305, TS309, TS314, TS315 and TS374: what an entry says about the rows of a flow does not
fit the tables, or other entries.
"""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.flow import FlowId
from tranship.model.names import TableName


class ActionTwice(RefusalMessage, frozen=True):
    code = "TS304"
    meaning = "two entries about the rows of one flow contradict each other"
    cure = "keep one, or say in one entry what both mean"
    message = "{path} says already what {action!r} says here"
    hint = "one flow has one {action!r}: say in one entry what both mean"
    action: str
    path: str


class NewKeyTwice(RefusalMessage, frozen=True):
    code = ActionTwice.code
    message = "{path} gives {column!r} new values already"
    hint = "keep one of them"
    column: str
    path: str


class BesideQuery(RefusalMessage, frozen=True):
    code = ActionTwice.code
    message = "{action!r} speaks of the rows of an old table, and here {path} makes the rows (query)"
    hint = "say it in the SELECT"
    action: str
    path: str


class NewKeyDecided(RefusalMessage, frozen=True):
    code = ActionTwice.code
    message = "{path} says what {column!r} becomes: it cannot get new values as well"
    hint = "keep one of them; a 'rename' says only which column is meant"
    column: str
    path: str


class NewKeyUnused(RefusalMessage, frozen=True):
    code = "TS305"
    meaning = (
        "an entry about the rows of a flow does not fit its tables, or leaves open what becomes of rows that"
        " merged rows had each, or that OLD marks as deleted; or values are lost that only merged rows hold"
    )
    cure = "correct it; the message says what does not fit, or is open"
    message = "OLD's column {column!r} fills no column of NEW, so its new values would go nowhere"
    hint = "say by a 'rename' which new column it fills, or name another column"
    column: str


class ComesAlive(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    warning = True
    about = "{flow}"
    message = (
        "{flow}: {rows} that OLD marks as deleted in {column!r} would come alive in NEW: the column is"
        " ignored, and nothing else tells them apart"
    )
    hint = (
        "a 'filter' beside the 'ignore', whose condition names the column, leaves them out; nothing has to be"
        " done where they are meant to move"
    )
    flow: FlowId
    rows: str
    column: str


class MergedDiffer(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    warning = True
    about = "{flow}"
    message = "{flow}: {rows} with values that the row which stays lacks, and that do not move: {columns}"
    hint = (
        '\'keep\' says which row stays ("keep": "old.phone IS NULL"); a transform_sql with a sub-select can'
        " gather what the others hold; nothing has to be done where one row says enough"
    )
    flow: FlowId
    rows: str
    columns: str


class NewKeyNoKey(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "{column!r} is no key of OLD's {table}: one value may stand in many rows"
    hint = "name a column that is a primary key, or unique, by itself"
    column: str
    table: TableName


class NewKeyOfItems(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "all items that {path} makes of one old row would have the same new value of {column!r}"
    hint = (
        "give each item a value of its own: 'transform' with a transform_sql such as"
        " old.id * 1000 + item_number; or let the sequence of the column number them"
    )
    column: str
    path: str


class NewKeyOfType(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "new values of the kind {kind!r} do not fit column {column!r} ({type})"
    hint = "'uuid' fits uuid and text; 'offset' and 'number' fit numbers"
    kind: str
    column: str
    type: str


class NullBesideNewKey(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "{column!r} follows a key that gets new values, and a 'null_value' would leave it the old ones"
    hint = "leave 'null_value' out: NULL stays NULL; or leave the rows without a reference out by a 'filter'"
    column: str


class NewKeyReachesType(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    about = "{flow}"
    message = "{flow}: {column!r} ({type}) would follow the key of {table}, whose UUIDs it cannot hold"
    hint = "to keep OLD's value: 'transform' with a transform_sql (old.{old_column}); else change the type"
    flow: FlowId
    column: str
    type: str
    table: TableName
    old_column: str


class LookupGivesOldKey(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    about = "{flow}"
    message = (
        "{flow}: what {column!r} looks up is {value!r} of OLD's {table}, which gets new values: in NEW it"
        " would refer to whoever has the old one"
    )
    hint = (
        "look the new value up in NEW, by another key of the row; or 'adopt' constraint {key!r} where NEW's"
        " rows under the old values are meant"
    )
    flow: FlowId
    column: str
    value: str
    table: TableName
    key: str


class NoExistingKey(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "NEW's {table} has no primary key by which its rows could be found"
    hint = "name the columns by which two rows are the same: 'key'"
    table: TableName


class ExistingKeyUnfilled(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "nothing of OLD fills NEW's column {column!r}, by which rows are to be found"
    hint = "decide what fills it, or name other columns in 'key'"
    column: str


class FoundByNewKey(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "rows of NEW cannot be found by {column!r}, which gets new values ({path})"
    hint = "name other columns in 'key', by which two rows are the same"
    column: str
    path: str


class KeyNotOfQuery(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "{field} {column!r} is no output column of the SELECT"
    hint = "{suggestion}"
    field: str
    column: str
    suggestion: str


class NotExecuted(RefusalMessage, frozen=True):
    code = "TS309"
    meaning = "a plan uses an action that this version checks and does not carry out yet"
    cure = "take the entries out, or use a version that carries them out"
    message = "{what} cannot be carried out by this version"
    hint = "nothing was moved"
    what: str


class KeyToPartition(RefusalMessage, frozen=True):
    code = NotExecuted.code
    about = "{flow}"
    message = (
        "{flow}: NEW's foreign key {key} leads to {partition}, a partition of {root},"
        " whose rows arrive through {root}"
    )
    hint = "let the key lead to {root}, or drop it in NEW and add it again when the rows are there"
    flow: FlowId
    key: str
    partition: TableName
    root: TableName


class NumbersOfAnotherRun(RefusalMessage, frozen=True):
    code = "TS399"
    meaning = "rows refer to a key whose new values another run gave, or would give"
    cure = "move the table of the key and those that refer to it in one run"
    about = "{table}"
    message = "{table}: its column {column!r} refers to {parent}, whose new numbers this run does not give"
    hint = (
        "numbers are given in one run: move {parent} and all tables that refer to it together;"
        " a run that moved some of them is rolled back first"
    )
    table: TableName
    column: str
    parent: TableName


class ChildOfLeftOut(RefusalMessage, frozen=True):
    code = NumbersOfAnotherRun.code
    message = (
        "{column!r} of {flow} refers to {parent}, which this run leaves out: this entry would not change it"
    )
    hint = (
        "let {parent} take part, too: what an earlier run moved of it stays as it is; or say what becomes of"
        " {column!r} (action 'transform')"
    )
    flow: str
    column: str
    parent: TableName


class LedChildDecided(RefusalMessage, frozen=True):
    code = "TS314"
    meaning = "children cannot be led to the rows that the new database holds under other keys"
    cure = "the message names the flow, the column and what to decide"
    about = "{flow}"
    message = (
        "{flow}: an entry says what {column!r} becomes, and 'repoint_children' of {parent} would replace it"
    )
    hint = "leave the entry out, so that the column is led; or decide every such column and lead no children"
    flow: FlowId
    column: str
    parent: FlowId


class ParentKeyMadeByNew(RefusalMessage, frozen=True):
    code = "TS315"
    meaning = "old values would refer to rows whose keys the new database makes itself: they meet by chance"
    cure = (
        "look the new key up (`lookup_table`) by another key of the row, or fill the key from the old"
        " database; `adopt` where rows that the new database holds are meant"
    )
    about = "{flow}"
    message = (
        "{flow}: {column!r} would refer to other rows of {table}: NEW makes the values of {leads_to!r} itself"
    )
    hint = (
        "look the value up: 'transform' with a lookup_table into {table}; or 'adopt' constraint {key!r} where"
        " NEW's rows under these values are meant"
    )
    flow: FlowId
    column: str
    leads_to: str
    table: TableName
    key: str


class ParentKeyNumbered(RefusalMessage, frozen=True):
    code = ParentKeyMadeByNew.code
    about = "{flow}"
    message = (
        "{flow}: what an expression gives {column!r} would refer to other rows of {table}: {leads_to!r} is"
        " numbered anew"
    )
    hint = (
        "take an old column that holds the old key, so that it follows; or look the number up: 'transform'"
        " with a lookup_table into {table}; or 'adopt' constraint {key!r} where NEW's rows under these values"
        " are meant"
    )
    flow: FlowId
    column: str
    leads_to: str
    table: TableName
    key: str


class LedWithoutKey(RefusalMessage, frozen=True):
    code = LedChildDecided.code
    about = "{flow}"
    message = (
        "{flow}: 'repoint_children' of {parent} cannot lead {column!r}: OLD has a foreign key there, and NEW"
        " has none"
    )
    hint = (
        "add the foreign key in NEW; or say by a 'transform' what becomes of {column!r}: a lookup of the new"
        " key, or the column alone, so that it keeps its values"
    )
    flow: FlowId
    column: str
    parent: FlowId


class LedUnclear(RefusalMessage, frozen=True):
    code = LedChildDecided.code
    about = "{flow}"
    message = (
        "{flow}: several old tables fill {table}, to which foreign key {key} leads, and the old database does"
        " not declare it: whose rows are the parents is open"
    )
    hint = "decide the column by a lookup, or declare the foreign key in the old database"
    flow: FlowId
    key: str
    table: TableName


class LedKeyNotFilled(RefusalMessage, frozen=True):
    code = LedChildDecided.code
    about = "{flow}"
    message = (
        "{flow}: NEW fills {column!r} itself, so that rows of {child} could not follow a row that NEW lacks"
    )
    hint = "decide what fills it, or decide the column of {child} by a lookup"
    flow: FlowId
    column: str
    child: FlowId


class LedNotComparable(RefusalMessage, frozen=True):
    code = LedChildDecided.code
    about = "{flow}"
    message = "{flow}: OLD cannot compare the columns of foreign key {key} with those of {parent}"
    hint = "decide the column by a lookup"
    flow: FlowId
    key: str
    parent: FlowId


class LedTwice(RefusalMessage, frozen=True):
    code = LedChildDecided.code
    about = "{flow}"
    message = "{flow}: {column!r} would be led to rows of {first} and to rows of {second}"
    hint = "leave 'repoint_children' of one of them out"
    flow: FlowId
    column: str
    first: FlowId
    second: FlowId


class LedKeyOfItself(RefusalMessage, frozen=True):
    code = LedChildDecided.code
    about = "{flow}"
    message = "{flow}: rows are found by {column!r}, which is known only once the rows of {parent} are found"
    hint = "name other columns in 'key'"
    flow: FlowId
    column: str
    parent: FlowId


class NotTolerable(RefusalMessage, frozen=True):
    code = "TS374"
    meaning = "rows that break a constraint cannot be kept as an entry says"
    cure = "delete the entry, or change the constraint; the message says what stands in the way"
    message = "rows that break {constraint!r} of NEW's {table} cannot be kept: {why}"
    hint = "delete the entry: such rows are rejected, each with its reason"
    constraint: str
    table: TableName
    why: str
