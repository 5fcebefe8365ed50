"""What stderr shows while a command works: a live line on a terminal, plain lines elsewhere, or one JSON
event a line.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

import msgspec

from tranship.cli.context import CliContext
from tranship.cli.terminal import Log, log, log_to_file, note, shown
from tranship.cli.trouble import spelled
from tranship.model.count import count_of
from tranship.model.flow import FlowId
from tranship.model.notes import Warned
from tranship.model.progress import BatchDone, Began, Event, Noted, RowRejected, TableDone, TableStarted
from tranship.report.meter import Meter
from tranship.report.notes import words
from tranship.report.rejects import key_words, reason_words
from tranship.report.spelled import spelled_problems

if TYPE_CHECKING:
    from rich.progress import Progress

HEARTBEAT_SECONDS = 10.0
"""Between two lines that say how far a long command is, where there is no terminal."""
_REFRESH_SECONDS = 0.5
"""Between two updates of the line on a terminal."""
_WORTH_A_LINE = 1.0
"""Seconds that a phase lasts at least whose end leaves a line on the terminal."""
_FIRST = 10
"""Rejected rows of one table that are shown one by one: more would hide everything else, and all are in the
rejects file.
"""


class Display(Protocol):
    """Shows events on stderr. It is a context manager that leaves the terminal as it was."""

    meter: Meter
    period: float
    """Seconds between two calls of `beat`."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def feed(self, event: Event) -> None:
        """Shows an event."""

    def beat(self) -> None:
        """Shows how far the command is, although nothing happened."""

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        """Writes lines of the answer with ``say``, while the display is out of their way."""


def display(call: CliContext, doing: str) -> Display:
    """Returns the display that fits: none, JSON lines, a live line, or plain lines.

    ``doing`` names what a command does that has no phases, or none yet.
    """
    meter = Meter(doing)
    if call.verbosity < 0:
        return _Quiet(call, meter)
    # JSON wins over a terminal: a program reads it.
    if call.log_json:
        return _JsonLines(call, meter)
    if sys.stderr.isatty():
        return _Live(call, meter)
    return _Lines(call, meter)


class _Quiet:
    """Nothing but what goes to the log file."""

    period = HEARTBEAT_SECONDS

    def __init__(self, call: CliContext, meter: Meter) -> None:
        self._call = call
        self.meter = meter

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def feed(self, event: Event) -> None:
        ended = self.meter.feed(event)
        if Log.file is not None:
            log_to_file(*_as_log(event, self._call))
        self.show(event, ended)

    def show(self, event: Event, ended: str | None) -> None:
        """Shows an event that is counted and logged; ``ended`` is the line about a phase that it ends."""

    def beat(self) -> None:
        if Log.file is not None:
            log_to_file("Progress", {"message": self.meter.line()})

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        for text in lines:
            say(text)


class _Lines(_Quiet):
    """Plain lines: the first rejects of each table, their total, messages, and a heartbeat."""

    def __init__(self, call: CliContext, meter: Meter) -> None:
        super().__init__(call, meter)
        self._rejects: Counter[FlowId] = Counter()

    def show(self, event: Event, ended: str | None) -> None:
        match event:
            case RowRejected():
                self._rejects[event.flow] += 1
                if self._rejects[event.flow] <= _FIRST:
                    self._note(_rejected(event))
            case TableDone(flow=flow, rejected=rejected) if rejected:
                self._note(f"rejected [{flow}] {count_of(rejected, 'row')} in all")
            case Noted(what=what):
                self._note(spelled(words(what), self._call))
            case Began():
                self._phase(event, ended)
            case _:
                pass

    def _phase(self, event: Began, ended: str | None) -> None:
        if self._call.verbosity > 0:
            if ended:
                self._note(ended)
            self._note(f"{event.phase}: {event.question or 'begins'}")

    def beat(self) -> None:
        super().beat()
        self._note(self.meter.line())

    def _note(self, text: str) -> None:
        note(text, to_file=False)


