"""Finds text that NEW's encoding cannot hold. NEW's own conversion judges each character once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from tranship.execution.probe.questions import GivenRow, put
from tranship.sql.new.probe import character_query, guarded


class Encoding:
    """The encoding of NEW. It remembers every character that NEW has judged (at most 1.1 million exist)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._good: set[str] = set()
        self._bad: set[str] = set()

    async def untranslatable(self, new: asyncpg.Connection, texts: Iterable[str | None]) -> set[str]:
        """Returns the characters of the texts that NEW cannot hold.

        A lone surrogate stands for a byte that is no text at all.
        """
        used = {c for text in texts if text is not None and not text.isascii() for c in text if c > "\x7f"}
        unknown = used - self._good - self._bad
        surrogates = {c for c in unknown if "\ud800" <= c <= "\udfff"}
        unsure = sorted(unknown - surrogates)
        self._bad |= surrogates | await self._refused(new, unsure)
        self._good.update(set(unsure) - self._bad)
        return used & self._bad

    async def _refused(self, new: asyncpg.Connection, characters: Sequence[str]) -> set[str]:
        """Returns the characters that NEW refuses to convert."""
        # UTF-8 holds every character, so there is nothing to ask.
        if self.name == "UTF8" or not characters:
            return set()
        rows: list[GivenRow] = [{"i": n, "c0": c.encode().hex()} for n, c in enumerate(characters)]
        statement = guarded(character_query(self.name), conversion=True)
        answers = await put(new, statement, rows, ascii_only=True)
        return {characters[answer.row] for answer in answers}
