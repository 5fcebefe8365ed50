"""The manual's site in a browser, from file://: every page in both colours, at 400 px, and the search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from manual import site

from support.chromium import Page, chromium
from support.contrast import TOO_FAINT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("manual").resolve()
    site.build(made)
    return made


@pytest.fixture
def page(folder: Path, tmp_path: Path) -> Iterator[Page]:
    with chromium(tmp_path) as made:
        yield made
        assert made.errors == []
        assert [
            url for url in made.requests if not url.startswith((folder.as_uri(), "data:", "about:"))
        ] == []


def _open(page: Page, path: Path) -> None:
    page.send("Page.navigate", url=path.as_uri())
    page.until(
        f"document.readyState === 'complete' && location.href === '{path.as_uri()}' && document.querySelector('main')"
    )


def test_every_page_fits_a_phone(page: Page, folder: Path) -> None:
    page.send("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    for path in sorted(folder.rglob("*.html")):
        _open(page, path)
        assert page.run("document.documentElement.scrollWidth") <= 400, path
        assert page.run("[...document.images].every((one) => one.complete && one.naturalWidth > 0)"), path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out(page: Page, folder: Path, scheme: str) -> None:
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    # Together these pages have every kind of block and of colour.
    for name in ("index.html", "first-migration.html", "automation.html", "library.html", "cut-over.html"):
        _open(page, folder / name)
        assert page.run(TOO_FAINT) == [], name


def test_the_search_finds_a_page_by_keyboard_alone(page: Page, folder: Path) -> None:
    _open(page, folder / "cookbook" / "rows.html")
    page.send("Input.dispatchKeyEvent", type="keyDown", key="/", text="/")
    page.until("document.activeElement.id === 'search'")
    page.type("max-rejects")
    page.until("document.querySelectorAll('#found a').length > 3")
    page.run("document.getElementById('search').value = ''")
    page.type("roll back run")
    page.until("document.querySelector('#found a mark')")
    assert "rollback.html" in page.run("document.querySelector('#found a[aria-selected=true]').href")
    page.press("Enter")
    page.until("location.href.includes('rollback.html') && !document.getElementById('search').hidden")
    page.run("document.getElementById('search').focus()")
    page.type("<img src=x> nowhere")
    page.until("document.querySelector('#found p')")
    assert page.run("document.querySelectorAll('#found img').length") == 0


def test_without_scripts_a_page_can_be_read(page: Page, folder: Path) -> None:
    page.until("document.readyState === 'complete'")
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    page.load((folder / "index.html").as_uri())
    page.send("Emulation.setScriptExecutionDisabled", value=False)
    page.until("document.querySelectorAll('nav a').length > 20")
    assert page.run("document.getElementById('search').hidden")
