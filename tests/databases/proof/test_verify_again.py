"""``tranship verify`` computes the second opinion and compares the rows that NEW held before once more, with OLD as
it is by then: what OLD changed since is told apart, and what cannot be done again is said.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair, held_before, opined
from support.runs import migrate, verify
from tranship.execution.proof.new_rows import Runs
from tranship.execution.proof.rows_before import BeforeResult
from tranship.execution.verification.repeated import Repeating
from tranship.execution.verification.scene import Found
from tranship.model.difference import DifferenceKind, RowsBefore
from tranship.report.verification import before_lines, opinion_lines
from tranship.sql import expression


async def moved(make_pair: MakePair, folder: Path, exit_status: int = 0) -> Pair:
    """A pair whose rows a live run has moved."""
    pair = await make_pair(opined.OLD, opined.NEW)
    result = await migrate(pair, folder, resolutions=opined.decided(folder))
    assert result.exit_status == exit_status
    return pair


def item_of(result: Any) -> Any:
    """What a result says of ``item``."""
    return next(table for table in result.tables if table.new_table == "public.item")


async def test_the_second_opinion_is_computed_again(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    result = await verify(pair, tmp_path)
    said = item_of(result).second_opinion
    assert (result.status, result.exit_status, result.old_read) == ("verified", 0, True)
    assert (said.apart, said.not_repeated, said.cells) == ((), "", said.rows * 7)
    assert said.rows >= 200


@pytest.mark.parametrize(
    ("function", "broken", "column"),
    [("_map_values", opined.swapped, "state"), ("_for_input", opined.cut, "price")],
)
@pytest.mark.parametrize("still", [True, False])
async def test_what_a_broken_compiler_wrote_is_found_later(
    make_pair: MakePair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    broken: Callable[[Callable[..., str]], Callable[..., str]],
    column: str,
    *,
    still: bool,
) -> None:
    """NEW holds what its journal says, also where the compiler was mended since: only Python sees it."""
    with monkeypatch.context() as patched:
        patched.setattr(expression, function, broken(getattr(expression, function)))
        pair = await moved(make_pair, tmp_path, 5)
        if still:
            result = await verify(pair, tmp_path)
    if not still:
        result = await verify(pair, tmp_path)
    table = item_of(result)
    assert (result.status, result.exit_status, table.verified) == ("differs", 5, False), table
    assert {one.columns for one in table.differences} == {(column,)}
    assert all(one.key and one.key["id"] for one in table.differences)
    # Without OLD, NEW still holds what the run found to be wrong.
    gone = await verify(pair, tmp_path, old={"port": 1})
    assert (gone.status, gone.exit_status) == ("differs", 5)
    assert {one.columns for one in item_of(gone).differences} == {(column,)}


async def test_rows_that_old_changed_since_are_told_apart(make_pair: MakePair, tmp_path: Path) -> None:
    """The edges of every column, some with a new key; rows that are gone, and new ones."""
    pair = await moved(make_pair, tmp_path)
    await pair.old.run("""
        UPDATE item SET price = 1 WHERE id IN (1, 2999); UPDATE item SET id = id + 10000 WHERE id = 3000;
        DELETE FROM item WHERE id = 2; INSERT INTO item SELECT g, 'a', g, now(), 'n', '', 1 FROM generate_series(20000, 20010) g;
    """)
    result = await verify(pair, tmp_path)
    said = item_of(result).second_opinion
    assert (result.status, result.exit_status) == ("verified", 0), item_of(result)
    assert said.rows >= 200
    assert said.apart == ("public.item: rows written in OLD since the run: 14",)
    assert said.old_written


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE zones SET name = 'Other' WHERE code = 'n'",
        "ALTER TABLE item RENAME note TO x; ALTER TABLE item RENAME state TO note; ALTER TABLE item RENAME x TO state",
        "ALTER TABLE item DROP COLUMN note",
        "ALTER TABLE item ALTER big TYPE text",
        "DROP TABLE item",
        "TRUNCATE item",
        "CLUSTER item USING item_pkey",
    ],
)
async def test_whatever_becomes_of_old_is_no_alarm(make_pair: MakePair, tmp_path: Path, change: str) -> None:
    pair = await moved(make_pair, tmp_path)
    await pair.old.run(change)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), item_of(result)


@pytest.mark.parametrize("change", ["UPDATE zone SET name = 'North'", "DELETE FROM zone"])
async def test_a_lookup_table_of_new_that_somebody_changed(
    make_pair: MakePair, tmp_path: Path, change: str
) -> None:
    zone = "CREATE TABLE zone (code text PRIMARY KEY, name text); INSERT INTO zone VALUES ('n', 'north');"
    item = "CREATE TABLE item (id int PRIMARY KEY, zone text);"
    rows = "INSERT INTO item SELECT g, 'n' FROM generate_series(1, 300) g"
    pair = await make_pair(item + rows, zone + item)
    path = tmp_path / "decisions.json"
    path.write_text("""{"resolutions": {"item": [{"action": "transform", "old_column": "zone", "new_column": "zone",
        "lookup_table": {"table": "zone", "key_column": "code", "value_column": "name"}}]}}""")
    assert (await migrate(pair, tmp_path, resolutions=str(path))).exit_status == 0
    await pair.new.run(change)
    later = await verify(pair, tmp_path)
    assert later.exit_status == 0, item_of(later)
    assert item_of(later).second_opinion.apart == ("public.item.zone (its lookup table changed since)",)


async def test_without_old_it_is_said_that_nothing_was_repeated(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    result = await verify(pair, tmp_path, old={"port": 1})
    said = item_of(result).second_opinion
    assert (result.status, result.exit_status, result.old_read) == ("verified", 0, False)
    assert said.not_repeated.startswith("OLD cannot be read: ")
    first, second = list(opinion_lines(result.tables))[:2]
    assert first.startswith("Second opinion of the run itself: ")
    assert second.startswith("  not repeated: public.")


REJECTED = """
CREATE TABLE item (id int PRIMARY KEY, name text);
INSERT INTO item SELECT g, CASE WHEN g % 10 = 5 THEN 'far too long' ELSE 'name' END FROM generate_series(1, 300) g;
"""


@pytest.mark.parametrize(
    ("change", "repeated"),
    [
        ("", True),
        ("UPDATE item SET name = 'later' WHERE id = 15; INSERT INTO item VALUES (901, 'new')", True),
        ("DELETE FROM item WHERE id < 100", True),
        ("ALTER TABLE item ADD COLUMN more int", True),
        ("DELETE FROM item WHERE id < 5; CLUSTER item USING item_pkey", False),
    ],
)
async def test_rejected_rows_are_still_known(
    make_pair: MakePair, tmp_path: Path, change: str, *, repeated: bool
) -> None:
    """By their places, which a heap that is written anew changes."""
    pair = await make_pair(REJECTED, "CREATE TABLE item (id int PRIMARY KEY, name varchar(4))")
    path = tmp_path / "decisions.json"
    path.write_text(
        '{"resolutions": {"item": [{"action": "transform", "old_column": "name", "new_column": "name"}]}}'
    )
    assert (await migrate(pair, tmp_path, resolutions=str(path))).exit_status == 1
    if change:
        await pair.old.run(change)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), item_of(result)
    assert (item_of(result).second_opinion.not_repeated == "") == repeated


async def test_a_filter_may_take_other_rows_by_now(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE chosen (id int PRIMARY KEY); INSERT INTO chosen SELECT g FROM generate_series(1, 50) g;"
        " CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT g FROM generate_series(1, 100) g",
        "CREATE TABLE item (id int PRIMARY KEY)",
    )
    path = tmp_path / "decisions.json"
    path.write_text("""{"resolutions": {"item": [{"action": "filter", "where": "old.id IN (SELECT id FROM public.chosen)"}],
        "chosen": [{"action": "drop_table"}]}}""")
    assert (await migrate(pair, tmp_path, resolutions=str(path))).exit_status in (0, 1)
    await pair.old.run("INSERT INTO chosen VALUES (77)")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), item_of(result)


@pytest.mark.parametrize("rows", ["update", "keep"])
async def test_rows_that_new_held_before_are_compared_again(
    make_pair: MakePair, tmp_path: Path, rows: str
) -> None:
    pair = await make_pair(held_before.OLD, held_before.NEW)
    assert (await migrate(pair, tmp_path, resolutions=held_before.decided(tmp_path, rows))).exit_status == 0
    result = await verify(pair, tmp_path)
    expected = RowsBefore(40) if rows == "update" else RowsBefore(0, 40)
    assert (result.exit_status, item_of(result).rows_before) == (0, expected), item_of(result)
    away = await verify(pair, tmp_path, old={"port": 1})
    assert away.exit_status == 0
    if rows == "update":
        assert item_of(away).rows_before.not_repeated.startswith("OLD cannot be read: ")
        assert "  not compared again: public.item: OLD" in "\n".join(before_lines(away.tables))


@pytest.mark.parametrize(
    ("change", "kind", "key", "columns"),
    [
        ("UPDATE item SET name = 'wrong' WHERE id = 30", "changed", "30", ("name",)),
        ("UPDATE item SET price = price * 1.0 WHERE id = 3", "changed", "3", ("price",)),
        ("DELETE FROM item WHERE id = 4", "missing", "4", ()),
    ],
)
async def test_a_row_from_before_that_somebody_changed_later(
    make_pair: MakePair, tmp_path: Path, change: str, kind: str, key: str, columns: tuple[str, ...]
) -> None:
    """Once, and not as a row that was added besides."""
    pair = await make_pair(held_before.OLD, held_before.NEW)
    assert (
        await migrate(pair, tmp_path, resolutions=held_before.decided(tmp_path, "update"))
    ).exit_status == 0
    await pair.new.run(change)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    found = [(one.kind, one.key and one.key["id"], one.columns) for one in item_of(result).differences]
    assert found == [(DifferenceKind(kind), key, columns)]
    used = await verify(pair, tmp_path, new_in_use=True)
    assert used.exit_status == (5 if kind == "missing" else 1)


async def test_a_row_from_before_that_somebody_wrote_anew_is_equal(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(held_before.OLD, held_before.NEW)
    assert (
        await migrate(pair, tmp_path, resolutions=held_before.decided(tmp_path, "update"))
    ).exit_status == 0
    await pair.new.run("UPDATE item SET own = 'theirs' WHERE id < 30")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), item_of(result)


@pytest.mark.parametrize(
    ("change", "compared", "not_compared"),
    [
        ("UPDATE item SET name = 'later' WHERE id IN (3, 30)", 38, 2),
        ("DELETE FROM item WHERE id IN (3, 30)", 38, 2),
        ("DELETE FROM item WHERE id < 5; CLUSTER item USING item_pkey", 0, 40),
        ("DROP TABLE item", 0, 40),
    ],
)
async def test_rows_from_before_that_old_changed_since(
    make_pair: MakePair, tmp_path: Path, change: str, compared: int, not_compared: int
) -> None:
    pair = await make_pair(held_before.OLD, held_before.NEW)
    assert (
        await migrate(pair, tmp_path, resolutions=held_before.decided(tmp_path, "update"))
    ).exit_status == 0
    await pair.old.run(change)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), item_of(result)
    said = item_of(result).rows_before
    if compared:
        assert (said.compared, said.not_compared) == (compared, not_compared)
    else:
        assert said.not_repeated


async def _believe(_: Repeating, found: Found) -> Found:
    return found


async def _pass_by(_: Repeating, __: Runs) -> BeforeResult:
    return BeforeResult(None, [])


async def test_a_verifier_without_the_second_opinion_misses_a_broken_compiler(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(expression, "_map_values", opined.swapped(expression._map_values))
        pair = await moved(make_pair, tmp_path, 5)
    with monkeypatch.context() as patched:
        patched.setattr(Repeating, "with_opinion", _believe)
        assert (await verify(pair, tmp_path)).exit_status == 0
    assert (await verify(pair, tmp_path)).exit_status == 5


async def test_a_verifier_that_passes_rows_from_before_by_misses_their_loss(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(held_before.OLD, held_before.NEW)
    decisions = held_before.decided(tmp_path, "update")
    assert (await migrate(pair, tmp_path, resolutions=decisions)).exit_status == 0
    await pair.new.run("DELETE FROM item WHERE id = 4")
    with monkeypatch.context() as patched:
        patched.setattr(Repeating, "rows_before", _pass_by)
        assert (await verify(pair, tmp_path)).exit_status == 0
    assert (await verify(pair, tmp_path)).exit_status == 5
