"""A server that has a folder on a disk of its own, a few megabytes large, which nobody else sees and
which is gone with the server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tranship.demo.servers import Server

PROGRAMS = ("unshare", "nsenter", "mount", "setpriv")
_MOUNTED = (
    'mount -t tmpfs -o size="$SIZE",mode=0700,uid="$OWNER",gid="$GROUP" tmpfs "$PLACE"'
    ' && exec setpriv --reuid "$OWNER" --regid "$GROUP" --clear-groups "$@"'
)


def impossible() -> str:
    """Why this machine cannot make such a disk; empty: it can."""
    if os.geteuid() != 0:
        return "mounting a small disk needs root"
    missing = [p for p in PROGRAMS if shutil.which(p) is None]
    if missing:
        return f"{', '.join(missing)} not there"
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no mount namespace here: {tried.stderr.strip()}" if tried.returncode else ""


class CrampedServer(Server):
    """Runs in a mount namespace of its own: the disk ends with the last process in it, however that ends."""

    size = "12m"

    @property
    def small(self) -> Path:
        """The folder on the small disk, for a tablespace."""
        return self.folder / "small"

    def resize(self, size: str) -> None:
        """Gives the disk another size."""
        subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "mount", "-o", f"remount,size={size}", str(self.small)],
            check=True,
        )

    def _launch(self) -> None:
        self.small.mkdir(exist_ok=True)
        account = self._account
        assert account is not None
        command: list[str | Path] = [
            self._bindir / "postgres",
            "-D",
            self.data,
            "-h",
            self.host,
            "-p",
            str(self.port),
            "-k",
            self.socket_folder,
        ]
        for key, value in self._settings.items():
            command += ["-c", f"{key}={value}"]
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "TZ": "UTC",
            "PLACE": str(self.small),
            "SIZE": self.size,
        }
        env |= {"OWNER": str(account.pw_uid), "GROUP": str(account.pw_gid)}
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "unshare",
                    "-m",
                    "--propagation",
                    "private",
                    "sh",
                    "-c",
                    _MOUNTED,
                    "sh",
                    "setpriv",
                    "--pdeathsig",
                    "INT",
                    *map(str, command),
                ],
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log.fileno(),
                stderr=log.fileno(),
                start_new_session=True,
            )


def mounted() -> bool:
    """A small disk can be seen from here."""
    return "cramped" in Path("/proc/self/mounts").read_text()
