"""The values of decisions before anything moves: each is tried on the server whose type has to take it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.errors.codes.entries import SameKeyTwice
from tranship.model.catalog import Catalog
from tranship.model.names import Side
from tranship.model.resolution import Answers, Problem
from tranship.planning.deciding.resolve.casts import TEXT, CastQuestion
from tranship.planning.deciding.resolve.words import problem
from tranship.planning.types.values import holds_text
from tranship.sql import casts as sql


async def refused_values(
    conn: asyncpg.Connection, side: Side, questions: Sequence[CastQuestion]
) -> tuple[Problem, ...]:
    """The problems of one side's questions whose value the server refuses, with its words as the hint.

    The connection is pinned and holds no transaction; the questions are asked in one that is read-only.
    """
    by_type: dict[str, list[CastQuestion]] = {}
    for question in questions:
        if question.side is side:
            by_type.setdefault(question.type, []).append(question)
    problems = [
        question.problem for question in by_type.pop(TEXT, ()) if not await _known_here(conn, question.value)
    ]
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


async def repeated_keys(old: asyncpg.Connection, answers: Answers, catalog: Catalog) -> tuple[Problem, ...]:
    """Keys of a mapping that OLD takes for one value, though the mapping gives them different results. All keys are values of their type."""
    problems = []
    for decision in answers.decisions:
        entry, before = decision.resolution, catalog.table(decision.old_table)
        source = (
            before.column(entry.old_column) if before is not None and entry.old_column is not None else None
        )
        if (
            source is None
            or not entry.value_mapping
            or holds_text(source.type)
            or source.type.leaf.equality is None
        ):
            continue
        keys = entry.value_mapping
        async with old.transaction(isolation="repeatable_read", readonly=True):
            pairs = await old.fetch(sql.equal_keys(source.type.leaf), [key for key, _ in keys])
        for one, other in ((keys[first - 1], keys[second - 1]) for first, second in pairs):
            if one[1] != other[1]:
                problems.append(problem(entry, SameKeyTwice(one[0], other[0], source.type.text)))
    return tuple(problems)


async def _known_here(conn: asyncpg.Connection, text: str) -> bool:
    """The server's encoding has every character of the text."""
    try:
        await conn.fetchval(sql.CARRIED, text)
    except asyncpg.UntranslatableCharacterError:
        return False
    return True
