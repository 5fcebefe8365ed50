"""A Dask cluster of processes on the loopback: a scheduler and workers that a test may end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support import ROOT

START_SECONDS = 60.0
"""In which a process of the cluster has to be there, on a loaded machine."""


@dataclass
class DaskCluster:
    """Processes of one cluster, each with its output in the folder."""

    folder: Path
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """Where the scheduler writes its address."""
        return self.folder / "scheduler.json"

    @property
    def engine(self) -> str:
        """The address as ``--engine`` takes it."""
        address = json.loads(self.file.read_text())["address"]
        return address.replace("tcp://", "dask://").replace("tls://", "dask+tls://")

    def start_scheduler(self, *options: str, env: Mapping[str, str] | None = None) -> None:
        """Starts the scheduler and waits for its address."""
        self.file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", env, "--port", "0", "--no-dashboard", *options)
        self._wait(self.file.exists, "the scheduler")

    def start_worker(
        self, config: Path | None, *options: str, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts one worker with one thread and waits until the scheduler has accepted it."""
        known = {"TRANSHIP_CONFIG": str(config)} if config is not None else {}
        threads = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        worker = self._start("worker", {**known, **(env or {})}, *threads, *options)
        self.workers.append(worker)
        log = self.folder / f"worker-{worker.pid}.log"
        self._wait(lambda: b"Starting established connection" in log.read_bytes(), "a worker")
        return worker

    def log(self, worker: subprocess.Popen[bytes]) -> str:
        """What a worker has written."""
        return (self.folder / f"worker-{worker.pid}.log").read_text(errors="replace")

    def _start(self, what: str, env: Mapping[str, str] | None, *options: str) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1")
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **(env or {})}
        path = self.folder / f"{what}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                (*command, "--scheduler-file", str(self.file), *options),
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        path.rename(self.folder / f"{what}-{process.pid}.log")
        return process

    def _wait(self, there: object, what: str) -> None:
        assert callable(there)
        deadline = time.monotonic() + START_SECONDS
        while not there():
            if time.monotonic() > deadline:
                logs = "\n".join(log.read_text(errors="replace") for log in self.folder.glob("*.log"))
                raise TimeoutError(f"{what} did not start\n{logs}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends every process."""
        for process in (*self.workers, self.scheduler):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()


@contextlib.contextmanager
def dask_cluster(folder: Path, config: Path, *, workers: int = 2) -> Iterator[DaskCluster]:
    """A scheduler and workers for the block; the workers have the configuration."""
    home = folder / "cluster"
    home.mkdir()
    cluster = DaskCluster(home)
    try:
        cluster.start_scheduler()
        for _ in range(workers):
            cluster.start_worker(config)
        yield cluster
    finally:
        cluster.stop()
