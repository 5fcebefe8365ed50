"""Two small databases whose names and values try to be markup, and the studio's page in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.chromium import Page, chromium
from support.studio import Running

pytest.importorskip("starlette", reason="the extra 'studio' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'studio' is not installed")

OLD = """
CREATE TABLE users (id int PRIMARY KEY, state text, fax bytea, "<img src=x onerror=alert(1)>" text);
INSERT INTO users SELECT n, (ARRAY['on','off','gone'])[1 + n % 3], NULL, '"><script>alert(1)</script>'
  FROM generate_series(1, 30) n;
CREATE TABLE "s<b>cratch" (line text); INSERT INTO "s<b>cratch" VALUES (E'x\\u202e');
"""
NEW = """
CREATE TYPE state AS ENUM ('on', 'off');
CREATE TABLE users (id int PRIMARY KEY, state state, origin date);
"""


@pytest.fixture
def hostile(make_pair: MakePair, tmp_path: Path) -> Pair:
    """The databases; ``config.json`` is in ``tmp_path``."""
    made = asyncio.run(make_pair(OLD, NEW))
    made.config(tmp_path)
    return made


@pytest.fixture
def page(running: Running, tmp_path: Path) -> Iterator[Page]:
    """The page of the test's own ``running`` studio, opened by Ann; it asks nobody else for anything."""
    with chromium(tmp_path) as made:
        made.send("Page.navigate", url=running.links["Ann"])
        made.until("document.querySelectorAll('#tables button').length > 0")
        yield made
        assert made.errors == []
        base = f"http://127.0.0.1:{running.port}/"
        assert [url for url in made.requests if not url.startswith((base, "data:", "about:"))] == []
