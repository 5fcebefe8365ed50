"""``tranship doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from tranship.cli.context import CliContext, answering


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--restore", is_flag=True, help="Put it back. Without it nothing is changed.")
@answering
@click.pass_context
def command(context: click.Context, config: Path, restore: bool) -> None:
    """What a run left switched off in the NEW database of CONFIG, with the way back. Ends with 1 while something is off."""
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import note, say
    from tranship.codec import encode
    from tranship.model.options import command_line

    loaded = load(config)
    found = run(lambda _: api.settle(loaded, note) if restore else api.examine(loaded))
    left = [d for d in found if not d.restored]
    if context.ensure_object(CliContext).json:
        say(encode(found).decode().rstrip("\n"))
        context.exit(1 if left else 0)
    if not found:
        say(f"Nothing is switched off in {loaded.new.display}.")
    for diagnosis in found:
        state = (
            "put back"
            if diagnosis.restored
            else "off, a living run needs it so"
            if diagnosis.running
            else "off"
        )
        say(f"{diagnosis.undo.what}: {state}")
        if diagnosis.problem:
            say(f"  {diagnosis.problem}")
        if not diagnosis.restored and not diagnosis.running:
            say(f"  the way back: {diagnosis.undo.sql}")
    if left and not restore:
        say(f"Put it back: {command_line('tranship', 'doctor', str(config), '--restore')}")
    context.exit(1 if left else 0)
