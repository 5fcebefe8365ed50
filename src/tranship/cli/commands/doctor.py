"""``tranship doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering
from tranship.model.undo import Unreadable
from tranship.model.visible import pasteable, visible

if TYPE_CHECKING:
    from tranship.api import Diagnosis


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--restore", is_flag=True, help="Enable what was left disabled. Without it nothing is changed.")
@answering
@click.pass_context
def command(context: click.Context, config: Path, restore: bool) -> None:
    """Show triggers, keys and indexes that a crashed run left disabled in the NEW database of CONFIG. Ends
    with 1 while any is.
    """
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import note, say
    from tranship.codec import encode
    from tranship.model.options import command_line
    from tranship.report.notes import words

    loaded = load(config)
    found = run(
        lambda _: api.restore_all(loaded, lambda what: note(words(what))) if restore else api.examine(loaded)
    )
    left = not all(diagnosis.restored for diagnosis in found)
    if context.ensure_object(CliContext).json:
        say(encode(found).decode().rstrip("\n"))
        context.exit(1 if left else 0)
    if not found:
        say(f"Nothing is switched off in {loaded.new.display}.")
    for diagnosis in found:
        say("\n".join(_lines(diagnosis)))
    if left and not restore:
        say(f"Restore it: {command_line('tranship', 'doctor', str(config), '--restore')}")
    context.exit(1 if left else 0)


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.restored:
        state = "restored"
    elif diagnosis.running:
        state = "off, a run that is at work needs it so"
    else:
        state = "off"
    yield visible(f"{diagnosis.undo.what}: {state}")
    if diagnosis.problem:
        yield visible(f"  {diagnosis.problem}")
    if state == "off" and isinstance(diagnosis.undo.off, Unreadable):
        yield visible(f"  tranship did not write this entry and runs nothing of it: {diagnosis.undo.sql}")
    elif state == "off":
        yield visible(f"  undo: {pasteable(diagnosis.undo.sql)}")
