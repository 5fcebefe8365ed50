"""Tables of several tenants, each in a schema of its own, become rows of one table that names the tenant."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from tranship import api
from tranship.api.deciding import Answer, Deciding
from tranship.config import load_config
from tranship.model.options import MigrateOptions

TENANTS = ("acme", "bolt", "coil")
COLUMNS = "users (id int PRIMARY KEY, login text, role text)"
OLD = ";".join(
    f"CREATE SCHEMA {one}; CREATE TABLE {one}.{COLUMNS}; "
    f"INSERT INTO {one}.users VALUES (1, '{one}-ann', 'boss'), (2, '{one}-ben', NULL)"
    for one in TENANTS
)
FILLED = [(one, login) for one in TENANTS for login in (f"{one}-ann", f"{one}-ben")]


@pytest.mark.parametrize(
    ("column", "typed"),
    [("tenant text NOT NULL", TENANTS), ("tenant_id int NOT NULL", ("10", "20", "30"))],
)
async def test_accepted_suggestions_name_the_tenant_of_each_row(
    make_pair: MakePair, tmp_path: Path, column: str, typed: tuple[str, ...]
) -> None:
    name = column.split()[0]
    pair = await make_pair(OLD, f"CREATE TABLE users (id int PRIMARY KEY, login text, role text, {column})")
    config = load_config(pair.config(tmp_path, old={"schema": list(TENANTS)}, new={"schema": "public"}))
    await api.analyze(config, results_dir=str(tmp_path))
    written = await api.suggest(tmp_path / "migration_changes.json", results_dir=str(tmp_path))
    assert written.path is not None
    deciding = Deciding(written.path, tmp_path / "migration_changes.json")
    of = dict(zip(TENANTS, typed, strict=True))
    for one in deciding.suggestions():
        entries = {
            key: [
                {**entry, "default_value": of[key.rpartition(".")[0] or "acme"]}
                if entry["action"] == "default"
                else entry
                for entry in own
            ]
            for key, own in one.entries.items()
        }
        if name == "tenant":
            assert entries == one.entries, "nothing is left to a person"
        assert deciding.take(one.place, entries, "Ann") == ()
    assert [one.text for one in deciding.questions() if one.open] == []
    options = MigrateOptions(live=True, resolutions=str(written.path), results_dir=str(tmp_path))
    result, _ = await api.migrate(config, options)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 6), result.problems
    rows = await pair.new.fetch(f"SELECT {name}::text, login FROM users ORDER BY login")
    assert rows == [(of[one], login) for one, login in FILLED]


async def test_flows_that_are_decided_already_are_asked_for_their_own_tenant(
    make_pair: MakePair, tmp_path: Path
) -> None:
    new = "CREATE TABLE users (id int, login text, role text, tenant text, PRIMARY KEY (tenant, id))"
    pair = await make_pair(OLD, new)
    config = load_config(pair.config(tmp_path, old={"schema": list(TENANTS)}, new={"schema": "public"}))
    await api.analyze(config, results_dir=str(tmp_path))
    changes, file = tmp_path / "migration_changes.json", tmp_path / "manual_resolutions.json"
    await api.suggest(changes, results_dir=str(tmp_path))
    deciding = Deciding(file, changes)
    for one in deciding.questions():
        if one.table in ("bolt.users", "coil.users"):
            renamed = {"action": "rename_table", "new_table": "users", "new_schema": "public"}
            assert deciding.answer(one.place, Answer(renamed, "Ann", "choice")) == ()
    await api.suggest(changes, results_dir=str(tmp_path))
    asked = {one.table: one.suggestion.get("default_value") for one in Deciding(file, changes).questions()}
    assert {asked[key] for key in ("bolt.users", "coil.users")} == {"bolt", "coil"}
