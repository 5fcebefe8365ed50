"""The one JSON envelope in which every command answers with ``--format json``."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship import __version__
from tranship.cli.context import CliContext
from tranship.cli.terminal import say
from tranship.codec import encode
from tranship.model.resolution import Problem
from tranship.model.verdict import MigrationResult
from tranship.model.verification import Verification
from tranship.report.spelled import spelled_problems

ENVELOPE_FORMAT = 1
"""Raised when a key of the envelope, or of a result in it, is renamed or removed; new keys may come at any
time.
"""


def answer_json(
    call: CliContext, result: object, *, status: int = 0, problems: Sequence[Problem] = ()
) -> None:
    """Writes the answer of a command to stdout.

    Args:
        call: the call, whose command is named.
        result: what the command found or did; None where it could not begin.
        status: the exit status with which it ends.
        problems: errors and warnings, each with its code.
    """
    problems = spelled_problems(problems, call.invocation, call.databases)
    if isinstance(result, MigrationResult | Verification):
        # The same problems stand in the result.
        result = replace(result, problems=spelled_problems(result.problems, call.invocation, call.databases))
    envelope = {
        "format_version": ENVELOPE_FORMAT,
        "tool_version": __version__,
        "command": call.command,
        "exit_status": status,
        "problems": problems,
        "result": result,
    }
    say(encode(envelope).decode().rstrip("\n"), whole=True)
