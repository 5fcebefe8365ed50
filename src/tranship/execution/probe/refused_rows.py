"""Rows that NEW refuses by themselves, asked portion by portion while others are copied."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.context import RunContext
from tranship.execution.probe.arrived import Arrived, pending_tables
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.encoding import Encoding
from tranship.execution.probe.faults import FaultFinder
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.rejected_entries import RejectedEntries, Tellers
from tranship.execution.probe.scan import ScanBuilder
from tranship.execution.time_spent import question
from tranship.model.flow import FlowId
from tranship.model.progress import Batch
from tranship.server.snapshot import Snapshot


async def rows_refused(
    context: RunContext, snapshot: Snapshot, flow: FlowId, batches: Sequence[Batch], new: asyncpg.Connection
) -> Book:
    """Returns a book with those rows of some batches that NEW refuses by themselves, in a flow of whose rows
    nothing else is asked.

    Args:
        new: a session of batches, in no transaction.
    """
    job, book = context.job, Book()
    group = next(group for group in job.plan.groups if flow in [plan.flow for plan in group.tables])
    (plan,) = group.tables
    async with new.transaction(readonly=True), snapshot.reader() as old:
        derived = Derived(job, old, new, book, pending_tables(job, group, Arrived.NOTHING))
        reader = derived.reader(plan)
        scan = ScanBuilder(reader, book, (), (), ()).build()
        if scan.needed:
            tellers = Tellers(Encoding(job.new.encoding), RejectedEntries(job, derived, book))
            finder = FaultFinder(reader, scan, book, tellers, {}, None)
            with question(f"rows of {flow} that NEW refuses by themselves"):
                await finder.run(batches)
    return book
