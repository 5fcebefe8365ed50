"""The only place that runs an event loop. It decides what Ctrl-C, SIGTERM and the end of the terminal do."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tranship.cli.terminal import note
from tranship.model.progress import Noted
from tranship.report.notes import words
from tranship.server.lock_waits import telling
from tranship.server.trouble import DATABASE_TROUBLE

if TYPE_CHECKING:
    from tranship.cli.progress import Display

_GRACE_SECONDS = 5.0
"""Time for a cancelled run to close its connections. After it the process ends, even if a server does not
answer.
"""
_GRACE_WHILE_ASKING = 2.0
"""The same where nothing can have been written."""
_HANG_UP = signal.SIGHUP
Answer = TypeVar("Answer")


class _Interrupted(Exception):
    def __init__(self, number: int) -> None:
        self.number = number


def run(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, Answer]],
    *,
    stoppable: Callable[[], bool] | None = None,
    shows: Display | None = None,
) -> Answer:
    """Runs the work to its end and returns its result.

    Where ``stoppable`` says so when it comes, the first signal only sets the event that the work was given.
    Else, and at the second signal, the work is cancelled. ``shows`` says now and then how far the work is.

    Raises:
        click.exceptions.Exit: 130 or 143 after an interruption.
    """
    try:
        return asyncio.run(_beating(_guarded(work, stoppable), shows))
    except _Interrupted as interrupted:
        raise click.exceptions.Exit(128 + interrupted.number) from None


async def _beating(work: Coroutine[Any, Any, Answer], shows: Display | None) -> Answer:
    """Does the work, and has it shown now and then how far it is, and whose lock it waits for."""
    if shows is None:
        with telling(lambda wait: note(words(wait))):
            return await work
    beats = asyncio.ensure_future(_beat(shows))
    try:
        with telling(lambda wait: shows.feed(Noted(wait))):
            return await work
    finally:
        beats.cancel()


async def _beat(shows: Display) -> None:
    while True:
        await asyncio.sleep(shows.period)
        shows.beat()


async def _guarded(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, Answer]], stoppable: Callable[[], bool] | None
) -> Answer:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(_unheard)
    task = asyncio.ensure_future(work(stop))
    received: list[int] = []

    def on_signal(number: int) -> None:
        # A terminal that hangs up is told twice, by the kernel and by its shell: nobody asks to stop at once.
        if number == _HANG_UP and received:
            return
        received.append(number)
        orderly = stoppable is not None and stoppable()
        if orderly and len(received) == 1:
            note(
                "stopping after the batches in flight; again to stop at once"
                " (what is committed stays, the next run resumes)"
            )
            stop.set()
            return
        if stoppable is not None and len(received) == 1:
            # Whoever stops a run that writes wants to know what it has done.
            note("interrupted before a row was written; the same command begins again")
        task.cancel()
        # os._exit: a thread or a finalizer that waits for a server would keep sys.exit from ending the
        # process.
        loop.call_later(_GRACE_SECONDS if orderly else _GRACE_WHILE_ASKING, os._exit, 128 + number)

    for number in _signals(stoppable is not None):
        loop.add_signal_handler(number, on_signal, int(number))
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise _Interrupted(received[-1]) from None
        raise


def _signals(stoppable: bool) -> tuple[signal.Signals, ...]:
    """Returns the signals that end the work. The end of the terminal concerns work that can be stopped in
    order, unless `nohup` has it ignored.
    """
    hangs_up = stoppable and signal.getsignal(_HANG_UP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *((_HANG_UP,) if hangs_up else ()))


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handles an error that no task waited for.

    A connection that was given up leaves one in the driver. It is known where it mattered, so it is not
    printed again.
    """
    if not isinstance(context.get("exception"), DATABASE_TROUBLE):
        loop.default_exception_handler(context)
