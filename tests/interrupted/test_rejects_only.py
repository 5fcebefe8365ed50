"""A rejects-only run that dies anywhere ends, by the same command, as an undisturbed one."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair, Pair

OLD = """
CREATE TABLE head (id integer PRIMARY KEY, kind text NOT NULL, above integer REFERENCES head);
CREATE TABLE line (id integer PRIMARY KEY, head integer NOT NULL REFERENCES head, n text);
INSERT INTO head SELECT n, CASE WHEN n % 5 = 0 THEN '?' WHEN n % 7 = 0 THEN '!' ELSE 'a' END,
    CASE WHEN n > 3 THEN n / 3 END FROM generate_series(1, 40) n;
INSERT INTO line SELECT n, n % 40 + 1, CASE WHEN n % 11 = 0 THEN 'none' ELSE n::text END
    FROM generate_series(1, 90) n;
"""
NEW = """
CREATE TABLE head (id integer PRIMARY KEY, kind text NOT NULL, above integer REFERENCES head);
CREATE TABLE line (id integer PRIMARY KEY, head integer NOT NULL REFERENCES head, n integer);
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'a trigger fired'; END$$;
CREATE TRIGGER never BEFORE INSERT ON line FOR EACH ROW EXECUTE FUNCTION never();
"""
ROWS = """
SELECT (SELECT array_agg(ROW(h.*)::text ORDER BY id) FROM head h),
    (SELECT array_agg(ROW(l.*)::text ORDER BY id) FROM line l)
"""


def resolutions(folder: Path, kinds: dict[str, str], sql: str | None = None) -> Path:
    number = {"action": "transform", "old_column": "n", "new_column": "n"}
    kind = {"action": "transform", "old_column": "kind", "new_column": "kind", "value_mapping": kinds}
    path = folder / f"answers{len(kinds)}.json"
    decided = {"head": [kind], "line": [{**number, **({"transform_sql": sql} if sql else {})}]}
    path.write_text(json.dumps({"resolutions": decided}), encoding="utf-8")
    return path


class Command:
    """The live runs of one pair, through the command line."""

    def __init__(self, run_cli: Callable[..., CliResult], pair: Pair, folder: Path) -> None:
        self._run, self._config = run_cli, pair.config(folder)
        self._first = resolutions(folder, {"a": "A"})
        self._mended = resolutions(folder, {"a": "A", "?": "Q"}, "NULLIF(old.n, 'none')")

    def first(self) -> CliResult:
        return self._run("migrate", self._config, "--live", "--resolutions", self._first)

    def again(self, *options: str, failpoint: str = "") -> CliResult:
        env = {"TRANSHIP_FAILPOINT": failpoint} if failpoint else {}
        sizes = ("--batch-size", "3", "--jobs", "2")
        decided = ("--resolutions", self._mended)
        return self._run("migrate", self._config, "--live", *decided, *sizes, *options, env=env)


async def accounted(pair: Pair) -> None:
    """Every row of OLD is in NEW or among the rejects of the last run that had its table, never both."""
    for table in ("head", "line"):
        rows = await pair.old.value(f"SELECT array_agg(id ORDER BY id) FROM {table}")
        there = await pair.new.value(f"SELECT array_agg(id ORDER BY id) FROM {table}")
        rejected = await pair.new.value(f"""
            SELECT array_agg((convert_from(old_key, 'UTF8')::json ->> 'id')::integer) FROM _tranship.reject r
            JOIN _tranship.task t USING (run, position) WHERE t.old_table LIKE '%"{table}"%'
            AND NOT EXISTS (SELECT FROM _tranship.task later WHERE later.rejects_of = t.run
                AND later.old_table = t.old_table)""")
        assert sorted([*there, *(rejected or [])]) == rows, table


@pytest.mark.thinned(3)
@pytest.mark.parametrize(
    "place",
    [
        "run.probed:1",
        "run.prepared:1",
        "batch.claimed:1",
        "batch.copied:2",
        "batch.rejects:2",
        "batch.counted:3",
        "batch.committed:4",
        "table.done:1",
        "keys.proven:1",
        "phase.entered:1",
        "run.finished:1",
    ],
)
async def test_killed_and_run_again(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, place: str
) -> None:
    pair = await make_pair(OLD, NEW)
    command = Command(run_cli, pair, tmp_path)
    assert command.first().status == 1
    killed = command.again("--rejects-only", failpoint=f"{place}:kill")
    assert killed.status == -signal.SIGKILL, killed
    done = command.again("--rejects-only")
    assert done.status == 1, done
    await accounted(pair)
    assert (await pair.new.fetch(ROWS))[0] == EXPECTED
    assert await pair.new.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'never'") == b"O"
    assert await pair.new.value("SELECT count(*) FROM _tranship.run WHERE state <> 'finished'") == 0
    plain = command.again()
    assert (plain.status, "already migrated" in plain.stdout) == (1, True), plain


def _rejected(head: int) -> bool:
    above = head // 3 if head > 3 else 0
    return (head % 7 == 0 and head % 5 != 0) or (above > 0 and _rejected(above))


def _kind(head: int) -> str:
    return "Q" if head % 5 == 0 else "A"


EXPECTED = (
    [f"({n},{_kind(n)},{n // 3 if n > 3 else ''})" for n in range(1, 41) if not _rejected(n)],
    [f"({n},{n % 40 + 1},{n if n % 11 else ''})" for n in range(1, 91) if not _rejected(n % 40 + 1)],
)


async def test_old_is_written_to_in_between(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    command = Command(run_cli, pair, tmp_path)
    command.first()
    killed = command.again("--rejects-only", failpoint="batch.committed:4:kill")
    assert killed.status == -signal.SIGKILL, killed
    # Rows of other tables' batches, and rows that are not rejected, are nobody's concern.
    await pair.old.run("UPDATE line SET n = '1' WHERE id = 1")
    stopped = command.again("--rejects-only", failpoint="run.taken:1:kill")
    assert stopped.status == -signal.SIGKILL, stopped
    await pair.old.run("UPDATE line SET n = '77' WHERE id = 77; DELETE FROM line WHERE id = 88")
    await pair.old.run("VACUUM FULL line")
    stopped = command.again("--rejects-only")
    assert (stopped.status, "TS411" in stopped.stderr) == (4, True), stopped
    done = command.again("--rejects-only", "--new-snapshot", "unfinished")
    assert (done.status, 'left out: {"id": 88}' in done.stdout + done.stderr) == (1, True), done
    assert "not one point in time" in done.stdout
    await accounted(pair)
    assert await pair.new.fetch("SELECT n FROM line WHERE id IN (77, 88)") == [(77,)]


async def test_only_the_same_kind_of_run_goes_on(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    command = Command(run_cli, pair, tmp_path)
    command.first()
    command.again("--rejects-only", failpoint="batch.committed:2:kill")
    plain = command.again()
    assert (plain.status, "add --restart" in plain.stderr, "--rejects-only" in plain.stderr) == (
        3,
        True,
        True,
    )
    begun_anew = command.again("--rejects-only", "--restart")
    assert begun_anew.status == 1, begun_anew
    await accounted(pair)
    assert (await pair.new.fetch(ROWS))[0] == EXPECTED
