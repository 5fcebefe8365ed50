"""Row-level security that hides rows from the role in a table that a run only reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused, TranshipError
from tranship.model.options import MigrateOptions
from tranship.model.verdict import MigrationResult

OLD = (
    "CREATE TABLE visit (id int PRIMARY KEY, ward int, colour text);"
    " INSERT INTO visit SELECT n, 1 + n % 3, 'c' || n % 3 FROM generate_series(1, 9) n"
)
WARD = (
    "CREATE TABLE ward (id int PRIMARY KEY, name text UNIQUE);"
    " INSERT INTO ward VALUES (1, 'c0'), (2, 'c1'), (3, 'c2')"
)
VISIT = (
    "CREATE TABLE visit (id bigint PRIMARY KEY, ward int CONSTRAINT visit_ward REFERENCES ward, colour text)"
)
POLICY = "ALTER TABLE ward ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON ward USING (id < 3)"


async def _role(pair: Pair, attributes: str = "", extra: str = "") -> dict[str, Any]:
    """A role that owns what it fills and may read the rest of NEW."""
    role = f"nurse_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret' {attributes};"
        f' GRANT CREATE ON DATABASE "{pair.new.name}" TO {role}'
    )
    await pair.new.run(
        f"GRANT ALL ON SCHEMA public TO {role}; ALTER TABLE visit OWNER TO {role}; {extra.format(role=role)}"
    )
    return {"username": role, "password": "secret"}


async def _run(
    pair: Pair,
    folder: Path,
    new: dict[str, Any] | None,
    *,
    live: bool,
    entries: list[dict[str, Any]] | None = None,
) -> MigrationResult:
    resolutions = folder / "resolutions.json"
    resolutions.write_text(json.dumps({"resolutions": {"visit": entries or []}}))
    config = load_config(pair.config(folder, new=new))
    options = MigrateOptions(live=live, results_dir=str(folder), resolutions=str(resolutions))
    result, _ = await api.migrate(config, options)
    return result


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize(
    ("parent", "extra"),
    [
        (f"{WARD}; {VISIT}; {POLICY}", "GRANT SELECT ON ward TO {role}"),
        # The owner is under the policies, too; the server's own check of the key is not.
        (
            f"{WARD}; {VISIT}; {POLICY}; ALTER TABLE ward FORCE ROW LEVEL SECURITY",
            "ALTER TABLE ward OWNER TO {role}",
        ),
        # The referenced table is a partition with policies of its own.
        (
            "CREATE TABLE wards (id int, name text) PARTITION BY RANGE (id);"
            " CREATE TABLE ward PARTITION OF wards (PRIMARY KEY (id))"
            f" FOR VALUES FROM (0) TO (9); INSERT INTO wards VALUES (1), (2), (3); {VISIT}; {POLICY}",
            "GRANT SELECT ON wards, ward TO {role}",
        ),
    ],
    ids=["granted", "forced", "partition"],
)
async def test_a_parent_whose_rows_are_hidden_is_refused(
    make_pair: MakePair, tmp_path: Path, live: bool, parent: str, extra: str
) -> None:
    pair = await make_pair(OLD, parent)
    role = await _role(pair, extra=extra)
    with pytest.raises(Refused, match=r"public\.ward applies to this role: it would hide rows") as refused:
        await _run(pair, tmp_path, role, live=live)
    assert [p.code for p in refused.value.problems] == ["TS336"]
    assert await pair.new.fetch(
        "SELECT to_regnamespace('_tranship') IS NULL AND NOT EXISTS (SELECT FROM visit)"
    ) == [(True,)]


@pytest.mark.parametrize(
    ("attributes", "extra"),
    [
        ("BYPASSRLS", "GRANT SELECT ON ward TO {role}"),
        ("", "ALTER TABLE ward OWNER TO {role}"),
        # It may not look, so each row is decided when it is written: by the parent's owner.
        ("", ""),
        ("", "GRANT SELECT ON ward TO {role}; ALTER TABLE ward DISABLE ROW LEVEL SECURITY"),
    ],
    ids=["bypass", "owner", "unreadable", "switched off"],
)
async def test_a_parent_that_hides_nothing_is_read(
    make_pair: MakePair, tmp_path: Path, attributes: str, extra: str
) -> None:
    pair = await make_pair(OLD, f"{WARD}; {VISIT}; {POLICY}; DELETE FROM ward WHERE id = 2")
    role = await _role(pair, attributes, extra)
    result = await _run(pair, tmp_path, role, live=True)
    assert (result.exit_status, result.stats.rows_migrated) == (1, 6)


LOOKUP: list[dict[str, Any]] = [
    {
        "action": "transform",
        "old_column": "colour",
        "new_column": "colour",
        "lookup_table": {"table": "ward", "key_column": "name", "value_column": "id"},
        "default_value": 0,
    }
]


@pytest.mark.parametrize("live", [False, True])
async def test_a_lookup_table_of_new_whose_rows_are_hidden_is_refused(
    make_pair: MakePair, tmp_path: Path, live: bool
) -> None:
    """Even where a default would fill the gaps: it would stand for the hidden rows, too."""
    table = "CREATE TABLE visit (id bigint PRIMARY KEY, ward int, colour int)"
    pair = await make_pair(OLD, f"{WARD}; {table}; {POLICY}")
    role = await _role(pair, extra="GRANT SELECT ON ward TO {role}")
    with pytest.raises(Refused, match=r"row-level security of NEW table public\.ward") as refused:
        await _run(pair, tmp_path, role, live=live, entries=LOOKUP)
    assert [p.code for p in refused.value.problems] == ["TS336"]


@pytest.mark.parametrize("live", [False, True])
async def test_a_lookup_table_of_old_whose_rows_are_hidden_is_refused(
    make_pair: MakePair, tmp_path: Path, live: bool
) -> None:
    pair = await make_pair(
        f"{OLD}; {WARD}; {POLICY}", "CREATE TABLE visit (id bigint PRIMARY KEY, ward int, colour int)"
    )
    role = f"filtered_{pair.old.name}"
    await pair.old.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON visit, ward TO {role}")
    entries = [LOOKUP[0] | {"lookup_table": {**LOOKUP[0]["lookup_table"], "database": "old"}}]
    config = {"username": role, "password": "secret"}
    resolutions = {"visit": entries, "ward": [{"action": "drop_table"}]}
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": resolutions}))
    options = MigrateOptions(live=live, results_dir=str(tmp_path), resolutions=str(tmp_path / "r.json"))
    with pytest.raises(Refused, match=r"row-level security of OLD table public\.ward") as refused:
        await api.migrate(load_config(pair.config(tmp_path, old=config)), options)
    assert [p.code for p in refused.value.problems] == ["TS336"]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("function", [False, True])
async def test_an_expression_that_reads_hidden_rows_of_old_is_refused(
    make_pair: MakePair, tmp_path: Path, live: bool, function: bool
) -> None:
    named = (
        "CREATE FUNCTION named(n int) RETURNS text LANGUAGE plpgsql STABLE"
        " AS $$ BEGIN RETURN (SELECT name FROM public.ward WHERE id = n); END $$"
    )
    pair = await make_pair(
        f"{OLD}; {WARD}; {POLICY}; {named}",
        "CREATE TABLE visit (id bigint PRIMARY KEY, ward int, colour text)",
    )
    role = f"filtered_{pair.old.name}"
    await pair.old.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON visit, ward TO {role}")
    text = (
        "public.named(old.ward)"
        if function
        else "(SELECT w.name FROM public.ward AS w WHERE w.id = old.ward)"
    )
    entries = [{"action": "transform", "old_column": "colour", "new_column": "colour", "transform_sql": text}]
    resolutions = {"visit": entries, "ward": [{"action": "drop_table"}]}
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": resolutions}))
    options = MigrateOptions(live=live, results_dir=str(tmp_path), resolutions=str(tmp_path / "r.json"))
    # What a function reads is seen by nobody before it is called: with the first row that is asked,
    # before anything is written.
    with pytest.raises(TranshipError if function else Refused, match="row-level security") as refused:
        await api.migrate(
            load_config(pair.config(tmp_path, old={"username": role, "password": "secret"})), options
        )
    assert function or "BYPASSRLS" in refused.value.problems[0].hint


async def test_a_table_left_out_whose_rows_are_hidden_is_not_counted(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        f"{OLD}; {WARD}; {POLICY}", "CREATE TABLE visit (id bigint PRIMARY KEY, ward int, colour text)"
    )
    role = f"filtered_{pair.old.name}"
    await pair.old.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON visit, ward TO {role}")
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"ward": [{"action": "drop_table"}]}}))
    options = MigrateOptions(live=True, results_dir=str(tmp_path), resolutions=str(tmp_path / "r.json"))
    config = load_config(pair.config(tmp_path, old={"username": role, "password": "secret"}))
    result, _ = await api.migrate(config, options)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 9)


async def test_an_old_whose_rows_are_all_hidden_is_not_taken_for_an_empty_one(
    make_pair: MakePair, tmp_path: Path
) -> None:
    table = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)"
    pair = await make_pair(f"{table}; ALTER TABLE t ENABLE ROW LEVEL SECURITY", table)
    role = f"filtered_{pair.old.name}"
    await pair.old.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO {role}")
    config = load_config(pair.config(tmp_path, old={"username": role, "password": "secret"}))
    with pytest.raises(Refused) as refused:
        await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
    assert [p.code for p in refused.value.problems] == ["TS336"]
