"""Tables of text for a terminal: names to the left, numbers to the right, no wider than a line."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.visible import printed

_GAP = "  "


def aligned(head: Sequence[str], rows: Sequence[Sequence[object]], *, width: int = 80) -> list[str]:
    """Returns a heading and a line for each row. Numbers stand to the right; the first column, which names
    something, is cut in its middle where a line would be wider than ``width``.
    """
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(head, *cells, strict=True)]
    room = width - sum(widths[1:]) - len(_GAP) * len(widths)
    widths[0] = max(min(widths[0], room), min(widths[0], len(head[0]), 12))
    right = [
        bool(rows) and all(isinstance(value, int) for value in column) for column in zip(*rows, strict=True)
    ]
    right = right or [False] * len(head)
    return [_line(row, widths, right) for row in (list(head), *cells)]


def _text(value: object) -> str:
    return printed(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    shown = []
    for cell, width, to_right in zip(cells, widths, right, strict=True):
        cut = cell if len(cell) <= width else _cut(cell, width)
        shown.append(cut.rjust(width) if to_right else cut.ljust(width))
    return (_GAP + _GAP.join(shown)).rstrip()


def _cut(text: str, width: int) -> str:
    """Returns both ends of a text: names of one schema, and of one family of tables, begin alike."""
    behind = width // 2
    return f"{text[: width - 1 - behind]}…{text[len(text) - behind :]}"
