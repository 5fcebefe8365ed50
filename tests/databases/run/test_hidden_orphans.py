"""Rows without a parent under a key that OLD calls valid: written while its triggers were off. A live run leaves them to
COPY, or to the proof of the keys, and rejects the same rows as a dry run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import migrate
from tranship.errors import Refused

SCHEMA = """CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p int NOT NULL CONSTRAINT child_p REFERENCES parent);
"""
ROWS = """INSERT INTO parent SELECT generate_series(1, 50);
INSERT INTO child SELECT g, g % 50 + 1 FROM generate_series(1, 3000) g;
SET session_replication_role = replica; INSERT INTO child VALUES (5001, 99), (5002, 7000), (5003, 1);
"""
PLAIN = """CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
GRANT CREATE ON DATABASE "{name}" TO {role};"""


async def both(pair: Pair, folder: Path, **options: Any) -> tuple[Any, Any]:
    """The results of a dry run and of a live one."""
    dry = await migrate(pair, folder, live=False)
    return dry, await migrate(pair, folder, **options)


def rejected(result: Any) -> dict[str, int]:
    return {
        table.new_table.rpartition(".")[2]: table.rows_failed for table in result.tables if table.rows_failed
    }


@pytest.mark.parametrize("owner", [True, False], ids=["keys proven later", "keys checked by COPY"])
async def test_they_are_rejected_as_a_dry_run_says(owner: bool, make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(SCHEMA + ROWS, SCHEMA)
    role = {} if owner else await plain_role(pair)
    dry, live = await both(pair, tmp_path, new=role)
    assert (dry.exit_status, live.exit_status) == (1, 1)
    assert rejected(dry) == rejected(live) == {"child": 2}
    assert await pair.new.value("SELECT count(*) FROM child WHERE id > 5000") == 1


@pytest.mark.parametrize("owner", [True, False], ids=["keys proven later", "keys checked by COPY"])
async def test_both_runs_reject_them_in_the_same_words(
    owner: bool, make_pair: MakePair, tmp_path: Path
) -> None:
    schema = """CREATE TABLE parent (id text PRIMARY KEY, n int, UNIQUE (id, n));
    CREATE TABLE child (id int PRIMARY KEY, p text CONSTRAINT one REFERENCES parent, q text, n int,
      CONSTRAINT two FOREIGN KEY (q, n) REFERENCES parent (id, n));"""
    rows = """INSERT INTO parent VALUES ('a', 1); INSERT INTO child SELECT g, 'a', 'a', 1 FROM generate_series(1, 9) g;
    SET session_replication_role = replica; INSERT INTO child VALUES
      (11, 'x) "parent"', 'a', 1), (12, 'a', 'a', 7), (13, ')=(y', NULL, 1), (14, 'a', 'a', 1)"""
    pair = await make_pair(schema + rows, schema)
    dry, live = await both(pair, tmp_path, **({} if owner else {"new": await plain_role(pair)}))
    lines = reject_lines(dry)
    assert lines == reject_lines(live)
    assert len(lines) == 3 and {json.loads(line)["column"] for line in lines} == {"p", None}


def reject_lines(result: Any) -> list[str]:
    return sorted(Path(result.rejects_file).read_text().splitlines())


async def plain_role(pair: Pair) -> dict[str, Any]:
    role = f"plain_{pair.new.name}"
    await pair.new.run(PLAIN.format(role=role, name=pair.new.name))
    return {"username": role, "password": "x"}


async def test_none_adopts_a_row_that_new_held(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(SCHEMA + ROWS, SCHEMA + "INSERT INTO parent VALUES (99)")
    dry, live = await both(pair, tmp_path)
    assert rejected(dry) == rejected(live) == {"child": 2}


async def test_none_adopts_a_row_that_another_flow_brings(make_pair: MakePair, tmp_path: Path) -> None:
    more = "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (99);"
    pair = await make_pair(SCHEMA + ROWS + more, SCHEMA)
    path = tmp_path / "resolutions.json"
    path.write_text(
        '{"resolutions": {"other -> parent": [{"action": "transform", "old_column": "id", "new_column": "id"}]}}'
    )
    dry = await migrate(pair, tmp_path, live=False, resolutions=str(path))
    live = await migrate(pair, tmp_path, resolutions=str(path))
    assert rejected(dry) == rejected(live) == {"child": 2}


async def test_a_limit_of_rejects_is_told_before_the_first_batch(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(SCHEMA + ROWS, SCHEMA)
    with pytest.raises(Refused, match="2 rows would be rejected"):
        await migrate(pair, tmp_path, max_rejects="1")
    assert await pair.new.value("SELECT count(*) FROM parent") == 0
