"""The man page tranship(1), read from the commands."""

from __future__ import annotations

from collections.abc import Sequence

from manual.reference.commands import Command, commands, shared
from manual.reference.structs import head
from tranship import __version__
from tranship.cli.exit_status import rows

_FILES = ("results/my_migration_changes.json", "results/my_manual_resolutions.json")
_MIGRATE = f"tranship migrate config/my-config.json --prefix my --resolutions {_FILES[1]}"
_WORKFLOW = (
    "tranship init config/my-config.json",
    "tranship analyze config/my-config.json --prefix my",
    f"tranship resolve generate {_FILES[0]} --prefix my",
    f"tranship resolve edit {_FILES[1]} {_FILES[0]}",
    _MIGRATE,
    f"{_MIGRATE} --live",
)


def page() -> str:
    """Returns the page in the macros of man."""
    lines = [
        '.\\" Written by: python3 dev.py manual',
        f'.TH TRANSHIP 1 "" "tranship {__version__}" "User Commands"',
        ".SH NAME",
        "tranship \\- move the data of an old PostgreSQL database into a new one whose schema differs",
        ".SH SYNOPSIS",
        ".B tranship",
        ".I COMMAND",
        "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_escaped(head("man.txt")).splitlines(),
        ".SH COMMANDS",
    ]
    all_commands = list(commands())
    common = shared(all_commands)
    for command in all_commands:
        lines += _command(command)
        lines += _options([option for option in command.options if option not in common])
    lines += [".SH OPTIONS OF ALL COMMANDS", *_options(common)]
    lines += [".SH EXIT STATUS"]
    for number, meaning in rows():
        lines += [".TP", f".B {number}", _escaped(meaning)]
    lines += [".SH EXAMPLES", "The whole way, from a configuration to the live run:", ".PP", ".nf"]
    lines += [_escaped(line) for line in _WORKFLOW]
    lines += [".fi", ".SH SEE ALSO", ".BR psql (1),", ".BR pg_dump (1)"]
    lines += ["", "The manual is in the package: the last line of", ".B tranship \\-\\-help", "says where."]
    return "\n".join(line for line in lines if line) + "\n"


def _command(command: Command) -> list[str]:
    lines = [f".SS tranship {command.name}", ".PP", f".B {_escaped(command.usage)}"]
    for paragraph in command.paragraphs:
        if paragraph.startswith("\n"):
            lines += [".PP", ".nf", *(_escaped(line) for line in paragraph.strip("\n").splitlines()), ".fi"]
        else:
            lines += [".PP", _escaped(paragraph)]
    return lines


def _options(options: Sequence[tuple[str, str]]) -> list[str]:
    return [
        line
        for words, text in options
        for line in (".TP", f".B {_escaped(words)}", _escaped(" ".join(text.split())))
    ]


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    # A line that begins with a dot or an apostrophe would be taken for a macro.
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
