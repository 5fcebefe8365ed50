"""``tranship demo``."""

from __future__ import annotations

from pathlib import Path

import click

from tranship.cli.exit_status import exits

_EXITS = {
    0: "every step ended as it should",
    1: "a step ended otherwise",
    2: "a wrong option, no PostgreSQL to start, or a file that cannot be written",
}


@click.command(epilog=exits(_EXITS))
@click.option(
    "--keep", is_flag=True, help="Leave both servers running and print how to reach and to stop them."
)
@click.pass_context
def command(context: click.Context, keep: bool) -> None:
    """Run the whole workflow on two embedded servers with generated data of a shop that grew for years."""
    from tranship.demo.story import tell

    context.exit(tell(Path.cwd(), keep=keep))
