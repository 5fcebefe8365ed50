"""Renders a document as plain text, in the shape of the classic report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec import Struct

from tranship.model.visible import visible
from tranship.report.document import (
    Banner,
    Bar,
    Block,
    Document,
    Facts,
    Item,
    Note,
    Rows,
    Section,
    Sides,
    Sign,
    Timeline,
    Totals,
)
from tranship.report.folded import WIDEST, folded

RULER = "=" * 80
_SIGNS = {Sign.ACTION: "→ ", Sign.WARNING: "⚠ ", Sign.DONE: "✓ ", Sign.NONE: "  "}
_PLAIN_SIGNS = {Sign.ACTION: "-> ", Sign.WARNING: "! ", Sign.DONE: "ok ", Sign.NONE: "  "}


class Look(Struct, frozen=True):
    """How a document is written."""

    signs: bool = True
    """False replaces ``→ ⚠ ✓`` by letters, for a terminal that cannot show them."""
    width: int = WIDEST
    """Columns to which sentences are folded; the classic lines stay whole."""

    def sentence(self, text: str) -> str:
        """Returns a line that nobody but a person reads."""
        return folded(text, self.width)


def render_text(document: Document, look: Look = Look()) -> str:  # noqa: B008 - frozen
    """Returns the whole document, with a line feed at its end."""
    text = ""
    before: Block | None = None
    for block in document.blocks:
        lines = _block(block, look)
        if lines:
            text += ("" if before is None else "\n" if _close(before, block) else "\n\n") + "\n".join(lines)
            before = block
    return text + "\n"


def _close(before: Block, after: Block) -> bool:
    """Returns whether two blocks follow each other without an empty line: those of the report's head do."""
    return isinstance(before, Banner | Facts) and isinstance(after, Facts | Totals)


def _block(block: Block, look: Look) -> list[str]:
    match block:
        case Banner(lines=lines):
            return [RULER, *map(visible, lines), RULER]
        case Facts(pairs=pairs):
            return [look.sentence(f"{visible(name)}: {visible(value)}") for name, value in pairs]
        case Totals(label=label, total=total, parts=parts):
            return [f"{label}: {total}", *(f"  - {name}: {count}" for name, count in parts)]
        case Section(title=title, items=items, classic=classic):
            return _titled(title, _items(items, look, whole=classic))
        case Sides() | Rows():
            return []
        case Timeline(title=title, bars=bars):
            return _titled(title, [_bar(bar) for bar in bars])
        case _ as unreachable:
            assert_never(unreachable)


def _titled(title: str, lines: list[str]) -> list[str]:
    """Returns lines with their heading; nothing where there is no line."""
    return [f"{title}:", *lines] if lines else []


def _bar(bar: Bar) -> str:
    return f"  {bar.begin:8.1f} s to {bar.end:.1f} s  {visible(bar.label)}: {visible(bar.words)}"


def _items(items: Sequence[Item], look: Look, *, whole: bool) -> list[str]:
    return [line for item in items for line in _item(item, look, whole=whole)]


def _item(item: Item, look: Look, *, whole: bool) -> list[str]:
    label = f"[{visible(item.label)}] " if item.label else ""
    first = f"  {label}{visible(item.text)}"
    return [first if whole else look.sentence(first), *(_note(note, look) for note in item.notes)]


def _note(note: Note, look: Look) -> str:
    sign = (_SIGNS if look.signs else _PLAIN_SIGNS)[note.sign]
    return look.sentence(f"    {sign}{visible(note.text)}")
