"""Where a password comes from that the parameters do not hold: ``password_command``, or the password file."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from tranship.codec import JsonValue, child
from tranship.config import libpq
from tranship.config.endpoint import Endpoint
from tranship.config.reading import Reading
from tranship.errors.codes.configuration import (
    CommandFailed,
    CommandNotRun,
    CommandTimedOut,
    NoCommand,
    NoPassword,
    PasswordNotUtf8,
)

_COMMAND_SECONDS = 120
"""Time for ``password_command``: it may ask a person for a second factor."""


def find_password(
    reading: Reading, path: str, value: Mapping[str, JsonValue], endpoint: Endpoint
) -> str | None:
    """Returns the password of a database whose parameters hold none; None: it has none.

    Args:
        reading: of the file.
        path: of the database's object.
        value: that object.
        endpoint: the database, to be found in the password file.

    Raises:
        UsageError: the command fails.
    """
    if value.get("password_command") is not None:
        return _output_of(reading, child(path, "password_command"), value["password_command"])
    place = (endpoint.host, endpoint.port, endpoint.database, endpoint.user)
    return libpq.read_passfile(endpoint.passfile, *place, reading.warn)


def _output_of(reading: Reading, path: str, command: JsonValue) -> str:
    """Runs a command and returns its output without the final newline. A text is a line for the shell, a list
    its arguments.
    """
    words = _words(reading, path, command)
    name = words[0] if isinstance(words, list) else "the command"
    try:
        # stderr stays the terminal's: the command may ask or complain there. Its output appears nowhere.
        done = subprocess.run(
            words,
            shell=isinstance(words, str),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise reading.error(path, CommandTimedOut(name, _COMMAND_SECONDS)) from None
    except OSError as error:
        raise reading.error(path, CommandNotRun(name, error.strerror)) from None
    if done.returncode != 0:
        raise reading.error(path, CommandFailed(name, done.returncode))
    try:
        password = done.stdout.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise reading.error(path, PasswordNotUtf8(name)) from None
    if not password:
        raise reading.error(path, NoPassword(name))
    return password


def _words(reading: Reading, path: str, command: JsonValue) -> list[str] | str:
    if isinstance(command, str):
        return reading.text(path, command)
    if isinstance(command, list) and command:
        return [reading.text(child(path, number), word, empty=True) for number, word in enumerate(command)]
    raise reading.error(path, NoCommand())
