"""What the page tells of a run and of a verification: why rows are rejected, in words, and causes first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, run_here
from support.chromium import chromium
from support.studio import Running, Visitor, studio

OLD = """
CREATE TABLE orders (id int PRIMARY KEY, total int);
INSERT INTO orders SELECT n, CASE WHEN n % 5 = 0 THEN -1 ELSE n END FROM generate_series(1, 20) n;
CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders);
INSERT INTO items SELECT n, 1 + n % 20 FROM generate_series(1, 400) n;
"""
NEW = """
CREATE TABLE orders (id int PRIMARY KEY, total int CONSTRAINT positive CHECK (total >= 0));
CREATE TABLE items (id int PRIMARY KEY, order_id int CONSTRAINT of_order REFERENCES orders);
"""
TOLD = "[...document.querySelectorAll('#result h3')].map((one) => one.textContent)"


@pytest.fixture
def running(make_pair: MakePair, tmp_path: Path) -> Iterator[Running]:
    """A studio of two databases whose rows were moved, but for four orders and their 80 items."""
    asyncio.run(make_pair(OLD, NEW)).config(tmp_path)
    moved = run_here("migrate", "config.json", "--live", cwd=tmp_path)
    assert moved.status == 1, moved
    with studio(tmp_path, "config.json") as made:
        yield made


def ended(visitor: Visitor, path: str) -> Any:
    """What a run left that is started by a path."""
    assert visitor.write(path, {}).status == 200
    while visitor.read("/api/run").json["run"]["running"]:
        pass
    return visitor.read("/api/result").json["result"]


def test_a_verification_says_why_rows_are_rejected(running: Running, tmp_path: Path) -> None:
    result = ended(running.enter("Ann"), "/api/verify")
    assert result["verdict"].startswith("Certificate: ")
    assert result["causes"] == ["public.orders: check positive refuses the row (23514): 4 rows"]
    (consequence,) = result["consequences"]
    assert consequence.startswith("public.items: the parent in orders was rejected")
    assert consequence.endswith(": 80 rows")
    (page,) = tmp_path.glob("results/*certificate*.html")
    told = page.read_text(encoding="utf-8")
    assert "rejected, check positive refuses the row (23514): 4 rows" in told


def test_rows_that_others_take_along_stand_behind_them(running: Running, tmp_path: Path) -> None:
    with chromium(tmp_path) as page:
        page.send("Page.navigate", url=running.links["Ann"])
        page.until("state")
        for button, said in (("#verify", "verification"), ("#dry", "dry run")):
            page.run(f"document.querySelector('{button}').click()")
            ended = f"document.querySelector('#runstate').textContent.startsWith('{said}')"
            page.until(f"{ended} && document.querySelectorAll('#result h3').length")
            if said == "verification":
                assert page.run(TOLD)[1:] == ["Rejected rows by cause", "Rejected because of these"]
        assert page.errors == []


def test_the_first_rejected_rows_are_those_to_mend(make_pair: MakePair, tmp_path: Path) -> None:
    asyncio.run(make_pair(OLD, NEW)).config(tmp_path)
    with studio(tmp_path, "config.json") as running:
        result = ended(running.enter("Ann"), "/api/dry-run")
    assert len(result["causes"]) == len(result["consequences"]) == 1
    tables = [one["table"] for one in result["rejects"]]
    assert tables == ["public.orders"] * 4 + ["public.items"] * 16
