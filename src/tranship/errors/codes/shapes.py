"""TS304 and TS305: what an entry says about the rows of a flow does not fit the tables, or other entries."""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
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
    meaning = "an entry about the rows of a flow does not fit its tables"
    cure = "correct it; the message says what does not fit"
    message = "OLD's column {column!r} fills no column of NEW, so its new values would go nowhere"
    hint = "say by a 'rename' which new column it fills, or name another column"
    column: str


class NewKeyNoKey(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "{column!r} is no key of OLD's {table}: one value may stand in many rows"
    hint = "name a column that is a primary key, or unique, by itself"
    column: str
    table: TableName


class NewKeyOfType(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    message = "new values of the kind {kind!r} do not fit column {column!r} ({type})"
    hint = "'uuid' fits uuid and text; 'offset' and 'number' fit numbers"
    kind: str
    column: str
    type: str


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


class NumbersOfAnotherRun(RefusalMessage, frozen=True):
    code = "TS399"
    meaning = "rows refer to a key whose new numbers another run gave, or would give"
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
