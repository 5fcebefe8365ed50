"""``tranship rollback``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, databases
from tranship.cli.exit_status import exits

if TYPE_CHECKING:
    from tranship.api import Rollback, RollbackTable

NAMED = 10
"""Rows per table that are named because others wrote or changed them."""


@click.command(no_args_is_help=True, epilog=exits(0, 1, 2, 3, 4))
@databases
@click.option(
    "--live",
    is_flag=True,
    help="Delete the rows. Without it nothing is changed: a preview of what would be deleted.",
)
@click.option(
    "--run", "run_id", metavar="ID", help="Which run (tranship status names them).  [default: the latest]"
)
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], live: bool, run_id: str | None) -> None:
    """Delete exactly the rows that a run wrote into the NEW database of CONFIG. Rows changed since are listed
    and left (status 1).
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.progress import display
    from tranship.cli.start import load
    from tranship.cli.terminal import say

    call = context.ensure_object(CliContext)
    loaded = load(config)
    if live:
        call.begin_writing()
    with display(call, "roll back" if live else "count what would be rolled back") as shows:
        done = run(
            lambda stop: api.rollback(loaded, live=live, run=run_id, tell=shows.feed, stop=stop),
            stoppable=(lambda: True) if live else None,
            shows=shows,
        )
    status = 1 if any(table.left for table in done.tables) else 0
    if call.json:
        answer_json(call, done, status=status)
    else:
        say(_verdict(done, call.invocation, config))
        for line in _lines(done):
            say(line)
    context.exit(status)


def _restored(table: RollbackTable, *, live: bool) -> Iterator[str]:
    """Yields what becomes of rows that NEW held before the run and that it updated."""
    if not table.updated:
        return
    back = "set back" if live else "would be set back"
    rows = "1 updated row" if table.restored == 1 else f"{table.restored} updated rows"
    yield f"    of NEW's own: {rows} {back}{_left(table.updated - table.restored)}"
    for key in table.not_restored[:NAMED]:
        yield f"    not set back: {', '.join(f'{column}={value}' for column, value in key.items())}"


def _source(table: RollbackTable) -> str:
    if table.flow:
        return f" ({table.flow})"
    return f" (from {table.old_table})" if table.old_table else ""


def _rows(count: int) -> str:
    from tranship.report.verification import grouped

    return "1 row" if count == 1 else f"{grouped(count)} rows"


def _left(rows: int) -> str:
    return f", {rows} left: changed or deleted since" if rows else ""


def _verdict(done: Rollback, invocation: str, config: tuple[str, ...]) -> str:
    """Returns the first line of the end: what became of the run's rows, and what comes next."""
    from tranship.model.options import command_line

    rows = sum(table.unchanged for table in done.tables)
    count = _rows(rows)
    left = sum(table.written - table.unchanged for table in done.tables if not table.gone)
    others = f"; {left} left: changed or deleted since" if left else ""
    if done.live:
        return f"{count} of run {done.run.id} deleted{others}."
    live = command_line(invocation, "rollback", *config, "--run", done.run.id, "--live")
    return f"{count} would be deleted{others}. Nothing is changed yet. Next: {live}"


def _lines(done: Rollback) -> Iterator[str]:
    yield f"Run {done.run.id}" + ("" if done.live else " (nothing is changed without --live)")
    for table in done.tables:
        gone = "deleted" if done.live else "would be deleted"
        of = _source(table)
        if table.gone:
            yield f"  {table.table}{of}: the table was dropped, and {table.written} rows of the run with it"
            continue
        rows = _rows(table.unchanged)
        yield f"  {table.table}{of}: {rows} {gone}{_left(table.written - table.unchanged)}"
        for key in table.others[:NAMED]:
            values = ", ".join(f"{column}={value}" for column, value in key.items())
            yield f"    written or changed by others since: {values}"
        if len(table.others) > NAMED:
            yield "    … (--format json names more)"
        yield from _restored(table, live=done.live)
    for name in done.sequences:
        yield f"  sequence {name}: {'set back' if done.live else 'would be set back'}"
    for name in done.sequences_left:
        yield f"  sequence {name}: left, moved on by others since"
