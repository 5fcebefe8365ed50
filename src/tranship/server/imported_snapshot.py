"""The snapshot of a run as a process sees it that does not hold it."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.config import Endpoint
from tranship.server.snapshot import Mark, Settings, Snapshot, SnapshotLost, begin_on


class ImportedSnapshot(Snapshot):
    """Readers on a snapshot that another process holds and exports.

    Each reader imports it anew, so that nothing is read once its holder is gone. The holder's locks keep the
    tables as the snapshot shows them.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings, mark: Mark) -> None:
        super().__init__(endpoint, (), settings)
        self.mark = mark
        self.exported: Sequence[str] = ()
        """The identifiers under which the snapshot can be imported now, as its holder said last."""

    async def _join(self, conn: asyncpg.Connection, zone: str | None = None) -> None:
        """Begins a transaction on the snapshot, from the first export that is still held.

        Raises:
            SnapshotLost: none is.
        """
        for exported in self.exported:
            if await begin_on(conn, exported, zone):
                return
        raise SnapshotLost

    async def close(self) -> None:
        """Ends the idle connections."""
        await self._close()
