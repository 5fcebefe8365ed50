"""Writes text to stdout and stderr. Signs that a terminal cannot show are replaced, and data cannot control
the terminal.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TextIO

import click

from tranship.model.visible import printed
from tranship.report.folded import fitting

_SIGNS = {"→": "->", "⚠": "!", "✓": "ok", "—": "-", "…": "...", "≥": ">=", "·": "-"}


def shown(text: str, encoding: str) -> str:
    """Returns the text as it may be written: characters that are not shown escaped, signs replaced where the
    encoding lacks them.
    """
    safe = printed(text)
    try:
        safe.encode(encoding)
    except UnicodeEncodeError:
        # Known signs become words; any other character the encoding lacks becomes an escape.
        for sign, plain in _SIGNS.items():
            safe = safe.replace(sign, plain)
        safe = safe.encode(encoding, "backslashreplace").decode(encoding)
    return safe


def say(text: str = "", *, whole: bool = False) -> None:
    """Writes a line of the answer to stdout. A terminal gets a line that is wider than it in several, unless
    the line has to stay ``whole``: a program reads it, or it is a row of a table.
    """
    _write(sys.stdout, text, whole=whole)


def ask(prompt: str) -> None:
    """Writes a prompt to stdout, behind which a person types."""
    text = prompt.rstrip(" ")
    sys.stdout.write(fitting(sys.stdout, text) + prompt[len(text) :])
    sys.stdout.flush()


class Log:
    """How stderr is written by this process."""

    json = False
    """One JSON object a line."""
    file: TextIO | None = None
    """The file of ``--log-file``, which gets every event and message as one JSON object a line."""


class _Outliving:
    """A stream that nobody may read any more. What it cannot write is lost; everything else is the stream's.

    A run that others wait for must end by what it did, and not because a terminal or a pipe is gone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text, or leaves it out; returns its length."""
        with self._unheard():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes the stream, if somebody reads it."""
        with self._unheard():
            self._stream.flush()

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            # EPIPE, EIO of a terminal that hung up, a full disk. What is buffered still goes somewhere when
            # Python ends.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def outlive_readers() -> None:
    """Makes the rest of this process go on when nobody reads its stdout or stderr any more."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, _Outliving):
            setattr(sys, name, _Outliving(stream))


def open_private(path: str) -> TextIO:
    """Returns a file for appending, which only its owner may read.

    Raises:
        click.BadParameter: it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise click.BadParameter(f"cannot write {path}: {error.strerror}") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def note(text: str, *, to_file: bool = True) -> None:
    """Writes a line of progress or trouble to stderr; where the log is JSON, as an event of its own.

    ``to_file``: it goes to the log file, too; False where the file has the event that it is about.
    """
    if to_file and Log.file is not None:
        log_to_file("Note", {"message": text})
    if Log.json:
        log("Note", {"message": text})
    else:
        _write(sys.stderr, text)


def log(event: str, fields: Mapping[str, object]) -> None:
    """Writes one event as one line of JSON to stderr."""
    sys.stderr.write(_log_line(event, fields))
    sys.stderr.flush()


def log_to_file(event: str, fields: Mapping[str, object]) -> None:
    """Writes one event as one line of JSON to the log file, which has to be open. A disk that is full costs
    the line and not the run.
    """
    assert Log.file is not None
    with suppress(OSError):
        Log.file.write(_log_line(event, fields))
        Log.file.flush()


def _log_line(event: str, fields: Mapping[str, object]) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"time": stamp, "event": event, **fields}) + "\n"


def _write(stream: TextIO, text: str, *, whole: bool = False) -> None:
    safe = shown(text, stream.encoding or "ascii")
    stream.write((safe if whole else fitting(stream, safe)) + "\n")
    stream.flush()
