"""Renders a document as one self-contained page, without scripts, links or anything to fetch. The template
escapes every text.
"""

from __future__ import annotations

from importlib import resources
from typing import assert_never

from tranship.model.visible import visible
from tranship.report.document import Banner, Block, Document, Facts, Section, Sides, Totals

ROW = 26
"""Height of a column's row in a drawing, in pixels."""


def render_html(document: Document) -> str:
    """Returns the whole page."""
    # Importing the template engine takes a noticeable part of a command's start, so only a page pays for it.
    from jinja2 import Environment, StrictUndefined

    # StrictUndefined: a misspelled name in the template raises in a test and is not an empty place in a
    # report.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["visible"] = visible
    template = environment.from_string(
        resources.files("tranship.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    return template.render(
        document=document, blocks=[(_kind(block), block) for block in document.blocks], row=ROW
    )


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
        case _ as unreachable:
            assert_never(unreachable)
