"""``tranship resolve``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, answering_as, results
from tranship.cli.exit_status import exits
from tranship.model.visible import visible

if TYPE_CHECKING:
    from tranship.api import Suggestion
    from tranship.model.resolution import Problem
    from tranship.planning.deciding.suggest import Question

_FILES = "a wrong option, or a file that cannot be read or written"
_EXITS = {
    0: "the file is written, or no question is open",
    2: _FILES,
    3: "refused: the existing file has entries that cannot be kept as they are",
}
_EXITS_OF_EDIT = {
    0: "every question is answered, and no entry is wrong",
    1: "questions are still open, or entries are wrong",
    2: _FILES,
    3: "refused: the file was made for other schemas",
    130: "ended by Ctrl-C: the answers so far are saved",
}
_EXITS_OF_VALIDATE = {
    0: "every question is answered, and no entry is wrong",
    1: "questions are open, or entries are wrong",
    2: _FILES,
}


@click.group()
def command() -> None:
    """Write, answer or check the file with your decisions. It never connects to a database."""


@command.command(
    "generate",
    short_help="Write the open questions with suggestions.",
    no_args_is_help=True,
    epilog=exits(_EXITS),
)
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
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.terminal import say

    call = context.ensure_object(CliContext)
    # No loop would be needed, but signals are answered there.
    suggestion = run(
        lambda _: api.suggest(
            changes,
            prefix=prefix,
            results_dir=results_dir,
            fresh=not update,
            empty=not call.classic,
            schema=not call.classic,
        )
    )
    if call.json:
        answer_json(call, _as_json(suggestion, values=call.show_values))
        return
    for line in _lines(call, suggestion, str(changes), prefix):
        say(line)


def _lines(call: CliContext, suggestion: Suggestion, changes: str, prefix: str | None) -> Iterator[str]:
    from tranship.model.options import command_line

    yield from _dropped(suggestion)
    for question in suggestion.questions:
        yield from _question(question, values=call.show_values)
    yield from _shapes(suggestion, values=call.show_values)
    if suggestion.questions or suggestion.dropped or suggestion.shapes:
        yield ""
    yield _verdict_of(suggestion)
    for line in _next(call, suggestion, changes, prefix):
        yield f"  {line}"
    if suggestion.shapes or not all(question.answered for question in suggestion.questions):
        one_by_one = command_line(call.invocation, "resolve edit", str(suggestion.path), changes)
        yield f"To answer them one by one: {one_by_one}"
    if suggestion.path is not None:
        yield f"Resolutions: {suggestion.path}"
    if suggestion.inserts is not None:
        yield f"Missing lookup rows: {suggestion.inserts}"


def _dropped(suggestion: Suggestion) -> Iterator[str]:
    for one in suggestion.dropped:
        yield visible(f"dropped: {one}")
    if suggestion.earlier is not None:
        yield f"The file as it was, with all that is dropped: {suggestion.earlier}"


def _shapes(suggestion: Suggestion, *, values: bool) -> Iterator[str]:
    if suggestion.shapes:
        yield "Also possible, and nothing of it is decided (the file has the entries, under _suggestions):"
    for number, shape in suggestion.shapes.items():
        yield visible(f"{number}) {shape.question}")
        yield from (visible(f"       {fact}") for fact in shape.facts(values=values))


def _verdict_of(suggestion: Suggestion) -> str:
    """Returns the first line of the end: what is open, and what comes next."""
    kept = "1 entry" if suggestion.kept == 1 else f"{suggestion.kept} entries"
    earlier = f" ({kept} of the earlier file kept)" if suggestion.kept else ""
    total = len(suggestion.questions)
    if suggestion.path is None:
        return "Nothing is open: no resolutions file is needed, and none was written. Next:"
    if not total:
        return f"Nothing is open{earlier}. Next:"
    answered = sum(question.answered for question in suggestion.questions)
    questions = "1 question" if total == 1 else f"{total} questions"
    counts = f"{questions}{earlier}: {answered} answered by suggestion, {total - answered} open"
    them = "it" if total == 1 else "them"
    do = f"Read {them}, and decide what stands as SPECIFY_…" if answered < total else f"Read {them}"
    return f"{counts}. {do} in {suggestion.path}, then:"


def _as_json(suggestion: Suggestion, *, values: bool) -> dict[str, object]:
    """Returns the answer for programs: the paths as texts, and the questions with their evidence in words."""
    return {
        "resolutions_file": None if suggestion.path is None else str(suggestion.path),
        "missing_lookups_file": None if suggestion.inserts is None else str(suggestion.inserts),
        "kept": suggestion.kept,
        "dropped": suggestion.dropped,
        "earlier_file": None if suggestion.earlier is None else str(suggestion.earlier),
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
        "suggestions": [
            {"number": n, "question": one.question, "evidence": one.facts(values=values)}
            for n, one in suggestion.shapes.items()
        ],
    }


def _question(question: Question, *, values: bool) -> Iterator[str]:
    mark = "✓ filled in" if question.answered else "still open"
    yield visible(f"{question.number}. [{question.table}] {question.text}")
    yield visible(f"     → {question.suggestion}; {mark}")
    for fact in question.facts(values=values):
        yield visible(f"       {fact}")


def _following(call: CliContext, resolutions: Path, changes: Path) -> str:
    """Returns the dry run that follows right decisions."""
    from tranship.codec import read_words
    from tranship.model.options import command_line, naming_by

    databases = read_words(changes) or ("CONFIG",)
    options = (*naming_by(str(changes)), "--resolutions", str(resolutions))
    return command_line(call.invocation, "migrate", *databases, *options)


def _next(call: CliContext, suggestion: Suggestion, changes: str, prefix: str | None) -> tuple[str, ...]:
    from tranship.model.options import command_line, naming_by

    named = naming_by(changes, prefix)
    databases = suggestion.databases or ("CONFIG",)
    if suggestion.path is None:
        return (command_line(call.invocation, "migrate", *databases, *named),)
    resolutions = str(suggestion.path)
    options = (*named, "--resolutions", resolutions)
    return (
        command_line(call.invocation, "resolve validate", resolutions, changes),
        command_line(call.invocation, "migrate", *databases, *options),
    )


@command.command(
    "edit",
    short_help="Answer the open questions one by one.",
    no_args_is_help=True,
    epilog=exits(_EXITS_OF_EDIT),
)
@click.argument("resolutions", type=click.Path(path_type=Path))
@click.argument("changes", type=click.Path(path_type=Path))
@click.option("--all", "all_", is_flag=True, help="Also show what is filled in and what was accepted.")
@click.option("--as", "by", metavar="NAME", help="Who decides, for the record.  [default: the login name]")
@click.pass_context
def edit(context: click.Context, resolutions: Path, changes: Path, all_: bool, by: str | None) -> None:
    """Answer the open questions of RESOLUTIONS one by one, with their evidence, which shows values of rows,
    and accept or skip the suggestions that stand beside them. Each answer is checked against CHANGES and
    saved at once: the end of the input and Ctrl-C lose nothing.

    All else in the file stays as it is written. If somebody else changes the file meanwhile, nothing is
    overwritten: the answer is refused with what changed.
    """
    import getpass

    from tranship.api.deciding import Deciding
    from tranship.cli.editing import Dialog, summary
    from tranship.cli.terminal import note
    from tranship.cli.trouble import line_of
    from tranship.model.options import command_line

    deciding = Deciding(resolutions, changes)
    for problem in deciding.stale:
        note(line_of(problem))
    dialog = Dialog(deciding, _asked, by or getpass.getuser())
    try:
        dialog.run(all_=all_)
    except KeyboardInterrupt:
        note(f"interrupted: {dialog.saved} answer{'s are' if dialog.saved != 1 else ' is'} saved")
        context.exit(130)
    call = context.ensure_object(CliContext)
    again = command_line(call.invocation, "resolve edit", str(resolutions), str(changes))
    check = command_line(call.invocation, "resolve validate", str(resolutions), str(changes))
    following = (_following(call, resolutions, changes), again, check)
    wrong = summary(deciding, changes, dialog.saved, following)
    context.exit(1 if wrong else 0)


def _asked(prompt: str) -> str:
    """Returns the line that is typed behind a prompt.

    Raises:
        EOFError: there is no more input.
    """
    import sys

    from tranship.cli.terminal import ask

    ask(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


@command.command(
    "validate",
    short_help="Check the decisions without a server.",
    no_args_is_help=True,
    epilog=exits(_EXITS_OF_VALIDATE),
)
@click.argument("resolutions", type=click.Path(path_type=Path))
@click.argument("changes", type=click.Path(path_type=Path))
@answering_as("text", "json", "github", "junit")
@click.pass_context
def validate(context: click.Context, resolutions: Path, changes: Path) -> None:
    """Check RESOLUTIONS against CHANGES and list all problems at once. The dry run checks what only a server
    can tell.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.terminal import say
    from tranship.cli.trouble import listed
    from tranship.model.options import command_line
    from tranship.report.ci import as_github, as_junit

    call = context.ensure_object(CliContext)
    problems = api.validate(resolutions, changes)
    wrong = [problem for problem in problems if not problem.warning]
    edit = command_line(call.invocation, "resolve edit", str(resolutions), str(changes))
    generate = _adding(call, resolutions, changes)
    match call.form:
        case "github":
            lines = as_github(problems, str(resolutions))
        case "junit":
            lines = as_junit(problems, str(resolutions))
        case "json":
            answer_json(call, None, status=1 if wrong else 0, problems=problems)
            lines = []
        case _:
            lines = [
                *listed(problems),
                *_verdict(wrong, str(resolutions), (_following(call, resolutions, changes), edit, generate)),
            ]
    for line in lines:
        say(line, whole=call.form != "text")
    context.exit(1 if wrong else 0)


