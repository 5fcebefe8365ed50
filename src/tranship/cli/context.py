"""What one call of the program knows about itself, and the options that many commands share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import click

from tranship.cli.terminal import Log, open_private, outlive_readers

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
    command: str = ""
    """The command without its script: ``migrate``, ``resolve generate``; empty: none is known."""
    databases: tuple[str, ...] = ()
    """The words that name the databases: a configuration file, or two URLs; empty: the command takes none."""
    form: str = "text"
    """How the answer on stdout is written: ``text``, ``json``, or a further form of one command."""
    verbosity: int = 0
    """-1: errors alone. 1: every step of a phase, too."""
    log_json: bool = False
    """Progress and logs on stderr are one JSON object a line."""
    color: bool | None = None
    """None: as the terminal says."""
    show_values: bool = False
    """Messages may show values of rows."""
    writes: bool = False
    """The command may have committed rows, so an unforeseen error ends with status 4 and not 2."""

    def begin_writing(self) -> None:
        """Notes that rows may be committed from now on: whatever happens then, the exit status tells of it,
        also where nobody reads what the command prints.
        """
        self.writes = True
        outlive_readers()

    @property
    def classic(self) -> bool:
        """Whether a classic script was called, whose promises about files hold."""
        return self.invocation != "tranship"

    @property
    def json(self) -> bool:
        """Whether the answer on stdout is JSON."""
        return self.form == "json"

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


def command_of(arguments: Sequence[str], known: Collection[str]) -> str:
    """Returns the command that a command line names, judged before it is read; empty: none of ``known``."""
    words = [word for word in arguments if not word.startswith("-")]
    if not words or words[0] not in known:
        return ""
    # A URL that stands there by mistake may hold a password.
    two = words[0] == "resolve" and words[1:] and words[1].isalpha()
    return " ".join(words[:2] if two else words[:1])


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None:
            setattr(ctx.ensure_object(CliContext), name, value)

    return store


def _prefix(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or (value and not set(value) & set("/\\\0") and value not in (".", "..")):
        return value
    raise click.BadParameter("a prefix is part of a file's name: no path separator, not empty")


_MEANT_AS_URL = re.compile(r"://|:.*@|^postgres(ql)?:|\bpassword\s*=")
"""A URL, one with a slip of the pen, or a connection string of libpq: each may hold a password."""


class WholeNumber(click.IntRange):
    """A whole number of a range, named as one where a word is refused."""

    name = "whole number"


class Number(click.FloatRange):
    """A number of a range, named as one where a word is refused."""

    name = "number"


def _log_format(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    ctx.ensure_object(CliContext).log_json = Log.json = value == "json"


def _databases(ctx: click.Context, _: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    urls = [word for word in words if "://" in word]
    meant = any(_MEANT_AS_URL.search(word) for word in words)
    if len(urls) == len(words) == 2 or (not meant and len(words) == 1):
        ctx.ensure_object(CliContext).databases = words
        return words
    # A mistyped URL is told as one, and never repeated: it may hold a password.
    if meant:
        raise click.UsageError("give one configuration file, or two URLs: OLD_URL NEW_URL", ctx)
    raise click.UsageError(f"Got unexpected extra argument ({' '.join(words[1:])})", ctx)


def _databases_and_table(
    ctx: click.Context, param: click.Parameter, words: tuple[str, ...]
) -> tuple[tuple[str, ...], str | None]:
    count = 2 if words and "://" in words[0] else 1
    rest = words[count : count + 1]
    databases = _databases(ctx, param, (*words[:count], *words[count + 1 :]))
    return databases, rest[0] if rest else None


def _naming(metavar: str, read: Decorated) -> Callable[[Decorated], Decorated]:
    return click.argument(
        "config",
        nargs=-1,
        required=True,
        # A path, so that a shell completes it.
        type=click.Path(),
        metavar=metavar,
        callback=read,
    )


def databases(function: Decorated) -> Decorated:
    """Adds the argument that names both databases, as a tuple: a configuration file, or two URLs."""
    return _naming("CONFIG|OLD_URL NEW_URL", _databases)(function)


def databases_and_table(function: Decorated) -> Decorated:
    """Adds the same argument, followed by a table that may be left out: a tuple of both."""
    return _naming("CONFIG|OLD_URL NEW_URL [TABLE]", _databases_and_table)(function)


def choosing(function: Decorated) -> Decorated:
    """Adds ``--table`` and ``--exclude-table`` to a command."""
    only = click.option(
        "-t",
        "--table",
        "only",
        multiple=True,
        metavar="PATTERN",
        help="Only OLD's tables of this name, such as 'sales.*' or 'order*'; repeatable.",
    )
    never = click.option(
        "-T",
        "--exclude-table",
        "never",
        multiple=True,
        metavar="PATTERN",
        help="Leave out OLD's tables of this name; repeatable, and it overrides -t.",
    )
    return only(never(function))


def _verbosity(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(CliContext).verbosity = level

    return store


def _open_log(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None:
        Log.file = open_private(value)


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


def answering_as(*forms: str) -> Callable[[Decorated], Decorated]:
    """Returns a decorator that adds ``--format``, with these forms, and the options of `answering`."""
    answer = click.option(
        "--format",
        type=click.Choice(forms),
        expose_value=False,
        callback=_store("form"),
        help="Format of the answer on stdout.  [default: text]",
    )
    return lambda function: answer(_shown(function))


def answering(function: Decorated) -> Decorated:
    """Adds ``--format``, ``--log-format``, ``--color`` and ``--show-values`` to a command."""
    return answering_as("text", "json")(function)


def _shown(function: Decorated) -> Decorated:
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
    quiet = click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_verbosity(-1),
        help="Write no progress and no warnings of a run to stderr, only errors.",
    )
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_verbosity(1),
        help="Write every step of a run to stderr.",
    )
    log_file = click.option(
        "--log-file",
        metavar="FILE",
        expose_value=False,
        callback=_open_log,
        help="Append every event to FILE, one JSON object a line.",
    )
    return quiet(verbose(log_file(log(color(show(function))))))
