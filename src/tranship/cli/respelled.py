"""The help of a command in the spelling of those who call its classic script."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection

import click

from tranship.model.options import command_line

_NAMED = re.compile(r"`([a-z]+)( generate| edit| validate)?`")
"""A command as the help names it."""


def respelled(command: click.Command, invocation: str, commands: Collection[str]) -> click.Command:
    """Returns a copy of a command whose help names other commands as they are called here.

    Args:
        command: the command, with its sub-commands.
        invocation: how the program was called.
        commands: the names of all commands.
    """

    def reworded(text: str | None) -> str | None:
        return text and _NAMED.sub(named, text)

    def named(found: re.Match[str]) -> str:
        if found[1] not in commands:
            return found[0]
        return f"`{command_line(invocation, found[1] + (found[2] or ''))}`"

    other = copy.copy(command)
    other.help, other.epilog = reworded(command.help), reworded(command.epilog)
    other.params = [copy.copy(param) for param in command.params]
    for param in other.params:
        if isinstance(param, click.Option):
            param.help = reworded(param.help)
    if isinstance(other, click.Group):
        below = other.commands.items()
        other.commands = {name: respelled(one, invocation, commands) for name, one in below}
    return other
