"""Text that NEW's encoding cannot hold: judged character by character, each once, by NEW's own conversion."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from tranship.execution.probe.questions import GivenRow, put
from tranship.sql.new.probe import character_query, guarded


class Encoding:
    """NEW's encoding. Remembers each character it was asked about (at most 1.1 million exist)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._good: set[str] = set()
        self._bad: set[str] = set()

    async def untranslatable(self, new: asyncpg.Connection, texts: Iterable[str | None]) -> set[str]:
        """The characters of the texts that NEW cannot hold; lone surrogates are bytes that are no text at all."""
        used: set[str] = set()
        for text in texts:
            if text is not None and not text.isascii():
                used.update(text)
        unknown = [c for c in used if c > "\x7f" and c not in self._good and c not in self._bad]
        bytes_only = {c for c in unknown if "\ud800" <= c <= "\udfff"}
        self._bad |= bytes_only
        asked = [c for c in unknown if c not in bytes_only]
        if self.name != "UTF8" and asked:
            rows: list[GivenRow] = [{"i": n, "c0": c.encode().hex()} for n, c in enumerate(asked)]
            answers = await put(
                new, guarded(character_query(self.name), conversion=True), rows, ascii_only=True
            )
            self._bad |= {asked[a.row] for a in answers}
        self._good.update(c for c in asked if c not in self._bad)
        return used & self._bad
