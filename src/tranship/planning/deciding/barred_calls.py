"""Functions that an expression over one row of OLD may not call, by name: their values belong to the moment,
the transaction or something outside the row.

Volatile functions are refused by OLD's planner. Those named here are STABLE, hide behind functions that only
claim to be, or deserve a reason of their own (PostgreSQL documentation, "Function Volatility Categories",
"System Information Functions", "Date/Time Functions").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain

from msgspec import Struct

from tranship.model.builtin_types import MOMENT_WORDS


class Why(StrEnum):
    """Why a function is barred."""

    TIME = "time"
    TRANSACTION = "transaction"
    OUTSIDE = "outside"


class BarredCall(Struct, frozen=True):
    """A function that an expression must not call, or a table of the server that it must not read."""

    name: str
    why: Why


_TIME_WORDS = frozenset(["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"])
"""The current time without brackets, or with a precision in them."""
_BARRED = {
    Why.TIME: r"now|(?:transaction|statement|clock)_timestamp|timeofday",
    Why.TRANSACTION: r"txid_(?:current\w*|status)|pg_current_(?:xact_id|snapshot)\w*|pg_xact_status"
    r"|pg_backend_pid|pg_export_snapshot|pg_(?:current|last)_wal\w*|pg_last_xact\w*",
    Why.OUTSIDE: r"dblink\w*|postgres_fdw_\w+|lo_\w+|loread|lowrite|pg_read_\w+|pg_ls_\w+|pg_stat_\w+"
    r"|pg_file_\w+|pg_sleep\w*|set_config|current_setting|pg_show_all_\w+|setseed"
    r"|nextval|setval|currval|lastval|pg_(?:try_)?advisory_\w+"
    r"|pg_notify|pg_(?:cancel|terminate)_backend|pg_reload_conf|pg_rotate_logfile|pg_logical_\w+"
    r"|pg_create_\w+|pg_drop_\w+"
    r"|(?:query|cursor|table|schema|database)_to_xml\w*|inet_(?:client|server)_\w+",
}
_TABLES = re.compile(
    r"pg_(?:authid|shadow|roles|user|user_mappings?|(?:file_)?settings|db_role_setting|hba_file_rules|locks"
    r"|largeobject|subscription|stats|statistic|stat_\w+|statio_\w+)"
)
"""Tables and views of the server whose rows are roles, settings, or of the moment."""
_PATTERNS = {why: re.compile(names) for why, names in _BARRED.items()}
_NAME = r"""(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)"""
_TOKEN = re.compile(
    rf"""(?P<skipped>\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|(?P<tag>\$\w*\$).*?(?P=tag))
    |(?P<comment>--[^\r\n]*|/\*.*?\*/)
    |(?P<name>{_NAME}(?:\s*\.\s*{_NAME})*)(?P<call>\s*\()?""",
    re.DOTALL | re.VERBOSE,
)
_PART = re.compile(_NAME)
_WORDS = rf"(?<![a-z])(?P<word>{'|'.join(MOMENT_WORDS)})(?![a-z])"
_MOMENT = re.compile(_WORDS, re.IGNORECASE)
_TYPES = r"(?:date|time(?:stamp)?(?:tz)?)\b"
_PRECISION = r"(?:\s*\(\s*\d+\s*\))?(?:\s+with(?:out)?\s+time\s+zone)?"
_LITERAL = rf"'[^']*?{_WORDS}[^']*'"
_READ_AS_MOMENT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # As people write it; as EXPLAIN prints the cast of a text that it does not compute.
        rf"\b{_TYPES}{_PRECISION}\s*{_LITERAL}",
        rf"{_LITERAL}(?:::cstring|\s*::\s*text)?\)*\s*::\s*{_TYPES}",
        rf"\bcast\s*\(\s*{_LITERAL}\s+as\s+{_TYPES}",
    )
)
_BUILT_IN = "pg_catalog"


def calls(sql: str) -> tuple[tuple[str, ...], ...]:
    """Returns the names before an opening bracket, in parts, and the current time's keywords."""
    found = []
    for token, parts in _names(sql):
        if token["call"] or (len(parts) == 1 and parts[0] in _TIME_WORDS and token["name"][0] != '"'):
            found.append(parts)
    return tuple(found)


def _names(sql: str) -> Iterator[tuple[re.Match[str], tuple[str, ...]]]:
    for token in _TOKEN.finditer(sql):
        if token["name"] is not None:
            yield token, tuple(_plain(part) for part in _PART.findall(token["name"]))


def barred_call(sql: str) -> BarredCall | None:
    """Returns the first barred call of an SQL text, or table of the server; None where there is none.

    The same name in a schema of the user's is another function, unless it reaches outside: extensions are
    created in any schema.
    """
    barred = (_barred(sql, name, schema) for *schema, name in calls(sql))
    tables = (BarredCall(name, Why.OUTSIDE) for name in _server_tables(sql))
    return next(filter(None, chain(barred, tables)), None)


def _barred(sql: str, name: str, schema: Sequence[str]) -> BarredCall | None:
    built_in = not schema or schema[-1] == _BUILT_IN
    if built_in and name in _TIME_WORDS:
        return BarredCall(name.upper(), Why.TIME)
    if built_in and name == "age" and _has_one_argument(sql):
        return BarredCall("age with one argument", Why.TIME)
    if not built_in and not name.startswith(("dblink", "postgres_fdw")):
        return None
    found = (why for why, pattern in _PATTERNS.items() if pattern.fullmatch(name))
    return next((BarredCall(name, why) for why in found), None)


def _server_tables(sql: str) -> Iterator[str]:
    """Yields the names of the server's own tables. In a schema of the user's they are other tables."""
    for token, (*schema, name) in _names(sql):
        if not token["call"] and schema in ([], [_BUILT_IN]) and _TABLES.fullmatch(name):
            yield name


def moment_read(sql: str) -> str | None:
    """Returns the word of a literal that an SQL text itself reads as a date or time, as in ``'today'::date``;
    None where there is none.
    """
    found = (match for pattern in _READ_AS_MOMENT if (match := pattern.search(sql)) is not None)
    return next((match["word"].lower() for match in found), None)


def moment_trials(sql: str) -> tuple[tuple[str, str], ...]:
    """Returns each word for a moment in the literals of an SQL text, with the text in which it is no such
    word.

    A server that refuses the changed text as no date would read the word as the moment of reading. A letter
    is added, because punctuation in a date is ignored.
    """
    return tuple(
        (word["word"].lower(), f"{sql[: token.start() + word.end()]}x{sql[token.start() + word.end() :]}")
        for token in _TOKEN.finditer(sql)
        if token["skipped"]
        for word in _MOMENT.finditer(token["skipped"])
    )


def _plain(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()


def _has_one_argument(sql: str) -> bool:
    """Returns whether a call of age() has no comma of its own: it counts from the current date."""
    bare = _TOKEN.sub(lambda token: token[0] if token["name"] else "''", sql)
    return any(
        "," not in _own_arguments(bare, call.end())
        for call in re.finditer(r"\bage\"?\s*\(", bare, re.IGNORECASE)
    )


def _own_arguments(sql: str, start: int) -> str:
    """Returns what stands between a bracket and its end, without what inner brackets hold."""
    own, depth = "", 0
    for sign in sql[start:]:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
        if depth < 0:
            break
        own += sign if depth == 0 else ""
    return own
