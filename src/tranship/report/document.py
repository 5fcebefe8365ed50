"""What a report says, without saying how it looks. Renderers know these types and nothing else."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Sign(StrEnum):
    """The sign in front of a line below an item."""

    ACTION = "action"
    WARNING = "warning"
    DONE = "done"
    NONE = ""


class Tone(StrEnum):
    """How an item or a verdict is meant. A renderer may colour it."""

    GOOD = "good"
    CHANGED = "changed"
    BAD = "bad"
    PLAIN = "plain"


class Note(Struct, frozen=True):
    """A line below an item."""

    text: str
    sign: Sign = Sign.NONE


class Item(Struct, frozen=True):
    """One entry of a section, about ``label`` (a table; empty: the database)."""

    text: str
    label: str = ""
    notes: tuple[Note, ...] = ()
    also: tuple[str, ...] = ()
    """Further tables about which it says the same, each as often as it does."""


class Banner(Struct, frozen=True, tag=True):
    """A title between rulers, or a verdict of several lines."""

    lines: tuple[str, ...]
    tone: Tone = Tone.PLAIN


class Facts(Struct, frozen=True, tag=True):
    """Names and values, one a line: ``Old database: mydb``."""

    pairs: tuple[tuple[str, str], ...]


class Totals(Struct, frozen=True, tag=True):
    """A total and its parts."""

    label: str
    total: int
    parts: tuple[tuple[str, int], ...]


class Section(Struct, frozen=True, tag=True):
    """A heading and its items. Every renderer leaves it out when it has no items."""

    title: str
    items: tuple[Item, ...]
    tone: Tone = Tone.PLAIN
    stands_for: int | None = None
    """What the items count for, where one of them says the same about several; None: one each."""
    classic: bool = True
    """Whether programs may read the first line of each item, which plain text then leaves whole."""

    @property
    def count(self) -> int:
        """What the section counts for, as the totals of the report count."""
        return len(self.items) if self.stands_for is None else self.stands_for


class Cell(Struct, frozen=True):
    """A column of a table in a drawing."""

    name: str
    words: str = ""
    tone: Tone = Tone.PLAIN


class Link(Struct, frozen=True):
    """A line from a cell of the left side to one of the right side, by their positions from 0."""

    left: int
    right: int
    tone: Tone
    words: str = ""


class Sides(Struct, frozen=True, tag=True):
    """Two tables beside each other with lines between their columns. It is a drawing, which plain text leaves
    out.
    """

    left_title: str
    right_title: str
    left: tuple[Cell, ...]
    right: tuple[Cell, ...]
    links: tuple[Link, ...]


class Value(Struct, frozen=True):
    """What one value is before and after."""

    before: str
    after: str
    tone: Tone = Tone.PLAIN


class Rows(Struct, frozen=True, tag=True):
    """Some rows of the table ``label``, each with what its values become. Plain text leaves it out."""

    title: str
    label: str
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()


class Bar(Struct, frozen=True):
    """One line of a timeline: what happened from ``begin`` to ``end``, in seconds from its left edge."""

    label: str
    begin: float
    end: float
    words: str = ""


class Timeline(Struct, frozen=True, tag=True):
    """What happened when. Every renderer leaves it out when it has no bars."""

    title: str
    bars: tuple[Bar, ...]
    first: str = ""
    """What the left edge is called; likewise ``last``."""
    last: str = ""


Block = Banner | Facts | Totals | Section | Sides | Rows | Timeline


class Document(Struct, frozen=True):
    """A whole report."""

    title: str
    blocks: tuple[Block, ...]
    tables: tuple[str, ...] = ()
    """The tables that items are about, as they are labelled: a reader may look for one of them."""
