"""Two schemas that ask for no decision: the page does not speak of answers that nobody gave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import MakePair
from support.chromium import chromium
from support.studio import Running, studio

TABLE = "CREATE TABLE parcels (id int PRIMARY KEY, note text);"


@pytest.fixture
def running(make_pair: MakePair, tmp_path: Path) -> Iterator[Running]:
    """A studio of two equal schemas."""
    made = asyncio.run(make_pair(TABLE, TABLE))
    made.config(tmp_path)
    with studio(tmp_path, "config.json") as started:
        yield started


def test_the_verdict_is_that_nothing_is_asked(running: Running, tmp_path: Path) -> None:
    with chromium(tmp_path) as page:
        page.send("Page.navigate", url=running.links["Ann"])
        verdict = "document.querySelector('#verdict')?.textContent"
        page.until(verdict)
        assert page.run(verdict) == "No question is asked."
        assert page.errors == []
