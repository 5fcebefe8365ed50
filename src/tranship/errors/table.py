"""The table of error codes as a whole: for ``tranship explain``, the manual and the tests."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.errors.codes import (
    cluster,
    configuration,
    connection,
    decisions,
    differs,
    entries,
    entry_values,
    followers,
    privileges,
    rejects_only,
    rollback,
    runs,
    scope,
    shapes,
    stale_references,
    start,
    stops,
    studio,
    unforeseen,
    unrecorded,
    upkeep,
    usage,
)
from tranship.errors.message import Message

MODULES = (
    usage,
    studio,
    cluster,
    configuration,
    scope,
    runs,
    rejects_only,
    connection,
    decisions,
    entries,
    entry_values,
    shapes,
    followers,
    stale_references,
    start,
    privileges,
    stops,
    rollback,
    upkeep,
    differs,
    unforeseen,
    unrecorded,
)
"""The files of the table."""


def rows() -> dict[str, type[Message]]:
    """Returns the class that defines each code, in the order of the codes."""
    heads = [one for one in _classes() if one.__dict__.get("meaning")]
    return {head.code: head for head in sorted(heads, key=lambda head: head.code)}


def messages(code: str) -> tuple[type[Message], ...]:
    """Returns every message of a code, the one that defines it first."""
    head = rows()[code]
    return (head, *(one for one in _classes() if one.code == code and one is not head))


def _classes() -> Iterator[type[Message]]:
    """All messages, in the order of the files."""
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Message) and value.__module__ == module.__name__:
                yield value
