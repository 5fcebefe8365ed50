"""An event loop whose time passes only when nobody has anything to do: a minute of waiting costs nothing,
and one seed is one history.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping


class _NoWaiting(selectors.BaseSelector):
    """Instead of waiting for sockets, of which there are none, it moves the clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def register(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:  # type: ignore[override]
        return selectors.SelectorKey(fileobj, 0, events, data)  # type: ignore[arg-type]

    def unregister(self, fileobj: object) -> selectors.SelectorKey:  # type: ignore[override]
        return selectors.SelectorKey(fileobj, 0, 0, None)  # type: ignore[arg-type]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits and nothing is going to happen")
        self.now += max(0.0, timeout)
        return []

    def get_map(self) -> Mapping[object, selectors.SelectorKey]:  # type: ignore[override]
        return {}

    def close(self) -> None:
        return None


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Time starts at 0."""

    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)

    def time(self) -> float:
        """Simulated seconds."""
        return self._clock.now
