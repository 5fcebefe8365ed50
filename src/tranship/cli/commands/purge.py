"""``tranship purge``."""

from __future__ import annotations

import click

from tranship.cli.context import CliContext, answering, databases
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits

_EXITS = {
    0: "the journal is removed (--dry-run: would be), or there is none",
    2: WRONG_OR_UNREACHED,
    3: "refused, and nothing is removed: a run or a rollback is not finished, something is disabled, or a "
    "privilege is missing",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], dry_run: bool) -> None:
    """Remove the journal, rejected rows included, from the NEW database of CONFIG, at once: look first with
    --dry-run. The rows of its runs stay, and can no longer be verified or rolled back. It is refused while a
    run is unfinished.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.cli.verdicts import purge_words
    from tranship.model.options import command_line

    loaded = load(config)
    done = run(lambda _: api.purge(loaded, dry_run=dry_run))
    call = context.ensure_object(CliContext)
    if call.json:
        answer_json(call, done.runs)
        return
    journal, new = loaded.journal_schema, loaded.new.display
    if not done.journal:
        say(f"There is no journal {journal} in {new}. Nothing left to do.")
    elif dry_run:
        live = command_line(call.invocation, "purge", *loaded.words)
        held = purge_words(done, dry_run=True)
        say(f"Journal {journal} would be removed from {new}: {held}. Nothing is changed yet. Next: {live}")
    else:
        say(f"Journal {journal} removed from {new}: {purge_words(done, dry_run=False)}. Nothing left to do.")
