"""Roles on OLD that see less, or may connect less often, than a run would like."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, Pair
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions
from tranship.model.verdict import MigrationResult

ROWS = (
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'x' FROM generate_series(1, 60) n"
)
NEW = "CREATE TABLE t (id int PRIMARY KEY, v text)"


async def as_role(pair: Pair, folder: Path, role: str, *, live: bool) -> MigrationResult:
    """A run that reads OLD as this role."""
    config = load_config(pair.config(folder, old={"username": role, "password": "secret"}))
    result, _ = await api.migrate(config, MigrateOptions(live=live, results_dir=str(folder), batch_size=7))
    return result


async def test_three_connections_to_old_are_enough(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(ROWS, NEW)
    role = f"few_{pair.old.name}"
    await pair.old.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 3; GRANT SELECT ON t TO {role}"
    )
    result = await as_role(pair, tmp_path, role, live=True)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 60)


@pytest.mark.parametrize("live", [False, True])
async def test_hidden_rows_are_refused_before_anything_is_read(
    make_pair: MakePair, tmp_path: Path, live: bool
) -> None:
    pair = await make_pair(ROWS, NEW)
    role = f"filtered_{pair.old.name}"
    await pair.old.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO {role}")
    await pair.old.run("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id < 5)")
    with pytest.raises(Refused, match="hide rows"):
        await as_role(pair, tmp_path, role, live=live)


async def test_a_partition_with_policies_of_its_own_is_read_through_its_root(
    make_pair: MakePair, tmp_path: Path
) -> None:
    parted = (
        "CREATE TABLE t (id int, v text) PARTITION BY RANGE (id);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)"
    )
    pair = await make_pair(f"{parted}; INSERT INTO t SELECT n, 'x' FROM generate_series(1, 60) n", NEW)
    role = f"rooted_{pair.old.name}"
    await pair.old.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON t, t_1 TO {role};"
        " ALTER TABLE t_1 ENABLE ROW LEVEL SECURITY"
    )
    result = await as_role(pair, tmp_path, role, live=True)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 60)
