"""Work beside a statement that takes long: it costs one timer and no task until then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager


@contextmanager
def after(seconds: float, work: Callable[[], Coroutine[None, None, None]]) -> Iterator[None]:
    """Begins work as a task that many seconds after the block began, unless the block is over by then. The
    task is cancelled at the end of the block.
    """
    begun: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    timer = loop.call_later(seconds, lambda: begun.append(loop.create_task(work())))
    try:
        yield
    finally:
        timer.cancel()
        for task in begun:
            task.cancel()
