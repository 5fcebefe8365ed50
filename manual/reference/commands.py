"""The reference of commands, read from the commands themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from manual.reference.structs import head
from tranship.cli.entry import COMMANDS, load
from tranship.cli.exit_status import rows

_FEW = 4
"""Commands that lack an option which counts as one of all commands."""


@dataclass(frozen=True)
class Command:
    """A command as its help describes it."""

    name: str
    """With the command it belongs to: ``resolve generate``."""
    usage: str
    paragraphs: tuple[str, ...]
    """Of its description and its epilog; one that begins with a line break is laid out already."""
    options: tuple[tuple[str, str], ...]
    """How each option is written, and what it does."""


def commands() -> Iterator[Command]:
    """Yields every command in the order of the help, followed by its sub-commands."""
    for name in COMMANDS:
        yield from _with_below(load(name), name)


def _with_below(command: click.Command, name: str) -> Iterator[Command]:
    context = click.Context(command, info_name=f"tranship {name}", terminal_width=100)
    # click has the line of the usage only as a text with a head.
    usage = " ".join(command.get_usage(context).partition(":")[2].split())
    yield Command(name, usage, _paragraphs(command), _options(command, context))
    if isinstance(command, click.Group):
        for below, sub in command.commands.items():
            yield from _with_below(sub, f"{name} {below}")


def _paragraphs(command: click.Command) -> tuple[str, ...]:
    texts = [command.help or "", command.epilog or ""]
    return tuple(_laid_out(one) for text in texts for one in re.split(r"\n\s*\n", text.strip()) if one)


def _options(command: click.Command, context: click.Context) -> tuple[tuple[str, str], ...]:
    records = [one.get_help_record(context) for one in command.params if isinstance(one, click.Option)]
    return tuple(one for one in records if one is not None and one[0] != "-h, --help")


def _laid_out(paragraph: str) -> str:
    r"""Returns a paragraph in one line; with a line break before it if click's ``\b`` keeps its lines."""
    if paragraph.startswith("\b"):
        return "\n" + paragraph.removeprefix("\b").strip("\n")
    return " ".join(paragraph.split())


def shared(all_commands: Sequence[Command]) -> tuple[tuple[str, str], ...]:
    """Returns the options that nearly every command has, in the order in which help shows them."""
    count = Counter(option for command in all_commands for option in command.options)
    most = max(count.values())
    return tuple(option for option, number in count.items() if number > most - _FEW)


def page() -> str:
    """Returns the page in Markdown."""
    all_commands = list(commands())
    common = shared(all_commands)
    parts = [head("commands.md"), "| Command | What it does |\n|---|---|"]
    parts[-1] += "".join(f"\n| [`{name}`](#tranship-{name}) | {text} |" for name, text in COMMANDS.items())
    for command in all_commands:
        parts.append(f"{'#' * (2 + command.name.count(' '))} tranship {command.name}")
        parts.append(f"```text\n{command.usage}\n```")
        parts += [_markdown(one) for one in command.paragraphs]
        own = [option for option in command.options if option not in common]
        parts += [_table(own)] if own else []
        if set(common) & set(command.options):
            parts.append("And [the options of all commands](#options-of-all-commands).")
    parts += [
        "## Options of all commands",
        "Some commands lack those that mean nothing there.",
        _table(common),
    ]
    statuses = "\n".join(f"| {number} | {meaning} |" for number, meaning in rows())
    parts.append(f"## Exit status\n\n| Status | Meaning |\n|---|---|\n{statuses}")
    return "\n\n".join(parts) + "\n"


def _table(options: Sequence[tuple[str, str]]) -> str:
    rows = [f"| {_code(words)} | {_cell(text)} |" for words, text in options]
    return "\n".join(["| Option | Meaning |", "|---|---|", *rows])


def _markdown(paragraph: str) -> str:
    return f"```text{paragraph}\n```" if paragraph.startswith("\n") else paragraph


def _code(words: str) -> str:
    return f"`{words}`".replace("|", "\\|")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("[P_]", "\\[P_\\]").replace("<", "&lt;")
