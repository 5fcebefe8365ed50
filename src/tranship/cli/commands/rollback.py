"""``tranship rollback``."""

from __future__ import annotations

from pathlib import Path

import click

from tranship.cli.context import CliContext, answering

NAMED = 10
"""Rows of others that are named per table."""


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--live", is_flag=True, help="Take the rows back. Without it nothing is changed: a look at what would go."
)
@click.option(
    "--run", "run_id", metavar="ID", help="Which run (tranship status names them).  [default: the latest]"
)
@answering
@click.pass_context
def command(context: click.Context, config: Path, live: bool, run_id: str | None) -> None:
    """Take back exactly the rows that a run wrote into the NEW database of CONFIG. Rows changed since are listed and left (status 1)."""
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import note, say
    from tranship.codec import encode

    call = context.ensure_object(CliContext)
    loaded = load(config)
    call.writes = live
    told = run(
        lambda stop: api.rollback(
            loaded, live=live, run=run_id, tell=lambda event: note(event.message), stop=stop
        ),
        stoppable=live,
    )
    left = sum(table.left for table in told.tables)
    if call.json:
        say(encode(told).decode().rstrip("\n"))
        context.exit(1 if left else 0)
    say(f"Run {told.run.id}" + ("" if told.live else " (nothing is changed without --live)"))
    for table in told.tables:
        say(
            f"  {table.table}: {table.unchanged} rows {'taken back' if told.live else 'would go'}, {table.left} left: changed or deleted since"
        )
        for key in table.others[:NAMED]:
            say(
                f"    written or changed by others since: {', '.join(f'{column}={value}' for column, value in key.items())}"
            )
        if len(table.others) > NAMED:
            say("    … (--format json names more)")
    for name in told.sequences:
        say(f"  sequence {name}: {'set back' if told.live else 'would be set back'}")
    for name in told.sequences_left:
        say(f"  sequence {name}: left, moved on by others since")
    context.exit(1 if left else 0)
