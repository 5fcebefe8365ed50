"""TS317 to TS325: an entry of a resolutions file is malformed, names what does not exist, or contradicts
another.
"""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.names import Side, TableName


class Malformed(RefusalMessage, frozen=True):
    code = "TS320"
    meaning = "the resolutions file is malformed"
    cure = "correct it; the message gives path and line"
    message = "needs {what}"
    what: str


class WrongShape(Malformed, frozen=True):
    message = "must be {what}"


class NoScalar(RefusalMessage, frozen=True):
    code = Malformed.code
    message = "must be a single value: a text, a number, true, false or null"
    hint = "write arrays and JSON values as a text"


class UnknownField(RefusalMessage, frozen=True):
    code = Malformed.code
    message = "unknown field {field!r}"
    hint = "{suggestion}"
    field: str
    suggestion: str


class UnknownValue(RefusalMessage, frozen=True):
    code = Malformed.code
    message = "unknown value {value!r}"
    hint = "{suggestion}"
    value: str
    suggestion: str


class UnknownTable(RefusalMessage, frozen=True):
    code = "TS321"
    meaning = "an entry of the resolutions file names an unknown table"
    cure = "correct the name; the message gives the nearest one"
    message = "OLD has no table {table!r} (schema {schema!r})"
    hint = "{suggestion}"
    table: str
    schema: str
    suggestion: str = ""


class TableOfNew(UnknownTable, frozen=True):
    message = UnknownTable.message
    hint = "NEW has a table of that name: entries stand under the old table's name"


class SeveralTables(RefusalMessage, frozen=True):
    code = UnknownTable.code
    message = "several tables of OLD are called {table!r}"
    hint = "it is the name of {names}: write it with its schema"
    table: str
    names: tuple[TableName, ...]


class UnknownNewTable(RefusalMessage, frozen=True):
    code = UnknownTable.code
    message = "NEW has no table {table!r}"
    hint = "{suggestion}"
    table: str
    suggestion: str


class UnknownNewTableInSchema(UnknownNewTable, frozen=True):
    message = "NEW has no table {table!r} in schema {schema!r}"
    schema: str


class KnownInOtherSchema(UnknownNewTableInSchema, frozen=True):
    hint = "NEW has a table of this name in {suggestion}"


class UnknownColumn(RefusalMessage, frozen=True):
    code = "TS322"
    meaning = "an entry of the resolutions file names an unknown column"
    cure = "correct the name; the message gives the nearest one"
    message = "{side}'s {table} has no column {column!r}"
    hint = "{suggestion}"
    side: Side
    table: TableName
    column: str
    suggestion: str


class UnknownForeignKey(RefusalMessage, frozen=True):
    code = "TS317"
    meaning = "an entry of the resolutions file names an unknown constraint"
    cure = "correct the name; the message gives the nearest one"
    message = "NEW's {table} has no foreign key {constraint!r}"
    hint = "{suggestion}"
    table: TableName
    constraint: str
    suggestion: str = ""


class UnknownTolerable(UnknownForeignKey, frozen=True):
    message = "NEW's {table} has no CHECK or foreign key {constraint!r}"


class UnknownAction(RefusalMessage, frozen=True):
    code = "TS323"
    meaning = "an entry of the resolutions file has an unknown action"
    cure = "correct the name; the message gives the nearest one"
    message = "unknown action {action!r}"
    hint = "{suggestion}"
    action: str
    suggestion: str


class NoAction(UnknownAction, frozen=True):
    message = "the entry has no action"


class NoPatternAction(UnknownAction, frozen=True):
    message = "an entry of for_all converts columns: action {action!r} is none for it"
    hint = "use 'transform', or an entry under each table's name"
    suggestion: str = ""


class PatternMatchesNothing(RefusalMessage, frozen=True):
    code = "TS318"
    meaning = "an entry of for_all is about no column"
    cure = "correct `tables` or `when`, or take the entry out; the message gives the types that change"
    message = "no column of the tables {tables!r} changes from {old_type!r} to {new_type!r}"
    hint = "{suggestion}"
    tables: str
    old_type: str
    new_type: str
    suggestion: str


class WrongFields(RefusalMessage, frozen=True):
    code = "TS324"
    meaning = "an entry has fields that its action does not take, or lacks one"
    cure = "see [the fields of each action](decisions.md)"
    message = "action {action!r} takes no {field!r}"
    hint = "{field!r} belongs to {homes}"
    action: str
    field: str
    homes: str


class ColumnOfRows(WrongFields, frozen=True):
    hint = "delete {field!r} here: {action!r} is about rows; what becomes of a column is an entry of its own"


