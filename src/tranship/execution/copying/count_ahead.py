"""Counts and cuts into batches, beside the copy, the tables that were not counted before its first row, and
asks which of their rows NEW refuses.

A reader of its own goes through OLD's snapshot ahead of the streams. Each portion is journalled as batches,
with its rejects, before one of them is copied, so a resumed run knows them, and another machine finds them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.batch import Worker
from tranship.execution.copying.flow_copy import RunSessions
from tranship.execution.probe.counted_later import asked_one_by_one
from tranship.execution.probe.refused_rows import rows_refused
from tranship.execution.probe.reject_book import Book
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.retry import retry
from tranship.execution.time_spent import question
from tranship.model.flow import FlowId
from tranship.model.progress import Batch, TableStarted
from tranship.model.verdict import Reject
from tranship.server import pages
from tranship.server.journal import Findings
from tranship.server.portion import Advance

_NUMBER = -2
"""The number of its session on NEW among those of the workers, which count from 0."""

_ASKED_AT_ONCE = 256
"""Ranges of pages (64 MB) whose rows are asked together: their rejects are held until they are journalled."""

_REJECTS = 5_000
"""Rejects that are entered or sent at a time: meanwhile no batch goes on."""


def _slices(rejects: Iterator[Reject]) -> Iterator[list[Reject]]:
    """Yields rejects by so many at a time as the loop may be held up by."""
    while some := list(itertools.islice(rejects, _REJECTS)):
        yield some


class _Counted(Struct, frozen=True):
    """A portion of a flow that was counted, as it is to be journalled."""

    before: Batch
    """What was uncounted."""
    found: Advance
    rows: int
    """Those of the flow by now, the others by an estimate."""
    batches: Sequence[Batch]
    findings: Findings
    """Those of the flow by now."""
    refused: Book | None = None
    """Rows of the portion that NEW refuses by themselves; None: none was asked."""


class CountAhead:
    """Counts what is left of each flow, in the order in which they are copied."""

    def __init__(self, live: ActiveRun, *, before: bool = False) -> None:
        """``before``: all is to be counted before a stream takes its connections, since there are too few for
        both.
        """
        self._live = live
        self.before = before
        self._journal = Worker(live.worker, _NUMBER, RunSessions(live))
        self._news = asyncio.Event()
        self.rejected = Counter[FlowId]()
        """The rejects that were found ahead of the copy."""
        self._counting: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def of(cls, live: ActiveRun, *, before: bool = False) -> AsyncIterator[CountAhead]:
        """Counts until the end of the block; ``before``: see the class."""
        ahead = cls(live, before=before)
        counting = ahead._counting = asyncio.create_task(ahead._run())
        try:
            yield ahead
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
            await ahead._journal.close()

    async def more(self, task: Task) -> bool:
        """Waits until more is counted, of this flow or another. Returns False at once where all of it is
        counted, or the run is to stop.

        Raises:
            Exception: what ended the counting.
        """
        if not task.uncounted or self._counting is None or self._live.context.stop.is_set():
            return False
        if self._counting.done():
            # Raises what ended it.
            self._counting.result()
            return False
        await self._told()
        return True

    async def whole(self, task: Task) -> None:
        """Waits until all of a flow is counted, or the run is to stop.

        Raises:
            Exception: what ended the counting.
        """
        while await self.more(task):
            pass

    async def at_least(self, task: Task, rows: int) -> None:
        """Waits until so many rows of a flow are counted, or all of them, or the run is to stop.

        Raises:
            Exception: what ended the counting.
        """
        while task.counted < rows and await self.more(task):
            pass

    async def _run(self) -> None:
        try:
            by_flow = {task.plan.flow: task for task in self._live.tasks}
            for plan in self._live.context.job.plan.tables:
                task = by_flow.get(plan.flow)
                while task is not None and task.uncounted and not self._live.context.stop.is_set():
                    with question(f"count {plan.flow} beside the copy"):
                        await self._advance(task, task.uncounted[0])
                    self._tell()
        finally:
            await self._journal.close()
            self._tell()

    async def _told(self) -> None:
        """Waits until something is counted, or a person stops the run."""
        waiting = [asyncio.create_task(event.wait()) for event in (self._news, self._live.context.stop)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _advance(self, task: Task, uncounted: Batch) -> None:
        """Counts one portion, journals its batches, and hands them to whoever copies the flow."""
        live, flow = self._live, task.plan.flow
        reading = partial(self._read, task, uncounted)
        found = await retry(reading, tell=live.context.note, what=f"count of {flow}", stop=live.context.stop)
        numbers = await self._journal.work("the journal", partial(self._reserve, task, len(found.parts)))
        pairs = zip(numbers, found.parts, strict=True)
        batches = [Batch(number, flow, part.range, part.rows) for number, part in pairs]
        left = found.left.rows if found.left is not None else 0
        rows = task.rows + sum(batch.rows for batch in batches) + left - uncounted.rows
        await failpoint("count.found")
        counted = await self._asked(task, _Counted(uncounted, found, rows, batches, task.findings))
        await failpoint("count.asked")
        await self._journal.work("the journal", partial(self._write, task, counted))
        await failpoint("count.journalled")
        for some in _slices(self._rejects(flow, counted)):
            self.rejected[flow] += live.book.add_all(flow, some)
            await asyncio.sleep(0)
        task.rows, task.digest, task.findings = rows, found.digest, counted.findings
        task.todo += batches
        task.uncounted[:1] = [found.left] if found.left is not None else []
        live.context.on_event(TableStarted(flow, task.rows, len(task.todo)))

    def _asks(self, task: Task) -> bool:
        """Returns whether rows of a flow are asked by the portion; this process may have asked all before."""
        return asked_one_by_one(task.plan) and not self._live.book.all_asked(task.plan.flow)

    async def _asked(self, task: Task, counted: _Counted) -> _Counted:
        """Returns a portion with those of its rows that NEW refuses by themselves."""
        live, plan, batches = self._live, task.plan, counted.batches
        if not self._asks(task) or not batches:
            return counted
        asking = partial(rows_refused, live.context, live.snapshot, plan.flow, batches)
        # On the connection that journals: a role may not be granted another one.
        book = await self._journal.work(f"rows of {plan.flow} that NEW refuses", asking)
        notes = (*counted.findings.not_asked, *book.findings(plan.flow).not_asked)
        findings = replace(counted.findings, not_asked=tuple(dict.fromkeys(notes)))
        return replace(counted, refused=book, findings=findings)

    def _rejects(self, flow: FlowId, counted: _Counted) -> Iterator[Reject]:
        """Yields the rejects of a portion that were not known before."""
        if counted.refused is not None:
            known, found = self._live.book.rejected(flow), counted.refused.rejected(flow)
            yield from (reject for row, reject in found.items() if row not in known)

    async def _read(self, task: Task, uncounted: Batch) -> Advance:
        rows, ranges = self._live.context.options.batch_rows, pages.AT_ONCE
        if self._asks(task):
            ranges = min(ranges, _ASKED_AT_ONCE)
        async with self._live.snapshot.reading() as old:
            return await old.advance(task.plan, uncounted, task.digest, (rows, ranges))

    async def _reserve(self, task: Task, count: int, new: asyncpg.Connection) -> range:
        return await self._live.context.journal.reserve_numbers(new, self._live.run, task.position, count)

    async def _write(self, task: Task, counted: _Counted, new: asyncpg.Connection) -> None:
        """Journals a portion in one transaction.

        Raises:
            Stopped: another run took over, or NEW has lost a portion before this one.
        """
        live, journal, place = self._live, self._live.context.journal, (self._live.run, task.position)
        async with new.transaction():
            await fence(live.worker, new)
            if not await journal.count_uncounted(new, *place, counted.before, counted.found.left):
                # The try before committed, and its answer was lost; or NEW lost that it had been.
                for batch in counted.batches:
                    await journal.batch(new, *place, batch.number, batch.flow)
                return
            await journal.write_batches(new, live.run, {task.position: counted.batches})
            for some in _slices(self._rejects(task.plan.flow, counted)):
                await journal.write_predicted(new, *place, some)
            findings = msgspec.json.encode(counted.findings)
            kept = (counted.rows, counted.found.digest, findings)
            await new.execute(journal.sql("keep_count"), *place, *kept)
