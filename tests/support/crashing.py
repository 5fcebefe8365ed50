"""A server that dies like ``pg_ctl stop -m immediate`` and comes back on the same port with the same data."""

from __future__ import annotations

import time

from tranship.demo.servers import Server, ServerFailed


class CrashableServer(Server):
    """A throw-away server for crashing."""

    def crash(self) -> None:
        """Immediate shutdown: no checkpoint, every backend gone."""
        process = self._process
        if process is None:
            raise ServerFailed("the server was not started")
        process.send_signal(3)
        process.wait(30)

    def come_back(self, timeout: float = 60.0) -> None:
        """Starts it again; returns when it takes connections.

        Raises:
            ServerFailed: it did not.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            self._launch()
            if self._wait(timeout):
                return
            time.sleep(0.2)
        raise ServerFailed(self._log()[-4000:])
