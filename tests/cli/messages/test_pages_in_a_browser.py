"""The pages that commands write, opened from their files in a browser: the analysis, a dry run, a live run and a
certificate. They ask nobody for anything and run no scripts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import MakePair, Servers, run_here
from support.chromium import Page, chromium
from support.contrast import TOO_FAINT

LONG = "customer_group_memberships_of_the_archive_of_2019"
PLAIN = (LONG, '"<img src=x onerror=alert(1)>"', *(f"t{n}" for n in range(10)))
OLD = f"""
CREATE TABLE orders (id int PRIMARY KEY, code text, gone text);
INSERT INTO orders SELECT n, CASE WHEN n % 5 = 0 THEN '"><script>alert(1)</script>' ELSE 'c' END, 'x'
  FROM generate_series(1, 30) n;
CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders);
INSERT INTO items SELECT n, 1 + n % 30 FROM generate_series(1, 60) n;
{"".join(f"CREATE TABLE {name} (id int PRIMARY KEY, a varchar(9), b int);" for name in PLAIN)}
"""
NEW = f"""
CREATE TABLE orders (id int PRIMARY KEY, code text CONSTRAINT short CHECK (length(code) < 9));
CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders);
{"".join(f"CREATE TABLE {name} (id bigint PRIMARY KEY, a text, b bigint);" for name in PLAIN)}
"""
DECIDED = {"resolutions": {"orders": [{"action": "ignore", "old_column": "gone"}]}}
PAGES = ("*report.html", "dryrun_*.html", "*certificate.html", "run_*.html")
ABOUT = "[...document.querySelectorAll('[data-of]')].filter((one) => one.checkVisibility()).length"

TOLD = "[...document.querySelectorAll('ul.items > li')].filter((one) => one.checkVisibility()).map((one) => one.textContent)"


@pytest.fixture(scope="module")
def pages(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The pages by their patterns."""
    folder, make_pair = tmp_path_factory.mktemp("pages"), MakePair(servers)
    asyncio.run(make_pair(OLD, NEW)).config(folder)
    (folder / "decided.json").write_text(json.dumps(DECIDED), encoding="utf-8")
    move = ("migrate", "config.json", "--resolutions", "decided.json")
    for line in (("analyze", "config.json"), move, (*move, "--live"), ("verify", "config.json")):
        done = run_here(*line, cwd=folder)
        assert done.status in (0, 1), done
    assert run_here("report", "config.json", cwd=folder).status in (0, 1)
    found = {pattern: [*folder.glob(f"results/{pattern}")] for pattern in PAGES}
    yield {pattern: one[0] for pattern, one in found.items() if one}
    asyncio.run(make_pair.drop_all())


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Page]:
    with chromium(tmp_path) as page:
        yield page
        assert page.errors == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:", "about:"))] == []


@pytest.mark.parametrize("pattern", PAGES)
def test_it_is_read_at_every_width_and_in_the_dark(
    pages: dict[str, Path], browser: Page, pattern: str
) -> None:
    for width in (1280, 400):
        browser.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )
        for scheme in ("light", "dark"):
            look = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.send("Emulation.setEmulatedMedia", features=look)
            browser.load(pages[pattern].as_uri())
            browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert browser.run("document.documentElement.scrollWidth") <= width
            assert browser.run(TOO_FAINT) == []
    assert browser.run("document.querySelectorAll('img, script:not([type])').length") == 0


@pytest.mark.parametrize("pattern", PAGES)
def test_a_table_is_chosen_by_keyboard(pages: dict[str, Path], browser: Page, pattern: str) -> None:
    browser.load(pages[pattern].as_uri())
    every = browser.run("document.querySelectorAll('[data-of]').length")
    browser.tab_to("it.tagName === 'SELECT'")
    named = browser.run("[...document.querySelector('select').options].map((one) => one.textContent)")
    (orders,) = [name for name in named if "orders" in name]
    for _ in range(named.index(orders)):
        browser.press("ArrowDown")
    assert browser.run("document.querySelector('select').selectedOptions[0].textContent") == orders
    assert 0 < browser.run(ABOUT) < every
    told = browser.run(TOLD)
    assert told and all("orders" in one for one in told), told


def test_the_contents_count_what_is_said_of_each_table(pages: dict[str, Path], browser: Page) -> None:
    browser.load(pages["*report.html"].as_uri())
    listed = browser.run("[...document.querySelectorAll('nav span')].map((one) => one.innerText.trim())")
    assert "public.orders 2" in listed, listed
    assert f"public.{LONG} 3" in listed, "what is said once for several tables counts for each"
    assert "t3 (3)" in browser.run("[...document.querySelectorAll('option')].map((one) => one.textContent)")
