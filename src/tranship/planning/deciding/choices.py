"""Which actions answer a question of the resolutions file, and what each does, in words."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.expression import Conversion
from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.words import PLACEHOLDERS


class Kind(StrEnum):
    """How a field is given."""

    TEXT = "text"
    SQL = "sql"
    JSON = "json"
    """A JSON value: an object, or a text in quotes."""
    MAPPING = "mapping"
    """A JSON object of old values and the new ones that they become."""
    LINES = "lines"
    """Several texts, one a line."""
    WORD = "word"
    """One of a few words."""
    FLAG = "flag"
    """Yes or no."""


class Field(Struct, frozen=True):
    """A field that a person gives."""

    name: str
    asked: str
    kind: Kind = Kind.TEXT
    optional: bool = False
    words: tuple[str, ...] = ()
    """Of a word: those that it may be."""


class Choice(Struct, frozen=True):
    """One way to answer."""

    name: str
    action: Action
    does: str
    """What becomes of the data."""
    fields: tuple[Field, ...] = ()

    @property
    def title(self) -> str:
        """What a person reads: the name, and behind it the action in the file where that is another word."""
        return self.name if self.name == self.action else f"{self.name} ({self.action.value})"


class Asked(Struct, frozen=True):
    """What a question is about."""

    old_column: str | None = None
    new_column: str | None = None
    pattern: bool = False
    """It is about all columns that change from one type to another."""
    conversion: Conversion | None = None
    """How the old column's values become the new one's by themselves; None where that is not known."""
    required: bool = False
    """Something has to fill the new column: who leaves the old one behind is asked what does."""
    paired: bool = False
    """Both columns belong together already: what becomes of the values is asked, which no rename answers."""
    joined: bool = False
    """The entry names several old columns, of which an expression or a lookup makes the value of one."""


_NEW_COLUMN = Field("new_column", "the new column that it fills")
_OLD_COLUMN = Field("old_column", "the old column that fills it")
_SQL = Field("transform_sql", "an expression over the old row, for example lower(old.email)", Kind.SQL)
_SQL_FOR_ALL = Field(
    "transform_sql",
    "an expression over the old row, in which {old_column} stands for the name of each column, for example"
    " old.{old_column} AT TIME ZONE 'Europe/Berlin'",
    Kind.SQL,
)
_MAPPING = Field("value_mapping", 'old value to new value, for example {"A": 1, "B": 2}', Kind.MAPPING)
_LOOKUP = Field(
    "lookup_table",
    'for example {"table": "towns", "key_column": "name", "value_column": "id"}',
    Kind.JSON,
)
_NULL = Field(
    "null_value", "the new value where the old one is NULL; empty: such rows are rejected", optional=True
)
_VALUE = Field("default_value", "the constant; USE_SCHEMA_DEFAULT is the default of the new database")
_CONSTANT = Field("default_value", "the constant")
_TABLE = Field("new_table", "the new table that it fills")

_DROP_TABLE = Choice("leave out", Action.DROP_TABLE, "the table is left out; nothing is dropped anywhere")
_RENAME_TABLE = Choice("rename", Action.RENAME_TABLE, "its rows fill a new table of another name", (_TABLE,))
_IGNORE = Choice("leave behind", Action.IGNORE, "the data of the old column is not copied")
_RENAME = Choice("rename", Action.RENAME, "the old column fills a new one, and no other", (_NEW_COLUMN,))
_FILLED_BY = Choice("rename", Action.RENAME, "an old column fills it, and no other", (_OLD_COLUMN,))
_BARE = Choice(
    "convert",
    Action.TRANSFORM,
    "the new server reads the old values; rows with values it refuses are rejected",
)
_EXPRESSION = Choice("expression", Action.TRANSFORM, "the old server computes an SQL expression", (_SQL,))
_MAP = Choice(
    "mapping",
    Action.TRANSFORM,
    "each old value becomes a new one; rows with other values are rejected",
    (_MAPPING,),
)
_LOOK_UP = Choice("lookup", Action.TRANSFORM, "the value is found in another table by a key", (_LOOKUP,))
_DEFAULT = Choice("constant", Action.DEFAULT, "every row gets the same value", (_VALUE,))


def with_null(offered: Sequence[Choice]) -> tuple[Choice, ...]:
    """Returns choices that also ask what NULL becomes, where they make new values of old ones; an expression
    says it itself.
    """
    return tuple(
        replace(one, fields=(*one.fields, _NULL))
        if one.action is Action.TRANSFORM and all(field.kind is not Kind.SQL for field in one.fields)
        else one
        for one in offered
    )


def choices(asked: Asked) -> tuple[Choice, ...]:
    """Returns the ways to answer a question, the most usual first. Others can be written as JSON."""
    old, new = _named(asked.old_column), _named(asked.new_column)
    if asked.pattern:
        return _BARE, replace(_EXPRESSION, fields=(_SQL_FOR_ALL,)), _MAP
    if asked.joined:
        return _EXPRESSION, _LOOK_UP
    if old and new:
        return (
            *_converted(asked.conversion),
            _EXPRESSION,
            _MAP,
            _LOOK_UP,
            *(() if asked.paired else _renamed(asked.conversion)),
            *_left_behind(asked),
        )
    if old:
        into = tuple(_into(choice) for choice in (_BARE, _EXPRESSION, _MAP))
        return (_IGNORE, _RENAME, *into)
    if new:
        # Without a default of NEW's own there is none to be named.
        constant = replace(_DEFAULT, fields=(_CONSTANT,)) if asked.required else _DEFAULT
        return constant, _EXPRESSION, _FILLED_BY
    return _DROP_TABLE, _RENAME_TABLE


def _converted(conversion: Conversion | None) -> tuple[Choice, ...]:
    """Returns the server's own conversion where there is one: the check of the file refuses it elsewhere."""
    return (_BARE,) if conversion is None or conversion.bare else ()


