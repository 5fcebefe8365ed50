"""``tranship status``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering

if TYPE_CHECKING:
    from tranship import api


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@answering
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """Where the runs into the NEW database of CONFIG stand, from its journal. Changes nothing."""
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.codec import encode

    call = context.ensure_object(CliContext)
    loaded = load(config)
    states = run(lambda _: api.status(loaded))
    if call.json:
        say(encode(states).decode().rstrip("\n"))
        return
    if not states:
        say(f"No run is on record in {loaded.new.display} (journal schema {loaded.journal_schema}).")
    for state in states:
        for line in _told(state, str(config)):
            say(line)


def _told(state: api.RunState, config: str) -> Iterator[str]:
    from tranship.model.options import command_line
    from tranship.report.text import visible

    run, (settled, rows) = state.run, state.rows
    word = "running" if state.running else "interrupted" if run.state == "running" else run.state
    yield f"Run {run.id}: {word}, started {run.started:%Y-%m-%d %H:%M:%S %Z}"
    if state.running:
        yield f"  by {run.host}, process {run.pid}, last sign {run.silent_seconds:.0f} s ago"
    spent = state.seconds
    rate = f", {settled / spent:.0f} rows/s over {spent:.0f} s of copying" if spent > 0 and settled else ""
    yield f"  {settled} of {rows} rows, {rows - settled} left{rate}"
    for table in state.tables:
        name = str(table.table) if table.table == table.new_table else f"{table.table} -> {table.new_table}"
        done = "done" if table.done else f"{table.batches_done} of {table.batches} batches"
        yield f"  {visible(name)}: {done}, {table.read} read = {table.written} written + {table.rejected} rejected"
    for undo in state.switched_off:
        yield f"  switched off: {visible(undo.what)}"
    if state.switched_off and not state.running:
        yield f"  put it back: {command_line('tranship', 'doctor', config, '--restore')}"
    if state.going_back and not state.running:
        back = command_line("tranship", "rollback", config, "--run", run.id, "--live")
        yield f"  taking its rows back was interrupted: {back} goes on with it; migrate --live does so, too, and moves them again"
    elif word in ("interrupted", "stopped"):
        yield "  go on: run the same migrate --live command again"
