"""TS131 to TS134, TS137, TS311, TS331 to TS333 and TS349: the tables that a configuration selects, and their
order.
"""

from __future__ import annotations

from tranship.errors.message import RefusalMessage, UsageMessage
from tranship.model.names import Side, TableName


class TableNotFound(UsageMessage, frozen=True):
    code = "TS131"
    meaning = "a table that was configured or named does not exist"
    cure = "correct the name; the message gives the nearest one"
    message = "Table not found in schema: {name!r} (schema {schema!r}, {side} database {database!r})"
    hint = "{suggestion}"
    name: str
    schema: str
    side: Side
    database: str
    suggestion: str = ""


class NothingFills(UsageMessage, frozen=True):
    code = TableNotFound.code
    about = "{table}"
    message = "{table} is a table of NEW that no table of OLD and no flow of the decisions fills"
    hint = "pass the decisions with --resolutions, or name an old table"
    table: TableName


class NothingToPreview(UsageMessage, frozen=True):
    code = TableNotFound.code
    about = "{name}"
    message = "no old table, new table or flow that takes part is named {name!r}"
    hint = "{suggestion}"
    name: str
    suggestion: str = ""


class NothingDecidedToPreview(UsageMessage, frozen=True):
    code = TableNotFound.code
    about = "{name}"
    message = "no row of {name} can be shown: what becomes of the table is an open question"
    hint = "answer that question first: it says where the rows go, and servers can read no expression before"
    name: str


class LeftOutOfPreview(UsageMessage, frozen=True):
    code = TableNotFound.code
    about = "{name}"
    message = "no row of {name} can be shown: a decision leaves the table out"
    hint = "delete its entry 'drop_table' if its rows are to move"
    name: str


class SchemaOfTableNotFound(TableNotFound, frozen=True):
    message = f"{TableNotFound.message}: the schema does not exist or is not in scope"


class TableIsPartition(TableNotFound, frozen=True):
    message = f"{TableNotFound.message}: it is a partition of {{root}}"
    hint = "name '{root}'"
    root: TableName | None = None


class TableOfExtension(TableNotFound, frozen=True):
    message = "Table {name!r} of the {side} database {database!r} belongs to the extension {extension}"
    hint = "CREATE EXTENSION fills it, and it is never moved: take it out of the configuration"
    extension: str = ""


class NotATable(TableNotFound, frozen=True):
    message = f"{TableNotFound.message}: {{relation}} is {{what}}"
    hint = "only tables hold rows of their own to move: take it out of the configuration"
    relation: TableName | None = None
    what: str = ""


class NoTables(UsageMessage, frozen=True):
    code = "TS132"
    meaning = "there is no table to move"
    cure = "check schema and database"
    about = "{database}"
    message = "No tables to migrate (schema {schemas}, OLD database {database!r})"
    hint = "check schema and database of old_database"
    schemas: str
    database: str


class NoTablesSelected(NoTables, frozen=True):
    message = NoTables.message
    hint = 'leave the key "tables" out for all tables'


class NoTablesInNew(UsageMessage, frozen=True):
    code = "TS137"
    meaning = "NEW has no tables that rows could be moved into"
    cure = "create the new schema there first: tranship moves rows and creates no tables"
    message = "no tables in NEW (schema {schemas}, NEW database {database!r})"
    hint = (
        "tranship moves rows and creates no tables: create the new schema there first, "
        'or name the one that holds them ("schema" of new_database)'
    )
    schemas: str
    database: str


class SchemaNotFound(UsageMessage, frozen=True):
    code = "TS133"
    meaning = "a configured schema does not exist"
    cure = "check its spelling"
    about = "{schema}"
    message = "schema {schema!r} does not exist in the {side} database {database!r}"
    hint = 'name an existing schema (names are case-sensitive), or leave "schema" out for all'
    schema: str
    side: Side
    database: str


class SchemaOfNamedTableNotFound(SchemaNotFound, frozen=True):
    message = (
        "Table not found in schema: {table!r} (schema {schema!r}, {side} database {database!r}): "
        + SchemaNotFound.message
    )
    table: str


