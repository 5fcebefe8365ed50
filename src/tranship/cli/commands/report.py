"""``tranship report``."""

from __future__ import annotations

import click

from tranship.cli.context import CliContext, answering, databases, results
from tranship.cli.exit_status import JOURNAL_REFUSED, WRONG_OR_NO_RUN, exits

_EXITS = {
    0: "the page is written, whatever it says of the run",
    2: WRONG_OR_NO_RUN,
    3: JOURNAL_REFUSED,
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@results
@click.option(
    "--run", "run_id", metavar="ID", help="Which run (tranship status names them).  [default: the latest]"
)
@answering
@click.pass_context
def command(
    context: click.Context, config: tuple[str, ...], prefix: str | None, results_dir: str, run_id: str | None
) -> None:
    """Write a run into the NEW database of CONFIG as a page: its verdict, the rejected rows by cause, a
    timeline, what is verified, and its certificate. It writes to no database.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.model.visible import visible
    from tranship.report.causes import cause_lines, not_asked_lines
    from tranship.report.said_once import problem_lines

    call = context.ensure_object(CliContext)
    loaded = load(config)
    made = run(lambda _: api.report(loaded, run=run_id, prefix=prefix, results_dir=results_dir))
    if call.json:
        answer_json(call, made if call.show_values else made.without_values)
        return
    for line in made.verdict:
        say(visible(line))
    for line in problem_lines(made.run.warnings):
        say(visible(line))
    for line in cause_lines(made.run.tables, values=call.show_values, live=True):
        say(line)
    for line in not_asked_lines(made.run.tables):
        say(line)
    say(visible(f"Page: {made.page}"))
