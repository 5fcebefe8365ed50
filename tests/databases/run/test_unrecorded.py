"""Rows of NEW that no run on record wrote, as after a purge, where no key of NEW tells them from OLD's: they do
not come twice unnoticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import migrate
from tranship import api
from tranship.cli.verdicts import purge_words
from tranship.config import load_config
from tranship.errors import Refused
from tranship.execution.upkeep.status import purge

OLD = """
CREATE TABLE payment (id int PRIMARY KEY, at date NOT NULL, mail text);
INSERT INTO payment VALUES (1, '2025-01-01', 'a'), (2, '2025-02-01', NULL), (3, '2025-02-02', NULL);
"""
COLUMNS = "(id bigint NOT NULL, at date NOT NULL, mail text"
PLAIN = f"CREATE TABLE payment {COLUMNS});"
PARTITIONED = f"""
CREATE TABLE payment {COLUMNS}) PARTITION BY RANGE (at);
CREATE TABLE payment_jan PARTITION OF payment FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE payment_feb PARTITION OF payment FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
"""
NULLABLE_UNIQUE = f"CREATE TABLE payment {COLUMNS}, UNIQUE (mail));"
NULLABLE_ID = "CREATE TABLE payment (id bigint UNIQUE, at date NOT NULL, mail text);"
PARTIAL_UNIQUE = (
    f"CREATE TABLE payment {COLUMNS}); CREATE UNIQUE INDEX ON payment (id) WHERE mail IS NOT NULL"
)
NUMBERED = f"CREATE TABLE payment {COLUMNS}, own bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"


def _told(result: Any) -> list[tuple[str, str | None, bool]]:
    return [(p.code, p.object, p.warning) for p in result.problems if p.code == "TS390"]


async def _refused(pair: Pair, folder: Path, **options: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await migrate(pair, folder, **options)
    return refused.value


@pytest.mark.parametrize(
    ("new", "rows"),
    [(PLAIN, 3), (PARTITIONED, 3), (NULLABLE_UNIQUE, 2), (PARTIAL_UNIQUE, 2), (NUMBERED, 3)],
    ids=["plain", "partitioned", "nullable unique", "partial unique", "numbered"],
)
async def test_rows_of_a_purged_run_do_not_come_twice(
    make_pair: MakePair, tmp_path: Path, new: str, rows: int
) -> None:
    pair = await make_pair(OLD, new)
    await migrate(pair, tmp_path)
    purged = await purge(load_config(pair.config(tmp_path)))
    assert "there twice where NEW has no key for them: public.payment" in purge_words(purged, dry_run=False)
    dry = await migrate(pair, tmp_path, live=False)
    assert (dry.exit_status, _told(dry)) == (3, [("TS390", "public.payment", False)])
    for options in ({}, {"rehearse": True, "live": False}):
        refused = await _refused(pair, tmp_path, **options)
        assert refused.code == "TS390"
        assert f"{rows} rows that no run on record wrote" in str(refused)
        assert f"{rows} rows of public.payment would, since NEW has id of them already" in str(refused)
    assert await pair.new.value("SELECT count(*) FROM payment") == 3


async def test_a_table_is_filled_twice_on_purpose(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, PLAIN)
    await migrate(pair, tmp_path)
    await purge(load_config(pair.config(tmp_path)))
    assert (await migrate(pair, tmp_path, again=True)).exit_status == 0
    assert await pair.new.value("SELECT count(*) FROM payment") == 6


async def test_rows_after_a_rollback_of_a_later_run(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, f"CREATE TABLE payment {COLUMNS}, CHECK (id <> 3));")
    config = load_config(pair.config(tmp_path))
    await migrate(pair, tmp_path)
    await pair.new.run("ALTER TABLE payment DROP CONSTRAINT payment_id_check")
    later = await migrate(pair, tmp_path, rejects_only=True)
    await api.rollback(config, run=later.run_id, live=True)
    await purge(config)
    refused = await _refused(pair, tmp_path)
    assert "2 rows that no run on record wrote" in str(refused)
    assert await pair.new.value("SELECT count(*) FROM payment") == 2


async def test_rows_that_are_not_of_old_are_a_warning(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, f"{PLAIN} INSERT INTO payment VALUES (70000000000, '2025-01-01', 'own')")
    for live in (False, True):
        result = await migrate(pair, tmp_path, live=live)
        assert (result.exit_status, _told(result)) == (0, [("TS390", "public.payment", True)])
        assert "1 row that no run on record wrote" in "".join(p.message for p in result.problems)
    assert await pair.new.value("SELECT count(*) FROM payment") == 4


async def test_rows_without_a_key_in_old_are_a_warning(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE log (line text); INSERT INTO log VALUES ('a')", "CREATE TABLE log (line text)"
    )
    await migrate(pair, tmp_path)
    await purge(load_config(pair.config(tmp_path)))
    dry = await migrate(pair, tmp_path, live=False)
    assert (dry.exit_status, _told(dry)) == (0, [("TS390", "public.log", True)])


@pytest.mark.parametrize(
    "new",
    [
        f"CREATE TABLE payment {COLUMNS}, PRIMARY KEY (id));",
        f"CREATE TABLE payment {COLUMNS}); CREATE UNIQUE INDEX ON payment (id)",
        NULLABLE_ID,
    ],
)
async def test_rows_with_a_key_are_there_already(make_pair: MakePair, tmp_path: Path, new: str) -> None:
    pair = await make_pair(OLD, new)
    await migrate(pair, tmp_path)
    purged = await purge(load_config(pair.config(tmp_path)))
    assert "there twice" not in purge_words(purged, dry_run=False) or new is NULLABLE_ID
    result = await migrate(pair, tmp_path)
    assert (result.exit_status, _told(result), result.stats.rows_already_there) == (0, [], 3)


async def test_rows_of_another_old_are_on_record(make_pair: MakePair, tmp_path: Path) -> None:
    first = await make_pair(OLD, PLAIN)
    await migrate(first, tmp_path)
    second = Pair((await make_pair(OLD, "")).old, first.new)
    result = await migrate(second, tmp_path)
    assert "TS376" in [p.code for p in result.problems]
    assert _told(result) == []
    assert await first.new.value("SELECT count(*) FROM payment") == 6


async def test_the_key_of_a_decision_finds_the_rows(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, PARTITIONED)
    await migrate(pair, tmp_path)
    await purge(load_config(pair.config(tmp_path)))
    answers = tmp_path / "answers.json"
    answers.write_text(
        '{"resolutions": {"payment": [{"action": "existing", "key": ["id"], "rows": "keep"}]}}'
    )
    result = await migrate(pair, tmp_path, resolutions=str(answers))
    assert (result.exit_status, _told(result)) == (0, [])
    assert await pair.new.value("SELECT count(*) FROM payment") == 3
