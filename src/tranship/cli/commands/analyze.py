"""``tranship analyze``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from tranship.cli.context import CliContext, Number, answering, choosing, databases, results
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits
from tranship.model.visible import visible

if TYPE_CHECKING:
    from tranship.api import Analysis
    from tranship.model.change import Comparison


_NAMED = 10
"""Pairs of tables that one line names."""


class Given(TypedDict):
    """The options as they are given."""

    prefix: str | None
    results_dir: str
    only: tuple[str, ...]
    never: tuple[str, ...]
    probe_seconds: float
    fail_on: str | None
    exit_code: bool


_EXITS = {
    0: "compared; also with breaking changes, unless --fail-on names them",
    1: "there are changes that --fail-on or --exit-code names",
    2: WRONG_OR_UNREACHED,
    3: "refused: a privilege is missing, or OLD and NEW cannot be two sides of one migration",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@results
@choosing
@click.option(
    "--probe-seconds",
    type=Number(min=0),
    metavar="SECONDS",
    default=30.0,
    show_default=True,
    help="Seconds that may be spent on reading data for the suggestions.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "any"]),
    help="End with status 1 when there is a breaking change, or any change.",
)
@click.option("--exit-code", is_flag=True, help="The same as --fail-on any.")
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], **given: Unpack[Given]) -> None:
    """Compare the two databases of CONFIG, or of two URLs. It writes to neither, prints a report, and writes
    report and changes to files.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.progress import display
    from tranship.cli.start import load
    from tranship.cli.terminal import note, say
    from tranship.cli.trouble import line_of, spelled
    from tranship.model.options import pattern_words
    from tranship.report.folded import WIDEST, terminal_width
    from tranship.report.text import Look, render_text

    call = context.ensure_object(CliContext)
    loaded = load(config, given["only"], given["never"])
    with display(call, "compare the databases") as shows:
        analysis = run(
            lambda _: api.analyze(
                loaded,
                prefix=given["prefix"],
                results_dir=given["results_dir"],
                probe_seconds=given["probe_seconds"],
                on_event=shows.feed,
            ),
            shows=shows,
        )
    for problem in analysis.problems:
        note(spelled(line_of(problem), call))
    status = _status(analysis.comparison, "any" if given["exit_code"] else given["fail_on"])
    if call.json:
        answer_json(call, _as_json(analysis), status=status, problems=analysis.problems)
    else:
        look = Look(width=min(WIDEST, terminal_width(sys.stdout) or WIDEST))
        # Its sentences are folded already, and its classic lines are public interface: they stay lines.
        say(render_text(analysis.document, look).rstrip("\n"), whole=True)
        say()
        say(_next(analysis, call, (*config, *pattern_words(given["only"], given["never"])), _naming(given)))
        say(f"Report: {analysis.report_path}")
        say(f"The same as a page: {analysis.page_path}")
        say(f"Changes: {analysis.changes_path}")
        if analysis.paired:
            say(visible(f"Asked as your resolutions file pairs them: {_pairs(analysis)}"))
    context.exit(status)


def _pairs(analysis: Analysis) -> str:
    """Returns the tables that the decisions pair, the first of them by name."""
    named = [f"{old} → {new}" for old, new in analysis.paired[:_NAMED]]
    left = len(analysis.paired) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def _naming(given: Given) -> tuple[str, ...]:
    from tranship.model.options import MigrateOptions

    return MigrateOptions(prefix=given["prefix"], results_dir=given["results_dir"]).naming


def _next(analysis: Analysis, call: CliContext, words: tuple[str, ...], naming: tuple[str, ...]) -> str:
    """Returns the line below the report's verdict: the command that comes next."""
    from tranship.model.change import ChangeClass
    from tranship.model.options import command_line

    breaking = len(analysis.comparison.of(ChangeClass.BREAKING))
    if breaking and analysis.new_is_empty:
        again = command_line(call.invocation, "analyze", *words, *naming)
        return f"Next: create the tables of NEW, then repeat: {again}"
    if analysis.decided is not None and not analysis.decided.left:
        given = ("--resolutions", analysis.decided.path)
        return f"Next: {command_line(call.invocation, 'migrate', *words, *naming, *given)}"
    if analysis.questions or analysis.suggestions:
        changes = str(analysis.changes_path)
        return f"Next: {command_line(call.invocation, 'resolve generate', changes, *naming)}"
    return f"Next: {command_line(call.invocation, 'migrate', *words, *naming)}"


def _status(comparison: Comparison, fail_on: str | None) -> int:
    from tranship.model.change import ChangeClass

    breaking = fail_on == "breaking" and comparison.of(ChangeClass.BREAKING)
    return 1 if breaking or (fail_on == "any" and comparison.changes) else 0


def _as_json(analysis: Analysis) -> dict[str, object]:
    from tranship.codec import ChangeRecord
    from tranship.model.change import ChangeClass

    comparison = analysis.comparison
    return {
        "summary": {
            "total": len(comparison.changes),
            "questions": analysis.questions,
            "suggestions": analysis.suggestions,
            **({} if analysis.decided is None else {"questions_left": analysis.decided.left}),
            **{cls.value: len(comparison.of(cls)) for cls in ChangeClass},
        },
        "changes": [ChangeRecord.of(change) for change in comparison.changes],
        "report_file": str(analysis.report_path),
        "report_page": str(analysis.page_path),
        "changes_file": str(analysis.changes_path),
    }
