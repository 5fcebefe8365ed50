"""Asks the catalog queries, as many of them together as do not depend on each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import asyncpg
import msgspec
from msgspec import Struct

from tranship.sql.catalog import CatalogQuery, catalog_queries

Row = TypeVar("Row", bound=Struct)


@dataclass(frozen=True, eq=False)
class Question(Generic[Row]):
    """Asks for all rows of ``catalog_<name>.sql``."""

    name: str
    row: type[Row]
    arguments: tuple[object, ...] = ()


class Answers:
    """The rows that answer some questions."""

    def __init__(self, rows: Mapping[Question[Any], list[Any]]) -> None:
        self._rows = rows

    def __getitem__(self, question: Question[Row]) -> list[Row]:
        """Returns the rows of one question, in their order."""
        return self._rows[question]

    def __or__(self, more: Answers) -> Answers:
        """Returns these answers with more."""
        return Answers({**self._rows, **more._rows})


async def ask(conn: asyncpg.Connection, version: int, *questions: Question[Any]) -> Answers:
    """Returns the answers of a server of ``server_version_num`` *version*, each row checked against its type.

    However many the questions are, they are one statement: on a network the way to the server takes longer
    than all of them.

    Raises:
        msgspec.ValidationError: a column has another type than the field: query and type contradict each
            other.
    """
    rows: list[type[Struct]] = [one.row for one in questions]
    asked = [
        CatalogQuery(one.name, _fields(row), len(one.arguments))
        for one, row in zip(questions, rows, strict=True)
    ]
    arguments = [argument for one in questions for argument in one.arguments]
    record = await conn.fetchrow(catalog_queries(asked, version), *arguments)
    return Answers(
        {
            one: msgspec.json.decode(text, type=list[one.row])  # type: ignore[name-defined]
            for one, text in zip(questions, record, strict=True)
        }
    )


@cache
def _fields(row: type[Struct]) -> tuple[tuple[str, bool], ...]:
    """Returns the fields of a row, and whether each is an integer."""
    return tuple((field.name, field.type is int) for field in msgspec.structs.fields(row))
