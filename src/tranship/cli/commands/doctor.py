"""``tranship doctor``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, databases
from tranship.cli.exit_status import JOURNAL_REFUSED, WRONG_OR_UNREACHED, exits
from tranship.model.notes import FoundRestored, Note
from tranship.model.undo import Unreadable
from tranship.model.visible import pasteable, visible

if TYPE_CHECKING:
    from tranship.api import Diagnosis

_EXITS = {
    0: "nothing is left disabled",
    1: "something is still disabled",
    2: f"{WRONG_OR_UNREACHED}, or nothing is called as --accept has it",
    3: f"{JOURNAL_REFUSED}, or a run at work needs what --accept names",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@click.option("--restore", is_flag=True, help="Enable what was left disabled. Without it nothing is changed.")
@click.option(
    "--accept",
    "accepted",
    metavar="WHAT",
    multiple=True,
    help="Let WHAT, as it is listed, stay as it is now: no run restores it any more.",
)
@answering
@click.pass_context
def command(
    context: click.Context, config: tuple[str, ...], restore: bool, accepted: tuple[str, ...]
) -> None:
    """Show triggers, keys and indexes that a crashed run left disabled in the NEW database of CONFIG. Ends
    with 1 while any is.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.cli.verdicts import doctor_verdict

    loaded = load(config)
    kept = run(lambda _: api.accept(loaded, accepted)) if accepted else ()
    found = run(lambda _: api.restore_all(loaded, _tell) if restore else api.examine(loaded))
    left = any(diagnosis.off for diagnosis in found)
    call = context.ensure_object(CliContext)
    if call.json:
        answer_json(call, found, status=1 if left else 0)
    else:
        new = loaded.new.display
        lines = [doctor_verdict(found, len(kept), restored=restore, new=new, words=config)]
        lines += [visible(f"{undo.what}: stays as it is") for undo in kept]
        lines += itertools.chain.from_iterable(_lines(diagnosis, call) for diagnosis in found)
        for line in lines:
            say(line)
    context.exit(1 if left else 0)


def _tell(what: Note) -> None:
    from tranship.cli.terminal import note
    from tranship.report.notes import words

    # The list that follows says what was found restored or dropped.
    if not isinstance(what, FoundRestored):
        note(words(what))


def _lines(diagnosis: Diagnosis, call: CliContext) -> Iterator[str]:
    from tranship.cli.trouble import spelled
    from tranship.report.notes import settled

    if diagnosis.now is not None:
        state = settled(diagnosis.now)
    elif diagnosis.restored:
        state = "restored"
    elif diagnosis.running:
        state = "off, a run that is at work needs it so"
    else:
        state = "off"
    yield visible(f"{diagnosis.undo.what}: {state}")
    if diagnosis.problem:
        yield visible(f"  {spelled(diagnosis.problem, call)}")
    if diagnosis.refusal is not None:
        yield f"  {diagnosis.refusal.code} hint: {spelled(diagnosis.refusal.hint, call)}"
    if state == "off" and isinstance(diagnosis.undo.off, Unreadable):
        yield visible(f"  tranship did not write this entry and runs nothing of it: {diagnosis.undo.sql}")
    elif state == "off":
        yield visible(f"  undo: {pasteable(diagnosis.undo.sql)}")
