"""Killed within flows that take rows apart, select rows or read a query, and run again: the end is that of an
undisturbed run; twins that number or select otherwise the second time are caught.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair, Pair
from support.runs import migrate
from tranship.errors import Stopped
from tranship.model.progress import BatchDone, Event
from tranship.sql.old import row_source as rows

OLD = """
CREATE TABLE shop (id int PRIMARY KEY, tenant int NOT NULL, name text NOT NULL);
CREATE TABLE sale (id int PRIMARY KEY, shop int NOT NULL REFERENCES shop, tags text, price text);
INSERT INTO shop SELECT n, n % 3, 'shop ' || n FROM generate_series(1, 60) n;
INSERT INTO sale SELECT n, 1 + n % 60, concat_ws(',', 'c', 'b ' || n % 7, CASE WHEN n % 5 = 0 THEN 'bad' END, 'a'),
  CASE WHEN n % 50 = 0 THEN 'much' ELSE n::text END FROM generate_series(1, 900) n;
"""
NEW = """
CREATE FUNCTION sly(t text) RETURNS boolean LANGUAGE sql
  AS $$SELECT current_setting('transaction_read_only') = 'on' OR t <> 'b 3'$$;
CREATE TABLE shop (id int PRIMARY KEY, tenant int NOT NULL, name text NOT NULL);
CREATE TABLE sale (id int PRIMARY KEY, shop int NOT NULL REFERENCES shop, price int);
CREATE TABLE tag (sale int NOT NULL REFERENCES sale, tag text CHECK (tag <> 'bad'), place int, PRIMARY KEY (sale, tag));
CREATE TABLE word (sale int, word text CONSTRAINT sly CHECK (sly(word)), place int);
CREATE TABLE total (shop int PRIMARY KEY, sales int CHECK (sales > 14));
CREATE TABLE copy (id int CHECK (id % 100 <> 99), price text);
"""
ENTRIES: dict[str, list[dict[str, Any]]] = {
    "shop": [{"action": "filter", "where": "old.tenant = 1", "children": "leave_out"}],
    "sale": [
        {"action": "transform", "old_column": "price", "new_column": "price"},
        {"action": "ignore", "old_column": "tags"},
    ],
    "sale -> tag": [
        {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(tag)"},
        {"action": "transform", "old_column": "id", "new_column": "sale"},
        {"action": "transform", "new_column": "tag", "transform_sql": "item.tag"},
        {"action": "transform", "new_column": "place", "transform_sql": "item_number"},
    ],
    "sale -> word": [
        {"action": "filter", "where": "old.id % 2 = 0"},
        {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(word)"},
        {"action": "transform", "old_column": "id", "new_column": "sale"},
        {"action": "transform", "new_column": "word", "transform_sql": "item.word"},
        {"action": "transform", "new_column": "place", "transform_sql": "item_number"},
    ],
    "totals -> total": [
        {
            "action": "query",
            "key": ["shop"],
            "sql": "SELECT s.shop, count(*)::int AS sales FROM public.sale AS s GROUP BY s.shop",
        }
    ],
    "copies -> copy": [
        {
            "action": "query",
            "key": ["id"],
            "cut_by": "id",
            "sql": "SELECT s.id - 500 AS id, s.price FROM public.sale AS s",
        }
    ],
}
TABLES = ("shop", "sale", "tag", "word", "total", "copy")


def decisions(folder: Path) -> str:
    """The resolutions file."""
    file = folder / "answers.json"
    file.write_text(json.dumps({"resolutions": ENTRIES}), encoding="utf-8")
    return str(file)


async def end_of(pair: Pair) -> dict[str, list[tuple[Any, ...]]]:
    """What NEW holds, and which rows are rejected, left out and made."""
    found = {t: sorted(await pair.new.fetch(f"SELECT r::text FROM {t} r")) for t in TABLES}
    found["rejects"] = await pair.new.fetch(
        "SELECT t.new_table, t.flow_name, convert_from(r.old_key, 'UTF8'), r.item, r.key, r.sqlstate"
        " FROM _tranship.reject r JOIN _tranship.task t USING (run, position) ORDER BY 1, 2, 3, 4, 5"
    )
    found["counts"] = await pair.new.fetch(
        "SELECT t.new_table, sum(b.old_rows), sum(b.left_out), sum(b.with_parent), sum(b.no_items), sum(b.read),"
        " sum(b.written), sum(b.rejected) FROM _tranship.batch b JOIN _tranship.task t USING (run, position)"
        " GROUP BY 1 ORDER BY 1"
    )
    return found


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The end of a run that nothing disturbs; filled by the first test that needs it."""
    return {}


