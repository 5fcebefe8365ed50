"""``tranship verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from tranship.cli.context import CliContext, answering, results

if TYPE_CHECKING:
    from tranship.model.verification import VerifiedTable


class Given(TypedDict):
    """The options as they are given, under the names of `VerifyOptions`, which says what they mean."""

    prefix: str | None
    results_dir: str
    run: str | None
    new_in_use: bool


@click.command(no_args_is_help=True)
@click.argument("config", type=click.Path(path_type=Path))
@results
@click.option("--run", metavar="ID", help="Which run (tranship status names them).  [default: all]")
@click.option(
    "--new-in-use",
    is_flag=True,
    help="Others write to NEW: what they added or changed is told and ends with status 1, not 5.",
)
@answering
@click.pass_context
def command(context: click.Context, config: Path, **given: Unpack[Given]) -> None:
    """Compare every row that runs brought into the NEW database of CONFIG with what OLD's rows became, by the
    sums in NEW's journal. It can be done at any time, and writes to no database.

    Exit status: 0 all rows are equal, 1 others changed rows (--new-in-use) or a table could not be compared,
    5 rows differ.
    """
    import msgspec

    from tranship import api
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say
    from tranship.codec import encode
    from tranship.model.verification import VerifyOptions
    from tranship.report.verification import last_line, table_lines

    call = context.ensure_object(CliContext)
    known = {
        "show_values": call.show_values,
        "arguments": call.arguments,
        "invocation": call.invocation,
        "config_path": str(config),
    }
    options = msgspec.convert({**given, **known}, VerifyOptions)
    loaded = load(config)

    def tell(table: VerifiedTable) -> None:
        if not call.json:
            for line in table_lines(table):
                say(line)

    result, path = run(lambda _: api.verify(loaded, options, tell))
    if call.json:
        say(encode(result).decode().rstrip("\n"))
    else:
        say(last_line(result))
        say(f"Result: {path}")
    context.exit(result.exit_status)
