"""TS326 to TS329: the values, lookups and types of an entry of a resolutions file."""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.names import Side, TableName


class WrongFieldValue(RefusalMessage, frozen=True):
    code = "TS326"
    meaning = "a value does not fit the type of its column, or the column takes no such value"
    cure = "correct it"
    message = "{field} {value!r} is no value of column {column!r} ({type})"
    hint = "{suggestion}"
    field: str
    value: str
    column: str
    type: str
    suggestion: str = ""


class WrongMappingKey(RefusalMessage, frozen=True):
    code = WrongFieldValue.code
    message = "value_mapping key {key!r} is no value of OLD's column {column!r} ({type})"
    hint = "{suggestion}"
    key: str
    column: str
    type: str
    suggestion: str = ""


class WrongMappingResult(WrongMappingKey, frozen=True):
    message = "value_mapping[{key!r}]: {result!r} is no value of column {column!r} ({type})"
    result: str = ""


class SchemaDefaultMisplaced(RefusalMessage, frozen=True):
    code = WrongFieldValue.code
    message = "{field}: USE_SCHEMA_DEFAULT belongs to action 'default'"
    hint = "write the value itself"
    field: str


class NullForNotNull(RefusalMessage, frozen=True):
    code = WrongFieldValue.code
    message = "default_value null: NEW's column {column!r} ({type}) is NOT NULL"
    column: str
    type: str


class NoSchemaDefault(NullForNotNull, frozen=True):
    message = "USE_SCHEMA_DEFAULT: NEW's column {column!r} ({type}) is NOT NULL and has no default"
    hint = "give the value itself"


class NotInEncoding(RefusalMessage, frozen=True):
    code = WrongFieldValue.code
    message = "{value!r} has characters that {side}'s encoding {encoding} lacks"
    value: str
    side: Side
    encoding: str


class WrongLookup(RefusalMessage, frozen=True):
    code = "TS327"
    meaning = "the lookup table or its columns are wrong"
    cure = "correct them"
    message = "{side} has no lookup table {table!r} in schema {schema!r}"
    hint = "{suggestion}"
    side: Side
    table: str
    schema: str
    suggestion: str


class CannotAddMissing(RefusalMessage, frozen=True):
    code = WrongLookup.code
    message = "'add_missing' cannot add rows to {table}: {why}"
    hint = "{instead}"
    table: TableName
    why: str
    instead: str


class LookupIsView(RefusalMessage, frozen=True):
    code = WrongLookup.code
    message = "{side}'s {table} is a view: views are never read"
    hint = "name the table behind it"
    side: Side
    table: TableName


class LookupInServer(RefusalMessage, frozen=True):
    code = WrongLookup.code
    message = "{schema}.{table} belongs to the server, which keeps roles and settings there: it is not read"
    hint = "copy what it holds into a table of your own before the run, and name that"
    schema: str
    table: str


class UnknownLookupColumn(RefusalMessage, frozen=True):
    code = WrongLookup.code
    message = "{side}'s lookup table {table} has no column {column!r}"
    hint = "{suggestion}"
    side: Side
    table: TableName
    column: str
    suggestion: str


class LookupSchemaNotAnalysed(RefusalMessage, frozen=True):
    code = WrongLookup.code
    warning = True
    message = "schema {schema!r} is not among the analysed ones: the server is asked before the start"
    schema: str | None


class RenameNeedsTransform(RefusalMessage, frozen=True):
    code = "TS328"
    meaning = "the types of two columns need a decision that says how values become others"
    cure = (
        "write it as `transform` with a mapping, a lookup or SQL; "
        "where a key gets other values, decide `new_key` first"
    )
    message = "{old_type} does not become {new_type} by itself{reason}: a rename is not enough"
    hint = "action 'transform' with value_mapping, lookup_table or transform_sql"
    old_type: str
    new_type: str
    reason: str
    """In parentheses, or empty."""


class RenameNeedsBareTransform(RenameNeedsTransform, frozen=True):
    message = RenameNeedsTransform.message
    hint = "action 'transform' with the same columns: rows that the new type refuses are rejected"


class NoBareTransform(RenameNeedsTransform, frozen=True):
    message = "{old_type} has no conversion of its own to {new_type}{reason}"
    hint = "give value_mapping, lookup_table or transform_sql"


class KeyWithoutNewValues(RenameNeedsTransform, frozen=True):
    message = NoBareTransform.message
    hint = (
        "if NEW's {key} gets values of its own, decide action 'new_key' there first, and this column "
        "follows; else give value_mapping, lookup_table or transform_sql"
    )
    key: str
    """The key with its table: the column itself, or the one that it refers to."""


class ComputedByNew(RefusalMessage, frozen=True):
    code = "TS329"
    meaning = "an entry does not apply (any more)"
    cure = "take it out"
    message = "NEW computes {table}.{column} (generated column): nothing else can fill it"
    hint = "leave the entry out; an old column that nothing takes over needs action 'ignore'"
    table: TableName
    column: str


class NoCounterpart(RefusalMessage, frozen=True):
    code = ComputedByNew.code
    message = "NEW has no counterpart of {table}: its columns go nowhere"
    hint = "add an entry with action 'rename_table' or 'drop_table'"
    table: TableName


class NothingFillsIt(RefusalMessage, frozen=True):
    code = ComputedByNew.code
    message = (
        "NEW's {new_column!r} is NOT NULL without a default:"
        " nothing would fill it once {old_column!r} is ignored"
    )
    hint = "drop the entry, or add action 'default' for the new column"
    old_column: str
    new_column: str


class HoldsNoRows(RefusalMessage, frozen=True):
    code = ComputedByNew.code
    message = "{table} is {what} in OLD: its rows are not moved"
    table: TableName
    what: str


class OfExtension(RefusalMessage, frozen=True):
    code = ComputedByNew.code
    message = "{table} belongs to the extension {extension} in OLD: its rows are not moved"
    table: TableName
    extension: str
