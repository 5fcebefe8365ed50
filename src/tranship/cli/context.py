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
    """Filled while the options are read; an error needs it even when reading fails half-way."""

    arguments: tuple[str, ...]
    invocation: str
    json: bool = False
    """The answer is JSON."""
    log_json: bool = False
    """Progress and logs are one JSON object a line."""
    color: bool | None = None
    """None: as the terminal says."""
    show_values: bool = False
    writes: bool = False
    """A live run: an unforeseen end may come after the first committed batch."""

    @property
    def colored(self) -> bool | None:
        """With ``NO_COLOR`` respected."""
        if self.color is None and os.environ.get("NO_COLOR"):
            return False
        return self.color


def wants_json(arguments: list[str]) -> bool:
    """Before the options are read: does this call ask for JSON?"""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: Any) -> None:  # noqa: ANN401 - click's own signature
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
    """``--prefix`` and ``--results-dir``."""
    folder = click.option(
        "--results-dir",
        default="results",
        show_default=True,
        metavar="DIR",
        help="Folder of the result files; it is made.",
    )
    prefix = click.option(
        "--prefix", metavar="P", callback=_prefix, help="Put P_ before the names of all result files."
    )
    return prefix(folder(function))


def answering(function: Decorated) -> Decorated:
    """``--format``, ``--log-format``, ``--color``, ``--show-values``."""
    answer = click.option(
        "--format",
        type=click.Choice(["text", "json"]),
        expose_value=False,
        callback=lambda ctx, param, value: _store("json")(
            ctx, param, None if value is None else value == "json"
        ),
        help="How the answer on stdout is written.  [default: text]",
    )
    log = click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        expose_value=False,
        callback=_log_format,
        help="How progress on stderr is written; json: one event a line.  [default: text]",
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
        help="Show row values on the terminal; without it keys only.",
    )
    return answer(log(color(show(function))))
