"""``tranship purge``."""

from __future__ import annotations

from pathlib import Path

import click

from tranship.cli.context import CliContext, answering


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@answering
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """Remove the journal, rejected rows included, from the NEW database of CONFIG. It is refused while a run
    is unfinished.
    """
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.codec import encode

    loaded = load(config)
    runs = run(lambda _: api.purge(loaded))
    if context.ensure_object(CliContext).json:
        say(encode(runs).decode().rstrip("\n"))
    elif runs:
        say(f"Journal {loaded.journal_schema} removed from {loaded.new.display}: {len(runs)} finished runs.")
    else:
        say(f"No journal {loaded.journal_schema} is left in {loaded.new.display}: it held no run.")
