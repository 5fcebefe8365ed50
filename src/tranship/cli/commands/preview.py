"""``tranship preview``."""

from __future__ import annotations

from pathlib import Path

import click

from tranship.cli.context import CliContext, answering


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("table", required=False)
@click.option("--resolutions", metavar="FILE", help="File with your decisions; it may have open questions.")
@answering
@click.pass_context
def command(context: click.Context, config: Path, table: str | None, resolutions: str | None) -> None:
    """Show ten rows of every table of CONFIG, or of TABLE, before and after.

    It shows values of rows, so mind who reads along. It writes to neither database: OLD is read, and NEW is
    only asked how it reads, fills and generates the values. What is still an open question is named. Which
    rows NEW would reject is what a dry run of `migrate` tells.
    """
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.codec import encode
    from tranship.report.preview import preview_lines

    loaded = load(config)
    tables = run(lambda _: api.preview(loaded, resolutions=resolutions, table=table))
    if context.ensure_object(CliContext).json:
        say(encode({"exit_status": 0, "tables": tables}).decode().rstrip("\n"))
        return
    for number, one in enumerate(tables):
        if number:
            say()
        for line in preview_lines(one):
            say(line)
