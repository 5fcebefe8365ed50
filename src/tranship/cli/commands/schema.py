"""``tranship schema``."""

from __future__ import annotations

import json
from typing import Any

import click

from tranship.cli.exit_status import WRONG, exits


@click.command(no_args_is_help=True, epilog=exits({0: "printed", 2: WRONG}))
@click.argument("file", type=click.Choice(["config", "changes", "resolutions"]))
def command(file: str) -> None:
    """Print the JSON Schema of a file: point your editor at it."""
    from tranship.cli.terminal import say

    say(json.dumps(_schema(file), ensure_ascii=False, indent=2), whole=True)


def _schema(file: str) -> dict[str, Any]:
    import msgspec

    from tranship.codec import ChangesFile
    from tranship.codec.schema import resolutions_schema
    from tranship.config import config_schema

    match file:
        case "config":
            return config_schema()
        case "changes":
            return msgspec.json.schema(ChangesFile)
        case _:
            return resolutions_schema()
