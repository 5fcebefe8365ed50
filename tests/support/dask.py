"""A Dask cluster of processes on the loopback: a scheduler and workers that a test may end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from support import ROOT, Pair

START_SECONDS = 180.0
"""In which a process of the cluster has to be there, on a loaded machine."""


@dataclass
class DaskCluster:
    """A scheduler and its workers, which read the same configuration; each process writes a log."""

    folder: Path
    certificates: Path | None = None
    """The folder of `make_certificates`: everything talks TLS and proves who it is; None: plain TCP."""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                self.end(process)

    @property
    def config(self) -> Path:
        """What ``TRANSHIP_CONFIG`` of the workers names."""
        return self.folder / "worker.json"

    @property
    def engine(self) -> str:
        """The address as ``--engine`` takes it."""
        address = str(json.loads(self._file.read_text())["address"])
        return address.replace("tcp://", "dask://").replace("tls://", "dask+tls://")

    @property
    def settings(self) -> dict[str, str]:
        """Dask's own settings of the certificates, as environment variables."""
        if self.certificates is None:
            return {}
        known = {"CA_FILE": "ca.pem"}
        for role in ("SCHEDULER", "WORKER", "CLIENT"):
            known |= {f"{role}__CERT": "server.crt", f"{role}__KEY": "server.key"}
        tls = "DASK_DISTRIBUTED__COMM__TLS__"
        return {f"{tls}{name}": str(self.certificates / file) for name, file in known.items()}

    @property
    def _file(self) -> Path:
        return self.folder / "scheduler.json"

    def lead_to(self, pair: Pair, **changes: Mapping[str, object]) -> None:
        """Has the workers' configuration lead to a pair from now on."""
        shutil.copy(pair.config(self.folder, name="next.json", **changes), self.config)

    def start_scheduler(self) -> None:
        """Starts a scheduler and waits for its address."""
        self._file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", {}, "--port", "0")
        self._wait(self._file.exists)

    def start_worker(self, failpoint: str = "") -> subprocess.Popen[bytes]:
        """Starts a worker with one thread and waits until the scheduler has accepted it."""
        known = {"TRANSHIP_CONFIG": str(self.config), "TRANSHIP_FAILPOINT": failpoint}
        worker = self._start("worker", known, "--nthreads", "1", "--no-nanny")
        self.workers.append(worker)
        self._wait(lambda: "Starting established connection" in self.log(worker))
        return worker

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """What a process has written."""
        return (self.folder / f"{process.pid}.log").read_text(errors="replace")

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Kills a process, if it still runs."""
        if process.poll() is None:
            process.kill()
            process.wait()

    def _start(self, what: str, env: Mapping[str, str], *options: str) -> subprocess.Popen[bytes]:
        command = (
            sys.executable,
            "-m",
            f"distributed.cli.dask_{what}",
            "--host",
            "127.0.0.1",
            "--no-dashboard",
            *(("--protocol", "tls") if self.certificates is not None else ()),
        )
        path = self.folder / "starting.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                (*command, "--scheduler-file", str(self._file), *options),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **self.settings, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        path.rename(self.folder / f"{process.pid}.log")
        return process

    def _wait(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not there():
            if time.monotonic() > deadline:
                logs = "\n".join(log.read_text(errors="replace") for log in self.folder.glob("*.log"))
                raise TimeoutError(f"a process of the cluster did not start\n{logs}")
            time.sleep(0.1)


def killed(process: subprocess.Popen[bytes]) -> bool:
    """Whether a failpoint has killed a process."""
    return process.poll() == -signal.SIGKILL
