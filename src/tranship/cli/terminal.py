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

from tranship.model.visible import printed

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


def say(text: str = "") -> None:
    """Writes a line of the answer to stdout."""
    _write(sys.stdout, text)


class Log:
    """How stderr is written by this process."""

    json = False
    """One JSON object a line."""


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


def note(text: str) -> None:
    """Writes a line of progress or trouble to stderr; where the log is JSON, as an event of its own."""
    if Log.json:
        log("Note", {"message": text})
    else:
        _write(sys.stderr, text)


def log(event: str, fields: Mapping[str, object]) -> None:
    """Writes one event as one line of JSON to stderr."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(json.dumps({"time": stamp, "event": event, **fields}) + "\n")
    sys.stderr.flush()


def _write(stream: TextIO, text: str) -> None:
    stream.write(shown(text, stream.encoding or "ascii") + "\n")
    stream.flush()
