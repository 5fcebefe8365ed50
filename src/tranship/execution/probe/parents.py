"""Missing parents: candidates found set-based by OLD where it can compute both ends, the verdict always by
NEW's rows and this run's.

A row whose parent OLD holds and nobody rejected cannot be an orphan, so only OLD's own orphans and the
children of rejected rows are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.both_keys import BothKeys
from tranship.execution.probe.changed_keys import ChangedKeys, changed_parents
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.family_ties import Links
from tranship.execution.probe.filtered_parents import filtered_keys
from tranship.execution.probe.left_out_parents import left_out_parent
from tranship.execution.probe.lost_parents import LostParents
from tranship.execution.probe.mapped_children import MappedChildren
from tranship.execution.probe.missing_parents import Fate, Missing
from tranship.execution.probe.own_parents import OwnParents
from tranship.execution.probe.parent_flows import ParentFlows, parent_flows, parents_absent
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.references import reference
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_list import RowList
from tranship.execution.probe.typed_rows import ask, json_rows, typed
from tranship.model.catalog import ForeignKey
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.server.deadline import each_row
from tranship.sql.canonical import comparable, taken_on_old
from tranship.sql.new.given_rows import held_rows, parent_part, rows_query
from tranship.sql.old.rows import End, children, families, orphans
from tranship.sql.row_id import locate

_AT_ONCE = 5_000
"""Rows that are fetched together."""


class Parents:
    """Finds the rows of one group that violate a foreign key.

    Args:
        pending: tables of NEW whose rows of this run are not there yet.
        live: NEW holds rows of this run.
    """

    def __init__(
        self, job: Job, derived: Derived, book: Book, pending: Callable[[TableName], bool], *, live: bool
    ) -> None:
        self._job, self._derived, self._book, self._pending = job, derived, book, pending
        self._live = live
        self._own = OwnParents(job, derived, book)
        keys = BothKeys(job, derived)
        self._changed, self._mapped = ChangedKeys(job, keys), MappedChildren(job, derived, self._own, keys)
        self._tolerated: dict[tuple[FlowId, str], frozenset[Locator]] = {}
        self._lost = LostParents(derived, book)

    def set_based(self, plan: TablePlan, key: ForeignKey) -> bool:
        """Returns whether OLD computes both ends of a key, so that it can join children to parents."""
        flows = parent_flows(self._job, plan, key).flows
        return (
            not key.period
            and bool(flows)
            and all(self._ends(plan, key, parent) is not None for parent in flows)
        )

    async def orphans(self, plan: TablePlan, key: ForeignKey) -> RowList:
        """Returns the rows whose parent is not among OLD's rows, or does not arrive. The key has to be
        :meth:`set_based`.
        """
        return await self._without_parent(
            plan, key, lambda parent: parents_absent(self._book, plan, key, parent)
        )

    async def tolerated(self, plan: TablePlan, key: ForeignKey) -> frozenset[Locator]:
        """Returns the rows that a person keeps although they break a key: those that OLD keeps as well.

        A row whose parent is one of OLD's rows is none of them, even if that row is rejected.
        """
        if key.name not in plan.tolerating or not self.set_based(plan, key):
            return frozenset()
        place = plan.flow, key.name
        if place not in self._tolerated:
            rows = await self._without_parent(plan, key, lambda _: frozenset())
            self._tolerated[place] = frozenset(rows)
        return self._tolerated[place]

    async def _without_parent(
        self, plan: TablePlan, key: ForeignKey, lost: Callable[[FlowId], AbstractSet[Locator]]
    ) -> RowList:
        """Returns the rows without a parent among OLD's rows less those that are lost."""
        parents, child = [], None
        for parent in parent_flows(self._job, plan, key).flows:
            ends = self._ends(plan, key, parent)
            if ends is not None:
                child = ends[0]
                parents.append((ends[0].expressions, ends[1], lost(parent.flow)))
        if child is None:
            return RowList()
        return await self._fetch(plan, orphans(child, parents))

    async def children(
        self, plan: TablePlan, key: ForeignKey, parent: TablePlan, rows: Collection[Locator]
    ) -> RowList:
        """Returns the rows that refer to given rows of OLD's parent table. The key has to be
        :meth:`set_based`.
        """
        ends = self._ends(plan, key, parent)
        if ends is None or not rows:
            return RowList()
        return await self._fetch(plan, children(ends[0], ends[0].expressions, ends[1], rows))

    async def families(self, plan: TablePlan, key: ForeignKey, parent: TablePlan) -> Links:
        """Returns every child with its parent in OLD. The key has to be :meth:`set_based`."""
        ends, links = self._ends(plan, key, parent), Links()
        if ends is None:
            return links
        old, query = self._derived.reader(plan).old, families(ends[0], ends[0].expressions, ends[1])
        async for source, child, other, above in each_row(old, query, at_once=_AT_ONCE):
            links.add(locate(source, child), locate(other, above))
        return links

    async def absent(
        self, plan: TablePlan, key: ForeignKey, rows: Iterable[Locator]
    ) -> dict[Locator, str | None]:
        """Returns the rows whose parent NEW does not hold now, with the text of their key, less those that
        are tolerated, which enter the book.

        Raises:
            NotAskable: NEW cannot be asked.
        """
        reader = self._derived.reader(plan)
        after = self._job.after(plan)
        question = typed(self._job, plan, key.columns)
        query = rows_query(question.rows, [parent_part(question.rows, reference(self._job, after, key), 0)])
        found: dict[Locator, str | None] = {}
        gone = self._book.not_written(plan.flow)
        async for chunk in reader.chosen((r for r in rows if r not in gone), question.positions):
            answers = await ask(reader, query, json_rows(chunk, question.positions, range(len(chunk.rows))))
            found |= {
                chunk.rows[a.row]: a.detail if isinstance(a.detail, str) else None
                for a in answers
                if a.kind == "parent"
            }
        kept = found.keys() & await self.tolerated(plan, key)
        if key.name in plan.tolerating:
            self._book.tolerate(plan.flow, key.name, kept)
        return {row: text for row, text in found.items() if row not in kept}

    async def held(
        self, plan: TablePlan, key: ForeignKey, absent: Mapping[Locator, str | None]
    ) -> dict[FlowId, Links]:
        """Returns, by flow, the rows of this run, rejected ones included, that could be the parent of each
        row.

        Raises:
            NotAskable: their keys cannot be computed.
        """
        flows = parent_flows(self._job, plan, key).flows
        holders = await self._derived.holders(flows, key.target_columns, _keys(absent))
        found = {flow.flow: Links() for flow in flows}
        for row, text in absent.items():
            for holder in holders.get(text, ()) if text is not None else ():
                found[holder.plan.flow].add(row, holder.row)
        return found

    async def judge(
        self, plan: TablePlan, key: ForeignKey, absent: Mapping[Locator, str | None], *, rank: int
    ) -> None:
        """Rejects the rows whose parent neither NEW nor a surviving row of this run provides."""
        of = parent_flows(self._job, plan, key)
        others = [flow for flow in self._job.fillers(key.target) if flow not in of.flows]
        try:
            provided = await self._provided(plan, key, of.flows, _keys(absent))
            missing = {row: text for row, text in absent.items() if text is None or text not in provided}
            taken = await self._provided(plan, key, others, _keys(missing))
        except NotAskable as why:
            self._book.note(plan.flow, f"foreign key {key.name}: {why}")
            return
        fates = await self._fates(plan, key, of, missing) if missing else {}
        after = self._job.after(plan)
        for row, text in sorted(missing.items()):
            one = Missing(key, after, rank, fates[row], text in taken)
            self._book.add(plan.flow, one.reject(row, reasons.key_shown(text)))

    async def _fates(
        self, plan: TablePlan, key: ForeignKey, of: ParentFlows, missing: Mapping[Locator, str | None]
    ) -> dict[Locator, Fate]:
        """Returns what became of the parents of rows whose keys nobody provides."""
        lost = await self._lost.of(plan, key, of.flows)
        left = await filtered_keys(self._derived, key, of, _keys(missing))
        before = await self._own.rejected_before(plan, key, of)
        fates = {row: lost.fate(text) for row, text in missing.items()}
        for row, text in missing.items():
            if fates[row] is Fate.NONE and row in before:
                fates[row] = Fate.REJECTED
            elif fates[row] is Fate.NONE and text in left:
                fates[row] = Fate.LEFT_OUT
        return fates

    async def judge_some(self, plan: TablePlan, key: ForeignKey, rows: RowList, *, rank: int = 0) -> None:
        """Rejects those of some rows whose parent does not arrive. Their keys take memory, so that some are
        judged after the others.

        Raises:
            NotAskable: NEW cannot be asked.
        """
        for some in rows.parts():
            await self.judge(plan, key, await self.absent(plan, key, some), rank=rank)

    async def reject_children_of_rejected(self, plan: TablePlan, key: ForeignKey, *, rank: int) -> int:
        """Rejects the rows whose own parent is rejected although NEW has, or will have, a row under the key.

        Returns the number of rows. They are those that :meth:`judge` leaves, so it comes first.
        """
        try:
            rows = await self._orphaned(plan, key)
        except NotAskable as why:
            self._book.note(plan.flow, f"foreign key {key.name}, children of rejected rows: {why}")
            return 0
        return sum([await self._reject_some(plan, key, some, rank) for some in rows.parts()])

    async def _reject_some(self, plan: TablePlan, key: ForeignKey, rows: Sequence[Locator], rank: int) -> int:
        """Rejects some rows whose own parent is rejected, and returns their number."""
        texts = await self._key_texts(plan, key, rows)
        lost = await self._lost.of(plan, key, parent_flows(self._job, plan, key).flows)
        after = self._job.after(plan)
        because = [
            (row, Missing(key, after, rank, lost.fate_of_lost(texts.get(row)), taken=True)) for row in rows
        ]
        return self._book.add_all(
            plan.flow, (one.reject(row, reasons.key_shown(texts.get(row))) for row, one in because)
        )

    async def _orphaned(self, plan: TablePlan, key: ForeignKey) -> RowList:
        """Returns the rows whose own parent is rejected, by OLD's key, its values, or a person's mapping."""
        rows, of = await self._own.orphaned(plan, key), changed_parents(self._job, plan, key)
        if of is not None and parent_flows(self._job, plan, key).declared is None:
            # Where the parents' key changes, another one may come to have the key that a value names.
            rows.extend(await self._own.orphaned_of(plan, key, of))
        return rows or await self._mapped.orphaned(plan, key)

    async def reject_unrelated(self, plan: TablePlan, key: ForeignKey, *, rank: int) -> int:
        """Rejects the rows that have no parent in OLD although NEW held a row under their key before the run,
        or will hold one, which OLD's wider key tells from their parent.

        Returns the number of rows. They are those that :meth:`judge` leaves, so it comes first.
        """
        try:
            strangers = await self._may_find_strangers(plan, key)
            rows = await self._own.unrelated(plan, key) if strangers else RowList()
        except NotAskable as why:
            self._book.note(plan.flow, f"foreign key {key.name}, rows without a parent in OLD: {why}")
            return 0
        added = sum([await self._reject_strangers(plan, key, some, rank) for some in rows.parts()])
        return added + await self._reject_misled(plan, key, rank=rank)

    async def met_by_chance(self, plan: TablePlan, key: ForeignKey) -> int:
        """Returns how many rows an expression of a person leads to rows that NEW held before the run, and
        that no row of OLD stands for. They are those that :meth:`judge` leaves, so it comes first.

        Raises:
            NotAskable: the keys cannot be compared.
        """
        return len(await self._own.met(plan, key)) if await self._may_find_strangers(plan, key) else 0

    async def _reject_strangers(
        self, plan: TablePlan, key: ForeignKey, rows: Sequence[Locator], rank: int
    ) -> int:
        """Rejects some rows without a parent in OLD, and returns their number."""
        texts = await self._key_texts(plan, key, rows)
        of = parent_flows(self._job, plan, key)
        left, after = await filtered_keys(self._derived, key, of, _keys(texts)), self._job.after(plan)
        fates = ((row, Fate.LEFT_OUT if texts.get(row) in left else Fate.NONE) for row in rows)
        lost = ((row, Missing(key, after, rank, fate, taken=True)) for row, fate in fates)
        return self._book.add_all(
            plan.flow, (one.reject(row, reasons.key_shown(texts.get(row))) for row, one in lost)
        )

    async def _reject_misled(self, plan: TablePlan, key: ForeignKey, *, rank: int) -> int:
        """Rejects the rows whose parent gets another key than they have, and returns their number."""
        try:
            rows = await self._changed.misled(plan, key)
        except NotAskable as why:
            self._book.note(plan.flow, f"foreign key {key.name}, parents whose key changes: {why}")
            return 0
        gone, after, added = self._book.not_written(plan.flow), self._job.after(plan), 0
        for some in RowList(row for row in rows if row not in gone).parts():
            texts = await self.keys_shown(plan, key, some)
            lost = (reasons.parent_key_changed(row, key, after, texts.get(row), rank=rank) for row in some)
            added += self._book.add_all(plan.flow, lost)
        return added

    async def all_there(self, plan: TablePlan, key: ForeignKey) -> bool:
        """Returns whether no row can lack its parent under a key that is believed: all parents of this run
        arrive, as far as is known by now, and there are no others.
        """
        of = parent_flows(self._job, plan, key)
        lost = any(parents_absent(self._book, plan, key, parent.flow) for parent in of.flows)
        if (
            lost
            or of.moved
            or changed_parents(self._job, plan, key) is not None
            or left_out_parent(self._job, plan, key) is not None
        ):
            return False
        return not await self._may_find_strangers(plan, key)

    async def _may_find_strangers(self, plan: TablePlan, key: ForeignKey) -> bool:
        """Returns whether NEW holds rows to which the key may lead, and that are not compared with OLD's."""
        # Once rows of the run are in NEW, the first look has told.
        if self._live or left_out_parent(self._job, plan, key) is not None:
            return False
        if parent_flows(self._job, plan, key).filling:
            return True
        target = self._job.new.table(key.target)
        reference(self._job, self._job.after(plan), key)
        return target is not None and bool(
            await self._derived.reader(plan).new.fetchval(held_rows(target, 1))
        )

    async def keys_shown(
        self, plan: TablePlan, key: ForeignKey, rows: Sequence[Locator]
    ) -> Mapping[Locator, str | None]:
        """Returns the rows' keys for people; none when only NEW can compute them."""
        texts = await self._key_texts(plan, key, rows)
        return {row: reasons.key_shown(text) for row, text in texts.items()}

    async def _key_texts(
        self, plan: TablePlan, key: ForeignKey, rows: Sequence[Locator]
    ) -> Mapping[Locator, str | None]:
        """Returns the rows' keys as canonical text; none when only NEW can compute them."""
        try:
            return await self._derived.keys_of(plan, key.columns, rows)
        except NotAskable:
            return {}

    async def _provided(
        self, plan: TablePlan, key: ForeignKey, flows: Sequence[TablePlan], keys: Sequence[str]
    ) -> set[str]:
        """Returns the keys that surviving rows of some flows will have and NEW has not yet."""
        if not keys or not flows or not self._pending(key.target):
            return set()
        if not reference(self._job, self._job.after(plan), key).faithful:
            raise NotAskable("equality of its columns cannot be told outside the server")
        return await self._derived.survivors(flows, key.target_columns, keys)

    async def _fetch(self, plan: TablePlan, query: str) -> RowList:
        old, gone = self._derived.reader(plan).old, self._book.not_written(plan.flow)
        rows = RowList()
        async for source, id_ in each_row(old, query, at_once=_AT_ONCE):
            row = locate(source, id_)
            if row not in gone:
                rows.add(row)
        return rows

    def _ends(self, plan: TablePlan, key: ForeignKey, parent: TablePlan) -> tuple[End, End] | None:
        pairs = []
        for name, target in zip(key.columns, key.target_columns, strict=True):
            child_value = taken_on_old(plan, name, self._job.before(plan))
            parent_value = taken_on_old(parent, target, self._job.before(parent))
            pair = comparable(child_value, parent_value)
            if pair is None:
                return None
            pairs.append(pair)
        return End(plan, tuple(c for c, _ in pairs)), End(parent, tuple(p for _, p in pairs))


def _keys(rows: Mapping[Locator, str | None]) -> list[str]:
    return sorted({text for text in rows.values() if text is not None})