def _renamed(conversion: Conversion | None) -> tuple[Choice, ...]:
    """Returns the rename where a person has nothing to decide about the values."""
    renamed = Choice("rename", Action.RENAME, _RENAME.does)
    return (renamed,) if conversion is None or conversion.automatic else ()


def _left_behind(asked: Asked) -> tuple[Choice, ...]:
    """Returns the way to say that the old column goes nowhere. Of two columns that belong together one would
    be asked about again.
    """
    if not asked.required:
        return (_IGNORE,)
    then = f"{_IGNORE.does}; what fills the new one instead, `resolve generate` asks"
    return () if asked.paired else (replace(_IGNORE, does=then),)


def _into(choice: Choice) -> Choice:
    return Choice(choice.name, choice.action, choice.does, (_NEW_COLUMN, *choice.fields))


def _named(column: str | None) -> bool:
    return column is not None and column not in PLACEHOLDERS


_CHILDREN = Field(
    "children",
    "what becomes of rows that refer to those left out",
    Kind.WORD,
    True,
    ("reject", "leave_out", "null"),
)
_REPOINT = Field("repoint_children", "rows that refer to them follow", Kind.FLAG, True)
_ADDITIONS = (
    Choice(
        "take only some rows",
        Action.FILTER,
        "rows for which the condition is not true are left out, and counted",
        (
            Field("where", "a condition over the old row, for example old.deleted_at IS NULL", Kind.SQL),
            _CHILDREN,
        ),
    ),
    Choice(
        "fill a column",
        Action.TRANSFORM,
        "the old server computes an SQL expression for a new column",
        (_NEW_COLUMN, _SQL),
    ),
    Choice(
        "make several rows of one",
        Action.ROWS,
        "each old row gives as many rows as the expression has items, each called item",
        (
            Field("from", "for example regexp_split_to_table(old.tags, ',') AS item(tag)", Kind.SQL),
            Field("where", "only items for which this is true, for example item.tag <> ''", Kind.SQL, True),
        ),
    ),
    Choice(
        "make one row of equal ones",
        Action.MERGE,
        "rows with equal keys become one, the first in an order",
        (
            Field("key", "an expression a line, for example lower(old.email)", Kind.LINES),
            Field("keep", "the order, for example old.created DESC", Kind.SQL),
            _REPOINT,
        ),
    ),
    Choice(
        "give a key new values",
        Action.NEW_KEY,
        "the key gets new values, and every foreign key that leads to it follows",
        (
            Field("column", "the key column"),
            Field("as", 'for example "uuid", "number" or {"offset": 1000000}', Kind.JSON),
        ),
    ),
    Choice(
        "meet rows that are there",
        Action.EXISTING,
        "says what becomes of rows that the new database holds already",
        (
            Field("key", "the new columns that find them, one a line", Kind.LINES),
            Field("rows", "what becomes of them", Kind.WORD, False, ("same", "reject", "keep", "update")),
            _REPOINT,
        ),
    ),
    Choice(
        "fill a table by a query",
        Action.QUERY,
        "the rows of a SELECT fill the new table; its columns have the names of the new ones",
        (
            Field("sql", "a SELECT over tables of the old database, schema-qualified", Kind.SQL),
            Field("key", "the output columns that identify a row, one a line", Kind.LINES),
        ),
    ),
)


def additions() -> tuple[Choice, ...]:
    """Returns what a person may say of a table, or of one more flow, beside the questions."""
    return _ADDITIONS
