"""What an error of a server means: a row that cannot be stored, a transient trouble, or a reason to stop."""

from __future__ import annotations

import re
from collections.abc import Sequence

import asyncpg
from msgspec import Struct

from tranship.errors import ConnectError
from tranship.model.catalog import ForeignKey
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.reasons import ParentMissing, ServerSaid
from tranship.model.verdict import Reject
from tranship.server.trouble import DRIVER_TROUBLE

_ROW_CLASSES = ("22", "23", "44", "P0", "38", "39", "54")
_NEVER_OF_A_ROW = ("08", "25", "28", "40", "53", "55", "57", "58")
"""Classes about the connection, the transaction, resources and cancellation: COPY names the line that was in
hand all the same.
"""
_OF_A_VALUE_ONLY = ("HV", "XX")
"""Classes that a single value may raise, but a damaged server as well: COPY has to name the column, too."""
_PRIVILEGE = "42501"
_TRANSIENT_CLASSES = ("08",)
# 57P01-3: shutdown, crash, start-up; 53300: too many connections; 40001, 40P01, 55P03: locks and deadlocks;
# 25P03: idle in transaction for too long; 57014: statement_timeout, or somebody cancelled the query.
_TRANSIENT = frozenset({"57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03", "25P03", "57014"})
_DIGITS = re.compile(r"\d+")


def is_rows_fault(error: BaseException, table: TableName | None = None) -> bool:
    """Returns whether a server refuses a row for what it holds, so that another row may pass.

    The classes of data exceptions and violated constraints are the row's fault everywhere. Other classes are
    when COPY names a line of ``table`` as the place of the error: the input function of a type may raise any
    code (``regclass`` 42P01, ``regproc`` 42883, ``ltree`` 42601, PostGIS XX000), and so may a function that a
    CHECK calls.
    """
    if not isinstance(error, asyncpg.PostgresError):
        return False
    state = sqlstate(error)
    if state[:2] in _ROW_CLASSES:
        return True
    place = _place(error, table) if table is not None else None
    if place is None or state[:2] in _NEVER_OF_A_ROW:
        return False
    # A missing privilege on a function or a schema concerns every row, unless it is a value that names the
    # schema.
    return place.in_column or not (state == _PRIVILEGE or state[:2] in _OF_A_VALUE_ONLY)


class _Place(Struct, frozen=True):
    """Where COPY was when it failed, out of the context of the error."""

    line: int
    rest: str
    """What follows the line number: ``, column c: "value"``, in the server's language."""

    @property
    def in_column(self) -> bool:
        """Whether COPY was reading one value (``, column c``) and not a whole line."""
        return self.rest.lstrip().startswith((",", "，", "、"))


def _place(error: asyncpg.PostgresError, table: TableName) -> _Place | None:
    """Finds our own relation's name in the context and the digits behind it, whatever the server's
    language.
    """
    # The words around table and number are translated by lc_messages; these two are not.
    context: str = getattr(error, "context", None) or ""
    for line in context.splitlines():
        _, found, rest = line.partition(f"COPY {table.name}")
        number = _DIGITS.search(rest) if found else None
        if number is not None:
            return _Place(int(number[0]), rest[number.end() :])
    return None


def is_transient(error: BaseException) -> bool:
    """Returns whether another try may succeed: connection, deadlock, lock time-out, restart and the like."""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        # Somebody altered what a statement with a name reads. The driver has forgotten it by now.
        return True
    if isinstance(error, asyncpg.PostgresError):
        state = sqlstate(error)
        return state in _TRANSIENT or state[:2] in _TRANSIENT_CLASSES
    if isinstance(error, ConnectError):
        return error.transient
    return isinstance(error, (*DRIVER_TROUBLE, TimeoutError))


def sqlstate(error: BaseException) -> str:
    """Returns the five characters of the error's SQLSTATE, or an empty text."""
    return getattr(error, "sqlstate", None) or ""


def failing_line(error: asyncpg.PostgresError, table: TableName) -> int | None:
    """Returns the line that COPY names in the error's context, from 1."""
    place = _place(error, table)
    return place.line if place is not None else None


def failing_column(error: asyncpg.PostgresError, table: TableName, columns: Sequence[str]) -> str | None:
    """Returns NEW's column, from the error's own field, else from COPY's context."""
    named: str | None = getattr(error, "column_name", None)
    if named is not None:
        return named
    place = _place(error, table)
    if place is None:
        return None
    matches = [c for c in columns if f" {c}: " in place.rest or place.rest.endswith(f" {c}")]
    return max(matches, key=len, default=None)


def reject_of(
    row: Locator,
    error: asyncpg.PostgresError,
    table: TableName,
    columns: Sequence[str],
    keys: Sequence[ForeignKey] = (),
) -> Reject:
    """Returns the reject of a row that NEW refused, with the server's message as its reason.

    ``keys``: the table's foreign keys. A row that breaks one of them has the reject that a dry run predicts.
    """
    for key in keys:
        if missing := _parent_missing(error, table, key):
            only = key.columns[0] if len(key.columns) == 1 else None
            return Reject(row, sqlstate(error), missing, only, key.name)
    detail = getattr(error, "detail", None)
    reason = f"{error.args[0] if error.args else error}" + (f" ({detail})" if detail else "")
    constraint: str | None = getattr(error, "constraint_name", None)
    return Reject(row, sqlstate(error), ServerSaid(reason), failing_column(error, table, columns), constraint)


def _parent_missing(error: asyncpg.PostgresError, table: TableName, key: ForeignKey) -> ParentMissing | None:
    """Returns the reason of an error that says of one foreign key that a row has no parent, with the row's
    key; None where it says something else, or does not show the key.
    """
    detail: str = getattr(error, "detail", None) or ""
    if sqlstate(error) != "23503" or getattr(error, "constraint_name", None) != key.name:
        return None
    # Its words are translated by lc_messages; columns, values and the parent's name are not. The value, which
    # may hold anything, ends before the last of the words, and they end with or hold the name.
    _, shown, rest = detail.partition(f"({', '.join(key.columns)})=(")
    value, closed, _ = rest[: max(rest.rfind(key.target.name), 0)].rpartition(")")
    if not (shown and closed):
        return None
    return ParentMissing(table.name, key.name, key.columns, f"({value})", key.target.name, gone=False)


class StreamBroken(Exception):
    """A stream ended and the two servers disagree about the number of rows."""
