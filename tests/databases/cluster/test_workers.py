"""A run whose batches the workers of a Dask cluster copy ends as one whose process copies them."""

from __future__ import annotations

from pathlib import Path

from support import MakePair
from support.dask import dask_cluster
from support.oracle import catalog
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents


async def test_workers_copy_as_this_process_would(make_pair: MakePair, tmp_path: Path) -> None:
    pair, calm = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    expected = await migrate(calm, tmp_path)
    before = await catalog(pair.new)
    with dask_cluster(tmp_path, pair.config(tmp_path)) as cluster:
        result = await migrate(pair, tmp_path, engine=cluster.engine)
        for worker in cluster.workers:
            print(cluster.log(worker))
    print(await pair.new.fetch("select workers, backends from _tranship.heartbeat"))
    print(await pair.new.fetch("select run, epoch, length(job), exports, replica from _tranship.cluster"))
    assert result.exit_status == expected.exit_status
    assert await contents(pair.new) == await contents(calm.new)
    assert await catalog(pair.new) == before
    await accounted(pair)
