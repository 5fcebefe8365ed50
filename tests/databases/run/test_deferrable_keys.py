"""DEFERRABLE keys and exclusions hold, although their check is a trigger that a superuser's sessions could silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Refused

OLD = "CREATE TABLE seat (id int PRIMARY KEY, code text, span int4range);"
OLD += " INSERT INTO seat SELECT n, 'c' || n, int4range(n * 10, n * 10 + 3) FROM generate_series(1, 60) n"
SILENT = (
    "; CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER same BEFORE INSERT ON seat FOR EACH ROW EXECUTE FUNCTION same()"
)
PLAIN = "CREATE TABLE seat (id bigint, code text, span int4range, CONSTRAINT held {})"
PARTED = (
    "CREATE TABLE seat (id bigint, code text, span int4range) PARTITION BY RANGE (id);"
    " CREATE TABLE seat_0 PARTITION OF seat (CONSTRAINT held UNIQUE (code) DEFERRABLE) FOR VALUES FROM (0) TO (1000000)"
)
KINDS = {
    "primary": (PLAIN.format("PRIMARY KEY (id) DEFERRABLE"), "(7, 'app', 'empty')", "23505"),
    "unique": (PLAIN.format("UNIQUE (code) DEFERRABLE INITIALLY DEFERRED"), "(907, 'c7', 'empty')", "23505"),
    "exclusion": (
        PLAIN.format("EXCLUDE USING gist (span WITH &&) DEFERRABLE"),
        "(907, 'app', '[71,72)')",
        "23P01",
    ),
    "partition": (PARTED, "(907, 'c7', 'empty')", "23505"),
    "cycle": (
        PLAIN.format("UNIQUE (code) DEFERRABLE").replace(
            "code text,", "code text UNIQUE REFERENCES seat (code),"
        ),
        "(907, 'c7', 'empty')",
        "23505",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_row_that_others_wrote_meanwhile_keeps_its_place(
    make_pair: MakePair, tmp_path: Path, observe: Observe, kind: str
) -> None:
    new, row, sqlstate = KINDS[kind]
    pair = await make_pair(OLD, new + SILENT)

    async def application() -> None:
        await pair.new.run(f"INSERT INTO seat VALUES {row}")

    observe.once("run.prepared", application)
    result = await migrate(pair, tmp_path, batch_size=10)
    assert (result.exit_status, result.stats.rows_migrated) == (1, 59)
    (path,) = tmp_path.glob("*rejects_live*.jsonl")  # noqa: ASYNC240
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(r["key"]["id"], r["sqlstate"]) for r in records] == [(7, sqlstate)]
    assert await pair.new.value("SELECT count(*) FROM seat WHERE id IN (7, 907)") == 1
    assert await pair.new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'same'") == "O"


async def test_a_role_that_may_silence_checks_and_owns_nothing_is_refused(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, KINDS["unique"][0] + SILENT, majors=(17, 18))
    role = f"silencer_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SET ON PARAMETER session_replication_role TO {role};"
        f' GRANT SELECT, INSERT ON seat TO {role}; GRANT CREATE ON DATABASE "{pair.new.name}" TO {role}'
    )
    with pytest.raises(Refused, match="trigger same") as refused:
        await migrate(pair, tmp_path, new={"username": role, "password": "secret"})
    assert [(p.code, p.hint.split(":")[0]) for p in refused.value.problems] == [
        ("TS368", "run as the tables' owner")
    ]
    await pair.new.run(f"REVOKE SET ON PARAMETER session_replication_role FROM {role}")