def _adding(call: CliContext, resolutions: Path, changes: Path) -> str:
    """Returns the command that adds questions to a resolutions file; empty where `generate` would write
    another file.
    """
    from tranship import api
    from tranship.model.options import command_line, naming_by

    named = naming_by(str(changes))
    prefix = named[named.index("--prefix") + 1] if "--prefix" in named else None
    usual = Path(api.result_path(str(changes.parent), prefix, "manual_resolutions.json"))
    if "--changes-file" in named or usual != resolutions:
        return ""
    return command_line(call.invocation, "resolve generate", str(changes), *named)


def _verdict(wrong: list[Problem], resolutions: str, commands: tuple[str, str, str]) -> tuple[str, ...]:
    """Returns what is left to do; ``commands``: the dry run, `edit`, and `generate` or nothing."""
    from tranship.errors.codes.decisions import OpenQuestion, Undecided

    migrate, edit, generate = commands

    count = "1 problem" if len(wrong) == 1 else f"{len(wrong)} problems"
    first = f"{count}: correct {resolutions}, then repeat this command."
    if not wrong:
        first = f"✓ {resolutions}: every question is answered. Next: {migrate}"
    elif all(problem.code == OpenQuestion.code for problem in wrong):
        count = "1 question is" if len(wrong) == 1 else f"{len(wrong)} questions are"
        first = f"{count} still open. Answer in the file, or one by one: {edit}"
    elif generate and {problem.code for problem in wrong} <= {OpenQuestion.code, Undecided.code}:
        # Beside other problems it would cost decisions: generate drops an entry that is wrong.
        first += f" What the file does not name yet (TS301) is added to it by: {generate}"
    return (
        first,
        "What only a server can tell (types of values, lookups, SQL) is checked by the dry run.",
    )
