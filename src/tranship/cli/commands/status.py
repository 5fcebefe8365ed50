"""``tranship status``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, databases
from tranship.cli.exit_status import JOURNAL_REFUSED, WRONG_OR_UNREACHED, exits
from tranship.model.count import count_of
from tranship.model.options import command_line
from tranship.model.visible import visible

if TYPE_CHECKING:
    from tranship import api
    from tranship.config import Config
    from tranship.server.journal import Run

_SECONDS = 2.0
"""Between two looks of ``--watch`` on a terminal."""
_SECONDS_WITHOUT_TERMINAL = 10.0

_EXITS = {
    0: "shown, in whichever state the runs are",
    2: WRONG_OR_UNREACHED,
    3: JOURNAL_REFUSED,
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@click.option("--watch", is_flag=True, help="Show it again and again, until no run is at work.")
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], watch: bool) -> None:
    """Show how far the runs into the NEW database of CONFIG are, from its journal. It changes nothing."""
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load

    call = context.ensure_object(CliContext)
    if watch and call.json:
        raise click.UsageError(
            "--watch shows text, --format json gives one answer: give one of the two", context
        )
    loaded = load(config)
    if watch:
        run(lambda _: _watch(loaded, config))
    elif call.json:
        answer_json(call, run(lambda _: api.status(loaded)))
    else:
        run(lambda _: _look(loaded, config))


async def _look(loaded: Config, config: tuple[str, ...], *, clear: bool = False) -> tuple[api.RunState, ...]:
    """Shows the states once and returns them. ``clear``: on a terminal, in place of what it shows."""
    from tranship import api
    from tranship.cli.terminal import say
    from tranship.cli.verdicts import no_run_verdict, status_verdict

    states = await api.status(loaded)
    gone = () if states else await api.rolled_back(loaded)
    if sys.stdout.isatty() and clear:
        click.clear()
    if not states:
        place = f"{loaded.new.display} (journal schema {loaded.journal_schema})"
        say(no_run_verdict(gone, place, config))
        return states
    say(status_verdict(states, config))
    for state in states:
        for line in _lines(state, config):
            say(line)
    return states


async def _watch(loaded: Config, config: tuple[str, ...]) -> None:
    """Shows the states until no run is at work."""
    while True:
        states = await _look(loaded, config, clear=True)
        if not any(state.running for state in states):
            return
        await asyncio.sleep(_SECONDS if sys.stdout.isatty() else _SECONDS_WITHOUT_TERMINAL)


def _lines(state: api.RunState, config: tuple[str, ...]) -> Iterator[str]:
    run, word = state.run, _word(state)
    yield f"Run {run.id}: {word}, {_times(run)}"
    # The journal names the process of the run, not that of its rollback.
    if state.running and not state.rolling_back:
        yield f"  by {run.host}, process {run.pid}, last heartbeat {run.silent_seconds:.0f} s ago"
    if state.rejects_of:
        yield f"  only the rows that were rejected by {', '.join(state.rejects_of)}"
    yield _rows(state)
    yield from _tables(state)
    yield from _switched_off(state, config)
    if state.rolling_back and not state.running:
        back = command_line("tranship", "rollback", *config, "--run", run.id, "--live")
        yield f"  {back} resumes the rollback;"
        yield "  migrate --live does, too, and then copies the rows again"
    elif word in ("interrupted", "stopped"):
        again = run.decided_by.again if run.decided_by is not None else ""
        yield f"  resume: {again or 'run the same migrate --live command again'}"


def _word(state: api.RunState) -> str:
    if state.rolling_back:
        return "rolling back" if state.running else "its rollback was interrupted"
    if state.running:
        return "running"
    return "interrupted" if state.run.state == "running" else str(state.run.state)


def _times(run: Run) -> str:
    """Returns when a run started and, of a finished one, when it ended."""
    started = f"started {run.started:%Y-%m-%d %H:%M:%S %Z}"
    return started if run.finished is None else f"{started}, ended {run.finished:%Y-%m-%d %H:%M:%S %Z}"


def _rows(state: api.RunState) -> str:
    """Returns the line about rows. The rate is over the seconds that batches took, which overlap in parallel
    streams.
    """
    if state.rolling_back:
        return f"  not deleted yet: {count_of(state.to_delete, 'row')} that it wrote"
    handled, rows = state.rows
    spent = state.seconds
    pace = f"{handled / spent:.0f} rows/s" if spent > 0 and handled else ""
    # Connecting, data checks and verification are no part of it, so it is no rate of the whole run.
    rate = f"; while it copied, each stream moved {pace}" if pace else ""
    return f"  {handled} of {rows} rows, {rows - handled} left{rate}"


def _tables(state: api.RunState) -> Iterator[str]:
    for table in state.tables:
        same = table.table == table.new_table
        name = visible(table.flow or (str(table.table) if same else f"{table.table} -> {table.new_table}"))
        if state.rolling_back:
            yield f"  {name}: {_going_back(table)}"
            continue
        done = "done" if table.done else f"{table.batches_done} of {table.batches} batches"
        read = f"{table.read} read"
        if table.old:
            read = f"{table.old.read} old rows read, {table.old.left_out} left out; {table.read} made"
        yield f"  {name}: {done}, {read} = {_equation(table)}"


def _going_back(table: api.TableState) -> str:
    if not isinstance(table.to_delete, int):
        return "nothing left to do"
    return f"{count_of(table.to_delete, 'row')} not deleted yet"


def _equation(table: api.TableState) -> str:
    """Returns what became of the rows that were read; what may be left unsaid where it is none is."""
    beside = (
        (table.already_there, "already there"),
        (table.kept, "kept"),
        (table.updated, "updated"),
        (table.merged, "merged"),
    )
    counted = [
        (table.written, "written"),
        (table.rejected, "rejected"),
        *(part for part in beside if part[0]),
    ]
    return " + ".join(f"{rows} {word}" for rows, word in counted)


def _switched_off(state: api.RunState, config: tuple[str, ...]) -> Iterator[str]:
    for undo in state.switched_off:
        yield f"  switched off: {visible(undo.what)}"
    if state.switched_off and not state.running:
        yield f"  restore it: {command_line('tranship', 'doctor', *config, '--restore')}"
