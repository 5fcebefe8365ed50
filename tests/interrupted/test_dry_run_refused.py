"""What refuses or stops the live run that would resume also ends its dry run, with the same code and status, and
nothing is written for it; what is copied again, in a new snapshot or from the beginning, is foreseen, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.foreseeing import Ends, foreseen, killed
from support.observe import Observe
from support.scene import NEW, OLD, accounted
from tranship.api.upkeep import rollback
from tranship.config import load_config
from tranship.execution.resilience.failpoints import FailpointReached
from tranship.server.journal import Journal

AT = "batch.committed:12"
"""Two tables are done then, one is half done, two are not begun."""
LOOKUP = {"table": "l", "key_column": "k", "value_column": "v"}
LOOKED_UP = {
    "t": [{"old_column": "k", "new_column": "v", "action": "transform", "lookup_table": LOOKUP}],
}
WRITES = {
    "person": "UPDATE person SET age = 50 WHERE id % 2 = 0",
    "log": "DELETE FROM log WHERE line = 'line 7'",
    "town": "INSERT INTO town VALUES (51, 'late')",
}


async def interrupted(make_pair: MakePair, folder: Path) -> Pair:
    pair = await make_pair(OLD, NEW)
    await killed(pair, folder, AT, "--batch-size", "100")
    return pair


@pytest.mark.parametrize(
    ("side", "sql", "code", "options"),
    [
        ("new", "DELETE FROM log WHERE line = 'line 3'", "TS430", {}),
        ("new", "DROP TABLE log; CREATE TABLE log (at timestamp, line text)", "TS430", {}),
        ("old", "UPDATE person SET age = 3 WHERE id = 5", "TS411", {}),
        ("new", "UPDATE log SET line = 'edited' WHERE line = 'line 3'", "TS395", {"restart": True}),
        ("new", "UPDATE _tranship.run SET plan_hash = 'another'", "TS364", {}),
        ("new", "UPDATE _tranship.run SET format = 1", "TS384", {}),
    ],
)
async def test_the_same_code(
    make_pair: MakePair, tmp_path: Path, side: str, sql: str, code: str, options: dict[str, Any]
) -> None:
    pair = await interrupted(make_pair, tmp_path)
    await (pair.new if side == "new" else pair.old).run(sql)
    ends = await foreseen(pair, tmp_path, **options)
    assert (ends["exit"], ends["codes"]) == (int(code[2]), [code])


async def test_too_many_rejects(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await interrupted(make_pair, tmp_path)
    ends = await foreseen(pair, tmp_path, max_rejects="100")
    assert (ends["exit"], ends["codes"]) == (4, ["TS421"])
    assert (await foreseen(pair, tmp_path, max_rejects="194"))["exit"] == 1


async def test_a_lookup_that_changed(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id integer PRIMARY KEY, k text);"
        "INSERT INTO t SELECT g, 'a' FROM generate_series(1, 40) g",
        "CREATE TABLE l (k text PRIMARY KEY, v integer); INSERT INTO l VALUES ('a', 1), ('b', 2);"
        "CREATE TABLE t (id integer PRIMARY KEY, v integer)",
    )
    decisions = tmp_path / "resolutions.json"
    decisions.write_text(json.dumps({"resolutions": LOOKED_UP}))
    decided = {"resolutions": str(decisions), "batch_size": 10}
    await killed(pair, tmp_path, "batch.committed:1", "--batch-size", "10", "--resolutions", str(decisions))
    await pair.new.run("UPDATE l SET v = 3 WHERE k = 'b'")
    ends = await foreseen(pair, tmp_path, **decided)
    assert (ends["exit"], ends["codes"]) == (4, ["TS423"])
    await pair.new.run("UPDATE l SET v = 2 WHERE k = 'b'")
    assert (await foreseen(pair, tmp_path, **decided))["exit"] == 0


async def test_a_sequence_without_room_for_the_rest(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (v text); INSERT INTO t SELECT 'v' || g FROM generate_series(1, 40) g",
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (MAXVALUE 60) PRIMARY KEY, v text)",
    )
    await killed(pair, tmp_path, "batch.committed:1", "--batch-size", "10")
    await pair.new.run("SELECT nextval('t_id_seq') FROM generate_series(1, 40)")
    ends = await foreseen(pair, tmp_path)
    assert (ends["exit"], ends["codes"]) == (3, ["TS379"])


@pytest.mark.parametrize(
    "choice", [{"restart": True}, {"new_snapshot": "all"}, {"new_snapshot": "unfinished"}]
)
async def test_copied_again(make_pair: MakePair, tmp_path: Path, choice: dict[str, Any]) -> None:
    """What the run wrote is no row that NEW held before, and OLD counts as it is now."""
    pair = await interrupted(make_pair, tmp_path)
    await pair.old.run("; ".join(WRITES.values()))
    assert (await foreseen(pair, tmp_path, **choice))["exit"] == 1
    if choice != {"new_snapshot": "unfinished"}:
        await accounted(pair)


async def test_a_rollback_that_was_broken_off(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    pair = await interrupted(make_pair, tmp_path)
    observe.fail("rollback.deleted", 2)
    with pytest.raises(FailpointReached):
        await rollback(load_config(pair.config(tmp_path)), live=True)
    observe.stop()
    assert (await foreseen(pair, tmp_path))["exit"] == 1
    await accounted(pair)


async def test_nothing_was_committed(make_pair: MakePair, tmp_path: Path) -> None:
    """The run is forgotten, and another plan may begin."""
    pair = await make_pair(OLD, NEW)
    await killed(pair, tmp_path, "run.prepared:1", "--batch-size", "100")
    await pair.new.run("UPDATE _tranship.run SET plan_hash = 'another'")
    assert (await foreseen(pair, tmp_path))["exit"] == 1


async def test_children_of_rejects_of_an_earlier_process(make_pair: MakePair, tmp_path: Path) -> None:
    """A parent is refused in a way that nobody predicts before the kill, its children come after it."""
    long = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n)"
    pair = await make_pair(
        f"CREATE TABLE p (id int PRIMARY KEY, n text); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p);"
        f"INSERT INTO p SELECT g, CASE g WHEN 50 THEN {long} ELSE 'n' || g END FROM generate_series(1, 200) g;"
        "INSERT INTO c SELECT g, 1 + g % 100 FROM generate_series(1, 400) g",
        "CREATE TABLE p (id bigint PRIMARY KEY, n text); CREATE INDEX pn ON p (n);"
        "CREATE TABLE c (id bigint PRIMARY KEY, p bigint CONSTRAINT c_p REFERENCES p)",
    )
    await killed(pair, tmp_path, "table.done:1", "--batch-size", "100")
    ends: Ends = await foreseen(pair, tmp_path)
    assert ends["tables"]["public.c"][2] == 4
    table = Journal("_tranship").schema
    predicted = await pair.new.value(
        f"SELECT count(*)::int FROM {table}.predicted_reject WHERE constraint_name = 'c_p'"
    )
    assert predicted == 4
