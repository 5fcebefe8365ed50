"""Renders a document as one self-contained page, without scripts, links or anything to fetch. The template
escapes every text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from tranship.model.visible import visible
from tranship.report.document import (
    Banner,
    Bar,
    Block,
    Document,
    Facts,
    Item,
    Rows,
    Section,
    Sides,
    Timeline,
    Tone,
    Totals,
)
from tranship.report.verification import grouped

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

ROW = 26
"""Height of a column's row in a drawing, in pixels."""
_WHOLE = re.compile(r"(?<![\w-])--[a-z][a-z-]*|(?<![\w.])\d{1,3}(?: \d{3})+(?![\w.]\w)")
"""An option of a command, or a number in groups of digits."""


def render_html(document: Document) -> str:
    """Returns the whole page."""
    index = _Index(document)
    return _template().render(document=document, parts=_parts(document), row=ROW, index=index)


@cache
def _template() -> Template:
    # Importing the template engine takes a noticeable part of a command's start, so only a page pays for it.
    from jinja2 import Environment, StrictUndefined

    # StrictUndefined: a misspelled name in the template raises in a test and is not an empty place in a
    # report.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["visible"] = visible
    environment.filters["unbroken"] = unbroken
    environment.filters["grouped"] = grouped
    return environment.from_string(
        resources.files("tranship.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    )


def unbroken(text: str) -> Markup:
    """Returns text as markup in which no line ends within an option or a number: ``--`` at its end and
    ``live`` on the next one look like two words, and so do ``21`` and ``292`` of 21 292 rows.
    """
    from markupsafe import Markup, escape

    return Markup(_WHOLE.sub(r'<span class="whole">\g<0></span>', str(escape(text))))


class _Index:
    """Which tables the items of a page are about. One of them can be chosen on the page, which then shows
    what is about that one, by style sheets alone.
    """

    def __init__(self, document: Document) -> None:
        self._keys = {table: f"k{n}" for n, table in enumerate(dict.fromkeys(document.tables))}
        sections = [block for block in document.blocks if isinstance(block, Section)]
        self._counts = Counter(key for one in sections for item in one.items for key in self._said_of(item))
        drawn = [block for block in document.blocks if isinstance(block, Sides)]
        self._counts.update(dict.fromkeys((self._drawn(one) for one in drawn), 0))
        del self._counts[""]

    @cached_property
    def choices(self) -> list[tuple[str, str, int]]:
        """The key, the name and the number of remarks of each table that can be chosen; nothing on a page of
        a few tables, which is read as it is.
        """
        known = [(key, table, self._counts[key]) for table, key in self._keys.items() if key in self._counts]
        return known if len(known) >= _FEWEST_TO_CHOOSE else []

    def _key(self, label: str) -> str:
        """Returns the key of the table that a label names, or whose column it names."""
        return self._keys.get(label) or self._keys.get(label.rpartition(".")[0], "")

    def _drawn(self, sides: Sides) -> str:
        """Returns the key of a drawing's table, which may be labelled without its schema."""
        return self._keys.get(sides.left_title) or self._keys.get(sides.left_title.partition(".")[2], "")

    def _said_of(self, item: Item) -> list[str]:
        return [key for key in map(self._key, (item.label, *item.also)) if key]

    def of(self, block: Item | Bar | Block) -> Markup:
        """Returns the attributes of an element of the page that say which tables it is about."""
        match block:
            case Item():
                return self._marked(self._said_of(block))
            case Bar(label=label) | Rows(label=label):
                return self._marked([self._key(label)])
            case Sides():
                return self._marked([self._drawn(block)])
            case Section(items=items):
                return self._marked(key for item in items for key in self._said_of(item))
            case Timeline(bars=bars):
                return self._marked(self._key(bar.label) for bar in bars)
            case _:
                return self._marked(())

    def of_all(self, parts: Sequence[Part]) -> Markup:
        """Returns the same for drawings, or rows, that are folded together."""
        drawn = (self._drawn(part.block) for part in parts if isinstance(part.block, Sides))
        rows = (self._key(part.block.label) for part in parts if isinstance(part.block, Rows))
        return self._marked((*drawn, *rows))

    def _marked(self, keys: Iterable[str]) -> Markup:
        from markupsafe import Markup

        return Markup(f' data-of class="{" ".join(dict.fromkeys(keys))}"') if self.choices else Markup("")

    def count(self, sides: Sides) -> int:
        """Returns how often something is said of the table of a drawing."""
        return self._counts[self._drawn(sides)]


class Part(Struct, frozen=True):
    """A block with its place on the page."""

    kind: str
    block: Block
    anchor: str = ""
    open: bool = True
    """Whether it is unfolded at first: what needs a person is."""
    title: str = ""
    count: int = 0
    inner: tuple[Part, ...] = ()
    """Parts that are folded together in this one."""


def _parts(document: Document) -> list[Part]:
    """Returns the blocks in the order of the page: the verdict, what needs a person, and the rest folded."""
    title, *rest = document.blocks
    placed = Banner | Section | Sides | Rows | Timeline
    said = {line for block in rest if isinstance(block, Banner) for line in block.lines}
    head = [Part(_kind(block), _not_twice(block, said)) for block in rest if not isinstance(block, placed)]
    verdict = [Part("banner", block) for block in rest if isinstance(block, Banner)]
    lines = [
        Part("timeline", block, "when", len(block.bars) <= _MOST_OPEN, block.title, len(block.bars))
        for block in rest
        if isinstance(block, Timeline) and block.bars
    ]
    return [
        Part(_kind(title), title),
        *verdict,
        *head,
        *_sections(rest),
        *lines,
        *_rows(rest),
        *_drawings(rest),
    ]


def _not_twice(block: Block, said: set[str]) -> Block:
    """Returns a block without the facts that the verdict, which is the first on a page, says as well."""
    if not isinstance(block, Facts):
        return block
    return Facts(tuple(pair for pair in block.pairs if pair[1] not in said))


def _sections(blocks: Sequence[Block]) -> Iterator[Part]:
    found = [block for block in blocks if isinstance(block, Section) and block.items]
    for number, block in enumerate(sorted(found, key=lambda one: _ORDER.index(one.tone)), 1):
        opened = block.tone is Tone.BAD
        yield Part("section", block, f"s{number}", opened, block.title, block.count)


def _rows(blocks: Sequence[Block]) -> Iterator[Part]:
    """Yields the rows of all tables, folded together."""
    found = [block for block in blocks if isinstance(block, Rows)]
    inner = tuple(
        Part("rows", block, f"r{number}", False, block.title) for number, block in enumerate(found, 1)
    )
    if inner:
        yield Part("rows", found[0], "rows", False, "Rows before and after", len(inner), inner)


def _drawings(blocks: Sequence[Block]) -> Iterator[Part]:
    """Yields the drawings of two tables. Where there are many, those that need nobody are folded together."""
    found = [block for block in blocks if isinstance(block, Sides)]
    parts = [
        Part("sides", block, f"t{number}", _is_bad(block) and number <= _MOST_OPEN, _names(block))
        for number, block in enumerate(sorted(found, key=lambda one: not _is_bad(one)), 1)
    ]
    first = _MOST_OPEN if len(parts) > 2 * _MOST_OPEN else len(parts)
    yield from parts[:first]
    rest = tuple(parts[first:])
    if rest:
        yield Part("folded", rest[0].block, "more", False, "More tables side by side", len(rest), rest)


_ORDER = (Tone.BAD, Tone.CHANGED, Tone.GOOD, Tone.PLAIN)
_FEWEST_TO_CHOOSE = 6
"""Tables from which on one of them can be chosen."""
_MOST_OPEN = 20
"""Drawings that are unfolded at first, and lines of a timeline that is."""


def _is_bad(sides: Sides) -> bool:
    return any(cell.tone is Tone.BAD for cell in (*sides.left, *sides.right))


def _names(sides: Sides) -> str:
    left, right = sides.left_title, sides.right_title
    return left if left == right else f"{left} → {right}"


def _kind(block: Block) -> str:
    match block:
        case Banner():
            return "banner"
        case Facts():
            return "facts"
        case Totals():
            return "totals"
        case Section():
            return "section"
        case Sides():
            return "sides"
        case Rows():
            return "rows"
        case Timeline():
            return "timeline"
        case _ as unreachable:
            assert_never(unreachable)
