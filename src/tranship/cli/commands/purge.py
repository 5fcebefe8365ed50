"""``tranship purge``."""

from __future__ import annotations

import click

from tranship.cli.context import CliContext, answering, databases
from tranship.cli.exit_status import exits


@click.command(no_args_is_help=True, epilog=exits(0, 2, 3))
@databases
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...]) -> None:
    """Remove the journal, rejected rows included, from the NEW database of CONFIG, at once. The rows of its
    runs stay, and can no longer be verified or rolled back. It is refused while a run is unfinished.
    """
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.cli.verdicts import purge_words

    loaded = load(config)
    done = run(lambda _: api.purge(loaded))
    call = context.ensure_object(CliContext)
    if call.json:
        answer_json(call, done.runs)
        return
    journal, new = loaded.journal_schema, loaded.new.display
    if done.journal:
        say(f"Journal {journal} removed from {new}: {purge_words(done)}. Nothing left to do.")
    else:
        say(f"There is no journal {journal} in {new}. Nothing left to do.")