async def expected(make_pair: MakePair, folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    if not known:
        pair = await make_pair(OLD, NEW)
        result = await migrate(pair, folder, resolutions=decisions(folder), batch_size=100)
        assert result.exit_status == 1
        known.update(await end_of(pair))
        made = {row[0]: tuple(row[1:]) for row in known["counts"]}
        # Of 900 sales 300 stay; 6 of them have no price that NEW reads, and take their tags with them.
        assert made['{"schema": "public", "name": "shop"}'] == (60, 40, 0, 0, 20, 20, 0)
        assert made['{"schema": "public", "name": "sale"}'] == (900, 600, 600, 0, 300, 294, 6)
    return known


@pytest.mark.parametrize(
    "place", ["batch.copied:4", "batch.committed:7", "batch.isolating", "batch.counted:12"]
)
async def test_killed_and_run_again(
    make_pair: MakePair,
    run_cli: Callable[..., CliResult],
    tmp_path: Path,
    undisturbed: dict[str, Any],
    place: str,
) -> None:
    wanted = await expected(make_pair, tmp_path, undisturbed)
    pair = await make_pair(OLD, NEW)
    command = ("migrate", pair.config(tmp_path), "--live", "--batch-size", "100", "--jobs", "2")
    command = (*command, "--resolutions", decisions(tmp_path))
    assert run_cli(*command, env={"TRANSHIP_FAILPOINT": f"{place}:kill"}).status == -signal.SIGKILL
    again = run_cli(*command)
    assert again.status == 1, again
    assert await end_of(pair) == wanted


async def stopped_after(pair: Pair, folder: Path, batches: int) -> None:
    """A run that stops when so many batches are done."""
    stop, events = asyncio.Event(), list[Event]()

    class Events(list[Event]):
        def append(self, event: Event) -> None:
            events.append(event)
            if sum(isinstance(e, BatchDone) for e in events) >= batches:
                stop.set()

    with pytest.raises(Stopped):
        await migrate(pair, folder, resolutions=decisions(folder), batch_size=100, events=Events(), stop=stop)


async def test_a_twin_that_numbers_otherwise_when_it_resumes_is_caught(
    make_pair: MakePair, tmp_path: Path, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await expected(make_pair, tmp_path, undisturbed)
    pair = await make_pair(OLD, NEW)
    await stopped_after(pair, tmp_path, 8)
    numbering = rows._numbering
    monkeypatch.setattr(rows, "_numbering", lambda items: f"{numbering(items)} DESC")
    result = await migrate(pair, tmp_path, resolutions=decisions(tmp_path), batch_size=100)
    assert result.exit_status != 1 or await end_of(pair) != wanted


async def test_a_twin_that_selects_otherwise_the_second_time_stops(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    await stopped_after(pair, tmp_path, 1)
    taken = rows.taken
    monkeypatch.setattr(rows, "taken", lambda plan: (*taken(plan), "old.id % 10 <> 4"))
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, resolutions=decisions(tmp_path), batch_size=100)


async def test_what_a_filter_reads_has_to_be_as_it_was(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "old.tenant IN (SELECT r.tenant FROM public.rate AS r)"
    monkeypatch.setitem(ENTRIES, "shop", [{"action": "filter", "where": where, "children": "leave_out"}])
    rate = "CREATE TABLE rate (tenant int); INSERT INTO rate VALUES (1);"
    monkeypatch.setitem(ENTRIES, "rate", [{"action": "drop_table"}])
    pair = await make_pair(OLD + rate, NEW)
    await stopped_after(pair, tmp_path, 3)
    await pair.old.run("UPDATE rate SET tenant = 2")
    with pytest.raises(Stopped, match=r"rows of public\.rate, which an expression reads"):
        await migrate(pair, tmp_path, resolutions=decisions(tmp_path), batch_size=100)
