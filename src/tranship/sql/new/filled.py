"""What rows of NEW should hold in columns that NEW fills by itself."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.sql.digest import value_text
from tranship.sql.quote import ident, literal


class Filling(Struct, frozen=True):
    """One such column."""

    name: str
    found: str
    """SQL over ``t`` for the text of what a row holds."""
    due: str
    """Likewise for the text of what it should hold."""

    @property
    def unlike(self) -> str:
        """The condition that the two differ."""
        return f'{self.found} COLLATE pg_catalog."C" IS DISTINCT FROM {self.due} COLLATE pg_catalog."C"'


def constant_text(default: str, column: Column) -> str:
    """Returns a query for the text of a default that is the same in every row."""
    return f"SELECT {value_text(_cast(default, column), column.type)}"


def with_constant(column: Column, text: str | None) -> Filling:
    """Returns a column that should hold the same text in every row."""
    due = f"CAST({'NULL' if text is None else literal(text)} AS pg_catalog.text)"
    return Filling(column.name, _found(column), due)


def generated(column: Column) -> Filling:
    """Returns a column that is generated from others of its row."""
    return Filling(
        column.name, _found(column), value_text(_cast(column.generation or "", column), column.type)
    )


def any_unlike(fillings: Sequence[Filling]) -> str:
    """Returns the condition that a row does not hold what it should in one of these columns."""
    return " OR ".join(one.unlike for one in fillings) or "false"


def _cast(expression: str, column: Column) -> str:
    """Returns SQL for an expression in the base type of a column: a domain's CHECK may read other tables."""
    return f"CAST(({expression}) AS {column.type.leaf.text})"


def _found(column: Column) -> str:
    return value_text(f"t.{ident(column.name)}", column.type)
