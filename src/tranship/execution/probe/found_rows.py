"""Rows that NEW held before the run, found by a key that a person named (the action ``existing``), and what
becomes of the rows of OLD that found them.

Two steps, because a row may be compared only once it is known where its parents are: :meth:`FoundRows.find`
says which row of NEW a row of OLD is, for all flows of a group; :meth:`FoundRows.settle` compares the two.

Memory: about 500 bytes per row of OLD that NEW held.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct
from msgspec.json import Decoder

from tranship.errors import Refused
from tranship.errors.codes.start import AmbiguousExistingKey, ExistingNotAskable
from tranship.execution.probe import reasons
from tranship.execution.probe.questions import Answer, NotAskable
from tranship.execution.probe.reading import Chunk, Reader, by_source
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import Typed, ask, json_rows, typed
from tranship.model.locator import Locator
from tranship.model.progress import Batch
from tranship.model.shape import Existing, ExistingRows
from tranship.model.verdict import Held, HeldAs, Reject
from tranship.planning.plan.found import found_by
from tranship.planning.plan.led_children import referred_in_old
from tranship.sql.canonical import computed_on_old, key_text
from tranship.sql.expression import shipped
from tranship.sql.new.existing import compared_part, found_part, keys_held
from tranship.sql.new.given_rows import held_rows, rows_query
from tranship.sql.new.matched_key import matched_key
from tranship.sql.old.rows import holders, in_key_order, own_keys
from tranship.sql.quote import ident
from tranship.sql.row_id import locate
from tranship.sql.types.values import canonical

_FEW = 20_000
"""Most rows of NEW whose keys are looked for in OLD; against more, every row of OLD is asked about."""
_SHOWN = 5
"""Rows of NEW that a message names."""

_OTHER_VALUES = Decoder(dict[str, tuple[bool, str | None]])


class _Match(Struct, frozen=True):
    """The row of NEW that a row of OLD found."""

    place: str
    shown: str
    key: tuple[tuple[str, str | None], ...]
    """Columns by which other tables refer to it, where its values are not those of the old row."""


class FoundRows:
    """Finds the rows of one flow that NEW held before the run, and enters them into the book."""

    def __init__(self, reader: Reader, book: Book, existing: Existing) -> None:
        self._reader, self._book, self._existing = reader, book, existing
        self._plan, self._after = reader.plan, reader.job.after(reader.plan)
        self._by = found_by(existing, reader.plan, reader.job.new)
        self._key, self._own = (matched_key(self._after, names) for names in (self._by.key, self._by.own))
        self._found: dict[Locator, _Match] = {}

    async def find(self, batches: Sequence[Batch]) -> None:
        """Finds NEW's row for each row of OLD; in the modes that do not compare, that settles it.

        Raises:
            Refused: the key finds several rows of NEW, or NEW cannot be asked.
        """
        if not await self._reader.new.fetchval(held_rows(self._after, 1)):
            return
        try:
            await self._find(batches)
        except NotAskable as why:
            raise Refused(ExistingNotAskable(self._plan.flow, self._plan.new, str(why))) from why
        await self._claim()
        await self._lead()
        match self._existing.rows:
            case ExistingRows.KEEP:
                kept = (Held(row, HeldAs.KEPT, found.key) for row, found in self._found.items())
                self._book.restore_held(self._plan.flow, kept)
            case ExistingRows.REJECT:
                for row, found in self._found.items():
                    self._reject(reasons.held_before(row, self._by.constraint, found.shown))
            case ExistingRows.SAME | ExistingRows.UPDATE:
                pass

    async def settle(self) -> None:
        """Compares each row of OLD with the row of NEW that it found.

        A row that NEW cannot read is left to the data checks, which say why.

        Raises:
            Refused: NEW cannot be asked.
        """
        if not self._found or self._existing.rows not in (ExistingRows.SAME, ExistingRows.UPDATE):
            return
        try:
            question = typed(self._reader.job, self._plan, {*self._by.compared, *self._by.key})
            query = rows_query(question.rows, [compared_part(question.rows, self._key, self._by.compared)])
            async for chunk in self._reader.chosen(sorted(self._found), question.positions):
                for answer in await self._ask(query, question, chunk):
                    if answer.kind == "compared":
                        self._settle(chunk.rows[answer.row], self._columns(answer))
        except NotAskable as why:
            raise Refused(ExistingNotAskable(self._plan.flow, self._plan.new, str(why))) from why

    async def _find(self, batches: Sequence[Batch]) -> None:
        """Asks NEW for the key of each row.

        Raises:
            Refused: NEW has several rows under one key.
        """
        question = typed(self._reader.job, self._plan, {*self._by.key, *self._by.own})
        shown = self._after.primary_key.columns if self._after.primary_key is not None else self._by.key
        query = rows_query(question.rows, [found_part(question.rows, self._key, self._own, shown)])
        several: list[str] = []
        async for chunk in await self._chunks(batches, question.positions):
            for answer in await self._ask(query, question, chunk):
                if answer.kind != "found" or not isinstance(answer.detail, list):
                    continue
                place, held, own = (str(text) for text in answer.detail)
                if int(answer.which) > 1:
                    several.append(held)
                self._found[chunk.rows[answer.row]] = _Match(place, held, _other_values(own))
        if several:
            examples = tuple(sorted(several)[:_SHOWN])
            raise Refused(AmbiguousExistingKey(self._plan.flow, self._plan.new, self._by.key, examples))

    async def _chunks(self, batches: Sequence[Batch], positions: Sequence[int]) -> AsyncIterator[Chunk]:
        """Returns the rows that may be found: where NEW holds few, those that OLD finds by their keys."""
        reader = self._reader
        every = shipped(self._plan)
        on_old = self._key_on_old()
        # A column whose expression raises on OLD for a row is found out while all rows are read.
        if on_old is None or reader.may_raise(every):
            return reader.chunks(batches, every if reader.may_raise(every) else positions)
        theirs, mine = on_old
        if await reader.new.fetchval(held_rows(self._after, _FEW + 1)) > _FEW:
            return reader.chunks(batches, positions)
        held = [record[0] for record in await reader.new.fetch(keys_held(self._after, theirs))]
        records = await reader.old.fetch(holders(self._plan, key_text(mine)), held)
        return reader.chosen((locate(source, ctid) for _, source, ctid in records), positions)

    def _key_on_old(self) -> tuple[list[str], list[str]] | None:
        """Returns the canonical texts of the key as NEW and as OLD compute them. None: OLD cannot."""
        before = self._reader.job.before(self._plan)
        theirs, mine = [], []
        for name in self._by.key:
            column = self._after.column(name)
            text = canonical(ident(name), column.type, column.collation) if column is not None else None
            computed = computed_on_old(self._plan, name, before)
            if text is None or computed is None:
                return None
            theirs.append(text)
            mine.append(computed)
        return theirs, mine

    async def _claim(self) -> None:
        """Gives each row of NEW to the first row of OLD that found it, in OLD key order.

        The others are rejected.
        """
        sharing: dict[str, list[Locator]] = {}
        for row, found in self._found.items():
            sharing.setdefault(found.place, []).append(row)
        for place, rows in sharing.items():
            for row in await self._in_order(rows):
                if not self._book.claim(self._plan.flow, place, row):
                    shown = self._found.pop(row).shown
                    self._reject(reasons.held_by_another(row, self._by.constraint, shown))

    async def _lead(self) -> None:
        """Enters where children of rows are led whose key in NEW is another one, by OLD's keys of these
        rows.
        """
        job, plan = self._reader.job, self._plan
        apart = {row: dict(found.key) for row, found in self._found.items() if found.key}
        leads: dict[tuple[str, ...], dict[str, dict[str, str | None]]] = {}
        for columns in referred_in_old(plan, job.plan.tables, job.old) if apart else ():
            entries = leads.setdefault(columns, {})
            for group in by_source(apart):
                records = await self._reader.old.fetch(own_keys(plan, group, columns))
                entries |= {key: apart[locate(group[0].source, id_)] for id_, key in records}
        self._book.lead(plan.flow, leads)

    async def _in_order(self, rows: Sequence[Locator]) -> Sequence[Locator]:
        if len(rows) == 1:
            return rows
        query = in_key_order(self._plan, self._reader.job.before(self._plan), rows)
        return [locate(source, ctid) for source, ctid in await self._reader.old.fetch(query)]

    def _settle(self, row: Locator, differing: Sequence[str]) -> None:
        """Enters what becomes of a row whose row in NEW differs in some columns."""
        found, updates = self._found[row], self._existing.rows is ExistingRows.UPDATE
        fixed = [name for name in differing if name not in self._by.settable]
        if differing and not updates:
            self._reject(reasons.held_otherwise(row, self._by.constraint, found.shown, differing))
        elif fixed:
            self._reject(reasons.not_changeable(row, self._by.constraint, found.shown, fixed))
        else:
            outcome = HeldAs.UPDATED if differing else HeldAs.ALREADY_THERE
            self._book.restore_held(self._plan.flow, [Held(row, outcome, found.key)])

    def _columns(self, answer: Answer) -> list[str]:
        positions = answer.detail if isinstance(answer.detail, str) else ""
        return [self._by.compared[int(n)] for n in positions.split(",") if n]

    async def _ask(self, query: str, question: Typed, chunk: Chunk) -> list[Answer]:
        return await ask(self._reader, query, json_rows(chunk, question.positions, range(len(chunk.rows))))

    def _reject(self, reject: Reject) -> None:
        self._book.add(self._plan.flow, reject)


def _other_values(own: str) -> tuple[tuple[str, str | None], ...]:
    """Returns the columns in which NEW's row has another value than the old row would have had."""
    columns = _OTHER_VALUES.decode(own)
    return tuple((name, text) for name, (differs, text) in columns.items() if differs)