class _JsonLines(_Quiet):
    """Every event as one JSON object a line."""

    def show(self, event: Event, ended: str | None) -> None:
        if not isinstance(event, Began) or not event.question or self._call.verbosity > 0:
            log(*_as_log(event, self._call))

    def beat(self) -> None:
        super().beat()
        done, total = self.meter.share
        fields = {"phase": self.meter.phase, "rows": done, "of": total, "message": self.meter.line()}
        log("Progress", fields)


def _as_log(event: Event, call: CliContext) -> tuple[str, dict[str, object]]:
    """Returns the name of an event and what a line of the log says about it."""
    if isinstance(event, Noted) and isinstance(event.what, Warned):
        (problem,) = spelled_problems([event.what.problem], call.invocation, call.databases)
        event = Noted(Warned(problem))
    fields = _named(msgspec.to_builtins(event))
    assert isinstance(fields, dict)
    name = str(fields.pop("type"))
    # A plain flow's rows are the old rows.
    if fields.get("old", ...) is None:
        del fields["old"]
    return name, {**fields, **_worded(event, call)}


def _worded(event: Event, call: CliContext) -> dict[str, str]:
    """Returns what an event says to a person, for those who read the log without knowing its events."""
    match event:
        case Noted(what=what):
            return {"message": spelled(words(what), call)}
        case RowRejected():
            return {"key": key_words(event), "reason": reason_words(event)}
        case _:
            return {}


def _named(value: object) -> object:
    """Returns table names as ``schema.table`` and a flow as its two tables and its name, at any depth."""
    if isinstance(value, dict):
        if value.keys() == {"schema", "name"}:
            return f"{value['schema']}.{value['name']}"
        if "flow" in value:
            flow, others = value["flow"], {key: member for key, member in value.items() if key != "flow"}
            named = {"flow": flow["name"]} if flow["name"] else {}
            value = {**others, "table": flow["old"], "new_table": flow["new"], **named}
        return {key: _named(member) for key, member in value.items()}
    return [_named(member) for member in value] if isinstance(value, (list, tuple)) else value


class _Live(_Lines):
    """A live line with a bar, and a line for each phase that has ended."""

    period = _REFRESH_SECONDS

    def __init__(self, call: CliContext, meter: Meter) -> None:
        super().__init__(call, meter)
        self._progress = _bar(call)
        self._task = self._progress.add_task(_plain(meter.line()), total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event, ended: str | None) -> None:
        super().show(event, ended)
        if isinstance(event, BatchDone | TableStarted | Began):
            self.beat()

    def _phase(self, event: Began, ended: str | None) -> None:
        if self._call.verbosity > 0:
            super()._phase(event, ended)
        elif ended and self.meter.ended_seconds >= _WORTH_A_LINE:
            self._note(ended)

    def beat(self) -> None:
        done, total = self.meter.share
        # A bar that stands still says nothing: outside of the copy it only moves.
        known = total if done and self.meter.copying else None
        self._progress.update(
            self._task, description=_plain(self.meter.line()), total=known, completed=done if known else 0
        )

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        if lines:
            with self._away():
                super().write(lines, say)

    def _note(self, text: str) -> None:
        with self._away():
            super()._note(text)

    @contextmanager
    def _away(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


def _bar(call: CliContext) -> Progress:
    # Imported here: only a command with a live line pays for loading rich.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    colored = call.colored
    console = Console(file=sys.stderr, no_color=colored is False, force_terminal=True if colored else None)
    return Progress(
        BarColumn(bar_width=16),
        TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _rejected(event: RowRejected) -> str:
    return f"rejected [{event.flow}] {key_words(event)}: {reason_words(event, lead='column ')}"


def _plain(text: str) -> str:
    return shown(text, sys.stderr.encoding or "ascii").replace("\n", "\\n")
