"""``tranship analyze``."""

from __future__ import annotations

from pathlib import Path

import click

from tranship.cli.context import CliContext, answering, results


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@results
@click.option(
    "--probe-seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Time to read data for the suggestions.",
)
@click.option("--exit-code", is_flag=True, help="End with status 1 when there are changes.")
@answering
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    prefix: str | None,
    results_dir: str,
    probe_seconds: float,
    exit_code: bool,
) -> None:
    """Compare the two databases of CONFIG. It writes to neither, prints a report, and writes report and
    changes to files.
    """
    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import note, say
    from tranship.cli.trouble import line_of

    call = context.ensure_object(CliContext)
    loaded = load(config)
    analysis = run(
        lambda _: api.analyze(loaded, prefix=prefix, results_dir=results_dir, probe_seconds=probe_seconds)
    )
    for problem in analysis.problems:
        note(line_of(problem))
    if call.json:
        say(_as_json(analysis))
    else:
        say(analysis.report.rstrip("\n"))
        say()
        say(f"Report: {analysis.report_path}")
        say(f"The same as a page: {analysis.page_path}")
        say(f"Changes: {analysis.changes_path}")
    context.exit(1 if exit_code and analysis.comparison.changes else 0)


def _as_json(analysis: object) -> str:
    from tranship import api
    from tranship.codec import ChangeRecord, encode
    from tranship.model.change import ChangeClass

    assert isinstance(analysis, api.Analysis)
    comparison = analysis.comparison
    answer = {
        "summary": {
            "total": len(comparison.changes),
            **{cls.value: len(comparison.of(cls)) for cls in ChangeClass},
        },
        "changes": [ChangeRecord.of(change) for change in comparison.changes],
        "report_file": str(analysis.report_path),
        "report_page": str(analysis.page_path),
        "changes_file": str(analysis.changes_path),
    }
    return encode(answer).decode().rstrip("\n")
