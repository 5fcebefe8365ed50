"""The texts of a preview, between OLD, NEW and a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from tranship.execution.probe.typed_rows import sendable
from tranship.model.locator import Locator

SHOWN = 200
"""Characters of a value that are shown."""
MOST_BYTES = 100_000
"""A longer text is not sent to NEW."""


class Sent(Struct, frozen=True):
    """The text that would be sent to NEW for one column of one row, or why there is none."""

    text: str | None = None
    note: str = ""
    rejects: bool = False
    """The row would be rejected for what the note says."""

    @property
    def known(self) -> bool:
        """Whether there is a text, or a NULL, that can be sent."""
        return not self.note and sendable(self.text)


class Read(Struct, frozen=True):
    """What OLD gave for some rows."""

    rows: tuple[Locator, ...]
    sent: Mapping[int, tuple[Sent, ...]]
    """By position of the mapping, in the order of the rows."""

    def all_known(self, number: int, positions: Iterable[int]) -> bool:
        """Returns whether everything of one row is known that these mappings send."""
        return all(self.sent[position][number].known for position in positions)


def as_text(value: object) -> str | None:
    """Returns a fetched value as a text for people; bytes that are no text are escaped."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)


def to_send(value: object) -> str | None:
    """Returns a fetched value as it is sent on; bytes that are no text become lone surrogates."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else as_text(value)


def for_people(sent: str | None) -> str | None:
    """Returns a text to be sent as people may see it."""
    return None if sent is None else as_text(sent.encode("utf-8", "surrogateescape"))


def cut(text: str | None) -> str | None:
    """Returns a text of at most :data:`SHOWN` characters; ``…`` stands for the rest."""
    return text if text is None or len(text) <= SHOWN else f"{text[:SHOWN]}…"
