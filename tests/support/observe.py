"""What a test does at the failpoints that a run in this process passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tranship.execution.resilience import failpoints
from tranship.execution.resilience.failpoints import FailpointReached

Observer = Callable[[str], Awaitable[None]]


@dataclass
class Observe:
    """Registers observers of failpoints; the fixture ``observe`` removes them when its test ends."""

    _mine: list[Observer] = field(default_factory=list)

    def __call__(self, observer: Observer) -> Observer:
        """Has ``observer`` awaited at every failpoint from now on, with the name of the place."""
        failpoints.observers.append(observer)
        self._mine.append(observer)
        return observer

    def once(self, place: str, action: Callable[[], Awaitable[object]], passage: int = 1) -> list[str]:
        """Awaits ``action`` at the given passage of a place, counted from now and from 1; returns the list that
        then holds the place.
        """
        struck: list[str] = []
        passed = 0

        async def observer(name: str) -> None:
            nonlocal passed
            passed += name == place
            if name == place and passed == passage and not struck:
                struck.append(name)
                await action()

        self(observer)
        return struck

    def fail(self, place: str, passage: int = 1) -> None:
        """Raises ``FailpointReached`` at the given passage of a place, counted from now and from 1."""
        passed = 0

        async def observer(name: str) -> None:
            nonlocal passed
            passed += name == place
            if name == place and passed == passage:
                raise FailpointReached(name)

        self(observer)

    def stop(self) -> None:
        """Removes all that it registered."""
        for observer in self._mine:
            failpoints.observers.remove(observer)
        self._mine.clear()
