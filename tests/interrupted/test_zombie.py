"""A process that is stopped, taken over, and then goes on: it finds itself shut out and doubles nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from support import ROOT, MakePair
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents, definitions
from tranship.errors import Refused


@pytest.mark.thinned(4)
@pytest.mark.parametrize("place", ["batch.copied", "batch.begun", "batch.committed", "switches.off"])
async def test_a_stopped_process_is_shut_out(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    pair, calm = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    before = await definitions(pair.new)
    command = [
        sys.executable,
        "-m",
        "tranship",
        "migrate",
        str(pair.config(tmp_path)),
        "--live",
        "--batch-size",
        "100",
        "--jobs",
        "2",
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TRANSHIP_FAILPOINT": f"{place}:2:sleep=12"}
    start = partial(
        subprocess.Popen,
        command,
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    process = await asyncio.to_thread(start, stdout=subprocess.PIPE)
    try:
        for _ in range(400):
            await asyncio.sleep(0.05)
            made = await pair.new.value(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname = '_tranship'"
            )
            if (
                made
                and await pair.new.value(
                    "SELECT count(*) FROM _tranship.batch WHERE state = 'done' OR $1",
                    place.startswith("switches"),
                )
                > 0
            ):
                break
        await asyncio.sleep(1)
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(Refused):
            await migrate(pair, tmp_path)
        result = await asyncio.wait_for(migrate(pair, tmp_path, take_over=True), 60)
        assert result.exit_status == 1
        process.send_signal(signal.SIGCONT)
        output, _ = await asyncio.to_thread(process.communicate, timeout=90)
        assert process.returncode in (4, 2), output.decode()
    finally:
        process.kill()
        process.wait()
    assert await contents(pair.new) == await contents(calm.new)
    assert await definitions(pair.new) == before
    await accounted(pair)
