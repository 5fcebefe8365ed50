"""``tranship verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from tranship.cli.context import CliContext, answering_as, databases, results
from tranship.cli.exit_status import JOURNAL_REFUSED, WRONG_OR_NO_RUN, exits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tranship.model.verification import Verification, VerifiedTable
    from tranship.report.ci import Checked


class Given(TypedDict):
    """The options as they are given, under the names of `VerifyOptions`, which says what they mean."""

    prefix: str | None
    results_dir: str
    run: str | None
    new_in_use: bool
    profile: bool


def _check(context: click.Context, _: click.Parameter, file: Path | None) -> None:
    """Checks a certificate in place of everything else, and says what it certifies."""
    if file is None:
        return
    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.terminal import say
    from tranship.report.certificate import caveats
    from tranship.report.ci import Checked, Ended
    from tranship.report.verification import certified

    call = context.ensure_object(CliContext)
    found = api.check_certificate(file)
    made = f"The certificate is as it was made on {found.made}: SHA-256 {found.sha256}"
    if call.json:
        answer_json(call, found)
    elif call.form != "text":
        text = "\n".join([made, *caveats(found), certified(found)])
        _write(call, [Checked("certificate", Ended.PASSED, text)])
    else:
        say(made)
        for line in (*caveats(found), certified(found)):
            say(line)
    context.exit()


def _write(call: CliContext, checks: Sequence[Checked]) -> None:
    """Writes checks in the form that a build server reads."""
    from tranship.cli.terminal import say
    from tranship.report.ci import checks_as_github, checks_as_junit

    junit = call.form == "junit"
    for line in checks_as_junit(checks, "tranship verify") if junit else checks_as_github(checks):
        say(line, whole=True)


def _say(call: CliContext, result: Verification, verdict: str, files: Sequence[str]) -> None:
    """Prints what a verification says beside its tables, and the files that hold it."""
    from tranship.cli.terminal import say
    from tranship.cli.trouble import spelled
    from tranship.report.verification import last_line, lines_beyond

    beyond = [spelled(line, call) for line in lines_beyond(result)]
    for line in (verdict, *beyond, *files, last_line(result)):
        say(line)


_EXITS = {
    0: "every row that was compared is what OLD's row became",
    1: "a table could not be compared, or others added or changed rows (--new-in-use)",
    2: WRONG_OR_NO_RUN,
    3: JOURNAL_REFUSED,
    4: "rows differ, and they cannot be named: this Python has no SQLite",
    5: "NEW does not hold what OLD's rows became, or its rows break a constraint",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@results
@click.option("--run", metavar="ID", help="Which run (tranship status names them).  [default: all]")
@click.option(
    "--new-in-use",
    is_flag=True,
    help="Others write to NEW: report what they added or changed, with status 1 in place of 5; rows that are "
    "gone still end with 5.",
)
@click.option("--profile", is_flag=True, help="Show where the time went: seconds per phase and per question.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_check,
    help="Only check a certificate, page or JSON; no CONFIG is needed, and no database is asked.",
)
@answering_as("text", "json", "github", "junit")
@click.pass_context
def command(context: click.Context, config: tuple[str, ...], **given: Unpack[Given]) -> None:
    """Compare every row that runs brought into the NEW database of CONFIG with what OLD's rows became, by the
    sums in NEW's journal. It can be done at any time, and writes to no database. It ends with 1 where others
    changed rows (--new-in-use) or a table could not be compared.
    """
    import msgspec

    from tranship import api
    from tranship.cli.answer import answer_json
    from tranship.cli.loop import run
    from tranship.cli.progress import display
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.cli.verdicts import verify_verdict
    from tranship.model.options import naming
    from tranship.model.verification import VerifyOptions
    from tranship.report.verification import TableLines
    from tranship.report.verified_checks import verified_checks

    call = context.ensure_object(CliContext)
    known = {
        "show_values": call.show_values,
        "arguments": call.arguments,
        "invocation": call.invocation,
        "databases": config,
    }
    options = msgspec.convert({**given, **known}, VerifyOptions)
    loaded = load(config)
    lines = TableLines()
    with display(call, "compare NEW with its journal") as shows:

        def tell(table: VerifiedTable) -> None:
            if call.form == "text":
                shows.write(list(lines.of(table)), say)

        result, path, certificate = run(lambda _: api.verify(loaded, options, tell), shows=shows)
    verdict = verify_verdict(result, (*config, *naming(options.prefix, options.results_dir)))
    if call.json:
        answer_json(call, result, status=result.exit_status)
    elif call.form != "text":
        _write(call, verified_checks(result, verdict))
    else:
        files = [f"Result: {path}", *([f"Certificate: {certificate}"] if certificate is not None else [])]
        _say(call, result, verdict, files)
    context.exit(result.exit_status)
