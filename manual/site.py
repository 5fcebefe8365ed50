"""The manual as a site that needs no server and asks for nothing outside: `python3 dev.py docs [FOLDER]`.

The wheel takes the folder along, so that `tranship --help` can name it.
"""

from __future__ import annotations

import json
import shutil
import sys
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from manual.markdown import Heading, Rendered, render
from manual.pages import DOCS, ROOT, Page, contents
from tranship import __version__

FOLDER = ROOT / "src" / "tranship" / "manual"
"""Where the wheel takes the site from; git ignores it."""
_STATIC = Path(__file__).resolve().parent / "static"
_PICTURES = DOCS / "img"
_DEEPEST_IN_CONTENTS = 3


def build(folder: Path = FOLDER) -> list[Page]:
    """Writes the whole site into a folder, which it empties before, and returns its pages.

    Raises:
        ValueError: a link leads nowhere, or a page stands nowhere in docs/index.md.
    """
    pages = contents()
    lost = {*DOCS.rglob("*.md")} - {page.source for page in pages}
    if lost:
        raise ValueError(f"docs/index.md does not name {', '.join(sorted(path.name for path in lost))}")
    rendered = {page.target: render(page) for page in pages}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("manual.css", "manual.js"):
        shutil.copy(_STATIC / name, folder / name)
    if _PICTURES.is_dir():
        shutil.copytree(_PICTURES, folder / "img")
    template = _environment().get_template("page.html.j2")
    for before, page, after in zip([None, *pages], pages, [*pages[1:], None], strict=False):
        path = folder / page.target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            template.render(
                page=page,
                body=Markup(rendered[page.target].html),
                headings=_listed(rendered[page.target]),
                sections=[(name, list(group)) for name, group in groupby(pages[1:], lambda one: one.section)],
                before=before,
                after=after,
                version=__version__,
            ),
            encoding="utf-8",
        )
    (folder / "search-index.js").write_text(_search_index(pages, rendered), encoding="utf-8")
    return pages


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_STATIC),
        autoescape=select_autoescape(["j2", "html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _listed(rendered: Rendered) -> list[Heading]:
    """Returns the headings that stand in the contents of a page: not its title, not the deepest."""
    return [one for one in rendered.headings if 1 < one.level <= _DEEPEST_IN_CONTENTS]


def _search_index(pages: list[Page], rendered: dict[str, Rendered]) -> str:
    """Returns a script with one row per heading: [page, anchor, title of the page, heading, text]."""
    rows = [
        [
            page.target,
            "" if one.level == 1 else one.anchor,
            page.title,
            one.title,
            " ".join(" ".join(one.text).split()),
        ]
        for page in pages
        for one in rendered[page.target].headings
    ]
    # A browser reads a script from file://, where it refuses to fetch a file of data.
    return f"window.searchIndex = {json.dumps(rows, ensure_ascii=False)};\n"


def main(arguments: list[str]) -> int:
    """Builds the site and says where it is."""
    folder = Path(arguments[0]).resolve() if arguments else FOLDER
    pages = build(folder)
    print(f"{len(pages)} pages: open {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
