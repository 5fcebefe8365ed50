"""Tries the values of decisions, before anything is copied, on the server whose type has to take them."""

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
    """Returns the problems of one side's questions whose value the server refuses, with the server's message
    as the hint.

    The connection is pinned and has no open transaction. The order is that of the questions. Texts that the
    server's encoding cannot hold come first and alone, because sending them to a type's input function would
    end with the same error for all.
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
    for type_text, of_type in by_type.items():
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            await conn.fetch(
                sql.GIVE, json.dumps([question.value for question in of_type], ensure_ascii=False)
            )
            await conn.execute(sql.refused_texts(type_text))
            answers = json.loads(await conn.fetchval(sql.ANSWER))
        problems += [replace(of_type[position].problem, hint=words) for position, words in answers]
    order = {question.problem: place for place, question in enumerate(questions)}
    return tuple(sorted(problems, key=lambda p: order[replace(p, hint="")]))


async def repeated_keys(old: asyncpg.Connection, answers: Answers, catalog: Catalog) -> tuple[Problem, ...]:
    """Returns problems about keys of a mapping that OLD takes for one value although the mapping gives them
    different results.

    All keys must be values of their type: :func:`refused_values` has found none.
    """
    problems = []
    for decision in answers.decisions:
        entry, before = decision.resolution, catalog.table(decision.old_table)
        source = (
            before.column(entry.old_column) if before is not None and entry.old_column is not None else None
        )
        keys = entry.value_mapping
        if source is None or not keys or holds_text(source.type) or source.type.leaf.equality is None:
            continue
        async with old.transaction(isolation="repeatable_read", readonly=True):
            pairs = await old.fetch(sql.equal_keys(source.type.leaf), [key for key, _ in keys])
        for one, other in ((keys[first - 1], keys[second - 1]) for first, second in pairs):
            if one[1] != other[1]:
                problems.append(problem(entry, SameKeyTwice(one[0], other[0], source.type.text)))
    return tuple(problems)


async def _known_here(conn: asyncpg.Connection, text: str) -> bool:
    """Returns whether the server's encoding has every character of a text."""
    try:
        await conn.fetchval(sql.CARRIED, text)
    except asyncpg.UntranslatableCharacterError:
        return False
    return True
