"""``tranship rollback``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, databases, results
from tranship.cli.exit_status import WRONG_OR_NO_RUN, exits

if TYPE_CHECKING:
    from tranship.api import Rollback, RollbackTable
    from tranship.config import Config

NAMED = 10
"""Rows per table that are named because others wrote or changed them."""

_EXITS = {
    0: "nothing of the run is left in NEW; of a preview: nothing would be",
    1: "rows stay (of a preview: would stay) that others changed or may have changed, or updated rows are "
    "not set back",
    2: WRONG_OR_NO_RUN,
    3: "refused, and nothing is deleted: rows that stay refer to rows of the run, a run is at work, or a "
    "privilege is missing",
    4: "stopped after the first part: the same command resumes the rollback",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@click.option(
    "--live",
    is_flag=True,
    help="Delete the rows. Without it nothing is changed: a preview of what would be deleted.",
)
@click.option(
    "--run", "run_id", metavar="ID", help="Which run (tranship status names them).  [default: the latest]"
)
@results
@answering
@click.pass_context
def command(
    context: click.Context,
    config: tuple[str, ...],
    live: bool,
    run_id: str | None,
    prefix: str | None,
    results_dir: str,
) -> None:
    """Delete exactly the rows that a run wrote into the NEW database of CONFIG. Rows of the run that others
    changed since stay (status 1), and a file names them. While one of them, or a row that others wrote,
    refers to a row of the run, nothing is deleted (status 3).
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.progress import display
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.codec.files import check_folder
    from tranship.model.options import naming

    call = context.ensure_object(CliContext)
    loaded = load(config)
    path = api.staying_path(results_dir, prefix)
    if live:
        # Before any row is deleted: afterwards a file that cannot be written would hide what was done.
        check_folder(path)
        call.begin_writing()
    with display(call, "roll back" if live else "count what would be rolled back") as shows:
        done = run(
            lambda stop: api.rollback(loaded, live=live, run=run_id, tell=shows.feed, stop=stop),
            stoppable=(lambda: True) if live else None,
            shows=shows,
        )
    file = api.write_staying(done, path)
    status = 1 if any(table.left for table in done.tables) else 0
    if call.json:
        answer_json(call, done, status=status)
    else:
        for line in (
            _verdict(done, (*config, *naming(prefix, results_dir)), call.invocation),
            *_lines(done),
            *_next(done, loaded, call.invocation, file),
        ):
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


def _gone(table: RollbackTable) -> str:
    """Returns what became of the run's rows that are not as it wrote them."""
    if not table.missing:
        return ""
    were = "was" if table.missing == 1 else "were"
    # Where nobody wrote or changed a row, none of them can be a changed one.
    what = "changed or deleted" if table.others_rows else "deleted"
    return f"; {_rows(table.missing)} of the run {were} {what} by others since"


def _verdict(done: Rollback, words: tuple[str, ...], invocation: str) -> str:
    """Returns the first line of the end: what became of the run's rows, of a preview with what comes next."""
    from tranship.model.options import command_line

    count = _rows(sum(table.unchanged for table in done.tables))
    if done.stays:
        stay = "stays" if done.stays == 1 else "stay"
        rest = f"{_rows(done.stays)} that others wrote or changed since {stay}"
    else:
        rest = f"none of its rows {'is left' if done.live else 'would be left'}"
    if not done.live:
        live = command_line(invocation, "rollback", *words, "--run", done.run.id, "--live")
        return f"{count} of run {done.run.id} would be deleted; {rest}. Nothing is changed yet. Next: {live}"
    return f"{count} of run {done.run.id} deleted; {rest}."


def _next(done: Rollback, loaded: Config, invocation: str, file: Path | None) -> Iterator[str]:
    """Yields what a person can do now."""
    from tranship.model.options import command_line

    words = loaded.words
    if file is not None:
        yield f"Rows that stay: {file}"
    if done.other_runs:
        what = "1 other run is" if done.other_runs == 1 else f"{done.other_runs} other runs are"
        its = "its" if done.other_runs == 1 else "their"
        yield f"{what} on record, and {its} rows stay: {command_line(invocation, 'status', *words)}"
    if not done.live:
        return
    again = done.run.decided_by.again if done.run.decided_by is not None else ""
    again = again or command_line(invocation, "migrate", *words, "--live")
    yield from _before_a_further_run(done)
    yield f"To move the rows of run {done.run.id} again: {again}"
    purge = command_line(invocation, "purge", *words)
    yield f"The journal, schema {loaded.journal_schema}, stays in NEW until you remove it: {purge}"


def _before_a_further_run(done: Rollback) -> Iterator[str]:
    """Yields what becomes of the rows that stay when the rows are moved again."""
    from tranship.report.causes import EXISTING, OTHER_KEY

    yield from _rows_of_other_runs(done)
    if not done.stays:
        return
    yield "Next: look at the rows that stay. A row of OLD with the key of one of them would be rejected"
    yield f"by a further run: delete that one, or add {EXISTING} for its table to the resolutions file"
    yield '("keep": NEW\'s row stays as it is; "update": OLD\'s values replace those of NEW\'s row).'
    yield OTHER_KEY
    without_key = [str(table.table) for table in done.tables if any("ctid" in key for key in table.others)]
    if without_key:
        yield "In a table without a key a further run writes rows a second time beside those that stay:"
        yield f"{', '.join(dict.fromkeys(without_key))}."


def _rows_of_other_runs(done: Rollback) -> Iterator[str]:
    """Yields that rows which stay may belong to other runs: to delete those would lose them."""
    tables = [table for table in {one.table: one for one in done.tables}.values() if table.others_of_runs]
    for table in tables:
        # A row that others changed no longer shows which run wrote it, so the number is an upper bound.
        was = (
            "1 row that stays was"
            if table.others_of_runs == 1
            else f"{_rows(table.others_of_runs)} that stay were"
        )
        yield f"{table.table}: up to {was} written by another run on record and changed by others since."
        yield "Do not delete a row of that run: that run stays, and no further run moves its rows again."


def _lines(done: Rollback) -> Iterator[str]:
    last = {table.table: number for number, table in enumerate(done.tables)}
    for number, table in enumerate(done.tables):
        gone = "deleted" if done.live else "would be deleted"
        of = _source(table)
        if table.gone:
            yield f"  {table.table}{of}: the table was dropped, and {_rows(table.written)} of the run with it"
            continue
        yield f"  {table.table}{of}: {_rows(table.unchanged)} {gone}{_gone(table)}"
        yield from _restored(table, live=done.live)
        # Several flows may fill one table, whose rows of others are told once.
        if last[table.table] == number:
            yield from _staying(table, done.foreign(table))
    for name in done.sequences:
        yield f"  sequence {name}: {'set back' if done.live else 'would be set back'}"
    for name in done.sequences_left:
        yield f"  sequence {name}: left, moved on by others since"
    for name in done.sequences_needed:
        yield f"  sequence {name}: left, rows that stay have numbers that it would give again"


def _staying(table: RollbackTable, foreign: int) -> Iterator[str]:
    """Yields the rows of a table that others wrote or changed, the first of them by name. ``foreign``: how
    many of them count as rows of other runs; the run to be rolled back misses none then.
    """
    what = "written or changed by others since"
    if foreign:
        what = "not of this run (of another run on record and changed by others, or written by others)"
    for key in table.others[:NAMED]:
        values = ", ".join(f"{column}={value}" for column, value in key.items())
        yield f"    {what}, stays: {values}"
    if table.others_rows > NAMED:
        yield f"    … and {_rows(table.others_rows - NAMED)} more"
