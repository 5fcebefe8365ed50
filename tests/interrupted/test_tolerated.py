"""Constraints that tolerate rows are dropped for a load: whenever the run dies, they come back as they were."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.forked import Command
from support.runs import owned_by_a_plain_role, verify

OLD = """
CREATE TABLE staff (id int PRIMARY KEY, name text, boss int);
INSERT INTO staff SELECT n, CASE WHEN n % 10 = 0 THEN 'abc' ELSE 'ok' END, CASE WHEN n % 7 = 0 THEN 9000 + n ELSE n / 2 + 1 END
FROM generate_series(1, 300) n;
ALTER TABLE staff ADD CONSTRAINT staff_name CHECK (name !~ 'abc') NOT VALID;
ALTER TABLE staff ADD CONSTRAINT staff_boss FOREIGN KEY (boss) REFERENCES staff NOT VALID;
"""
NEW = """
CREATE TABLE staff (id int PRIMARY KEY, name text, boss int, CONSTRAINT other CHECK (id > 0));
ALTER TABLE staff ADD CONSTRAINT staff_name CHECK (name !~ 'abc') NO INHERIT NOT VALID;
COMMENT ON CONSTRAINT staff_name ON staff IS 'it''s late';
ALTER TABLE staff ADD CONSTRAINT staff_boss FOREIGN KEY (boss) REFERENCES staff ON DELETE CASCADE DEFERRABLE NOT VALID;
COMMENT ON CONSTRAINT staff_boss ON staff IS 'later';
"""
DECISIONS = {
    "resolutions": {
        "staff": [{"action": "tolerate", "constraint": name} for name in ("staff_name", "staff_boss")]
    }
}
CONSTRAINTS = """
    SELECT conname, convalidated, connoinherit, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')
    FROM pg_constraint WHERE conrelid = 'staff'::regclass AND contype IN ('c', 'f') ORDER BY 1"""
HELD = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'check\\_%'"
ROWS = "SELECT * FROM staff ORDER BY id"


@pytest.mark.thinned(3)
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(
    "place", ["switches.off:1", "switches.off:2", "batch.committed:2", "switches.restored:1"]
)
async def test_a_killed_run_leaves_nothing_off(
    make_pair: MakePair, tmp_path: Path, place: str, plain: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    role = await owned_by_a_plain_role(pair) if plain else None
    config = str(pair.config(tmp_path, new=role))
    decisions = tmp_path / "r.json"
    decisions.write_text(json.dumps(DECISIONS))
    before = await pair.new.fetch(CONSTRAINTS)

    async def run(*words: str, **env: str) -> CliResult:
        command = Command.start(list(words), tmp_path, env=env)
        return await asyncio.to_thread(command.wait)

    move = ["migrate", config, "--resolutions", str(decisions), "--results-dir", str(tmp_path)]
    live = [*move, "--live", "--batch-size", "100", "--jobs", "1"]
    dead = await run(*live, TRANSHIP_FAILPOINT=f"{place}:kill")
    assert dead.status == -signal.SIGKILL, dead
    assert await pair.new.fetch(CONSTRAINTS) != before
    # What is off counts as it was: the decisions still fit.
    dry = await run(*move)
    assert dry.status == 0, dry
    doctor = await run("doctor", config, "--restore")
    assert doctor.status == 0, doctor
    assert await pair.new.fetch(CONSTRAINTS) == before
    again = await run(*live)
    assert (again.status, "tolerated: 42 (they break staff_boss" in again.stdout) == (0, True), again
    assert await pair.new.fetch(CONSTRAINTS) == before
    assert await pair.new.value(HELD) == 0
    assert await pair.new.fetch(ROWS) == await pair.old.fetch(ROWS)
    result = await verify(pair, tmp_path, **({"new": role} if role is not None else {}))
    assert (result.status, result.exit_status) == ("verified", 0)
    assert {one.name: one.rows for one in result.constraints if one.tolerated} == {
        "staff_name": 30,
        "staff_boss": 42,
    }
