"""``tranship migrate``."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship.cli.context import CliContext, answering, results

if TYPE_CHECKING:
    from tranship.config import Config
    from tranship.model.options import MigrateOptions, RebuildIndexes
    from tranship.model.progress import Event
    from tranship.model.verdict import MigrationResult


def _bound(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]+|(?:100|[0-9]{1,2})(?:\.[0-9]+)?%", value):
        raise click.BadParameter("a number of rows, or a percentage such as 2%")
    return value


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@results
@click.option("--live", is_flag=True, help="Write. Without it nothing is written anywhere: a dry run.")
@click.option("--resolutions", metavar="FILE", help="The decisions. Passing the file is the decision.")
@click.option(
    "--changes-file",
    metavar="FILE",
    help="What analyze wrote.  [default: results/[P_]migration_changes.json]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=50_000,
    show_default=True,
    help="Rows committed together with their checkpoint.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Parallel streams.")
@click.option(
    "--max-rejects", metavar="N|P%", callback=_bound, help="Stop when more rows than this are rejected."
)
@click.option(
    "--rehearse",
    is_flag=True,
    help="Do the whole live run in one transaction of NEW and roll it back; for a NEW that nobody uses.",
)
@click.option(
    "--rebuild-indexes",
    type=click.Choice(["auto", "never", "always"]),
    default="auto",
    show_default=True,
    help="Take indexes of big empty tables off for the load and rebuild them after it.",
)
@click.option("--restart", is_flag=True, help="Take back what an unfinished run wrote, then start over.")
@click.option(
    "--new-snapshot",
    type=click.Choice(["unfinished", "all"]),
    help="OLD's snapshot is lost: read these tables anew in another one.",
)
@click.option(
    "--take-over", is_flag=True, help="Take the lock from another run that is alive but silent for a minute."
)
@answering
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    prefix: str | None,
    results_dir: str,
    live: bool,
    resolutions: str | None,
    changes_file: str | None,
    batch_size: int,
    jobs: int,
    max_rejects: str | None,
    rehearse: bool,
    rebuild_indexes: RebuildIndexes,
    restart: bool,
    new_snapshot: str | None,
    take_over: bool,
) -> None:
    """Move the rows of the OLD database into the NEW one that CONFIG names: a dry run, unless --live."""
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.model.options import MigrateOptions

    if rehearse and live:
        raise click.UsageError(
            "--rehearse takes everything back, --live keeps it: give one of the two", context
        )
    call = context.ensure_object(CliContext)
    options = MigrateOptions(
        live=live,
        prefix=prefix,
        results_dir=results_dir,
        resolutions=resolutions,
        changes_file=changes_file,
        batch_size=batch_size,
        jobs=jobs,
        max_rejects=max_rejects,
        rehearse=rehearse,
        rebuild_indexes=rebuild_indexes,
        restart=restart,
        new_snapshot=new_snapshot,
        take_over=take_over,
        show_values=call.show_values,
        arguments=call.arguments,
        invocation=call.invocation,
        config_path=str(config),
    )
    loaded = load(config)
    _name_unpassed(options)
    call.writes = live
    result = run(lambda stop: _migrate(loaded, options, call, stop), stoppable=live)
    context.exit(result.exit_status)


def _name_unpassed(options: MigrateOptions) -> None:
    """A resolutions file at the usual place that was not passed decides nothing, and that is said."""
    from tranship import api
    from tranship.cli.terminal import note

    usual = api.result_path(options.results_dir, options.prefix, "manual_resolutions.json")
    if options.resolutions is None and usual.exists():
        note(f"⚠ {usual} exists and was not passed: it decides nothing (pass it with --resolutions {usual})")


async def _migrate(
    config: Config, options: MigrateOptions, call: CliContext, stop: asyncio.Event
) -> MigrationResult:
    from tranship import api
    from tranship.cli.progress import display
    from tranship.cli.terminal import say
    from tranship.codec import encode
    from tranship.report.console import Console

    console = Console(options)
    with display(call) as shows:

        def on_event(event: Event) -> None:
            shows.feed(event)
            lines = console.feed(event)
            if not call.json:
                shows.write(lines, say)

        result, path = await api.migrate(config, options, on_event, stop)
    if call.json:
        say(encode(result).decode().rstrip("\n"))
    else:
        for line in console.finish(result, str(path)):
            say(line)
    return result
