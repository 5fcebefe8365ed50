"""The columns that NEW fills by itself: which of them can be compared, and what they should hold.

A default that is the same in every row, and a column that is generated from others, say what NEW should
hold. What an identity, a sequence or the clock gave a row, nobody can say afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.model.catalog import Column
from tranship.model.expression import NewDefault
from tranship.model.plan import TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.new.filled import Filling, constant_text, generated, with_constant
from tranship.sql.queries import query


class Filled(Struct, frozen=True):
    """The columns of one flow that NEW fills."""

    compared: tuple[Filling, ...] = ()
    """Those of which it is known what they should hold."""
    constants: Mapping[str, str | None] = {}
    """The texts of those among them that hold the same in every row."""
    apart: tuple[str, ...] = ()
    """The others, each with the reason."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are compared."""
        return tuple(one.name for one in self.compared)


async def read_filled(
    new: asyncpg.Connection, job: Job, plan: TablePlan, known: Mapping[str, str | None] | None = None
) -> Filled:
    """Asks NEW, in the caller's transaction, what the columns should hold that it fills by itself.

    ``known`` are the constants that were recorded when the rows were written; None: those of now hold.
    """
    after = job.after(plan)
    columns = [column for name in _by_new(plan) if (column := after.column(name)) is not None]
    if not columns:
        return Filled()
    name = after.name
    fixed = {row["name"] for row in await new.fetch(query("fixed_defaults"), name.schema, name.name)}
    compared, constants, apart = list[Filling](), dict[str, str | None](), list[str]()
    for column in columns:
        if column.generation is not None and _can_be_told(job, column):
            compared.append(generated(column))
        elif column.generation is None and column.name in fixed:
            text = await _constant(new, column) if known is None else known.get(column.name)
            constants[column.name] = text
            compared.append(with_constant(column, text))
        else:
            apart.append(f"{after.name}.{column.name} ({_reason(column)})")
    return Filled(tuple(compared), constants, tuple(apart))


def _by_new(plan: TablePlan) -> Iterator[str]:
    return (mapping.column for mapping in plan.columns if isinstance(mapping.expression, NewDefault))


def _can_be_told(job: Job, column: Column) -> bool:
    """Returns whether a generated column is stored and depends on its own row alone."""
    stored = not column.computed_when_read
    return stored and job.reader_of_filled(column.generation or "") is None


def _default(column: Column) -> str | None:
    """Returns the expression of a column's default: its own, else that of its type."""
    inner: PgType | None = column.type
    found = column.default
    while found is None and inner is not None:
        found = inner.default
        inner = inner.element if inner.kind is TypeKind.DOMAIN else None
    return found


async def _constant(new: asyncpg.Connection, column: Column) -> str | None:
    default = _default(column)
    if default is None:
        return None
    text: str | None = await new.fetchval(constant_text(default, column))
    return text


def _reason(column: Column) -> str:
    """Returns why nobody can say what a row should hold."""
    if column.identity:
        return "identity"
    if column.sequence is not None:
        return "NEW's sequence"
    if column.computed_when_read:
        return "computed when it is read"
    if column.generation is not None:
        return "generated from other tables"
    return f"NEW's default {_default(column)}"
