"""The pages of the manual and their order, read from docs/index.md: its headings are the sections, its list
items are the pages. Some pages of the project outside docs/ belong to the site, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

_OUTSIDE = {
    "README.md": "readme.html",
    "CONTRIBUTING.md": "contributing.html",
    "CHANGELOG.md": "changelog.html",
}
"""Pages of the root, and what they are called in the site."""

_SECTION = re.compile(r"^## (.*)$")
_ITEM = re.compile(r"^(?P<indent> *)- \[(?P<title>[^\]]*)\]\((?P<path>[^)#]*)\)")


@dataclass(frozen=True)
class Page:
    """A page of the site."""

    source: Path
    """The Markdown file."""
    target: str
    """The HTML file, relative to the root of the site."""
    title: str
    """As docs/index.md names it."""
    section: str
    """The heading of docs/index.md under which it stands; empty for docs/index.md itself."""
    below: bool = False
    """Whether it stands below the page before it."""

    @property
    def root(self) -> str:
        """The way from this page to the root of the site: empty or ``../``."""
        return "../" * self.target.count("/")


def target_of(source: Path) -> str | None:
    """Returns the HTML file of a Markdown file, relative to the root of the site; None: it has none."""
    if source.parent == ROOT:
        return _OUTSIDE.get(source.name)
    if source.is_relative_to(DOCS) and source.suffix == ".md":
        return source.relative_to(DOCS).with_suffix(".html").as_posix()
    return None


def contents() -> list[Page]:
    """Returns all pages in the order of docs/index.md, which comes first.

    Raises:
        ValueError: docs/index.md names a page that has no place in the site, or names it twice.
    """
    index = DOCS / "index.md"
    pages = [Page(index, "index.html", "The manual", "")]
    section = ""
    for line in index.read_text(encoding="utf-8").splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        elif item := _ITEM.match(line):
            source = (DOCS / item["path"]).resolve()
            target = target_of(source)
            if target is None or target in {page.target for page in pages}:
                raise ValueError(f"docs/index.md: {item['path']}")
            pages.append(Page(source, target, item["title"], section, bool(item["indent"])))
    return pages


def anchor_of(heading: str) -> str:
    """Returns the anchor of a heading as other readers of Markdown make it: lower case, with hyphens."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
