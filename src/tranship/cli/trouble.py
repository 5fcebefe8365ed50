"""Prints failures: what happened, to which object, what to do next, and the stable code."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

import click
from msgspec.structs import replace

from tranship.cli.answer import answer_json
from tranship.cli.concealed import concealed
from tranship.cli.context import CliContext
from tranship.cli.terminal import note
from tranship.errors import TranshipError
from tranship.errors.codes.unforeseen import Unforeseen, UnforeseenDuringRun
from tranship.errors.codes.usage import WrongCommandLine
from tranship.model.resolution import Problem
from tranship.report.said_once import said_once, unnamed_object
from tranship.report.spelled import spelled as of_call


def tell(error: TranshipError, call: CliContext) -> int:
    """Prints an error; returns its exit status."""
    problems = concealed(error.problems, call.arguments)
    for line in lines_of(problems):
        note(spelled(line, call))
    _as_json(problems, error.exit_status, call)
    return error.exit_status


def spelled(text: str, call: CliContext) -> str:
    """Returns a message with its commands as this program was called, and with the databases of the call."""
    return of_call(text, call.invocation, call.databases)


def tell_usage(error: click.ClickException, call: CliContext) -> int:
    """Prints what is wrong with the command line; returns exit status 2."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        lacks = _lacking(error.ctx)
        note(f"{lacks}\n\n{error.format_message()}" if lacks else error.format_message())
        return 2
    message = error.format_message()
    context = getattr(error, "ctx", None)
    program = context.command_path if context is not None else call.invocation
    (problem,) = concealed((WrongCommandLine(message, program).problem(),), call.arguments)
    note(line_of(problem))
    _as_json((problem,), 2, call)
    return 2


def _lacking(context: click.Context | None) -> str:
    """Returns what a call without any argument lacks; empty for the program by itself, whose help is what is
    asked for.
    """
    if context is None:
        return ""
    if isinstance(context.command, click.Group):
        message = "Missing command." if context.parent is not None else ""
    else:
        missing = (one for one in context.command.params if isinstance(one, click.Argument) and one.required)
        names = [one.make_metavar(context) for one in missing]
        arguments = "argument" if len(names) == 1 else "arguments"
        message = f"Missing {arguments}: {', '.join(names)}." if names else ""
    return f"{WrongCommandLine.code} {message}" if message else ""


def tell_unforeseen(error: Exception, call: CliContext) -> int:
    """Prints a failure that the program does not expect; returns 4 where rows may have been committed, else
    2.

    Of a server's error only the SQLSTATE is printed unless values may be shown: its message may hold values
    of rows.
    """
    note("".join(traceback.format_tb(error.__traceback__)).rstrip())
    state = getattr(error, "sqlstate", None)
    message = f"SQLSTATE {state}" if state and not call.show_values else str(error)
    what = (UnforeseenDuringRun if call.writes else Unforeseen)(type(error).__name__, message)
    (problem,), status = concealed((what.problem(),), call.arguments), what.exit_status
    note(line_of(problem))
    _as_json((problem,), status, call)
    return status


def lines_of(problems: Sequence[Problem]) -> list[str]:
    """Returns the lines that show several problems.

    A first problem without an object introduces the others, so its hint comes last. A hint that all others
    share is left out there.
    """
    head, *rest = problems
    if not rest or head.object:
        return listed(problems)
    rest = said_once(rest)
    last = [f"  hint: {head.hint}"] if head.hint else []
    if len({problem.hint for problem in rest}) == 1:
        rest = [replace(problem, hint="") for problem in rest]
    return [
        f"{head.code} {head.message}",
        *(f"  {line_of(problem)}".replace("\n", "\n  ") for problem in rest),
        *last,
    ]


def listed(problems: Sequence[Problem]) -> list[str]:
    """Returns the lines that show problems which no first one introduces; a hint that several in succession
    share stands after the last of them.
    """
    problems = said_once(problems)
    following = [problem.hint for problem in problems[1:]]
    return [
        line_of(replace(one, hint="") if place < len(following) and following[place] == one.hint else one)
        for place, one in enumerate(problems)
    ]


def line_of(problem: Problem) -> str:
    """Returns the text that shows a problem: one line, and a second one with its hint."""
    about = unnamed_object(problem)
    where = f"{about}: " if about else ""
    sign = "⚠ " if problem.warning else ""
    hint = f"\n  hint: {problem.hint}" if problem.hint else ""
    return f"{sign}{problem.code} {where}{problem.message}{hint}"


def _as_json(problems: tuple[Problem, ...], status: int, call: CliContext) -> None:
    if call.json:
        answer_json(call, None, status=status, problems=problems)
