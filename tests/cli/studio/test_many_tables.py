"""The page with more tables than its list shows at once, on a wide and on a narrow screen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import MakePair
from support.chromium import Page
from support.studio import Running, studio

_NAMES = ("orders", "customer_group_memberships_of_the_archive_of_2019", *(f"table_{n}" for n in range(14)))
OLD = "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, a text, b text);" for name in _NAMES)
NEW = "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, a text);" for name in _NAMES)

CUT_OFF = """(() => {
  const list = document.querySelector("#tables"), { top, bottom, left, right } = list.getBoundingClientRect();
  return [...list.children].map((one) => [one.textContent, one.firstChild.getBoundingClientRect()])
    .filter(([, at]) => at.left < left || at.right > right || (at.top < bottom && at.bottom > bottom) || (at.top < top && at.bottom > top))
    .map(([words]) => words); })()"""
"""The buttons of tables of which a part is out of sight."""


@pytest.fixture
def running(make_pair: MakePair, tmp_path: Path) -> Iterator[Running]:
    """A studio of two databases with sixteen tables."""
    asyncio.run(make_pair(OLD, NEW)).config(tmp_path)
    with studio(tmp_path, "config.json") as made:
        yield made


@pytest.mark.parametrize("width", [1280, 400])
def test_no_button_of_a_table_is_cut_off(page: Page, width: int) -> None:
    page.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    page.run("render()")
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run(CUT_OFF) == []
    shown = "[...document.querySelectorAll('#tables button')].filter((one) => one.getBoundingClientRect().bottom <= document.querySelector('#tables').getBoundingClientRect().bottom).length"
    hidden = len(_NAMES) - page.run(shown)
    said = page.run("document.querySelector('#moretables').textContent")
    assert said == (f"Scroll the list for {hidden} more tables." if hidden else "")
    assert bool(hidden) is (width == 400)
    page.run("[...document.querySelectorAll('#tables button')].at(-1).click()")
    page.until("document.activeElement.textContent.startsWith('table_9')")


@pytest.mark.parametrize("width", [1280, 400])
def test_the_two_sides_of_a_drawing_are_headed(page: Page, width: int) -> None:
    page.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    page.run(
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('orders')).click()"
    )
    heads = page.run("[...document.querySelectorAll('.sides h3')].map((one) => one.innerText)")
    assert heads == ["OLD\npublic.orders", "NEW\npublic.orders"]
