"""A standby of a throw-away server, to read from while its primary goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess

from support import connected
from tranship.demo.servers import Server, ServerFailed


class Standby(Server):
    """Streams from ``primary``, which was started before and outlives it."""

    def __init__(self, primary: Server, *, name: str = "standby") -> None:
        super().__init__(primary.installation, name=name)
        self.primary = primary
        self.password = primary.password

    def _prepare(self) -> None:
        self.data.mkdir(mode=0o700)
        self.socket_folder.mkdir(mode=0o700)
        self._bindir = self.primary._bindir
        if self._account is not None:
            self.folder.chmod(0o711)
            for path in (self.data, self.socket_folder):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        place = ["-h", str(self.primary.socket_folder), "-p", str(self.primary.port), "-U", self.user]
        command = [
            str(self._bindir / "pg_basebackup"),
            *place,
            "-D",
            str(self.data),
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
        ]
        made = self._popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = made.communicate()[0]
        if made.returncode != 0:
            self.stop()
            raise ServerFailed(output.decode(errors="replace")[-4000:])

    async def caught_up(self) -> None:
        """Returns once everything that the primary has written is visible here."""
        async with connected(self.primary) as up, connected(self) as down:
            await up.execute("CREATE TABLE marker (); DROP TABLE marker")
            written = await up.fetchval("SELECT pg_current_wal_lsn()::text")
            for _ in range(1200):
                if await down.fetchval("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written):
                    return
                await asyncio.sleep(0.05)
        raise TimeoutError("the standby does not follow")
