"""The manual: what is generated is up to date, and the site is whole and asks for nothing outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from manual import site
from manual.pages import ROOT, contents
from manual.reference.write import generated


def test_what_is_generated_is_up_to_date() -> None:
    for name, text in generated().items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run python3 dev.py manual"


class _Links(HTMLParser):
    """Collects the links and anchors of a page, and everything that a browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            assert given["id"] not in self.anchors, f"twice: {given['id']}"
            self.anchors.add(given["id"] or "")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        self.loaded += [given[name] or "" for name in ("src", "srcset", "data") if given.get(name)]
        if tag == "link":
            self.loaded.append(given.get("href") or "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("manual")
    site.build(made)
    return made


@pytest.fixture(scope="module")
def read(folder: Path) -> dict[Path, _Links]:
    return {
        path.resolve(): _Links(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))
    }


def test_every_page_of_the_contents_is_there(read: dict[Path, _Links], folder: Path) -> None:
    assert {path.relative_to(folder.resolve()).as_posix() for path in read} == {
        one.target for one in contents()
    }


def test_every_link_leads_to_a_page_and_a_heading(read: dict[Path, _Links]) -> None:
    for path, page in read.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if re.match(r"https?:", target):
                continue
            led = (path.parent / target).resolve() if target else path
            assert led.is_file(), f"{path.name}: {link}"
            assert not anchor or anchor in read[led].anchors, f"{path.name}: {link}"


def test_nothing_is_loaded_from_outside(read: dict[Path, _Links], folder: Path) -> None:
    for path, page in read.items():
        for source in page.loaded:
            assert (path.parent / source).resolve().is_relative_to(folder.resolve()), f"{path.name}: {source}"
            assert (path.parent / source).exists(), f"{path.name}: {source}"
    for name in ("manual.css", "manual.js"):
        text = (folder / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|@import|@font-face|url\(", text), name


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("index.md", "# A\n\n## Begin\n\n- [B](b.md): b\n"), ("b.md", "# B\n\n[C](c.md)\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for module in ("manual.pages", "manual.site", "manual.markdown"):
        monkeypatch.setattr(f"{module}.DOCS", tmp_path)
    with pytest.raises(ValueError, match=r"b.md: a link to c.md"):
        site.build(tmp_path / "site")
    (tmp_path / "b.md").write_text("# B\n", encoding="utf-8")
    (tmp_path / "lost.md").write_text("# Lost\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"does not name lost.md"):
        site.build(tmp_path / "site")
