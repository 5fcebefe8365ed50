"""Puts a question about given rows to NEW.

The rows are sent as a setting, a DO block asks, and its answers come back as another setting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import asyncpg
from msgspec import Struct
from msgspec.json import decode, encode

from tranship.model.catalog import Catalog
from tranship.model.types import PgType
from tranship.sql.new.probe import (
    ANSWER_AS_BYTES,
    GIVE,
    ROLL_BACK,
    SAVEPOINT,
    conversion_query,
    guarded,
)

BLOCK = 1000
"""Rows that are tried together; if one of them raises an error, each is tried alone."""
_MEMORY = 50_000
"""Most distinct values of a column whose answers are remembered across chunks."""

GivenRow = Mapping[str, int | str | None]
"""``{"i": row number, "c0": shipped text, …}``."""


class NotAskable(Exception):
    """The question itself is refused, since a privilege or a function is missing.

    ``str()`` says why, without values of rows.
    """


def re_encodes(new: Catalog) -> bool:
    """Returns whether NEW converts what it is sent.

    SQL_ASCII takes every byte as it comes, and knows no ``\\u`` beyond ASCII in JSON.
    """
    return new.encoding not in ("UTF8", "SQL_ASCII")


class Failure(Struct, frozen=True):
    """The error with which NEW refuses a value or a row."""

    sqlstate: str
    message: str
    constraint: str | None = None
    column: str | None = None


class Answer(Struct, frozen=True, array_like=True):
    """An answer about one row, as ``sql/new/probe.py`` describes it."""

    row: int
    kind: str
    which: int | str
    detail: str | list[str | None] | None = None

    @property
    def failure(self) -> Failure:
        """The error in an answer of kind ``error``."""
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
    """Puts a question about rows, which ``guarded`` has made of a query. Returns the answers.

    It is put in a savepoint that is rolled back, so that no setting stays.

    Args:
        ascii_only: NEW converts what it is sent (:func:`re_encodes`), so the rows are sent in ASCII. What
            NEW's encoding lacks then raises an error where it is read, not on the way.
        zone: the session's time zone for the question.

    Raises:
        NotAskable: the question itself is refused.
    """
    if not rows:
        return []
    blocks = [rows[n : n + block] for n in range(0, len(rows), block)]
    given = json.dumps(blocks) if ascii_only else encode(blocks).decode()
    return await put_text(new, statement, given, zone=zone)


def blocks_of(objects: Sequence[str]) -> str:
    """Returns the JSON text of blocks of rows, of objects without their opening braces and numbers."""
    rows = [f'{{"i":{n},{text}' for n, text in enumerate(objects)]
    blocks = (",".join(rows[n : n + BLOCK]) for n in range(0, len(rows), BLOCK))
    return f"[[{'],['.join(blocks)}]]"


async def put_text(
    new: asyncpg.Connection, statement: str, given: str, *, zone: str | None = None
) -> list[Answer]:
    """Does what :func:`put` does with rows that are JSON text already.

    Raises:
        NotAskable: the question itself is refused.
    """
    await new.execute(SAVEPOINT)
    try:
        await new.fetchval(GIVE, given, zone)
        await new.execute(statement)
        answer: bytes = await new.fetchval(ANSWER_AS_BYTES)
    except (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError) as refused:
        raise NotAskable(refused.message or str(refused)) from refused
    finally:
        if not new.is_closed():
            await new.execute(ROLL_BACK)
    return decode(answer.decode(errors="replace"), type=list[Answer])


class Converter:
    """Asks NEW's input function of one type about texts, each distinct text once."""

    def __init__(self, pg_type: PgType, *, ascii_only: bool, zone: str | None = None) -> None:
        self._type = pg_type
        self._ascii_only = ascii_only
        self._zone = zone
        self._known: dict[str, Failure | None] = {}

    async def judge(self, new: asyncpg.Connection, texts: set[str]) -> Mapping[str, Failure]:
        """Returns the texts that NEW refuses, with its errors."""
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