class SchemaOfAllTablesNotFound(SchemaNotFound, frozen=True):
    message = (
        f"No tables to migrate (schema {{schema!r}}, OLD database {{database!r}}): {SchemaNotFound.message}"
    )


class AmbiguousTable(UsageMessage, frozen=True):
    code = "TS134"
    meaning = "a table's name stands in several schemas"
    cure = "write it with its schema"
    about = "{name}"
    message = "{name!r} is the name of several tables: {tables}"
    hint = "write it with its schema"
    name: str
    tables: tuple[TableName, ...]


class NothingMatches(UsageMessage, frozen=True):
    code = "TS136"
    meaning = "a pattern of `-t` or `-T` matches no table that takes part"
    cure = "correct it; `*` stands for any letters, and capitals count"
    about = "{pattern}"
    message = "no table of OLD database {database!r} that takes part matches {pattern!r}"
    hint = (
        "{near}* stands for any letters, ? for one; a pattern is compared with table and schema.table; "
        "several are given as -t a -t b"
    )
    pattern: str
    database: str
    near: str = ""
    """A question that names the nearest table, and a blank; empty: none is near."""


class EverythingExcluded(UsageMessage, frozen=True):
    code = NothingMatches.code
    message = "No tables to migrate: -t and -T leave none (OLD database {database!r})"
    hint = "give other patterns"
    database: str


class TableUnreadable(RefusalMessage, frozen=True):
    code = "TS311"
    meaning = "a configured table may not be read"
    cure = "grant what the message names"
    about = "{table}"
    message = "table {table} may not be read by {user!r} (OLD database {database!r})"
    hint = "{grant}"
    table: TableName
    user: str
    database: str
    grant: str


class ColumnsUnreadable(TableUnreadable, frozen=True):
    message = f"{{columns:column #|columns #}} of {TableUnreadable.message}"
    columns: tuple[str, ...]


class OrderBreaksKey(RefusalMessage, frozen=True):
    code = "TS331"
    meaning = "the configured order of `tables` breaks a foreign key"
    cure = "nothing has to be done: the tables are copied as one group"
    warning = True
    about = "{table}"
    message = "the configured order puts {table} before {parent}, to which NEW's foreign key refers"
    hint = 'they are settled together; leave "tables" out for a computed order'
    table: TableName
    parent: TableName


class LookupCycle(RefusalMessage, frozen=True):
    code = "TS332"
    meaning = "a value is looked up in a table that is filled together with the row, and OLD cannot tell it"
    cure = "decide what fills the column (`new_key`, `transform_sql`), or fill the table beforehand"
    message = "column {column!r} of {table}, which is looked up and filled together with the row: {why}"
    hint = "say what fills the column (new_key, transform_sql), or fill {table} beforehand"
    table: TableName
    column: str
    why: str


class ParentNotFilled(RefusalMessage, frozen=True):
    code = "TS333"
    meaning = "a foreign key leads to a table that the run does not fill"
    cure = "nothing has to be done: rows without their parent in NEW are rejected"
    warning = True
    about = "{old}"
    message = (
        "foreign key {key} of {table} refers to {parent}, which this run does not fill: "
        "rows whose parent is not there already are rejected"
    )
    old: TableName
    key: str
    table: TableName
    parent: TableName


class ReadInOldZone(RefusalMessage, frozen=True):
    code = "TS349"
    meaning = (
        "NEW reads times without a zone in OLD's time zone, and computes what depends on the zone in it too"
    )
    cure = "nothing has to be done, unless the values that the message names matter"
    warning = True
    about = "{table}"
    message = (
        "texts without a zone that fill {table} mean times in {zone}, not in NEW's {own}:"
        " {what} of NEW is computed in {zone}, too"
    )
    hint = "give both databases one TimeZone for the migration, or decide with a transform_sql"
    table: TableName
    zone: str
    own: str
    what: str
