"""Putting a question to NEW: rows go out as one setting, one DO block asks, the answers come back as another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import asyncpg
from msgspec import Struct
from msgspec.json import decode, encode

from tranship.model.catalog import Catalog
from tranship.model.types import PgType
from tranship.sql.new.probe import ANSWER, GIVE, ROLL_BACK, SAVEPOINT, conversion_query, guarded

BLOCK = 1000
"""Rows that are tried together before each is tried alone."""
_MEMORY = 50_000
"""Distinct values per column whose judgement is remembered across chunks."""

GivenRow = Mapping[str, int | str | None]
"""``{"i": row number, "c0": shipped text, …}``."""


class NotAskable(Exception):
    """The question itself cannot be put (a privilege or a function is missing); ``str()`` says why, without row values."""


def re_encodes(new: Catalog) -> bool:
    """NEW translates what it is sent; SQL_ASCII takes every byte as it comes, and knows no ``\\u`` beyond ASCII in JSON."""
    return new.encoding not in ("UTF8", "SQL_ASCII")


class Failure(Struct, frozen=True):
    """How NEW refuses a value or a row, in its own words."""

    sqlstate: str
    message: str
    constraint: str | None = None
    column: str | None = None


class Answer(Struct, frozen=True, array_like=True):
    """One answer about one row; see ``sql/new/probe.py``."""

    row: int
    kind: str
    which: int | str
    detail: str | list[str | None] | None = None

    @property
    def failure(self) -> Failure:
        """What an ``error`` says."""
        words = self.detail if isinstance(self.detail, list) else [self.detail]
        message, constraint, column = (*words, None, None, None)[:3]
        return Failure(str(self.which), message or "", constraint or None, column or None)


async def put(
    new: asyncpg.Connection,
    statement: str,
    rows: Sequence[GivenRow],
    *,
    ascii_only: bool,
    block: int = BLOCK,
    zone: str | None = None,
) -> list[Answer]:
    """Asks a question (what ``guarded`` makes of a query) about rows, in a savepoint that is rolled back: settings are as before afterwards.

    ``ascii_only``: NEW re-encodes (:func:`re_encodes`), so the rows travel in ASCII; what its encoding lacks raises where it is read, not on the way.
    ``zone``: the session's time zone while it is asked. Raises :class:`NotAskable` where the question itself is refused.
    """
    if not rows:
        return []
    blocks = [rows[n : n + block] for n in range(0, len(rows), block)]
    given = json.dumps(blocks) if ascii_only else encode(blocks).decode()
    await new.execute(SAVEPOINT)
    try:
        await new.fetchval(GIVE, given, zone)
        await new.execute(statement)
        answer = await new.fetchval(ANSWER)
    except (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError) as refused:
        raise NotAskable(refused.message or str(refused)) from refused
    finally:
        if not new.is_closed():
            await new.execute(ROLL_BACK)
    return decode(answer, type=list[Answer])


class Converter:
    """Judges shipped texts by NEW's input function of one type, each distinct text once."""

    def __init__(self, pg_type: PgType, *, ascii_only: bool, zone: str | None = None) -> None:
        self._type = pg_type
        self._ascii_only = ascii_only
        self._zone = zone
        self._known: dict[str, Failure | None] = {}

    async def judge(self, new: asyncpg.Connection, texts: set[str]) -> Mapping[str, Failure]:
        """The texts that NEW refuses, with its words."""
        unknown = [text for text in texts if text not in self._known]
        if len(self._known) + len(unknown) > _MEMORY:
            self._known = {text: self._known[text] for text in texts if text in self._known}
        rows: list[GivenRow] = [{"i": n, "c0": text} for n, text in enumerate(unknown)]
        answers = await put(
            new,
            guarded(conversion_query(self._type), conversion=True),
            rows,
            ascii_only=self._ascii_only,
            zone=self._zone,
        )
        self._known.update(dict.fromkeys(unknown))
        self._known.update((unknown[a.row], a.failure) for a in answers)
        return {text: failure for text in texts if (failure := self._known[text]) is not None}
