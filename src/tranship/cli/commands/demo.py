"""``tranship demo``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--keep", is_flag=True, help="Leave both servers running and print how to reach and to stop them."
)
@click.pass_context
def command(context: click.Context, keep: bool) -> None:
    """Run the whole workflow on two embedded servers with generated data of a shop that grew for years."""
    from tranship.demo.story import tell

    context.exit(tell(Path.cwd(), keep=keep))
