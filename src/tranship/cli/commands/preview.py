"""``tranship preview``."""

from __future__ import annotations

import click

from tranship.cli.context import CliContext, answering, databases_and_table
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits

_EXITS = {
    0: "the rows are shown; questions may still be open",
    2: WRONG_OR_UNREACHED,
    3: "refused: a privilege is missing, or a decision is wrong",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases_and_table
@click.option("--resolutions", metavar="FILE", help="File with your decisions; it may have open questions.")
@answering
@click.pass_context
def command(
    context: click.Context, config: tuple[tuple[str, ...], str | None], resolutions: str | None
) -> None:
    """Show ten rows of every table of CONFIG, or of TABLE, before and after.

    It shows values of rows, so mind who reads along. It writes to neither database: OLD is read, and NEW is
    only asked how it reads, fills and generates the values. What is still an open question is named. Which
    rows NEW would reject is what a dry run of `migrate` tells.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.report.preview import preview_lines

    words, table = config
    loaded, call = load(words), context.ensure_object(CliContext)
    tables = run(lambda _: api.preview(loaded, resolutions=resolutions, table=table))
    if call.json:
        answer_json(call, {"tables": tables})
        return
    for number, one in enumerate(tables):
        if number:
            say()
        for line in preview_lines(one):
            say(line)
