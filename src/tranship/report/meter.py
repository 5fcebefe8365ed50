"""How far a command is, in one line: folded from its events and a clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from tranship.model.flow import FlowId
from tranship.model.names import Side
from tranship.model.notes import LockAwaited, LockWaitEnded
from tranship.model.progress import BEFORE_WRITING, BatchDone, Began, Event, Noted, TableStarted
from tranship.report.notes import holder_of

_WINDOW = 10.0
"""Seconds over which a rate is taken: long enough to be steady, short enough to show a change."""
_STEADY = 3.0
"""Seconds of copying after which the rate tells the time left: small tables come first and say little."""
_COPY = "copy"
_SNAPSHOT = "take the snapshot"


class Meter:
    """Counts what a command has done, and words it."""

    def __init__(self, doing: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """``doing``: what the command does before its first phase, or without any."""
        self._doing = doing
        self._clock = clock
        self._began = clock()
        self._phase = self._question = ""
        self._phase_began = self._began
        self.ended_seconds = 0.0
        """How long the phase lasted that has ended last."""
        self._committed = False
        self._snapshot: float | None = None
        self._known: dict[FlowId, int] = {}
        """The rows of each table, as far as they are counted."""
        self._total = self._rows = self._bytes = self._rejected = 0
        self._waits: dict[tuple[Side, int], LockAwaited] = {}
        self._samples: deque[tuple[float, int, int]] = deque()

    @property
    def phase(self) -> str:
        """The phase in which the command is; empty before the first one."""
        return self._phase

    @property
    def may_have_written(self) -> bool:
        """Whether the command is past the phases that write nothing."""
        return self._committed or self._phase not in BEFORE_WRITING

    @property
    def copying(self) -> bool:
        """Whether rows are copied now."""
        return self._phase == _COPY

    @property
    def share(self) -> tuple[int, int]:
        """The rows that are done, and all rows as far as they are counted."""
        return self._rows, self._total

    def feed(self, event: Event) -> str | None:
        """Counts an event. Returns the line about a phase that ended with it."""
        match event:
            case Began():
                return self._enter(event)
            case Noted(what=LockAwaited() as wait):
                self._waits[wait.side, wait.pid] = wait
            case Noted(what=LockWaitEnded(side=side, pid=pid)):
                self._waits.pop((side, pid), None)
            case TableStarted(flow=flow, rows=rows):
                self._total += rows - self._known.get(flow, 0)
                self._known[flow] = rows
            case BatchDone(read=read, rejected=rejected, bytes=size):
                self._committed = True
                self._rows += read
                self._bytes += size
                self._rejected += rejected
                self._sample(read, size)
            case _:
                pass
        return None

    def _enter(self, event: Began) -> str | None:
        if event.question:
            self._question = event.question
            return None
        ended = self._ended()
        self._phase, self._question, self._phase_began = event.phase, "", self._clock()
        if event.phase == _SNAPSHOT:
            self._snapshot = self._phase_began
        return ended

    def _sample(self, rows: int, size: int) -> None:
        # A resumed run tells its finished batches before the copy begins: they are no part of its rate.
        if self._phase == _COPY:
            self._samples.append((self._clock(), rows, size))

    def _rates(self) -> tuple[float, float]:
        """Returns rows and bytes a second over the last seconds."""
        now = self._clock()
        while self._samples and self._samples[0][0] < now - _WINDOW:
            self._samples.popleft()
        seconds = max(min(now - self._phase_began, _WINDOW), 0.001)
        rows, size = (sum(sample[place] for sample in self._samples) for place in (1, 2))
        return rows / seconds, size / seconds

    def line(self) -> str:
        """Returns how far the present phase is."""
        parts = [self._phase or self._doing, spoken(self._clock() - self._phase_began)]
        # What keeps the command from going on stands first: a narrow terminal cuts off the end.
        parts += map(_waits, self._waits.values())
        if self._phase == _COPY:
            parts += self._copying()
        elif self._question:
            parts.append(self._question)
        if self._snapshot is not None:
            parts.append(f"snapshot {spoken(self._clock() - self._snapshot)} old")
        return ", ".join(parts)

    def _copying(self) -> list[str]:
        rows, size = self._rates()
        pace = [f"{rows:.0f} rows/s", f"{sized(size)}/s"]
        if self._rows > self._total:
            # A resumed run copies while the rows of its tables are still being counted.
            return [*pace, f"{self._rejected} rejected", f"{self._rows} rows"]
        parts = [f"{100 * self._rows // self._total if self._total else 0} %", *pace]
        if rows and self._total > self._rows and self._clock() - self._phase_began >= _STEADY:
            parts.append(f"{spoken((self._total - self._rows) / rows)} left")
        # What matters least stands last: a narrow terminal cuts it off.
        return [*parts, f"{self._rejected} rejected", f"{self._rows} of {self._total} rows"]

    def _ended(self) -> str | None:
        """Returns the line about the present phase at its end; None before the first one."""
        if not self._phase:
            return None
        self.ended_seconds = self._clock() - self._phase_began
        line = f"{self._phase}: {self.ended_seconds:.1f} s"
        if self._phase == _COPY and self._rows:
            of = f" of {self._total}" if self._rows <= self._total else ""
            line += f", {self._rows}{of} rows, {self._rejected} rejected"
        return line


def _waits(wait: LockAwaited) -> str:
    return f"waits for a lock of {holder_of(wait)} in {wait.side.upper()}"


def spoken(seconds: float) -> str:
    """Returns a duration: ``42 s``, ``3:07 min``, ``2:05 h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole // 60 % 60:02} h"


def about(seconds: float) -> str:
    """Returns an estimate of a duration: ``about 42 s``, ``less than 1 s``."""
    return f"about {spoken(seconds)}" if seconds >= 1 else "less than 1 s"


def sized(count: float) -> str:
    """Returns a number of bytes in the unit that fits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
