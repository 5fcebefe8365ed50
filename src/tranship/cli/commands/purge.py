"""``tranship purge``."""

from __future__ import annotations

import click

from tranship.cli.context import CliContext, answering, databases
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits

_EXITS = {
    0: "the journal is removed (without --live: would be), or there is none",
    2: WRONG_OR_UNREACHED,
    3: "refused, and nothing is removed: a run or a rollback is not finished, something is disabled, or a "
    "privilege is missing",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@click.option(
    "--live",
    is_flag=True,
    help="Remove the journal. Without it nothing is changed: a preview of what would be removed and lost.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be removed, which is the default.")
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], live: bool, dry_run: bool) -> None:
    """Remove the journal from the NEW database of CONFIG. The rows of its runs stay, and can no longer be
    verified or rolled back; rejected rows that no run has moved can no longer be moved by --rejects-only. It
    is refused while a run is unfinished.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import note, say
    from tranship.cli.verdicts import purge_words
    from tranship.model.options import command_line

    if dry_run and live:
        raise click.UsageError("--dry-run removes nothing, --live does: give one of the two", context)
    loaded = load(config)
    done = run(lambda _: api.purge(loaded, dry_run=not live))
    call = context.ensure_object(CliContext)
    again = command_line(call.invocation, "purge", *loaded.words, "--live")
    if call.json:
        answer_json(call, done.runs)
        if done.journal and not live:
            # The answer has the same form in both modes.
            note(f"Nothing is removed yet. Next: {again}")
        return
    journal, new = loaded.journal_schema, loaded.new.display
    if not done.journal:
        say(f"There is no journal {journal} in {new}. Nothing left to do.")
    elif not live:
        held = purge_words(done, dry_run=True)
        say(f"Journal {journal} would be removed from {new}: {held}. Nothing is changed yet. Next: {again}")
    else:
        say(f"Journal {journal} removed from {new}: {purge_words(done, dry_run=False)}. Nothing left to do.")
