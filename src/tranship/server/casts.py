"""The values of decisions before anything moves: each is tried on the server whose type has to take it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.model.names import Side
from tranship.model.resolution import Problem
from tranship.planning.resolve.casts import TEXT, CastQuestion
from tranship.sql import casts as sql


async def refused_values(conn: asyncpg.Connection, side: Side, questions: Sequence[CastQuestion]) -> tuple[Problem, ...]:
    """The problems of one side's questions whose value the server refuses, with its words as the hint.

    The connection is pinned and holds no transaction; the questions are asked in one that is read-only.
    """
    by_type: dict[str, list[CastQuestion]] = {}
    for question in questions:
        if question.side is side:
            by_type.setdefault(question.type, []).append(question)
    problems = [question.problem for question in by_type.pop(TEXT, ()) if not await _known_here(conn, question.value)]
    if problems:
        return tuple(problems)
    for type_text, asked in by_type.items():
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            await conn.fetch(sql.GIVE, json.dumps([question.value for question in asked], ensure_ascii=False))
            await conn.execute(sql.refused_texts(type_text))
            answers = json.loads(await conn.fetchval(sql.ANSWER))
        problems += [replace(asked[position].problem, hint=words) for position, words in answers]
    order = {question.problem: place for place, question in enumerate(questions)}
    return tuple(sorted(problems, key=lambda p: order[replace(p, hint="")]))


async def _known_here(conn: asyncpg.Connection, text: str) -> bool:
    """The server's encoding has every character of the text."""
    try:
        await conn.fetchval(sql.CARRIED, text)
    except asyncpg.UntranslatableCharacterError:
        return False
    return True
