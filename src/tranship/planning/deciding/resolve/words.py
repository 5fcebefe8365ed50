"""The words of a resolutions file: placeholders, the fields each action takes, and how a problem names its
entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from heapq import nsmallest

from msgspec import UNSET
from msgspec.structs import replace

from tranship.codec import nearest
from tranship.codec.entry_fields import NEW_VALUES
from tranship.errors.codes.decisions import SuggestionNotTaken
from tranship.errors.codes.entries import (
    ColumnOfRows,
    DefaultWithoutTable,
    EmptyMapping,
    EmptyName,
    EmptySql,
    FieldBesideSql,
    FieldNeeded,
    KeySqlWithoutLookup,
    NoAction,
    OldColumnNotAmong,
    OldColumnsWithoutKeys,
    SeveralWays,
    UneditedSql,
    UnknownAction,
    WaysNeeded,
    WrongFields,
)
from tranship.errors.message import RefusalMessage
from tranship.model.resolution import Action, Problem, Resolution

SPECIFY_ACTION = "SPECIFY_ACTION"
SPECIFY_NEW_COLUMN_NAME = "SPECIFY_NEW_COLUMN_NAME"
SPECIFY_DEFAULT_VALUE = "SPECIFY_DEFAULT_VALUE"
SPECIFY_CONDITION = "SPECIFY_CONDITION"
PLACEHOLDERS = frozenset({SPECIFY_ACTION, SPECIFY_NEW_COLUMN_NAME, SPECIFY_DEFAULT_VALUE, SPECIFY_CONDITION})
USE_SCHEMA_DEFAULT = "USE_SCHEMA_DEFAULT"

# Names in a hint: as many as fit into two lines of a terminal.
MOST_SHOWN = 10

TABLE_ACTIONS = (Action.RENAME_TABLE, Action.DROP_TABLE)
"""What an old table as a whole becomes."""
ROW_ACTIONS = (Action.FILTER, Action.ROWS, Action.MERGE, Action.NEW_KEY, Action.EXISTING, Action.QUERY)
"""What a flow does with its rows before their columns are filled."""
CONSTRAINT_ACTIONS = (Action.ADOPT, Action.TOLERATE)
"""What a constraint of NEW means for a flow's rows."""
_FEEDS = frozenset({"old_column", "old_columns", "new_column"})
_NEEDED: dict[Action, tuple[str, ...]] = {
    Action.RENAME: ("old_column", "new_column"),
    Action.TRANSFORM: ("old_column", "new_column"),
    Action.FILTER: ("where",),
    Action.ROWS: ("from",),
    Action.MERGE: ("key",),
    Action.NEW_KEY: ("column", "as"),
    Action.EXISTING: (),
    Action.QUERY: ("sql", "key"),
    Action.DEFAULT: ("new_column", "default_value"),
    Action.IGNORE: ("old_column",),
    Action.RENAME_TABLE: ("new_table",),
    Action.DROP_TABLE: (),
    Action.ADOPT: ("constraint",),
    Action.TOLERATE: ("constraint",),
}
_ALLOWED: dict[Action, frozenset[str]] = {
    Action.RENAME: frozenset({"old_column", "new_column"}),
    Action.TRANSFORM: _FEEDS
    | {"value_mapping", "lookup_table", "key_sql", "transform_sql", "default_value", "null_value"},
    Action.DEFAULT: frozenset({"new_column", "default_value"}),
    Action.IGNORE: frozenset({"old_column"}),
    Action.RENAME_TABLE: frozenset({"new_table", "new_schema"}),
    Action.DROP_TABLE: frozenset(),
    Action.FILTER: frozenset({"where", "children"}),
    Action.ROWS: frozenset({"from", "where", "order_by"}),
    Action.MERGE: frozenset({"key", "keep", "repoint_children"}),
    Action.NEW_KEY: frozenset({"column", "as"}),
    Action.EXISTING: frozenset({"key", "rows", "repoint_children"}),
    Action.QUERY: frozenset({"sql", "key", "cut_by"}),
    Action.ADOPT: frozenset({"constraint"}),
    Action.TOLERATE: frozenset({"constraint"}),
}
EXAMPLES = {
    "transform_sql": "an expression over the old row, for example lower(old.email)",
    "key_sql": "an expression over the old row, for example lower(old.email)",
    "where": "a condition over the row, for example old.deleted_at IS NULL",
    "from": "what makes the items, for example unnest(old.tags) AS item(tag)",
    "order_by": "expressions over the item, for example item.tag",
    "key": "an expression over the old row, for example lower(old.email)",
    "keep": "expressions over the old row, for example old.created DESC",
    "sql": "a SELECT over OLD, its tables with their schemas",
}
"""Fields that hold SQL, with what belongs there."""
_WAYS = frozenset({"value_mapping", "lookup_table", "transform_sql"})
"""Fields of a ``transform`` that say how, one of which a suggestion may hold."""
# An entry's path begins the object of its problems; the table's key may hold brackets, in its quotes.
_ENTRY_PATH = re.compile(r"""\$\.(?:for_all|resolutions(?:\.\w+|\["(?:[^"\\]|\\.)*"\]))\[\d+\]""")
# What a quoted region of SQL looks like: escape strings first, then plain ones, identifiers, dollar quotes,
# comments.
QUOTED = re.compile(
    r"""\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$).*?\1|--[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns ``did you mean 'a'?`` or, with nothing near, up to ten of the known names; empty when none is
    known.
    """
    names = tuple(dict.fromkeys(known))
    near = nearest(word, names) if word else None
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return ""
    shown = ", ".join(repr(name) for name in nsmallest(MOST_SHOWN, names))
    return f"known: {shown}" + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")


def fields_of(action: Action) -> frozenset[str]:
    """Returns the fields that an action takes."""
    return _ALLOWED[action]


def action_of(entry: Resolution) -> Action | None:
    """Returns the entry's action; None for a placeholder or an unknown word."""
    return Action(entry.action) if entry.action in Action._value2member_map_ else None


def plain(entry: Resolution) -> Resolution:
    """Returns the entry without what stands in the question and its action has no use for: placeholders, and
    the columns of a new key, which it names itself.

    Someone who answers a question need not delete them. Columns of two names are also a ``rename``, which
    ``renamed_key`` returns.
    """
    if entry.action == Action.NEW_KEY and entry.column in (entry.old_column, entry.new_column):
        column = entry.old_column or entry.column
        entry = replace(entry, old_column=None, new_column=None, column=column)
    if entry.action == Action.IGNORE and entry.new_column in PLACEHOLDERS:
        entry = replace(entry, new_column=None)
    if entry.default_value in PLACEHOLDERS and not _takes(entry, "default_value"):
        entry = replace(entry, default_value=UNSET)
    return entry


def renamed_key(entry: Resolution) -> tuple[Resolution, ...]:
    """Returns the ``rename`` that an entry of a new key says beside it; nothing where it says none."""
    old, new = entry.old_column, entry.new_column
    if entry.action != Action.NEW_KEY or old is None or new is None or old == new:
        return ()
    if entry.column not in (old, new):
        return ()
    return (replace(entry, action=Action.RENAME.value, column=None, new_values=None),)


def _takes(entry: Resolution, field: str) -> bool:
    action = action_of(entry)
    return action is None or field in fields_of(action)


def is_open(entry: Resolution) -> bool:
    """Returns whether a placeholder is in a field that the entry's action uses: then it asks, it does not
    decide.
    """
    entry = plain(entry)
    texts: list[object] = [
        entry.action,
        entry.old_column,
        *entry.old_columns,
        entry.new_column,
        entry.new_table,
        entry.default_value,
    ]
    texts += [entry.null_value, entry.transform_sql, *(result for _, result in entry.value_mapping or ())]
    texts += [entry.column, *entry.key, *(text for _, text in sql_texts(entry))]
    if entry.lookup_table is not None:
        texts += [entry.lookup_table.table, entry.lookup_table.value_column, *entry.lookup_table.keys]
    return any(isinstance(text, str) and text in PLACEHOLDERS for text in texts)


def unmapped(entry: Resolution) -> tuple[str, ...]:
    """Returns the old values that a mapping leaves open."""
    return tuple(value for value, result in entry.value_mapping or () if result in PLACEHOLDERS)


def problem(entry: Resolution, what: RefusalMessage, *, column: str | None = None) -> Problem:
    """Returns a problem of one entry."""
    return what.problem(problem_object(entry, column=column))


def problem_object(entry: Resolution, *, column: str | None = None) -> str:
    """Returns how problems name an entry: ``$.resolutions.users[0] (users.status), line 7``."""
    named = column or entry.new_column or next(iter(entry.sources), None) or entry.new_table or entry.column
    named = named or entry.constraint
    about = f"{entry.table}.{named}" if named is not None and named not in PLACEHOLDERS else entry.table
    line = f", line {entry.line}" if entry.line else ""
    return f"{entry.path} ({about}){line}"


def entry_path(problem: Problem) -> str:
    """Returns the JSON path of the entry that a problem is about; empty where it is about none."""
    found = _ENTRY_PATH.match(problem.object)
    return found.group() if found is not None else ""


def _needed(action: Action, field: str) -> FieldNeeded:
    """Returns what to say of a field that an action lacks."""
    if (action, field) == (Action.NEW_KEY, "as"):
        return WaysNeeded(action.value, field, NEW_VALUES)
    return FieldNeeded(action.value, field)


def check_fields(entry: Resolution, action: Action) -> Iterator[Problem]:
    """Yields a problem for fields that are missing, that the action does not take, or that exclude each
    other.
    """
    given = _given(entry)
    # A transform may name several old columns, or an expression says what is read.
    reading = {"old_columns", "transform_sql", "key_sql"} & given if action is Action.TRANSFORM else ()
    for field in _NEEDED[action]:
        if field not in given and not (reading and field == "old_column"):
            yield problem(entry, _needed(action, field))
    of_rows = action in ROW_ACTIONS
    for field in sorted(given - _ALLOWED[action]):
        wrong = ColumnOfRows if of_rows and field in _FEEDS else WrongFields
        yield problem(entry, wrong(action.value, field, _homes(field)))
    if action is Action.TRANSFORM:
        yield from _check_transform(entry, given)
        yield from _left_in_suggestion(entry, given)
    for field, text in sql_texts(entry):
        yield from _check_sql(entry, field, text)


def empty_names(entry: Resolution) -> Iterator[Problem]:
    """Yields a problem for each field whose name is the empty text, which no column and no constraint has.

    ``new_table`` and ``new_schema`` are looked up before, with the tables.
    """
    names = {
        "old_column": (entry.old_column,),
        "old_columns": entry.old_columns,
        "new_column": (entry.new_column,),
        "column": (entry.column,),
        "constraint": (entry.constraint,),
        "rows": (entry.rows,),
        "cut_by": (entry.cut_by,),
        "key": entry.key if entry.action != Action.MERGE else (),
    }
    lookup = entry.lookup_table
    if lookup is not None:
        names |= {
            "lookup_table.table": (lookup.table,),
            "lookup_table.schema": (lookup.schema,),
            "lookup_table.value_column": (lookup.value_column,),
            "lookup_table.key_column": (lookup.key_column,),
            "lookup_table.key_columns": lookup.key_columns,
        }
    for field, given in names.items():
        if "" in given:
            yield problem(entry, EmptyName(entry.action, field))


def _left_in_suggestion(entry: Resolution, given: AbstractSet[str]) -> Iterator[Problem]:
    """Yields a warning where a person typed the suggested action, and left among the comments what says
    how.
    """
    if not entry.source or given & _WAYS:
        return
    written = json.loads(entry.source)
    suggested = written.get("_suggestion")
    # The terminal and the studio ask for each field: who chose a bare transform there meant it.
    if isinstance(suggested, dict) and suggested.get("action") == entry.action and "_decided" not in written:
        yield from (
            problem(entry, SuggestionNotTaken(entry.action, way)) for way in sorted(_WAYS & set(suggested))
        )


def sql_texts(entry: Resolution) -> Iterator[tuple[str, str]]:
    """Yields the fields of an entry that hold SQL, with each text."""
    single = {
        "transform_sql": entry.transform_sql,
        "where": entry.where,
        "from": entry.items,
        "order_by": entry.order_by,
        "keep": entry.keep,
        "sql": entry.query,
    }
    yield from ((field, text) for field, text in single.items() if text is not None)
    yield from (("key_sql", text) for text in entry.key_sql)
    if entry.action == Action.MERGE:
        yield from (("key", text) for text in entry.key)


def unknown_action(entry: Resolution) -> Problem:
    """Returns the problem of an action that does not exist."""
    if not entry.action:
        return problem(entry, NoAction("", did_you_mean("", (a.value for a in Action))))
    hint = did_you_mean(entry.action, (a.value for a in Action))
    return problem(entry, UnknownAction(entry.action, hint))


def unedited(sql: str) -> str | None:
    """Returns the first ``{placeholder}`` outside of quotes, where PostgreSQL has no use for a brace; None
    without one.
    """
    found = re.search(r"\{[^{}]*\}", QUOTED.sub("''", sql))
    return found.group() if found else None


def _given(entry: Resolution) -> frozenset[str]:
    present: dict[str, bool] = {
        "old_column": entry.old_column is not None,
        "old_columns": bool(entry.old_columns),
        "new_column": entry.new_column is not None,
        "value_mapping": entry.value_mapping is not None,
        "lookup_table": entry.lookup_table is not None,
        "transform_sql": entry.transform_sql is not None,
        "default_value": entry.default_value is not UNSET,
        "null_value": entry.null_value is not UNSET,
        "new_table": entry.new_table is not None,
        "key_sql": bool(entry.key_sql),
        "where": entry.where is not None,
        "children": bool(entry.children),
        "from": entry.items is not None,
        "order_by": entry.order_by is not None,
        "key": bool(entry.key),
        "keep": entry.keep is not None,
        "repoint_children": entry.repoint_children is not None,
        "column": entry.column is not None,
        "as": entry.new_values is not None,
        "rows": entry.rows is not None,
        "sql": entry.query is not None,
        "cut_by": entry.cut_by is not None,
        "new_schema": entry.new_schema is not None,
        "constraint": entry.constraint is not None,
    }
    return frozenset(field for field, there in present.items() if there)


def _homes(field: str) -> str:
    return " or ".join(repr(action.value) for action in Action if field in _ALLOWED[action])


def _check_transform(entry: Resolution, given: frozenset[str]) -> Iterator[Problem]:
    ways = [way for way in ("value_mapping", "lookup_table", "transform_sql") if way in given]
    if len(ways) > 1:
        yield problem(entry, SeveralWays(" and ".join(ways)))
    if not ways and "default_value" in given:
        yield problem(entry, DefaultWithoutTable())
    if "key_sql" in given and "lookup_table" not in given:
        yield problem(entry, KeySqlWithoutLookup())
    if ways == ["transform_sql"]:
        for field in sorted(given & {"default_value", "null_value"}):
            yield problem(entry, FieldBesideSql(field))
    yield from _check_old_columns(entry, ways)
    if entry.value_mapping == () and "default_value" not in given:
        yield problem(entry, EmptyMapping())


def _check_old_columns(entry: Resolution, ways: Sequence[str]) -> Iterator[Problem]:
    # A mapping and the bare conversion read one value; a lookup has several keys, and SQL names columns
    # itself.
    if entry.old_columns and ways in ([], ["value_mapping"]):
        yield problem(entry, OldColumnsWithoutKeys())
    if entry.old_column is not None and entry.old_column not in entry.sources:
        yield problem(entry, OldColumnNotAmong(entry.old_column))


def _check_sql(entry: Resolution, field: str, sql: str) -> Iterator[Problem]:
    if not sql.strip():
        yield problem(entry, EmptySql(field, EXAMPLES[field]))
    placeholder = unedited(sql)
    if placeholder is not None:
        yield problem(entry, UneditedSql(field, placeholder))
