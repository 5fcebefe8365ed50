"""Workers of a Dask cluster copy: what dies, comes late or differs changes nothing in the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair, Pair
from support.certificates import make_certificates
from support.dask import DaskCluster, killed
from support.forked import Command
from support.observe import Observe
from support.oracle import catalog
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents
from tranship.errors import Refused, Stopped
from tranship.execution.batch_size import AdaptiveBatchSize

STATE = "SELECT state, count(*) FROM _tranship.batch GROUP BY state"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and one worker, to which tests add others."""
    with DaskCluster(tmp_path_factory.mktemp("cluster")) as started:
        started.start_scheduler()
        started.start_worker()
        yield started


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The end of a run that this process alone made; filled by the first test that needs it."""
    return {}


async def _ends_alike(pair: Pair, make_pair: MakePair, folder: Path, known: dict[str, Any]) -> None:
    if not known:
        calm = await make_pair(OLD, NEW)
        before = await catalog(calm.new)
        assert (await migrate(calm, folder)).exit_status == 1
        known.update(contents=await contents(calm.new), definitions=before)
    assert await contents(pair.new) == known["contents"]
    assert await catalog(pair.new) == known["definitions"]
    await accounted(pair)
    await verified(pair)


async def verified(pair: Pair) -> None:
    """The last run is finished, and each of its batches is done."""
    assert await pair.new.fetch("SELECT DISTINCT state FROM _tranship.run") == [("finished",)]
    assert {state for state, _ in await pair.new.fetch(STATE)} == {"done"}


async def _until(there: Any, seconds: float = 120) -> None:
    """Waits until a question to a database has another answer than nothing."""
    for _ in range(int(seconds / 0.1)):
        with contextlib.suppress(Exception):
            if await there():
                return
        await asyncio.sleep(0.1)
    raise TimeoutError


async def test_one_worker_is_killed_in_the_middle(
    cluster: DaskCluster, make_pair: MakePair, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """Once before the commit of its batch and once after it: Dask gives the batch to the other worker."""
    pair = await make_pair(OLD, NEW)
    cluster.lead_to(pair)
    before, after = (cluster.start_worker(f"batch.{place}:2:kill") for place in ("copied", "committed"))
    result = await migrate(pair, tmp_path, engine=cluster.engine)
    assert result.exit_status == 1
    assert killed(before)
    assert killed(after)
    await _ends_alike(pair, make_pair, tmp_path, undisturbed)


async def test_a_worker_that_is_late_is_shut_out(
    cluster: DaskCluster, make_pair: MakePair, tmp_path: Path
) -> None:
    """It sleeps between the beginning of its transaction and the fence, while the epoch rises."""
    pair = await make_pair(OLD, NEW)
    cluster.lead_to(pair)
    late = cluster.start_worker("batch.begun:1:sleep=6")

    async def overtake() -> None:
        entered = "SELECT cardinality(workers) > 1 FROM _tranship.heartbeat"
        await _until(lambda: pair.new.value(entered))
        await asyncio.sleep(1)
        await pair.new.run("UPDATE _tranship.run SET epoch = epoch + 1")

    overtaking = asyncio.create_task(overtake())
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, engine=cluster.engine)
    await overtaking
    assert stopped.value.code == "TS412"
    cluster.end(late)
    done = await pair.new.fetch(STATE)
    await asyncio.sleep(6)
    assert await pair.new.fetch(STATE) == done
    assert (await migrate(pair, tmp_path)).exit_status == 1
    await accounted(pair)
    await verified(pair)


async def test_the_coordinator_is_killed_while_a_worker_goes_on(
    cluster: DaskCluster, make_pair: MakePair, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """The batch in hand is committed; the next run finds it, whichever copies."""
    pair = await make_pair(OLD, NEW)
    cluster.lead_to(pair)
    slow = cluster.start_worker("batch.claimed:1:sleep=5")
    arguments = ["migrate", str(pair.config(tmp_path)), "--live", "--batch-size", "100", "--jobs", "2"]
    first = await asyncio.to_thread(
        Command.start, [*arguments, "--engine", cluster.engine], tmp_path, env={"PYTHONUTF8": "1"}
    )
    holding = "SELECT count(*) FROM pg_locks WHERE relation = '_tranship.batch'::regclass AND mode = 'RowExclusiveLock'"
    await _until(lambda: pair.new.value(holding))
    first.send(signal.SIGKILL)
    await asyncio.to_thread(first.wait)
    await _until(lambda: pair.new.value(f"SELECT ({holding}) = 0"))
    assert dict(await pair.new.fetch(STATE))["done"]
    cluster.end(slow)
    assert (await migrate(pair, tmp_path, engine=cluster.engine)).exit_status == 1
    await _ends_alike(pair, make_pair, tmp_path, undisturbed)


async def test_a_worker_that_leads_elsewhere_is_refused(
    cluster: DaskCluster, make_pair: MakePair, tmp_path: Path
) -> None:
    pair, other = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    role = f"another_{pair.new.name}"
    await pair.new.run(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'secret'")
    wrong: list[tuple[Pair, dict[str, Any], str]] = [
        (Pair(pair.old, other.new), {}, "its NEW is another database"),
        (Pair(other.old, pair.new), {}, "its OLD is another database"),
        (pair, {"new": {"username": role, "password": "secret"}}, f"its role in NEW is {role}"),
        (pair, {"new": {"port": 1}}, "connection refused"),
    ]
    for ends, changes, said in wrong:
        cluster.lead_to(ends, **changes)
        with pytest.raises(Refused) as refused:
            await migrate(pair, tmp_path, engine=cluster.engine)
        assert refused.value.code == "TS307"
        assert said in refused.value.message
        assert await pair.new.value("SELECT to_regnamespace('_tranship')") is None
    cluster.config.unlink()
    with pytest.raises(Refused, match=r"worker\.json"):
        await migrate(pair, tmp_path, engine=cluster.engine)


async def test_the_scheduler_goes_away(
    cluster: DaskCluster, make_pair: MakePair, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """The run ends with one clear error. It is resumed by another cluster, stopped, and ended without one."""
    pair = await make_pair(OLD, NEW)
    cluster.lead_to(pair)
    cluster.start_worker("batch.copied:3:sleep=60")
    assert cluster.scheduler is not None

    async def end() -> None:
        await _until(lambda: pair.new.value("SELECT count(*) > 4 FROM _tranship.batch WHERE state = 'done'"))
        await asyncio.sleep(1)
        assert cluster.scheduler is not None
        cluster.end(cluster.scheduler)

    ending = asyncio.create_task(end())
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, engine=cluster.engine)
    await ending
    assert stopped.value.code == "TS450"
    idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE '%transaction%'"
    assert await pair.new.value(idle) == 0
    cluster.start_scheduler()
    cluster.start_worker()
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(Stopped, match="stopped as asked"):
        await migrate(pair, tmp_path, engine=cluster.engine, stop=stop)
    assert (await migrate(pair, tmp_path)).exit_status == 1
    await _ends_alike(pair, make_pair, tmp_path, undisturbed)


KEEP = "CREATE TABLE kept AS SELECT * FROM _tranship.batch"
LOSE = """
DELETE FROM _tranship.batch; INSERT INTO _tranship.batch SELECT * FROM kept; DROP TABLE kept;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'tranship%';
"""
"""As a standby would stand that has not heard of the last batches."""


async def test_a_new_that_lost_a_division_stops_the_run(
    cluster: DaskCluster,
    make_pair: MakePair,
    tmp_path: Path,
    observe: Observe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker finds the batch undivided, and copies all of it."""
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 4000)",
        "CREATE TABLE t (id int PRIMARY KEY)",
    )
    cluster.lead_to(pair)
    monkeypatch.setattr(AdaptiveBatchSize, "piece", lambda self, rows: min(rows, 400))
    observe.once("run.prepared", lambda: pair.new.run(KEEP))
    observe.once("batch.divided", lambda: pair.new.run(LOSE))
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, engine=cluster.engine, batch_size=1000)
    assert stopped.value.code == "TS426"
    observe.stop()
    assert (await migrate(pair, tmp_path, engine=cluster.engine, batch_size=1000)).exit_status == 0
    assert await pair.new.value("SELECT count(*)::int FROM t") == 4000
    await verified(pair)


async def test_a_cluster_talks_tls(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    make_certificates(folder)
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    with DaskCluster(folder, certificates=folder) as cluster:
        cluster.start_scheduler()
        cluster.lead_to(pair)
        for _ in range(2):
            cluster.start_worker()
        assert cluster.engine.startswith("dask+tls://127.0.0.1:")
        live = ("migrate", config, "--live", "--engine", cluster.engine, "--batch-size", "100")
        # Who has no certificates is told which are missing, and a stranger's are refused.
        bare = run_cli(*live)
        assert (bare.status, "TS15" in bare.stderr) == (2, True), bare
        strange = {name: path.replace("ca.pem", "other.pem") for name, path in cluster.settings.items()}
        refused = run_cli(*live, env=strange)
        assert refused.status == 2, refused
        done = run_cli(*live, env=cluster.settings)
        assert done.status == 1, done
    await _ends_alike(pair, make_pair, tmp_path, undisturbed)
    assert await pair.new.value("SELECT cardinality(workers) FROM _tranship.heartbeat") >= 1
