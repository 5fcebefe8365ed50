"""Writes text to stdout and stderr. Signs that a terminal cannot show are replaced, and data cannot control
the terminal.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
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
