"""What an error of a server means: the row's own fault, something that passes, or a reason to stop."""

from __future__ import annotations

import re
from collections.abc import Sequence

import asyncpg

from tranship.errors import ConnectError
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.reasons import ServerSaid
from tranship.model.verdict import Reject
from tranship.server.trouble import DRIVER_TROUBLE

_ROW_CLASSES = ("22", "23", "44", "P0", "38", "39", "54")
_PASSING_CLASSES = ("08",)
_PASSING = frozenset({"57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03", "25P03", "57014"})
_DIGITS = re.compile(r"\d+")


def is_rows_fault(error: BaseException) -> bool:
    """NEW refuses a row for what it holds; another row may pass."""
    return isinstance(error, asyncpg.PostgresError) and sqlstate(error)[:2] in _ROW_CLASSES


def passes(error: BaseException) -> bool:
    """Worth another try: connection, deadlock, lock time-out, too many connections, restart."""
    if isinstance(error, asyncpg.PostgresError):
        state = sqlstate(error)
        return state in _PASSING or state[:2] in _PASSING_CLASSES
    if isinstance(error, ConnectError):
        return error.transient
    return isinstance(error, (*DRIVER_TROUBLE, TimeoutError))


def sqlstate(error: BaseException) -> str:
    """Five characters, or nothing."""
    return getattr(error, "sqlstate", None) or ""


def failing_line(error: asyncpg.PostgresError, table: TableName) -> int | None:
    """The line that COPY names in the error's context, from 1: the digits that follow our own relation's name, whatever the server's language."""
    context: str = getattr(error, "context", None) or ""
    for line in context.splitlines():
        _, found, rest = line.partition(f"COPY {table.name}")
        number = _DIGITS.search(rest) if found else None
        if number is not None:
            return int(number[0])
    return None


def failing_column(error: asyncpg.PostgresError, table: TableName, columns: Sequence[str]) -> str | None:
    """NEW's column, from the error's own field, else from COPY's context."""
    named: str | None = getattr(error, "column_name", None)
    if named is not None:
        return named
    context: str = getattr(error, "context", None) or ""
    for line in context.splitlines():
        _, found, rest = line.partition(f"COPY {table.name}")
        number = _DIGITS.search(rest) if found else None
        if number is None:
            continue
        after = rest[number.end() :]
        matches = [c for c in columns if f" {c}: " in after or after.endswith(f" {c}")]
        return max(matches, key=len, default=None)
    return None


def reject_of(row: Locator, error: asyncpg.PostgresError, table: TableName, columns: Sequence[str]) -> Reject:
    """The reject that a refused row becomes, in the server's words."""
    detail = getattr(error, "detail", None)
    reason = f"{error.args[0] if error.args else error}" + (f" ({detail})" if detail else "")
    constraint: str | None = getattr(error, "constraint_name", None)
    return Reject(row, sqlstate(error), ServerSaid(reason), failing_column(error, table, columns), constraint)


class StreamBroken(Exception):
    """The stream ended and the two servers do not agree that it was whole."""
