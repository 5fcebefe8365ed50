"""Children of rejected rows where no text stands for a key's value, and OLD does not compare it as NEW will:
texts that become citext, or get a collation that ignores case.

NEW's own rows then stand for the values. A rejected row and a child belong together when NEW, by the foreign
key's own operators, finds the same row under both keys: it is the row that the child would wrongly go to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived, whole
from tranship.execution.probe.reading import Chunk
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import Typed, ask, json_rows, typed
from tranship.model.catalog import ForeignKey, Table
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.foreign_keys import matches_parent
from tranship.sql.new.given_rows import held_part, rows_query
from tranship.sql.new.matched_key import equality
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, relation


class HeldParents:
    """Finds children whose parent in NEW is the row that took a rejected row's key."""

    def __init__(self, job: Job, derived: Derived, book: Book) -> None:
        self._job, self._derived, self._book = job, derived, book

    async def children(
        self,
        plan: TablePlan,
        key: ForeignKey,
        parents: Sequence[TablePlan],
        absent: Mapping[FlowId, AbstractSet[Locator]],
    ) -> list[Locator]:
        """Returns the rows that refer to a row of NEW whose key a row that is nobody's parent has, too, and
        no row that is already there.

        Raises:
            NotAskable: a key is made by NEW's server, or NEW's role may not read the parents.
        """
        taken: set[str] = set()
        for parent in parents:
            lost = await self._held_for(parent, key, sorted(absent[parent.flow]))
            # Of rows that are led elsewhere, too, NEW's row under the old key is another one.
            in_new = self._book.in_new(parent.flow) - self._book.apart(parent.flow, key.target_columns)
            there = await self._held_for(parent, key, sorted(in_new))
            taken |= set(lost.values()) - set(there.values())
        if not taken:
            return []
        question = typed(self._job, plan, key.columns)
        chunks = self._derived.reader(plan).chunks(whole(plan), question.positions)
        held = await self._held(plan, question, self._query(key, question, matches_parent(key, "g")), chunks)
        return [row for row, parent in held.items() if parent in taken]

    async def unrelated(
        self, plan: TablePlan, key: ForeignKey, parents: Sequence[TablePlan]
    ) -> list[Locator]:
        """Returns the rows that refer to a row of NEW whose key no row of the parents' flows has.

        Raises:
            NotAskable: a key is made by NEW's server, or NEW's role may not read the parents.
        """
        known: set[str] = set()
        for parent in parents:
            question = typed(self._job, parent, key.target_columns)
            chunks = self._derived.reader(parent).chunks(whole(parent), question.positions)
            known |= set((await self._rows_held(parent, key, question, chunks)).values())
        question = typed(self._job, plan, key.columns)
        chunks = self._derived.reader(plan).chunks(whole(plan), question.positions)
        held = await self._held(plan, question, self._query(key, question, matches_parent(key, "g")), chunks)
        return [row for row, parent in held.items() if parent not in known]

    async def _held_for(
        self, parent: TablePlan, key: ForeignKey, rows: Sequence[Locator]
    ) -> dict[Locator, str]:
        """The row of NEW under the key of each row of the parents' own flow."""
        question = typed(self._job, parent, key.target_columns)
        chunks = self._derived.reader(parent).chosen(rows, question.positions)
        return await self._rows_held(parent, key, question, chunks)

    async def _rows_held(
        self, parent: TablePlan, key: ForeignKey, question: Typed, chunks: AsyncIterator[Chunk]
    ) -> dict[Locator, str]:
        """The row of NEW that has the key of each row of the parents' own flow."""
        after = self._job.after(parent)
        same = " AND ".join(_same(after, name) for name in key.target_columns)
        return await self._held(parent, question, self._query(key, question, same), chunks)

    def _query(self, key: ForeignKey, question: Typed, same: str) -> str:
        target = self._job.new.table(key.target)
        table = relation_to_read(target) if target is not None else relation(key.target)
        return rows_query(question.rows, [held_part(question.rows, table, same)])

    async def _held(
        self, plan: TablePlan, question: Typed, query: str, chunks: AsyncIterator[Chunk]
    ) -> dict[Locator, str]:
        """Which row of NEW each row finds. A row that NEW refuses finds none."""
        reader = self._derived.reader(plan)
        found: dict[Locator, str] = {}
        async for chunk in chunks:
            answers = await ask(reader, query, json_rows(chunk, question.positions, range(len(chunk.rows))))
            held = (a for a in answers if a.kind == "held")
            found |= {chunk.rows[a.row]: a.detail for a in held if isinstance(a.detail, str)}
        return found


def _same(after: Table, name: str) -> str:
    column = after.column(name)
    operator = equality(column.type) if column is not None else "OPERATOR(pg_catalog.=)"
    return f"p.{ident(name)} {operator} g.{ident(name)}"
