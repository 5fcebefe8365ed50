"""What stderr shows during a run: a live bar on a terminal, plain lines elsewhere, or one JSON event a
line.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

import msgspec

from tranship.cli.context import CliContext
from tranship.cli.terminal import log, note, shown
from tranship.model.flow import FlowId
from tranship.model.progress import BatchDone, Event, Noted, RowRejected, RunStarted, TableDone, TableStarted
from tranship.report.notes import words
from tranship.report.rejects import key_words, reason_words

if TYPE_CHECKING:
    from rich.progress import Progress

_FIRST = 10
"""Rejected rows of one table that are shown one by one: more would hide everything else, and all are in the
rejects file.
"""


class Display(Protocol):
    """Shows events on stderr. It is a context manager that leaves the terminal as it was."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def feed(self, event: Event) -> None:
        """Shows an event."""

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        """Writes lines of the answer with ``say``, while the display is out of their way."""


def display(call: CliContext) -> Display:
    """Returns the display that fits: JSON lines, a live bar, or plain lines."""
    # JSON wins over a terminal: a program reads it.
    if call.log_json:
        return _JsonLines()
    if sys.stderr.isatty():
        return _Live(call)
    return _Lines()


class _Lines:
    """Plain lines: the first rejects of each table, their total, and messages."""

    def __init__(self) -> None:
        self._rejects: Counter[FlowId] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def feed(self, event: Event) -> None:
        match event:
            case RowRejected():
                self._rejects[event.flow] += 1
                if self._rejects[event.flow] <= _FIRST:
                    self._note(_rejected(event))
            case TableDone(flow=flow, rejected=rejected) if rejected:
                self._note(f"rejected [{flow}] {rejected} rows in all")
            case Noted(what=what):
                self._note(words(what))
            case _:
                pass

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        for text in lines:
            say(text)

    def _note(self, text: str) -> None:
        note(text)


class _JsonLines:
    """Every event as one JSON object a line."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def feed(self, event: Event) -> None:
        fields = _named(msgspec.to_builtins(event))
        assert isinstance(fields, dict)
        name = str(fields.pop("type"))
        # A plain flow's rows are the old rows.
        if fields.get("old", ...) is None:
            del fields["old"]
        log(name, {**fields, **_worded(event)})

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        for text in lines:
            say(text)


def _worded(event: Event) -> dict[str, str]:
    """Returns what an event says to a person, for those who read the log without knowing its events."""
    match event:
        case Noted(what=what):
            return {"message": words(what)}
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
    """A live bar with rows, bytes, rows per second and remaining time."""

    def __init__(self, call: CliContext) -> None:
        super().__init__()
        self._progress = _bar(call)
        self._task = self._progress.add_task("reading both databases", total=None, moved="")
        self._rows = self._bytes = 0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def feed(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._progress.update(self._task, description="checking the data")
            case TableStarted(flow=flow, rows=rows):
                # Tables are counted one after the other, so the total grows while rows are copied already.
                known = self._progress.tasks[0].total or 0
                self._progress.update(self._task, total=known + rows, description=_plain(str(flow)))
            case BatchDone(flow=flow, read=read, bytes=size):
                self._rows += read
                self._bytes += size
                rate = self._rows / max(time.monotonic() - self._started, 0.001)
                moved = f"{self._rows:,} rows, {_size(self._bytes)}, {rate:,.0f} rows/s"
                self._progress.update(self._task, advance=read, description=_plain(str(flow)), moved=moved)
            case _:
                super().feed(event)

    def write(self, lines: list[str], say: Callable[[str], None]) -> None:
        if lines:
            with self._away():
                super().write(lines, say)

    def _note(self, text: str) -> None:
        with self._away():
            note(text)

    @contextmanager
    def _away(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


def _bar(call: CliContext) -> Progress:
    # Imported here: only a run with a live bar pays for loading rich.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    colored = call.colored
    console = Console(file=sys.stderr, no_color=colored is False, force_terminal=True if colored else None)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[moved]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _rejected(event: RowRejected) -> str:
    column = f" column {event.column}:" if event.column else ""
    return f"rejected [{event.flow}] {key_words(event)}:{column} {reason_words(event)}"


def _plain(text: str) -> str:
    return shown(text, sys.stderr.encoding or "ascii").replace("\n", "\\n")


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
