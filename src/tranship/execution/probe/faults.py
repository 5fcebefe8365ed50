"""Faults of the row itself: what its own values, NEW's constraints on one row, and rows already in NEW
refuse.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from msgspec import Struct

from tranship.execution.probe import reasons
from tranship.execution.probe.equal_rows import EqualRows
from tranship.execution.probe.keys import KeyStore
from tranship.execution.probe.questions import Answer, NotAskable
from tranship.execution.probe.reading import Chunk, Reader
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.rejected_entries import Tellers
from tranship.execution.probe.scan import Scan
from tranship.execution.probe.typed_rows import ask, json_rows, sendable
from tranship.model.locator import Locator
from tranship.model.progress import Batch
from tranship.model.reasons import HeldByNew
from tranship.model.verdict import Reject

_ORDER = {"error": 0, "routing": 1, "null": 2, "check": 3, "existing": 4}


class Missing(Struct, frozen=True):
    """Per foreign key name the rows whose parent is not in NEW now, with their key's text (None: MATCH
    FULL, half NULL).
    """

    rows: dict[str, dict[Locator, str | None]]


class FaultFinder:
    """Runs one scan over a table plan's rows."""

    def __init__(
        self,
        reader: Reader,
        scan: Scan,
        book: Book,
        tellers: Tellers,
        keys: Mapping[str, KeyStore],
        equal: EqualRows | None,
    ) -> None:
        """``equal`` tells rows that are already there from rows whose place is taken; None: every one
        is rejected.
        """
        self._reader, self._scan, self._book, self._tellers = reader, scan, book, tellers
        self._plan = reader.plan
        self._after = reader.job.after(reader.plan)
        self._keys = keys
        self._equal = equal
        self.missing = Missing({key.name: {} for key, _ in scan.questions.parents})

    async def run(self, batches: Iterable[Batch]) -> None:
        """Enter every fault into the book, keep keys for collisions and missing parents for later
        judgement.
        """
        scan = self._scan
        only, presence = scan.only(self._reader.job, self._plan), scan.about_presence(self._plan)
        chunks = self._reader.chunks(batches, scan.positions, scan.gaps, only=only, presence=presence)
        await self._run(chunks)

    async def run_over(self, rows: Iterable[Locator]) -> None:
        """The same for chosen rows."""
        await self._run(self._reader.chosen(rows, self._scan.positions, self._scan.gaps))

    async def _run(self, chunks: AsyncIterator[Chunk]) -> None:
        async for read in chunks:
            chunk = read.without(self._book.rejected(self._plan.flow))
            if not self._scan.replaces:
                chunk = chunk.without(self._book.held(self._plan.flow))
            faults: dict[int, Reject] = {}
            await self._find_gaps(chunk, faults)
            await self._find_encoding(chunk, faults)
            await self._find_conversions(chunk, faults)
            if not self._scan.questions.routing:
                self._find_nulls(chunk, faults)
            if self._scan.query:
                await self._find_by_row(chunk, faults)
            if self._scan.questions.routing:
                self._find_nulls(chunk, faults)
            await self._leave_equal(faults)
            self._book.add_all(self._plan.flow, faults.values())
        raised = (
            reasons.refused(row, None, None, failure) for row, failure in sorted(self._reader.broken.items())
        )
        self._book.add_all(self._plan.flow, raised)

    async def _leave_equal(self, faults: dict[int, Reject]) -> None:
        """Takes rows that NEW holds equal out of the faults."""
        if self._equal is None:
            return
        held = {reject.row: n for n, reject in faults.items() if isinstance(reject.reason, HeldByNew)}
        for row in await self._equal.find(held):
            del faults[held[row]]

    async def _find_gaps(self, chunk: Chunk, faults: dict[int, Reject]) -> None:
        for position, values in chunk.gaps.items():
            mapping = self._plan.columns[position]
            lacking = {n: v for n, v in enumerate(values) if v is not None and n not in faults}
            first = {value: chunk.rows[n] for n, value in reversed(lacking.items())}
            gone = (
                await self._tellers.entries.among(self._reader, position, first) if lacking else frozenset()
            )
            for n, value in lacking.items():
                faults[n] = reasons.gap(chunk.rows[n], mapping, value, gone=value in gone)

    async def _find_encoding(self, chunk: Chunk, faults: dict[int, Reject]) -> None:
        encoding = self._tellers.encoding
        for position in self._scan.encoded:
            texts = chunk.texts[position]
            column = self._plan.columns[position].column
            try:
                bad = await encoding.untranslatable(self._reader.new, texts)
            except NotAskable as why:
                self._book.note(self._plan.flow, f"{column}: encoding: {why}")
                continue
            if not bad:
                continue
            for n, text in enumerate(texts):
                if text is not None and n not in faults and not bad.isdisjoint(text):
                    first = next(c for c in text if c in bad)
                    faults[n] = reasons.untranslatable(chunk.rows[n], column, first, encoding.name)

    async def _find_conversions(self, chunk: Chunk, faults: dict[int, Reject]) -> None:
        for position, converter in sorted(self._scan.converters.items()):
            mapping = self._plan.columns[position]
            texts = chunk.texts[position]
            distinct = {
                text
                for n, text in enumerate(texts)
                if text is not None and n not in faults and sendable(text)
            }
            try:
                failures = await converter.judge(self._reader.new, distinct)
            except NotAskable as why:
                self._book.note(self._plan.flow, f"{mapping.column}: conversion: {why}")
                continue
            for n, text in enumerate(texts):
                if text is not None and n not in faults and (failure := failures.get(text)) is not None:
                    faults[n] = reasons.refused(chunk.rows[n], mapping.column, text, failure)

    def _find_nulls(self, chunk: Chunk, faults: dict[int, Reject]) -> None:
        for column in self._scan.never_filled:
            for n, row in enumerate(chunk.rows):
                if n not in faults:
                    faults[n] = reasons.null(row, column, self._after)
        for position in self._scan.nulls:
            for n, text in enumerate(chunk.texts[position]):
                if text is None and n not in faults:
                    faults[n] = reasons.null(chunk.rows[n], self._plan.columns[position].column, self._after)

    async def _find_by_row(self, chunk: Chunk, faults: dict[int, Reject]) -> None:
        positions = self._scan.typed.positions if self._scan.typed is not None else ()
        numbers = [
            n
            for n in range(len(chunk.rows))
            if n not in faults and all(sendable(chunk.texts[position][n]) for position in positions)
        ]
        try:
            answers = await ask(self._reader, self._scan.query, json_rows(chunk, positions, numbers))
        except NotAskable as why:
            self._book.note(self._plan.flow, f"constraints of {self._plan.new}: {why}")
            return
        for n, given in _by_row(answers).items():
            fault = min((answer for answer in given if answer.kind in _ORDER), key=_rank, default=None)
            if fault is not None:
                faults[n] = self._fault(chunk.rows[n], fault)
            else:
                self._keep(chunk.rows[n], given)

    def _fault(self, row: Locator, answer: Answer) -> Reject:
        questions, which = self._scan.questions, answer.which if isinstance(answer.which, int) else 0
        match answer.kind:
            case "error":
                return reasons.refused(row, None, None, answer.failure)
            case "routing":
                return reasons.routing(row, self._after)
            case "null":
                return reasons.null(row, questions.generated_nulls[which], self._after)
            case "check":
                check = questions.checks[which]
                if check.of_period:
                    return reasons.empty_period(row, check.columns[0], check.relation)
                return reasons.check(row, check.name, check.columns, check.relation)
            case _:
                index, decided = questions.existing[which], self._plan.shape.existing is not None
                return reasons.existing(row, index, str(answer.detail), decided=decided)

    def _keep(self, row: Locator, answers: Sequence[Answer]) -> None:
        questions = self._scan.questions
        for answer in answers:
            which = answer.which if isinstance(answer.which, int) else 0
            if answer.kind == "key":
                self._keys[questions.keys[which].constraint].add(row, int(str(answer.detail)))
            elif answer.kind == "parent":
                detail = answer.detail if isinstance(answer.detail, str) else None
                self.missing.rows[questions.parents[which][0].name][row] = detail


def _by_row(answers: Sequence[Answer]) -> dict[int, list[Answer]]:
    """Returns answers by the number of their row in the chunk."""
    by_row: dict[int, list[Answer]] = {}
    for answer in answers:
        by_row.setdefault(answer.row, []).append(answer)
    return by_row


def _rank(answer: Answer) -> tuple[int, int]:
    return _ORDER[answer.kind], answer.which if isinstance(answer.which, int) else 0
