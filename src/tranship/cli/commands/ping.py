"""``tranship ping``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, choosing, databases
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits
from tranship.model.visible import visible

if TYPE_CHECKING:
    from tranship.api import Ping, Reached

_CLOCKS_APART = 1.0
"""Seconds between the clocks of both servers from which on they are called different."""

_EXITS = {
    0: "both databases answer, and nothing stands in the way of a run",
    2: WRONG_OR_UNREACHED,
    3: "a privilege is missing, or OLD and NEW cannot be two sides of one migration",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@choosing
@answering
@click.pass_context
def command(
    context: click.Context, config: tuple[str, ...], only: tuple[str, ...], never: tuple[str, ...]
) -> None:
    """Connect to both databases of CONFIG, or of two URLs, and show versions, privileges, clocks and latency.
    Nothing is written.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.cli.trouble import spelled

    call = context.ensure_object(CliContext)
    loaded = load(config, only, never)
    found = run(lambda _: api.ping(loaded))
    if call.json:
        result = {"old": found.old, "new": found.new}
        answer_json(call, result, status=found.exit_status, problems=found.problems)
    else:
        for line in _lines(found, call.invocation, config):
            say(spelled(line, call))
    context.exit(found.exit_status)


def _lines(found: Ping, invocation: str, config: tuple[str, ...]) -> Iterator[str]:
    from tranship.cli.trouble import lines_of
    from tranship.model.options import command_line
    from tranship.report.said_once import said_once

    analyze = command_line(invocation, "analyze", *config)
    wrong = said_once([problem for problem in found.problems if not problem.warning])
    if not wrong:
        able = "The tables of OLD can be read, those of NEW can be filled."
        yield f"Both databases answer. {able} Next: {analyze}"
    else:
        count = "1 thing stands" if len(wrong) == 1 else f"{len(wrong)} things stand"
        codes = ", ".join(dict.fromkeys(problem.code for problem in wrong))
        fix = "fix what is listed below, then repeat this command"
        yield f"{count} in the way of a live run ({codes}): {fix}."
    for side in (found.old, found.new):
        if side is not None:
            yield from _side(side)
    if found.old is not None and found.new is not None:
        yield _clocks(found.new.clock_ahead_seconds - found.old.clock_ahead_seconds)
        yield "The dry run names what triggers, sequences and indexes need in addition."
    if found.problems:
        yield ""
        yield from lines_of(found.problems)


def _side(side: Reached) -> Iterator[str]:
    role = "standby, read-only" if side.standby else "writable server"
    secure = {True: "encrypted", False: "not encrypted", None: "encryption unknown"}[side.encrypted]
    tables = "1 table" if side.tables == 1 else f"{side.tables} tables"
    word = "schema" if len(side.schemas) == 1 else "schemas"
    yield visible(f"{side.side.value.upper()}  {side.place} as {side.user}")
    yield f"     PostgreSQL {visible(side.version)}, {role}, {secure}, {side.latency_ms:.1f} ms a round trip"
    named = visible(", ".join(side.schemas))
    yield f"     {tables} in {word} {named}" if named else "     no schema that takes part"


def _clocks(ahead: float) -> str:
    if abs(ahead) < _CLOCKS_APART:
        return "The clocks of both servers agree within a second."
    return f"⚠ NEW's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} OLD's."
