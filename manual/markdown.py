"""A Markdown page as HTML: links lead to pages of the site, headings have anchors, blocks of code have
colours and say what they are, wide tables scroll by themselves, and the boxes of a checklist can be ticked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from manual.pages import DOCS, Page, anchor_of, target_of

_LEXERS = {
    "sql": "postgresql",
    "json": "json",
    "python": "python",
    "sh": "bash",
    "yaml": "yaml",
    "console": "console",
}
_SIDES = {
    "sql old": "in the old database",
    "sql new": "in the new database",
    "sql ask old": "the old database is asked",
    "sql ask new": "the new database is asked",
}
_FORMATTER = HtmlFormatter(nowrap=True)
_BOX = re.compile(r"^\[( |x)\] ")


@dataclass
class Heading:
    """A heading and the text below it, up to the next heading."""

    level: int
    title: str
    anchor: str
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rendered:
    """A page as HTML, and its headings, the first of which is its title."""

    html: str
    headings: list[Heading]


def render(page: Page) -> Rendered:
    """Returns a page as HTML.

    Raises:
        ValueError: a link of the page leads to a file that does not exist.
    """
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = reader.parse(page.source.read_text(encoding="utf-8"))
    for token in tokens:
        if align := token.attrs.pop("style", ""):
            # The pages allow no styles but those of manual.css.
            token.attrs["class"] = str(align).removeprefix("text-align:")
        for child in token.children or ():
            _rewrite(child, page)
    headings = _headings(tokens)
    _tick_boxes(tokens)
    for name, rule in (("fence", _fence), ("table_open", _table_open), ("table_close", _table_close)):
        reader.add_render_rule(name, rule)
    return Rendered(reader.renderer.render(tokens, reader.options, {}), headings)


def _rewrite(token: Token, page: Page) -> None:
    """Makes a link or a picture lead to its place in the site."""
    name = {"link_open": "href", "image": "src"}.get(token.type)
    target = str(token.attrs.get(name, "")) if name else ""
    if not name or not target or target.startswith("#"):
        return
    if re.match(r"[a-z]+:", target):
        token.attrs["rel"] = "noreferrer"
        return
    path, _, anchor = target.partition("#")
    source = (page.source.parent / path).resolve()
    if not source.exists():
        raise ValueError(f"{page.source.name}: a link to {path}, which does not exist")
    inside = target_of(source) or (
        source.relative_to(DOCS).as_posix() if source.is_relative_to(DOCS) else None
    )
    if inside is None or source.is_dir():
        # A file of the checkout that is no page: the reader of the site has no checkout, and gets its name.
        token.attrs.clear()
        token.attrs["title"] = f"{path}, in the sources"
        return
    token.attrs[name] = page.root + inside + (f"#{anchor}" if anchor else "")


def _headings(tokens: Sequence[Token]) -> list[Heading]:
    """Returns the headings with the text below each, and gives them their anchors."""
    found: list[Heading] = []
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            title = _plain(following)
            same = sum(anchor_of(one.title) == anchor_of(title) for one in found)
            anchor = anchor_of(title) + (f"-{same}" if same else "")
            found.append(Heading(int(token.tag[1]), title, anchor))
            token.attrs["id"] = found[-1].anchor
        elif found and token.type in ("inline", "fence"):
            words = _plain(token)
            if words != found[-1].title or found[-1].text:
                found[-1].text.append(words)
    return found


def _plain(token: Token) -> str:
    """Returns the words of a token without markup."""
    if not token.children:
        return token.content
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children)


def _tick_boxes(tokens: Sequence[Token]) -> None:
    for token in tokens:
        first = token.children[0] if token.type == "inline" and token.children else None
        if first is not None and first.type == "text" and _BOX.match(first.content):
            first.content = _BOX.sub("", first.content)
            box = Token("html_inline", "", 0, content='<input type="checkbox" aria-label="done"> ')
            assert token.children is not None
            token.children.insert(0, box)


def _fence(self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[idx]
    kind, _, rest = token.info.partition(" ")
    caption = _SIDES.get(token.info) or (f"file {rest.split()[0]}" if kind == "json" and rest else "")
    if rest.startswith("killed at"):
        caption = "the program is killed here"
    lexer = _LEXERS.get(kind)
    code = (
        highlight(token.content, get_lexer_by_name(lexer, stripnl=False), _FORMATTER)
        if lexer
        else escape(token.content)
    )
    head = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="code {escape(kind)}">{head}<pre tabindex="0"><code>{code}</code></pre></figure>\n'


def _table_open(
    self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
) -> str:
    return '<div class="scroll" tabindex="0"><table>\n'


def _table_close(
    self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>\n"