class FieldNeeded(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "action {action!r} needs {field!r}"
    action: str
    field: str


class WaysNeeded(FieldNeeded, frozen=True):
    hint = "{field!r} is {ways}"
    ways: str


class EmptyName(FieldNeeded, frozen=True):
    message = "{field!r} is empty: action {action!r} needs a name there, or no such field"


class QueryNeedsFlow(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "action 'query' stands under the name of a flow"
    hint = "write the key as '{table} -> new_table', with the new table that it fills after the arrow"
    table: str


class SeveralWays(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "{fields} exclude each other"
    hint = "keep one of them"
    fields: str


class DefaultWithoutTable(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "'default_value' has no meaning in a transform without value_mapping or lookup_table"
    hint = (
        "rows that the new type refuses are rejected; for NULLs there is 'null_value', "
        "for chosen values a 'value_mapping'"
    )


class FieldBesideSql(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "{field!r} has no meaning beside transform_sql"
    hint = "write COALESCE or CASE in the expression"
    field: str


class OldColumnsWithoutKeys(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "'old_columns' belongs to a lookup_table with key_columns or to transform_sql"
    hint = "name one 'old_column'"


class OldColumnNotAmong(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "'old_column' {column!r} is not among 'old_columns'"
    hint = "name the old columns once"
    column: str


class KeySqlWithoutLookup(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "'key_sql' says what is looked up, and there is no lookup_table"
    hint = "add the lookup_table, or write the value itself as transform_sql"


class EmptyMapping(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "value_mapping is empty and there is no default_value: every row would be rejected"


class EmptySql(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "{field} is empty"
    hint = "{example}"
    field: str
    example: str


class UneditedSql(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "{field} still holds the placeholder {placeholder}"
    hint = "name columns as old.x; in for_all old.{{old_column}} is each column"
    field: str
    placeholder: str


class TableActionOfFlow(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "action {action!r} is about an old table, not about one flow"
    hint = "write it under {table!r}; a flow into one more table needs no 'rename_table'"
    action: str
    table: str


class KeyColumnTwice(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "lookup_table: key_columns names a column twice"


class WrongKeyCount(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = (
        "lookup_table has {keys:# key column|# key columns}, the entry names "
        "{columns:# old column|# old columns}"
    )
    hint = "old_columns, or key_sql, gives what is looked up in each of key_columns, in their order"
    keys: int
    columns: int


class NoTarget(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "{table} is {what} in NEW: rows cannot go there"
    table: TableName
    what: str


class TargetOutOfScope(RefusalMessage, frozen=True):
    code = WrongFields.code
    message = "{table} is out of scope: schema {table.schema!r} is not configured for NEW"
    hint = "add the schema to the configuration"
    table: TableName


class Contradiction(RefusalMessage, frozen=True):
    code = "TS325"
    meaning = "two entries contradict each other"
    cure = "keep one"
    message = "{column!r} is already filled by {path} ({action})"
    hint = "one decision fills one new column: keep one of them"
    column: str
    path: str
    action: str


class PatternsDisagree(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "{path} decides {table}.{column} otherwise"
    hint = "give {table} an entry of its own for {column!r}, or say in 'tables' which tables each one means"
    path: str
    table: TableName
    column: str


class IgnoredTwice(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "{path} ignores {column!r} already"
    hint = "keep one of them"
    column: str
    path: str


class RenamedTwice(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "{path} renames {column!r} to {new_column!r} already"
    hint = "one old column feeds several new ones by action 'transform'"
    column: str
    path: str
    new_column: str | None


class IgnoredAndUsed(Contradiction, frozen=True):
    message = "{path} takes {column!r} over ({action}): it is not left behind"
    hint = "an old column that feeds a new one needs no 'ignore'"


class DefaultOverData(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "OLD's column {old_column!r} fills {new_column!r}: a default would leave its data behind"
    hint = "drop the entry, or add action 'ignore' for {old_column!r}"
    old_column: str
    new_column: str | None


class TableDecidedTwice(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "{table} is already decided by {path} ({action})"
    hint = "keep one of them"
    table: TableName
    path: str
    action: str


class NameTheFlow(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "this table drives several flows and none under its own name"
    hint = "write the entry under one of {flows}; only 'ignore' speaks of all of them"
    flows: tuple[str, ...]


class TableDroppedAndMoved(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "{path} leaves the table out (drop_table), this entry moves it"
    hint = "keep one of them"
    path: str


class TableDroppedBesideFlows(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "this entry leaves all rows of {table} out (drop_table), and other keys move them: {flows}"
    hint = (
        "take the entry out; where a table of NEW that has the same name is to get no rows, write"
        ' {{"action": "filter", "where": "false"}} in its place'
    )
    table: TableName
    flows: tuple[str, ...]


class MappedElsewhere(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "the configured table_mapping sends {old} to {mapped}, this entry to {table}"
    hint = "change one of them"
    old: TableName
    mapped: TableName
    table: TableName


class SameKeyTwice(RefusalMessage, frozen=True):
    code = Contradiction.code
    message = "value_mapping keys {first!r} and {second!r} are the same {type} value with different results"
    hint = "keep one of them"
    first: str
    second: str
    type: str


class TablesLeaveItOut(RefusalMessage, frozen=True):
    code = "TS319"
    meaning = "the resolutions file has an entry for a table that takes no part"
    cure = "nothing has to be done: this is a warning"
    warning = True
    message = 'the configured "tables", -t or -T leave this table out: its entries are not used'


class SchemaLeftOut(RefusalMessage, frozen=True):
    code = TablesLeaveItOut.code
    warning = True
    message = "schema {schema!r} is not among the configured ones: its entries are not used"
    schema: str
