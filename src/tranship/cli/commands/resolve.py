"""``tranship resolve``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, results
from tranship.model.visible import visible

if TYPE_CHECKING:
    from tranship.api import Suggestion
    from tranship.planning.deciding.suggest import Question


@click.group()
def command() -> None:
    """Write or check the file with your decisions. Neither connects to a database."""


@command.command("generate", no_args_is_help=True)
@click.argument("changes", type=click.Path(path_type=Path))
@results
@click.option(
    "--update/--fresh",
    default=True,
    show_default=True,
    help="Keep the decisions of an existing file and add new questions, or start over.",
)
@answering
@click.pass_context
def generate(
    context: click.Context, changes: Path, prefix: str | None, results_dir: str, update: bool
) -> None:
    """Write every open question of CHANGES with a suggestion and its evidence to
    [P_]manual_resolutions.json.
    """
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.terminal import say
    from tranship.codec import encode

    call = context.ensure_object(CliContext)
    # No loop would be needed, but signals are answered there.
    suggestion = run(lambda _: api.suggest(changes, prefix=prefix, results_dir=results_dir, fresh=not update))
    if call.json:
        say(encode(_as_json(suggestion, values=call.show_values)).decode().rstrip("\n"))
        return
    for one in suggestion.dropped:
        say(visible(f"dropped: {one}"))
    if suggestion.kept:
        say(f"kept: {suggestion.kept} decisions of the earlier file")
    if suggestion.path is None:
        say("Nothing is open: no resolutions file is needed, and none was written.")
        return
    for question in suggestion.questions:
        _say_question(question, say, values=call.show_values)
    if not suggestion.questions:
        say("Nothing is open.")
    say()
    say(f"Resolutions: {suggestion.path}")
    if suggestion.inserts is not None:
        say(f"Missing lookup rows: {suggestion.inserts}")
    say("Decide there (SPECIFY_… is open), then:" if suggestion.questions else "Next:")
    for line in _next(call.invocation, str(suggestion.path), str(changes), prefix):
        say(f"  {line}")


def _as_json(suggestion: Suggestion, *, values: bool) -> dict[str, object]:
    """Returns the answer for programs: the paths as texts, and the questions with their evidence in words."""
    return {
        "exit_status": 0,
        "resolutions_file": None if suggestion.path is None else str(suggestion.path),
        "missing_lookups_file": None if suggestion.inserts is None else str(suggestion.inserts),
        "kept": suggestion.kept,
        "dropped": suggestion.dropped,
        "questions": [
            {
                "number": one.number,
                "table": one.table,
                "question": one.text,
                "suggestion": one.suggestion,
                "answered": one.answered,
                "evidence": one.facts(values=values),
            }
            for one in suggestion.questions
        ],
    }


def _say_question(question: Question, say: Callable[[str], None], *, values: bool) -> None:
    mark = "✓ filled in" if question.answered else "open"
    say(visible(f"{question.number}. [{question.table}] {question.text}"))
    say(visible(f"     → {question.suggestion} ({mark})"))
    for fact in question.facts(values=values):
        say(visible(f"       {fact}"))


def _next(invocation: str, resolutions: str, changes: str, prefix: str | None) -> tuple[str, ...]:
    from tranship.model.options import command_line

    named = ("--prefix", prefix) if prefix else ()
    check = command_line(invocation, "resolve validate", resolutions, changes)
    return check, command_line(
        invocation, "migrate", "CONFIG", *named, "--resolutions", resolutions, "--changes-file", changes
    )


@command.command("validate", no_args_is_help=True)
@click.argument("resolutions", type=click.Path(path_type=Path))
@click.argument("changes", type=click.Path(path_type=Path))
@answering
@click.pass_context
def validate(context: click.Context, resolutions: Path, changes: Path) -> None:
    """Check RESOLUTIONS against CHANGES and list all problems at once. The dry run checks what only a server
    can tell.
    """
    from tranship import api
    from tranship.cli.terminal import say
    from tranship.cli.trouble import line_of
    from tranship.codec import encode

    problems = api.validate(resolutions, changes)
    wrong = [problem for problem in problems if not problem.warning]
    if context.ensure_object(CliContext).json:
        say(encode({"exit_status": 1 if wrong else 0, "problems": problems}).decode().rstrip("\n"))
    else:
        for problem in problems:
            say(line_of(problem))
        say(f"{len(wrong)} problems" if wrong else f"✓ {resolutions}: every question is answered")
        say("What only a server can tell (types of values, lookups, SQL) is checked by the dry run.")
    context.exit(1 if wrong else 0)
