"""Rows that are too large for a page of NEW, although OLD holds them.

What certainly does not fit is rejected. How far NEW compresses a value shows only when it is written: rows of
which that decides are counted and noted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from tranship.execution.probe import reasons
from tranship.execution.probe.questions import Answer, NotAskable
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import ask, json_rows, sendable, typed
from tranship.model.count import count_of
from tranship.model.locator import Locator
from tranship.model.plan import HazardKind
from tranship.model.progress import Batch
from tranship.sql.catalog import catalog_query
from tranship.sql.new.given_rows import rows_query
from tranship.sql.new.row_size import RowAttribute, size_part
from tranship.sql.old.safe_values import may_be_too_large


async def find_too_large(reader: Reader, book: Book, batches: Sequence[Batch]) -> None:
    """Enters the rows of the batches that do not fit a page of NEW into the book."""
    plan = reader.plan
    if not any(hazard.kind is HazardKind.ROW_SIZE for hazard in plan.hazards):
        return
    undecided = 0
    try:
        async for row, answer in _large_rows(reader, book, batches):
            if answer.kind == "large":
                book.add(plan.flow, reasons.too_large(row, answer.which, answer.detail))
            else:
                undecided += 1
    except NotAskable as why:
        book.note(plan.flow, f"sizes of rows: {why}")
    if undecided:
        what = "whether NEW compresses them far enough shows when they are written (54000)"
        book.note(plan.flow, f"{count_of(undecided, 'row')} may be too large for a page: {what}")


async def _large_rows(
    reader: Reader, book: Book, batches: Sequence[Batch]
) -> AsyncIterator[tuple[Locator, Answer]]:
    """Yields the rows that are, or may be, too large, with NEW's answer.

    Raises:
        NotAskable: NEW's server makes a value of the row.
    """
    plan, job = reader.plan, reader.job
    after = job.after(plan)
    records = await reader.new.fetch(catalog_query("row_attributes", job.new.server_version), after.oid)
    question = typed(job, plan, [column.name for column in after.columns])
    query = rows_query(question.rows, [size_part(question.rows, [RowAttribute(**r) for r in records])])
    large = may_be_too_large(plan, job.before(plan), after)
    async for chunk in reader.chunks(batches, question.positions, only=[large] if large else None):
        gone = book.not_written(plan.flow)
        texts = [chunk.texts[position] for position in question.positions]
        asked = [
            n for n, row in enumerate(chunk.rows) if row not in gone and all(sendable(t[n]) for t in texts)
        ]
        for answer in await ask(reader, query, json_rows(chunk, question.positions, asked)):
            # A row that NEW refuses for another reason is the matter of the other checks.
            if answer.kind != "error":
                yield chunk.rows[answer.row], answer
