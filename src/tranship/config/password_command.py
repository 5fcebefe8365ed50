"""``password_command``: a program whose output is the password, asked anew for each connection, so that a
token that expires does not end a run hours later.
"""

from __future__ import annotations

import subprocess
import threading
import time

from tranship.config.endpoint import Secret
from tranship.errors.codes.configuration import (
    CommandFailed,
    CommandNotRun,
    CommandTimedOut,
    NoPassword,
    PasswordNotUtf8,
)
from tranship.errors.message import UsageMessage

_COMMAND_SECONDS = 120
"""Time for the command: it may ask a person for a second factor."""
_FRESH_SECONDS = 10.0
"""Connections that are opened together share one password: a run opens a dozen at its start, and a token is
valid for minutes."""


class CommandTrouble(Exception):
    """The command gave no password. ``what`` says why, without its output."""

    def __init__(self, what: UsageMessage) -> None:
        super().__init__(what.problem().message)
        self.what = what


class CommandSecret(Secret):
    """A password that a command gives. It shows as little of itself as any other secret, and neither does the
    command, whose words may hold one.
    """

    __slots__ = ("_lock", "_until", "_words")

    def __init__(self, words: list[str] | str) -> None:
        super().__init__("")
        self._words = words
        self._until = 0.0
        # Streams of a run reconnect side by side: the first one runs the command for all.
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Runs the command, unless it ran within the last seconds. `reveal` gives its output then.

        Raises:
            CommandTrouble: it gave no password.
        """
        with self._lock:
            if time.monotonic() >= self._until:
                self._text = _output_of(self._words)
                self._until = time.monotonic() + _FRESH_SECONDS

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def _output_of(words: list[str] | str) -> str:
    """Returns a command's output without the final newline. A text is a line for the shell, a list its
    arguments.
    """
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
        raise CommandTrouble(CommandTimedOut(name, _COMMAND_SECONDS)) from None
    except OSError as error:
        raise CommandTrouble(CommandNotRun(name, error.strerror)) from None
    if done.returncode != 0:
        raise CommandTrouble(CommandFailed(name, done.returncode))
    try:
        password = done.stdout.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandTrouble(PasswordNotUtf8(name)) from None
    if not password:
        raise CommandTrouble(NoPassword(name))
    return password
