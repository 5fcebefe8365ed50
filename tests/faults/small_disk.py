"""A server with a small disk of its own: a tmpfs that only the server's mount namespace sees, so it goes with the server, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from tranship.demo.servers import Installation, Server

_LIBC = ctypes.CDLL(None, use_errno=True)
"""Loaded in the parent: the child may not reach Python's files any more."""
_CLONE_NEWNS, _MS_REC, _MS_PRIVATE = 0x20000, 0x4000, 0x40000
_PR_SET_PDEATHSIG = 1


def why_not() -> str | None:
    """Why such a server cannot run here; None: it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a disk of its own takes root on Linux"
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"no mount namespace here: {tried.stderr.strip()}"


class SmallDiskServer(Server):
    """Its folder ``disk`` holds ``megabytes`` and no more; a tablespace may lie there."""

    def __init__(self, installation: Installation, *, megabytes: int) -> None:
        super().__init__(installation, name="small")
        self._megabytes = megabytes

    @property
    def disk(self) -> Path:
        """The place for a tablespace."""
        return self.folder / "disk"

    def _prepare(self) -> None:
        super()._prepare()
        self.disk.mkdir()

    def _popen(self, command: list[str | Path], *, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        account = self._account
        if account is None or Path(command[0]).name != "postgres":
            return super()._popen(command, stdout=stdout, stderr=stderr)
        place, options = str(self.disk).encode(), f"size={self._megabytes}m,uid={account.pw_uid},gid={account.pw_gid},mode=700".encode()

        def alone() -> None:
            if _LIBC.unshare(_CLONE_NEWNS) or _LIBC.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None):
                raise OSError(ctypes.get_errno(), "no mount namespace")
            if _LIBC.mount(b"tmpfs", place, b"tmpfs", 0, options):
                raise OSError(ctypes.get_errno(), "no tmpfs")
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)

        env = {"PATH": f"{self._bindir}:{os.environ.get('PATH', os.defpath)}", "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.Popen(
            command, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True, preexec_fn=alone
        )
