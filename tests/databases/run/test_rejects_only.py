"""``--rejects-only``: rows that a finished run rejected are moved again under mended decisions, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair, Pair
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, Noted
from tranship.report.notes import words

OLD = """
CREATE TABLE shop (id integer PRIMARY KEY, state text NOT NULL);
CREATE TABLE sale (id integer PRIMARY KEY, shop integer NOT NULL REFERENCES shop, price text);
INSERT INTO shop VALUES (1, 'o'), (2, 'c'), (3, '?'), (4, '!');
INSERT INTO sale VALUES (10, 1, '1.50'), (11, 1, 'free'), (12, 3, '2'), (13, 4, '3'), (14, 3, 'none');
"""
NEW = """
CREATE TABLE shop (id integer PRIMARY KEY, state text NOT NULL);
CREATE TABLE sale (id integer PRIMARY KEY, shop integer NOT NULL CONSTRAINT sale_shop REFERENCES shop,
    price numeric(8,2));
"""
STATES = {"o": "open", "c": "closed"}
PRICE = "CASE WHEN old.price ~ '^[0-9.]+$' THEN old.price ELSE '0' END"


def decisions(states: Mapping[str, str] = STATES, price: str | None = None) -> dict[str, Any]:
    entry = {"action": "transform", "old_column": "price", "new_column": "price"}
    return {
        "shop": [
            {"action": "transform", "old_column": "state", "new_column": "state", "value_mapping": states}
        ],
        "sale": [{**entry, **({"transform_sql": price} if price else {})}],
    }


async def migrate(
    pair: Pair,
    folder: Path,
    decided: Mapping[str, Any],
    *,
    keys: Mapping[str, Any] | None = None,
    heard: list[Event] | None = None,
    **options: Any,
) -> Any:
    """A live run, ``live=False``: a dry run."""
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"resolutions": decided}), encoding="utf-8")
    config = load_config(pair.config(folder, **(keys or {})))
    wanted = MigrateOptions(
        **{
            "live": True,
            "results_dir": str(folder),
            "resolutions": str(answers),
            "batch_size": 2,
            "jobs": 2,
            **options,
        }
    )
    return (await api.migrate(config, wanted, heard.append if heard is not None else None))[0]


def counts(result: Any) -> dict[str, tuple[int, int, int, int]]:
    return {
        table.table: (table.rows_read, table.rows_migrated, table.rows_failed, table.rows_left_out)
        for table in result.tables
    }


def said(heard: list[Event]) -> str:
    return "\n".join(words(event.what) for event in heard if isinstance(event, Noted))


async def sales(pair: Pair) -> list[tuple[int, int, str]]:
    return await pair.new.fetch("SELECT id, shop, price::text FROM sale ORDER BY id")


async def test_rejected_rows_and_their_children_follow_and_the_table_is_covered(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    first = await migrate(pair, tmp_path, decisions())
    assert (first.exit_status, counts(first)) == (
        1,
        {"public.shop": (4, 2, 2, 0), "public.sale": (5, 1, 4, 0)},
    )
    mended = decisions({**STATES, "?": "unknown"}, PRICE)
    for mode in ({"live": False}, {"live": False, "rehearse": True}, {}):
        again = await migrate(pair, tmp_path, mended, rejects_only=True, **mode)
        assert again.exit_status == 1
        assert counts(again) == {"public.shop": (2, 1, 1, 0), "public.sale": (4, 3, 1, 0)}, mode
    assert await sales(pair) == [(10, 1, "1.50"), (11, 1, "0.00"), (12, 3, "2.00"), (14, 3, "0.00")]
    for live in (True, False):
        whole = await migrate(pair, tmp_path, mended, live=live)
        assert (whole.exit_status, all(table.already_migrated for table in whole.tables)) == (1, True)
        assert counts(whole) == {"public.shop": (4, 3, 1, 0), "public.sale": (5, 4, 1, 0)}


async def test_what_the_run_covered_is_refused_under_the_first_decisions(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    with pytest.raises(Refused, match="other decisions") as refused:
        await migrate(pair, tmp_path, decisions(price=PRICE))
    assert "--rejects-only" in str(refused.value.hint)
    await migrate(pair, tmp_path, decisions(price=PRICE), rejects_only=True)
    with pytest.raises(Refused, match="other decisions"):
        await migrate(pair, tmp_path, decisions())


async def test_mended_new_is_enough(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW + "ALTER TABLE sale ADD CONSTRAINT dear CHECK (id > 11);")
    decided = decisions({**STATES, "?": "unknown", "!": "lost"}, PRICE)
    assert (await migrate(pair, tmp_path, decided)).stats.rows_failed == 2
    await pair.new.run("ALTER TABLE sale DROP CONSTRAINT dear")
    assert (await migrate(pair, tmp_path, decided, rejects_only=True)).exit_status == 0
    assert len(await sales(pair)) == 5
    assert (await migrate(pair, tmp_path, decided)).exit_status == 0


async def test_rows_are_taken_as_old_has_them_now_and_those_that_left_are_told(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions({**STATES, "?": "unknown", "!": "lost"}))
    await pair.old.run("UPDATE sale SET price = '7' WHERE id = 11; DELETE FROM sale WHERE id = 14")
    heard: list[Event] = []
    decided = decisions({**STATES, "?": "unknown", "!": "lost"})
    for live in (False, True):
        again = await migrate(pair, tmp_path, decided, rejects_only=True, live=live, heard=heard)
        assert (again.exit_status, counts(again)) == (0, {"public.sale": (2, 1, 0, 1)})
        assert 'public.sale: 1 rejected row is no longer in OLD and is left out: {"id": 14}' in said(heard)
        assert "TS348" in {problem.code for problem in again.problems if problem.warning}
        assert again.stats.rows_left_out == 1
    assert (11, 1, "7.00") in await sales(pair)
    assert counts(await migrate(pair, tmp_path, decided))["public.sale"] == (5, 4, 0, 1)


async def test_once_more_with_what_is_still_rejected(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    states = {**STATES, "?": "unknown"}
    assert (await migrate(pair, tmp_path, decisions(states, PRICE), rejects_only=True)).exit_status == 1
    states |= {"!": "lost"}
    last = await migrate(pair, tmp_path, decisions(states, PRICE), rejects_only=True)
    assert (last.exit_status, counts(last)) == (0, {"public.shop": (1, 1, 0, 0), "public.sale": (1, 1, 0, 0)})
    heard: list[Event] = []
    done = await migrate(pair, tmp_path, decisions(states, PRICE), rejects_only=True, heard=heard)
    assert (done.exit_status, "no rejected rows are left" in said(heard)) == (0, True)
    assert counts(done) == {"public.shop": (4, 4, 0, 0), "public.sale": (5, 5, 0, 0)}
    assert len(await sales(pair)) == 5


async def test_there_must_have_been_rejects(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    decided = decisions({**STATES, "?": "unknown", "!": "lost"}, PRICE)
    for live in (False, True):
        with pytest.raises(Refused, match="no finished run from this OLD") as refused:
            await migrate(pair, tmp_path, decided, rejects_only=True, live=live)
        assert refused.value.code == "TS396"
    assert await pair.new.value("SELECT to_regnamespace('_tranship')") is None
    assert (await migrate(pair, tmp_path, decided)).exit_status == 0
    with pytest.raises(Refused, match="no row of these tables is rejected"):
        await migrate(pair, tmp_path, decided, rejects_only=True)


async def test_a_decision_that_changes_written_rows_is_refused(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    for states, price in (({**STATES, "o": "OPEN"}, None), ({"?": "unknown"}, None), (STATES, "'9'")):
        for live in (False, True):
            with pytest.raises(
                Refused, match=r"\d rows? that the run \w+ wrote would have other values"
            ) as refused:
                await migrate(pair, tmp_path, decisions(states, price), rejects_only=True, live=live)
            assert refused.value.code == "TS397"
    # Another spelling of the same value is the same value.
    spelled = decisions(price="CASE WHEN old.price ~ '^[0-9.]+$' THEN old.price || '0' ELSE '0' END")
    assert (await migrate(pair, tmp_path, spelled, rejects_only=True)).stats.rows_migrated == 1


async def test_an_expression_that_raised_for_the_rejected_rows_is_mended(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """The first expression has no value for the rejected rows; only those that were written are compared."""
    old = """
        CREATE TABLE offer (id integer PRIMARY KEY, first date, last date);
        INSERT INTO offer VALUES (1, '2020-01-01', '2020-02-01'), (2, '2020-03-01', '2020-01-01'),
            (3, '2020-01-05', '2020-02-01');"""
    pair = await make_pair(old, "CREATE TABLE offer (id integer PRIMARY KEY, valid daterange NOT NULL);")
    gone = [{"action": "ignore", "old_column": name} for name in ("first", "last")]

    def valid(sql: str) -> dict[str, Any]:
        return {"offer": [{"action": "transform", "new_column": "valid", "transform_sql": sql}, *gone]}

    assert (await migrate(pair, tmp_path, valid("daterange(old.first, old.last)"))).stats.rows_failed == 1
    mended = valid("daterange(least(old.first, old.last), greatest(old.first, old.last))")
    for live in (False, True):
        again = await migrate(pair, tmp_path, mended, rejects_only=True, live=live)
        assert counts(again) == {"public.offer": (1, 1, 0, 0)}
    rows = await pair.new.fetch("SELECT id, lower(valid)::text FROM offer ORDER BY id")
    assert rows == [(1, "2020-01-01"), (2, "2020-01-01"), (3, "2020-01-05")]


async def test_what_others_wrote_in_old_since_is_no_difference(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    await pair.old.run("INSERT INTO sale VALUES (15, 1, 'odd'); UPDATE sale SET price = 'odd' WHERE id = 10")
    mended = decisions(price=PRICE)
    again = await migrate(pair, tmp_path, mended, rejects_only=True)
    assert counts(again) == {"public.shop": (2, 0, 2, 0), "public.sale": (4, 1, 3, 0)}
    assert [row[0] for row in await sales(pair)] == [10, 11]


@pytest.mark.parametrize("written", [False, True])
async def test_a_table_without_a_key_as_long_as_nobody_wrote_to_it(
    make_pair: MakePair, tmp_path: Path, written: bool
) -> None:
    old = "CREATE TABLE note (at integer, text text); INSERT INTO note VALUES (1, 'a'), (1, 'a'), (2, NULL);"
    pair = await make_pair(old, "CREATE TABLE note (at integer, text text NOT NULL);")
    assert (await migrate(pair, tmp_path, {})).stats.rows_failed == 1
    await pair.new.run("ALTER TABLE note ALTER text DROP NOT NULL")
    if written:
        await pair.old.run("INSERT INTO note VALUES (3, 'c')")
        for live in (False, True):
            with pytest.raises(
                Refused, match=r"the 1 rejected row of public\.note cannot be found"
            ) as refused:
                await migrate(pair, tmp_path, {}, rejects_only=True, live=live)
            assert (refused.value.code, "tables" in str(refused.value.hint)) == ("TS398", True)
    else:
        await pair.old.run("SELECT txid_current()")
        assert (await migrate(pair, tmp_path, {}, rejects_only=True)).exit_status == 0
    rows = await pair.new.fetch("SELECT at, text FROM note ORDER BY 1, 2")
    assert rows == [(1, "a"), (1, "a")] + ([] if written else [(2, None)])


async def test_an_equal_row_of_the_first_run_stands_for_another_row(
    make_pair: MakePair, tmp_path: Path
) -> None:
    old = "CREATE TABLE word (id integer PRIMARY KEY, text text NOT NULL);"
    old += "INSERT INTO word VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b');"
    pair = await make_pair(old, "CREATE TABLE word (text text PRIMARY KEY);")
    decided = {"word": [{"action": "ignore", "old_column": "id"}]}
    assert (await migrate(pair, tmp_path, decided)).stats.rows_failed == 2
    for live in (False, True):
        again = await migrate(pair, tmp_path, decided, rejects_only=True, live=live)
        assert counts(again) == {"public.word": (2, 0, 2, 0)}
    # A row that somebody put there by hand is the rejected row.
    await pair.new.run("DELETE FROM word WHERE text = 'b'; INSERT INTO word VALUES ('b')")
    again = await migrate(pair, tmp_path, decided, rejects_only=True)
    assert (again.stats.rows_already_there, again.stats.rows_failed) == (1, 1)


async def test_a_parent_of_the_first_run_keeps_its_children(make_pair: MakePair, tmp_path: Path) -> None:
    """Two old rows have one key: the first became the parent, the second is rejected for good."""
    old = """
        CREATE TABLE box (name text, n integer); CREATE TABLE item (id integer PRIMARY KEY, box text, n text);
        INSERT INTO box VALUES ('x', 1), ('x', 2); INSERT INTO item VALUES (1, 'x', 'bad'), (2, 'x', '5');"""
    new = """
        CREATE TABLE box (name text PRIMARY KEY, n integer);
        CREATE TABLE item (id integer PRIMARY KEY, box text REFERENCES box, n integer);"""
    pair = await make_pair(old, new)
    entry = {"action": "transform", "old_column": "n", "new_column": "n"}
    first = await migrate(pair, tmp_path, {"item": [entry]})
    assert counts(first) == {"public.box": (2, 1, 1, 0), "public.item": (2, 1, 1, 0)}
    mended = {"item": [{**entry, "transform_sql": "NULLIF(old.n, 'bad')"}]}
    again = await migrate(pair, tmp_path, mended, rejects_only=True)
    assert counts(again) == {"public.box": (1, 0, 1, 0), "public.item": (1, 1, 0, 0)}


async def test_tables_that_nobody_moved_are_named_and_left(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions(), keys={"tables": ["shop"]})
    heard: list[Event] = []
    mended = decisions({**STATES, "?": "unknown"}, PRICE)
    again = await migrate(pair, tmp_path, mended, rejects_only=True, heard=heard)
    assert counts(again) == {"public.shop": (2, 1, 1, 0)}
    assert "leaves tables that no finished run moved: public.sale" in said(heard)
    after = await migrate(pair, tmp_path, mended)
    assert counts(after) == {"public.shop": (4, 3, 1, 0), "public.sale": (5, 4, 1, 0)}


async def test_rolled_back_in_reverse_order(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    mended = decisions({**STATES, "?": "unknown"}, PRICE)
    await migrate(pair, tmp_path, mended, rejects_only=True)
    config = load_config(pair.config(tmp_path))
    first, second = [state.run.id for state in await api.status(config)]
    assert [state.rejects_of for state in await api.status(config)] == [(), (first,)]
    with pytest.raises(Refused, match=f"the run {second} moved rows") as refused:
        await api.rollback(config, live=True, run=first)
    assert refused.value.code == "TS388"
    assert (await api.rollback(config, live=True)).deleted == 4
    assert [row[0] for row in await sales(pair)] == [10]
    assert (await migrate(pair, tmp_path, mended, rejects_only=True)).stats.rows_migrated == 4
    await api.rollback(config, live=True)
    await api.rollback(config, live=True)
    assert await api.status(config) == ()


async def test_an_old_in_sql_ascii_is_found_by_its_bytes(make_pair: MakePair, tmp_path: Path) -> None:
    old = r"""
        CREATE TABLE word (name text PRIMARY KEY, n integer);
        INSERT INTO word VALUES ('a', 1), (E'\xe4"\\\x01', NULL), (E'\xc3\xa4', NULL);"""
    new = "CREATE TABLE word (name text PRIMARY KEY, n integer NOT NULL);"
    pair = await make_pair(old, new, encodings=("SQL_ASCII", "SQL_ASCII"))
    assert (await migrate(pair, tmp_path, {})).stats.rows_failed == 2
    await pair.new.run("ALTER TABLE word ALTER n DROP NOT NULL")
    again = await migrate(pair, tmp_path, {}, rejects_only=True)
    assert (again.stats.rows_read, again.stats.rows_left_out) == (2, 0)
    assert await pair.new.value("SELECT count(*) FROM word WHERE n IS NULL") == 1


def test_the_classic_script_takes_the_option(run_script: Callable[..., CliResult], tmp_path: Path) -> None:
    both = run_script("data_migrator.py", "none.json", "--rejects-only", "--again")
    assert (both.status, "give one of the two" in both.stderr) == (2, True), both
    alone = run_script("data_migrator.py", "none.json", "--rejects-only")
    assert (alone.status, "none.json" in alone.stderr) == (2, True), alone


async def test_every_next_command_keeps_to_the_rejected_rows(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    await migrate(pair, tmp_path, decisions({**STATES, "?": "unknown"}, PRICE), live=False)
    config, decided = pair.config(tmp_path), ("--resolutions", str(tmp_path / "answers.json"))
    dry = run_cli("migrate", config, *decided, "--rejects-only")
    (live,) = (line for line in dry.stdout.splitlines() if "or accept it" in line)
    assert live.endswith("answers.json --live --rejects-only"), dry
    again = run_cli("migrate", config, *decided, "--again")
    (live,) = (line for line in again.stdout.splitlines() if "or accept it" in line)
    assert live.endswith("answers.json --live --again"), again
    moved = run_cli("migrate", config, *decided, "--live", "--rejects-only")
    assert moved.status == 1, moved
    page = run_cli("report", config, "--results-dir", str(tmp_path))
    assert page.stdout.count("--rejects-only") == 1, page
    back = run_cli("rollback", config, "--live")
    # None of the run's rows is left, and NEW still holds those of the first one.
    assert f"1 other run is on record, and its rows stay: tranship status {config}" in back.stdout, back
    (line,) = (line for line in back.stdout.splitlines() if line.startswith("To move the rows of run "))
    assert line.endswith("--live --rejects-only"), back


async def test_purge_shows_first_what_goes_with_the_journal(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, decisions())
    await migrate(pair, tmp_path, decisions({**STATES, "?": "unknown"}), rejects_only=True)
    config = pair.config(tmp_path)
    shown = run_cli("purge", config, "--dry-run")
    assert shown.status == 0, shown
    assert shown.stdout.splitlines() == [
        f"Journal _tranship would be removed from {load_config(config).new.display}: 2 finished runs, whose rows"
        " stay and could then no longer be rolled back or verified; 4 rows on record as rejected:"
        " --rejects-only could then no longer move them. Nothing is changed yet."
        f" Next: tranship purge {config}"
    ]
    assert len(await api.status(load_config(config))) == 2
    # A command without the option acts at once, as scripts expect it.
    done = run_cli("purge", config)
    assert "4 rows on record as rejected: --rejects-only can no longer move them." in done.stdout, done
    assert await api.status(load_config(config)) == ()
    assert "There is no journal" in run_cli("purge", config, "--dry-run").stdout
