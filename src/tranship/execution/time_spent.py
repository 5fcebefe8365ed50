"""Where the time of a run goes: seconds per phase, and per question inside of a phase.

The running stopwatch is found through a context variable, which tasks inherit from the task that starts them,
so that no function has to pass it on. Without one, nothing is measured.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from tranship.model.progress import Began
from tranship.model.verdict import TimeSpent

BEFORE_START = "before the start"
"""The phase in which a run finds out whether it may begin, and what is left to do."""


class Stopwatch:
    """Adds up the seconds of phases and questions, in the order in which each began first, and tells when one
    begins.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        hear: Callable[[Began], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._hear = hear
        self._spent: dict[tuple[str, str], tuple[int, float]] = {}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Measures what the block does, and what the tasks do that it starts."""
        token = _RUNNING.set((self, ""))
        try:
            yield
        finally:
            _RUNNING.reset(token)

    @contextlib.contextmanager
    def measure(self, phase: str, question: str) -> Iterator[None]:
        """Adds the seconds of the block, also of one that raises."""
        times, seconds = self._spent.setdefault((phase, question), (0, 0.0))
        began = self._clock()
        self._hear(Began(phase, question))
        try:
            yield
        finally:
            times, seconds = self._spent[phase, question]
            self._spent[phase, question] = (times + 1, seconds + self._clock() - began)

    @property
    def so_far(self) -> tuple[TimeSpent, ...]:
        """Each phase, followed by its questions."""
        phases = dict.fromkeys(phase for phase, _ in self._spent)
        return tuple(
            TimeSpent(phase, question, times, round(seconds, 3))
            for phase in phases
            for (of, question), (times, seconds) in self._spent.items()
            if of == phase
        )


_RUNNING: ContextVar[tuple[Stopwatch, str] | None] = ContextVar("tranship stopwatch", default=None)
"""The stopwatch, and the phase that it is in."""


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Measures the block as a phase of the run. A phase inside of another one counts as its question."""
    running = _RUNNING.get()
    if running is None:
        yield
        return
    stopwatch, outer = running
    if outer:
        with stopwatch.measure(outer, name):
            yield
        return
    token = _RUNNING.set((stopwatch, name))
    try:
        with stopwatch.measure(name, ""):
            yield
    finally:
        _RUNNING.reset(token)


@contextlib.contextmanager
def question(about: str) -> Iterator[None]:
    """Measures the block as a question of the present phase."""
    running = _RUNNING.get()
    if running is None:
        yield
        return
    stopwatch, now = running
    with stopwatch.measure(now or about, about if now else ""):
        yield


def spent() -> tuple[TimeSpent, ...]:
    """Returns what the running stopwatch has measured so far; nothing without one."""
    running = _RUNNING.get()
    return running[0].so_far if running is not None else ()
