"""A folder with a configuration over two small databases whose names and values try to be markup."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import MakePair, Pair

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
