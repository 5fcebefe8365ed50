"""What a family of types has to say in SQL."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from tranship.model.builtin_types import Builtin
from tranship.model.expression import Loss
from tranship.model.types import PgType

Change = tuple[Loss, str]
"""What a conversion does to values that it accepts, and the predicate of the values to which it does."""


def as_text(value: str) -> str:
    """Returns SQL for the text of a value."""
    return f"CAST({value} AS pg_catalog.text)"


def printed(value: str, row: Builtin) -> str | None:
    """Returns the canonical text of families whose printed form is equal exactly where their values are."""
    return as_text(value)


def none(value: str, row: Builtin) -> str | None:
    """Returns None: the canonical text of families for which no such text is certain."""
    return None


def no_shape(new: PgType) -> str | None:
    """Returns None: the answer of families whose input function takes no text that OLD could know by its
    shape.
    """
    return None


def no_promise(value: str, old: PgType, new: PgType) -> str | None:
    """Returns None: the answer of families into which no typed value is certain to convert."""
    return None


def no_change(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns None: the answer of families that no conversion changes."""
    return None


class FamilySql(Struct, frozen=True):
    """The SQL of one family; every function returns None where it has nothing to say."""

    canonical: Callable[[str, Builtin], str | None] = none
    """A text of the value that is equal, on every server and version, exactly where the type's own ``=``
    says equal.
    """
    shape: Callable[[PgType], str | None] = no_shape
    """As NEW's type: a regular expression of texts that its input function takes on every server and under
    every DateStyle.
    """
    takes: Callable[[str, PgType, PgType], str | None] = no_promise
    """As NEW's type: a predicate that holds for old values that certainly convert; NEW judges the rest."""
    changed: Callable[[str, PgType, PgType, str], Change | None] = no_change
    """As OLD's type: what the conversion changes in values that it accepts. The last argument is the zone of
    zone conversions.
    """
