"""``tranship migrate``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from tranship.cli.context import CliContext, WholeNumber, answering, choosing, databases, results
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits

if TYPE_CHECKING:
    from tranship.model.options import MigrateOptions
    from tranship.model.progress import Event


class Given(TypedDict):
    """The options as they are given, under the names of `MigrateOptions`, which says what they mean."""

    prefix: str | None
    results_dir: str
    only: tuple[str, ...]
    never: tuple[str, ...]
    live: bool
    dry_run: bool
    resolutions: str | None
    changes_file: str | None
    batch_size: int | None
    jobs: int
    engine: str | None
    max_rejects: str | None
    all_rejects: bool
    rehearse: bool
    rebuild_indexes: str
    verify: str
    sample: str | None
    new_in_use: bool
    restart: bool
    again: bool
    rejects_only: bool
    new_snapshot: str | None
    take_over: bool
    allow_empty_old: bool
    analyze: bool
    profile: bool


def _bound(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]+|(?:100|[0-9]{1,2})(?:\.[0-9]+)?%", value):
        raise click.BadParameter("a number of rows, or a percentage such as 2%")
    return value


def _share(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"(?:100|[0-9]{1,2})(?:\.[0-9]+)?%", value):
        raise click.BadParameter("a percentage such as 5%")
    return value


_EXITS = {
    0: "every row is accounted for; of a live run: verified, too",
    1: "rows are rejected (of a dry run: would be), or others changed rows of NEW (--new-in-use)",
    2: f"{WRONG_OR_UNREACHED}; nothing is written",
    3: "refused, and nothing is written: open questions, a safety rule, or a privilege is missing",
    4: "stopped after the run began: the same command resumes it",
    5: "NEW does not hold what OLD's rows become",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@results
@choosing
@click.option(
    "--live", is_flag=True, help="Write to NEW. Without it the run is a dry run: it writes to no database."
)
@click.option("--dry-run", is_flag=True, help="Do a dry run, which is the default.")
@click.option(
    "--resolutions", metavar="FILE", help="File with your decisions (written by `resolve generate`)."
)
@click.option(
    "--changes-file",
    metavar="FILE",
    help="File with the changes that `analyze` found.  [default: results/[P_]migration_changes.json]",
)
@click.option(
    "--batch-size",
    type=WholeNumber(min=1),
    metavar="ROWS",
    help="Rows per batch; a batch is committed together with its record."
    "  [default: 50000; more where the way to NEW is long]",
)
@click.option(
    "--jobs",
    type=WholeNumber(1, 64),
    metavar="N",
    default=4,
    show_default=True,
    help="Streams that copy at the same time.",
)
@click.option(
    "--engine",
    metavar="dask://HOST:PORT",
    help="Let the workers of this Dask cluster copy, --jobs batches at a time (needs the extra dask).",
)
@click.option(
    "--max-rejects", metavar="N|P%", callback=_bound, help="Stop when more rows than this are rejected."
)
@click.option(
    "--all-rejects",
    is_flag=True,
    help="Write every rejected row to the file of a dry run, not only the first 10000 of each cause.",
)
@click.option(
    "--rehearse",
    is_flag=True,
    help="Do the whole live run in one transaction in NEW and roll it back; only while nobody uses NEW.",
)
@click.option(
    "--rebuild-indexes",
    type=click.Choice(["auto", "never", "always"]),
    default="auto",
    show_default=True,
    help="Drop indexes of large empty tables for the load and rebuild them after it.",
)
@click.option(
    "--verify",
    type=click.Choice(["off", "counts", "hash", "full"]),
    default="hash",
    show_default=True,
    help="How to prove that NEW holds what OLD's rows become; full sends every value to NEW once more.",
)
@click.option(
    "--sample",
    metavar="P%",
    callback=_share,
    help="With --verify hash or full: compare this share of the batches; the run then is not verified.",
)
@click.option(
    "--new-in-use",
    is_flag=True,
    help="Others write to NEW meanwhile: report what they add or change, with status 1 in place of 5.",
)
@click.option("--restart", is_flag=True, help="Delete what an unfinished run wrote, then start over.")
@click.option(
    "--again",
    is_flag=True,
    help="Move rows a second time that a finished run moved under other decisions.",
)
@click.option(
    "--rejects-only",
    is_flag=True,
    help="Move only the rows that finished runs rejected, under these decisions.",
)
@click.option(
    "--new-snapshot",
    type=click.Choice(["unfinished", "all"]),
    help="After OLD's snapshot was lost: which tables to read again from a new one.",
)
@click.option(
    "--allow-empty-old",
    is_flag=True,
    help="Go on although OLD holds no row and NEW does, which looks as if the two were swapped.",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Take the lock from another run that has sent no heartbeat for a minute.",
)
@click.option(
    "--analyze/--no-analyze",
    default=True,
    show_default=True,
    help="ANALYZE the filled tables at the end, where the role may.",
)
@click.option("--profile", is_flag=True, help="Show where the time went: seconds per phase and per question.")
@answering
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], **given: Unpack[Given]) -> None:
    """Copy the rows of the OLD database of CONFIG into the NEW one: a dry run, unless --live."""
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.progress import display
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.cli.trouble import spelled
    from tranship.report.console import Console

    _refuse_contradictions(context, given)
    call = context.ensure_object(CliContext)
    options = _options(call, config, given)
    loaded = load(config, given["only"], given["never"])
    _name_unpassed(options)
    # Set before anything can be committed: an unexpected error then ends with status 4.
    if options.live:
        call.begin_writing()
    console = Console(options)
    with display(call, "connect") as shows:

        def on_event(event: Event) -> None:
            shows.feed(event)
            # Lines of the classic output are written as tables end, not at the end of the run.
            lines = console.feed(event)
            if not call.json:
                shows.write(lines, say)

        result, path = run(
            lambda stop: api.migrate(loaded, options, on_event, stop),
            stoppable=(lambda: shows.meter.may_have_written) if options.live else None,
            shows=shows,
        )
    if call.json:
        printed = result if call.show_values else result.without_values
        answer_json(call, printed, status=result.exit_status, problems=result.problems)
    else:
        for line in console.finish(result, str(path) if path is not None else "on standard error"):
            say(spelled(line, call))
    context.exit(result.exit_status)


def _options(call: CliContext, config: tuple[str, ...], given: Given) -> MigrateOptions:
    import msgspec

    from tranship.model.options import MigrateOptions, pattern_words

    known = {
        "show_values": call.show_values,
        "arguments": call.arguments,
        "invocation": call.invocation,
        "databases": (*config, *pattern_words(given["only"], given["never"])),
    }
    return msgspec.convert({**given, **known}, MigrateOptions)


def _refuse_contradictions(context: click.Context, given: Given) -> None:
    if given["dry_run"] and given["live"]:
        raise click.UsageError("--dry-run writes nothing, --live does: give one of the two", context)
    if given["rehearse"] and given["live"]:
        raise click.UsageError(
            "--rehearse takes everything back, --live keeps it: give one of the two", context
        )
    if given["sample"] is not None and given["verify"] not in ("hash", "full"):
        raise click.UsageError("--sample needs --verify hash or --verify full", context)
    if given["rejects_only"] and given["again"]:
        raise click.UsageError(
            "--again moves all rows, --rejects-only the rejected ones: give one of the two", context
        )


def _name_unpassed(options: MigrateOptions) -> None:
    """Prints a warning when a resolutions file exists at the usual place and was not passed: it decides
    nothing then.
    """
    from tranship import api
    from tranship.cli.terminal import note

    usual = api.result_path(options.results_dir, options.prefix, "manual_resolutions.json")
    if options.resolutions is None and usual.exists():
        note(f"⚠ {usual} exists and was not passed: it decides nothing (pass it with --resolutions {usual})")
