"""The warnings about a plan, held back until a live run has something to move."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tranship.execution.time_spent import BEFORE_START
from tranship.model.notes import AlreadyMigrated, LockNote, Warned
from tranship.model.progress import Began, Event, Noted


class HeldBack:
    """Passes events on to who watches. A live run that is repeated finds in the journal that every table was
    moved; what its plan would warn of is over then, and was told by the run that moved the rows.
    """

    def __init__(self, hear: Callable[[Event], None]) -> None:
        self._hear = hear
        self._held: list[Event] = []
        self.is_over = False
        """Nothing was left to move, so that what was held is not told."""

    def hold(self, events: Iterable[Event]) -> None:
        """Keeps events for the moment at which it is known what is left to do."""
        self._held += events

    def __call__(self, event: Event) -> None:
        """Passes an event on, after those that are held once it is known what is left to do."""
        waits = isinstance(event, Noted) and isinstance(event.what, LockNote)
        if waits or (isinstance(event, Began) and event.phase == BEFORE_START):
            self._hear(event)
            return
        if isinstance(event, Noted) and isinstance(event.what, AlreadyMigrated):
            self._held = [one for one in self._held if not _warns(one)]
            self.is_over = True
        self.release()
        self._hear(event)

    def release(self) -> None:
        """Passes on what is held."""
        held, self._held = self._held, []
        for event in held:
            self._hear(event)


def _warns(event: Event) -> bool:
    return isinstance(event, Noted) and isinstance(event.what, Warned)
