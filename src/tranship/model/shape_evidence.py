"""What the data say where rows may have to change their shape: become fewer, several, or columns."""

from __future__ import annotations

from msgspec import Struct

from tranship.model.names import ColumnRef


class JsonKey(Struct, frozen=True):
    """One key of the objects that a JSON column holds."""

    name: str
    rows: int
    kinds: tuple[str, ...]
    """The kinds of its values, as ``jsonb_typeof`` names them, sorted; without ``null``."""


class JsonKeys(Struct, frozen=True):
    """The keys of the objects in a JSON column."""

    column: ColumnRef
    rows: int
    """Objects: rows that hold one, or items of the arrays."""
    keys: tuple[JsonKey, ...] = ()
    """By name."""
    sampled: bool = False
    items: bool = False
    """The objects are the items of arrays."""


class WrittenQuestion(Struct, frozen=True):
    """How many values would change, and how many would be equal, if they were written in one way?"""

    column: ColumnRef
    sql: str
    """The one way, as an expression over the old row ``old``."""


class WrittenFacts(Struct, frozen=True):
    """What a ``WrittenQuestion`` brought."""

    question: WrittenQuestion
    rows: int
    """Rows that hold a value."""
    changed: int
    """Rows whose value is written in another way."""
    repeated: int
    """Rows whose value is then that of another row, one of each not counted; without the empty text."""
    sampled: bool = False
    empty: int = 0
    """Rows whose value is then the empty text."""
    example: tuple[str, ...] = ()
    """Values of OLD that would be one, as they are written there: those of the most different spellings."""


class HighestKey(Struct, frozen=True):
    """The largest number that a key of OLD holds."""

    column: ColumnRef
    highest: int


class ShapeEvidence(Struct, frozen=True):
    """All facts about shapes."""

    json_keys: tuple[JsonKeys, ...] = ()
    written: tuple[WrittenFacts, ...] = ()
    highest: tuple[HighestKey, ...] = ()
