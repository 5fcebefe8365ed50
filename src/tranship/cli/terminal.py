"""Text to stdout and stderr: signs a terminal cannot show are replaced, and what is data cannot steer it."""

from __future__ import annotations

import re
import sys
from typing import TextIO

_SIGNS = {"→": "->", "⚠": "!", "✓": "ok", "—": "-", "…": "...", "≥": ">=", "·": "-"}
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str, encoding: str) -> str:
    """The text as it may be written: controls and direction marks escaped, signs replaced where the encoding lacks them."""
    safe = _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    try:
        safe.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in _SIGNS.items():
            safe = safe.replace(sign, plain)
        safe = safe.encode(encoding, "backslashreplace").decode(encoding)
    return safe


def say(text: str = "") -> None:
    """A line of the answer on stdout."""
    _write(sys.stdout, text)


def note(text: str) -> None:
    """A line of progress or trouble on stderr."""
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    stream.write(shown(text, stream.encoding or "ascii") + "\n")
    stream.flush()
