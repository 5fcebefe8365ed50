"""What one call of the program knows about itself, and the options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import click

from tranship.cli.terminal import Log

Decorated = Callable[..., Any]


@dataclass
class CliContext:
    """What one call knows about itself. It is filled while options are read, because an error while reading
    them needs it already.
    """

    arguments: tuple[str, ...]
    """The command line without the program's name."""
    invocation: str
    """How the program was called, for commands that messages name (`model.options.command_line`)."""
    json: bool = False
    """The answer on stdout is JSON."""
    log_json: bool = False
    """Progress and logs on stderr are one JSON object a line."""
    color: bool | None = None
    """None: as the terminal says."""
    show_values: bool = False
    """Messages may show values of rows."""
    writes: bool = False
    """The command may have committed rows, so an unforeseen error ends with status 4 and not 2."""

    @property
    def colored(self) -> bool | None:
        """The colour setting, with the convention that NO_COLOR in the environment turns colours off unless
        ``--color`` is given.
        """
        if self.color is None and os.environ.get("NO_COLOR"):
            return False
        return self.color


def wants_json(arguments: list[str]) -> bool:
    """Returns whether a call asks for a JSON answer, judged before its options are read: a wrong option is
    answered in JSON, too.
    """
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None:
            setattr(ctx.ensure_object(CliContext), name, value)

    return store


def _prefix(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or (value and not set(value) & set("/\\\0") and value not in (".", "..")):
        return value
    raise click.BadParameter("a prefix is part of a file's name: no path separator, not empty")


def _log_format(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    ctx.ensure_object(CliContext).log_json = Log.json = value == "json"


def results(function: Decorated) -> Decorated:
    """Adds ``--prefix`` and ``--results-dir`` to a command."""
    folder = click.option(
        "--results-dir",
        default="results",
        show_default=True,
        metavar="DIR",
        help="Folder of the result files; it is made if needed.",
    )
    prefix = click.option(
        "--prefix", metavar="P", callback=_prefix, help="Begin the names of all result files with P_."
    )
    # click lists options in the reverse order of their decorators.
    return prefix(folder(function))


def answering(function: Decorated) -> Decorated:
    """Adds ``--format``, ``--log-format``, ``--color`` and ``--show-values`` to a command."""
    answer = click.option(
        "--format",
        type=click.Choice(["text", "json"]),
        expose_value=False,
        callback=lambda ctx, param, value: _store("json")(
            ctx, param, None if value is None else value == "json"
        ),
        help="Format of the answer on stdout.  [default: text]",
    )
    log = click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        expose_value=False,
        callback=_log_format,
        help="Format of progress on stderr; json writes one event a line.  [default: text]",
    )
    color = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        expose_value=False,
        callback=lambda ctx, param, value: _store("color")(
            ctx, param, {"always": True, "never": False}.get(value)
        ),
        help="Colours on the terminal; NO_COLOR is respected.  [default: auto]",
    )
    show = click.option(
        "--show-values",
        is_flag=True,
        expose_value=False,
        callback=_store("show_values"),
        help="Show values of rows on the terminal; without it only keys are shown.",
    )
    return answer(log(color(show(function))))
