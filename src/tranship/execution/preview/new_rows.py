"""What a preview asks of NEW: how it reads the texts that are sent, and what it fills and generates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from tranship.execution.context import Job
from tranship.execution.preview.texts import SHOWN, Read, cut, for_people
from tranship.execution.probe.questions import Answer, GivenRow, NotAskable, put, re_encodes
from tranship.execution.probe.typed_rows import typed
from tranship.model.expression import NewDefault
from tranship.model.plan import TablePlan
from tranship.model.preview import OPEN_QUESTION, PreviewCell
from tranship.sql.new.given_rows import rows_query, shown_part
from tranship.sql.new.probe import guarded

_BY_NEW = "filled by NEW when the row is written"
_NO_NULL = "refused: NULL, and the column is NOT NULL"


class NewRows:
    """Renders the rows of one flow, inside a read-only transaction of NEW.

    ``undecided`` are the columns of NEW about which nobody has decided.
    """

    def __init__(self, job: Job, new: asyncpg.Connection, plan: TablePlan, undecided: frozenset[str]) -> None:
        self._job, self._new, self._plan, self._undecided = job, new, plan, undecided

    def sends(self, position: int) -> bool:
        """Returns whether a mapping sends a text."""
        mapping = self._plan.columns[position]
        return not isinstance(mapping.expression, NewDefault) and mapping.column not in self._undecided

    def needed(self, name: str) -> tuple[int, ...] | str:
        """Returns the positions of the mappings on which a column's value depends, or why there is no value
        yet.
        """
        if name in self._undecided:
            return OPEN_QUESTION
        try:
            positions = typed(self._job, self._plan, [name]).positions
        except NotAskable:
            return _BY_NEW
        return positions if all(map(self.sends, positions)) else OPEN_QUESTION

    def positions(self, names: Sequence[str]) -> list[int]:
        """Returns the positions of the mappings whose texts are sent for these columns."""
        needed = map(self.needed, names)
        return sorted({n for some in needed if not isinstance(some, str) for n in some})

    async def refused(self, read: Read, names: Sequence[str]) -> list[int]:
        """Returns the numbers of the rows of which a value of these columns is refused, by either side."""
        positions = self.positions(names)
        lacking = {n for position in positions for n, one in enumerate(read.sent[position]) if one.rejects}
        asked = [n for n in range(len(read.rows)) if n not in lacking and read.all_known(n, positions)]
        shown = [name for name in names if not isinstance(self.needed(name), str)]
        taken = await self._rendered(read, asked, shown)
        return sorted(lacking | (_refused(asked, taken) if shown else set()))

    async def cells(self, read: Read, names: Sequence[str]) -> list[tuple[PreviewCell, ...]]:
        """Returns the cells of these columns for each row."""
        needed = {name: self.needed(name) for name in names}
        known = {name: found for name, found in needed.items() if not isinstance(found, str)}
        positions = {position for some in known.values() for position in some}
        complete = [n for n in range(len(read.rows)) if read.all_known(n, positions)]
        together = await self._rendered(read, complete, tuple(known))
        rows = []
        for n in range(len(read.rows)):
            own = dict(zip(known, together.get(n, ()), strict=False))
            for name in known.keys() - own.keys():
                own[name] = await self._alone(read, n, name, known[name])
            rows.append(tuple(own.get(name) or PreviewCell(note=str(needed[name])) for name in names))
        return rows

    async def _alone(self, read: Read, number: int, name: str, positions: Sequence[int]) -> PreviewCell:
        """Returns one value of a row of which not all values are known, or which NEW refuses."""
        sent = [read.sent[position][number] for position in positions]
        text = cut(for_people(sent[0].text)) if sent else None
        lacking = next((one for one in sent if not one.known), None)
        if lacking is not None:
            return PreviewCell(text, lacking.note, lacking.rejects)
        refused: list[str] = []
        shown = await self._rendered(read, [number], [name], refused)
        return shown[number][0] if shown else PreviewCell(text, f"refused: {' '.join(refused)}", rejects=True)

    async def _rendered(
        self, read: Read, numbers: Sequence[int], names: Sequence[str], refused: list[str] | None = None
    ) -> dict[int, list[PreviewCell]]:
        """Returns the cells of these columns by number of the row. Rows that NEW refuses have none, and why
        goes to ``refused``.
        """
        if not numbers or not names:
            return {}
        shown: dict[int, list[PreviewCell]] = {}
        for answer in await self._asked(read, numbers, names):
            if answer.kind == "shown" and isinstance(answer.detail, list):
                named = zip(names, answer.detail, strict=True)
                shown[answer.row] = [self._cell(name, text) for name, text in named]
            elif refused is not None:
                refused.append(answer.failure.message)
        return shown

    def _cell(self, name: str, text: str | None) -> PreviewCell:
        column = self._job.after(self._plan).column(name)
        if text is None and column is not None and column.refuses_null:
            return PreviewCell(None, _NO_NULL, rejects=True)
        return PreviewCell(cut(text))

    async def _asked(self, read: Read, numbers: Sequence[int], names: Sequence[str]) -> Sequence[Answer]:
        wanted = typed(self._job, self._plan, names)
        rows: list[GivenRow] = [{"i": n, **_texts(read, n, wanted.positions)} for n in numbers]
        query = guarded(rows_query(wanted.rows, [shown_part(wanted.rows, names, SHOWN)]))
        encoded = re_encodes(self._job.new)
        try:
            return await put(self._new, query, rows, ascii_only=encoded, zone=self._plan.input_zone)
        except NotAskable as why:
            return [Answer(n, "error", "", str(why)) for n in numbers]


def _refused(asked: Sequence[int], taken: Mapping[int, Sequence[PreviewCell]]) -> set[int]:
    return {n for n in asked if n not in taken or any(cell.rejects for cell in taken[n])}


def _texts(read: Read, number: int, positions: Sequence[int]) -> Mapping[str, str | None]:
    return {f"c{place}": read.sent[position][number].text for place, position in enumerate(positions)}
