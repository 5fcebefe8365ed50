"""Commands in messages as this program was called: with its spelling, and the databases of the call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tranship.model.options import command_line
from tranship.model.resolution import Problem
from tranship.report.folded import COMMANDS

_COMMAND = re.compile(
    rf"(?<!-m )\btranship (resolve (?:generate|validate|edit)\b|(?:{COMMANDS})\b)( CONFIG\b)?"
)
"""A command in a message, and the placeholder for the words that name the databases."""


def spelled(text: str, invocation: str, databases: Sequence[str]) -> str:
    """Returns a message with its commands as this program was called, and with the databases that the call
    named: who calls the classic scripts need not have a command ``tranship``.
    """

    def again(found: re.Match[str]) -> str:
        named = (tuple(databases) or ("CONFIG",)) if found[2] else ()
        return command_line(invocation, found[1], *named)

    return _COMMAND.sub(again, text)


def spelled_problems(
    problems: Iterable[Problem], invocation: str, databases: Sequence[str]
) -> tuple[Problem, ...]:
    """Returns problems with such commands in their hints."""
    return tuple(replace(one, hint=spelled(one.hint, invocation, databases)) for one in problems)
