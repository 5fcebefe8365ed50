"""Data checks of one group of tables: faults of the row itself, then collisions, then foreign keys. The order
decides which reason a reject gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.execution.probe import reasons
from tranship.execution.probe.arrived import Arrived, pending_tables
from tranship.execution.probe.cascades import Cascades, Tie, Within
from tranship.execution.probe.collisions import Colliding, Collisions, colliding
from tranship.execution.probe.consequences import decides_others
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.encoding import Encoding
from tranship.execution.probe.equal_rows import EqualRows
from tranship.execution.probe.existing import (
    EmptyTables,
    changing,
    existing_candidates,
    find_existing,
    may_hold_others,
)
from tranship.execution.probe.faults import FaultFinder
from tranship.execution.probe.found_parents import leads_to_entry, leads_within
from tranship.execution.probe.found_rows import FoundRows
from tranship.execution.probe.keys import KeyStore
from tranship.execution.probe.known_later import foreseen_references
from tranship.execution.probe.lookup_doubles import check_lookups
from tranship.execution.probe.lookup_strangers import LookupStrangers
from tranship.execution.probe.losses import count_losses
from tranship.execution.probe.merged import merged
from tranship.execution.probe.parent_flows import parent_flows, parents_absent
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.periods import Periods
from tranship.execution.probe.probe_context import ProbeContext
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.raising_defaults import reject_undefaulted
from tranship.execution.probe.rejected_entries import RejectedEntries, Tellers
from tranship.execution.probe.row_list import RowList
from tranship.execution.probe.row_sizes import find_too_large
from tranship.execution.probe.scan import Scan, ScanBuilder
from tranship.execution.probe.tolerated import find_tolerated
from tranship.execution.probe.unique_indexes import Indexes
from tranship.execution.probe.widths import find_too_wide, note_wide_keys
from tranship.execution.time_spent import question
from tranship.model.catalog import ForeignKey
from tranship.model.expression import Lookup, Loss
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Group, Hazard, HazardKind, TablePlan
from tranship.model.progress import Batch, Region
from tranship.model.verdict import HeldAs, LossCount, TableFindings
from tranship.planning.plan.found import found_by
from tranship.sql.new.matched_key import matched_key
from tranship.sql.new.unique_indexes import UniqueIndex


async def probe_group(
    context: ProbeContext, group: Group, batches: Mapping[FlowId, tuple[Batch, ...]]
) -> tuple[TableFindings, ...]:
    """Finds every row of the group that NEW would refuse, and enters it into the book.

    Args:
        batches: per flow the batches still to be copied; rows of batches done before are taken to be in NEW
            or in the book.

    Raises:
        Refused: a lookup holds different values for one key.
    """
    job, old, book = context.job, context.old, context.book
    await check_lookups(job, group.tables, old, context.new)
    probing = _GroupProbe(context, group)
    # A row that is at fault by itself takes no key from another row, and a row that loses its key is no
    # parent.
    for plan in group.tables:
        book.add_all(plan.flow, reasons.unmade(plan))
    await probing.merge()
    await probing.find_held(batches)
    for plan in group.tables:
        await probing.faults(plan, batches.get(plan.flow, ()))
    with question(f"collisions in {group.tables[0].flow}"):
        await probing.collisions(batches)
    with question(f"children of rejected rows in {group.tables[0].flow}"):
        await probing.cascades(batches)
        await probing.lookups_within(batches)
        await probing.undefaulted(batches)
    for plan in group.tables:
        with question(f"values that change in {plan.flow}"):
            foreseen = context.arrived is Arrived.NOTHING
            losses = await count_losses(job, plan, old, book, foreseen=foreseen)
            met = await probing.met_by_chance(plan) if foreseen else []
            book.lost(plan.flow, [*losses, *met])
            await find_tolerated(job, plan, old, book)
            if foreseen:
                await note_wide_keys(job, plan, old, book)
    return tuple(book.findings(plan.flow) for plan in group.tables)


class _GroupProbe:
    """The data checks of one group, and what is kept between them."""

    def __init__(self, context: ProbeContext, group: Group) -> None:
        job, book = context.job, context.book
        self._job, self._group, self._book = job, group, book
        pending = pending_tables(job, group, context.arrived)
        self._derived = Derived(job, context.old, context.new, book, pending)
        self._parents = Parents(
            job, self._derived, book, pending, live=context.arrived is not Arrived.NOTHING
        )
        self._periods = Periods(job, self._derived, self._parents, book)
        self._tellers = Tellers(Encoding(job.new.encoding), RejectedEntries(job, self._derived, book))
        self._inside = frozenset(group.cyclic_keys)
        self._arrived, self._copied_next = context.arrived, context.copied_next
        self._raising, self._beside = context.raising, context.beside
        tables = [job.after(plan) for plan in group.tables]
        self._known_indexes = context.indexes or Indexes(context.new, tables)
        self._empty = context.empty or EmptyTables(
            context.new, [job.after(plan) for plan in group.tables if may_hold_others(job, plan)]
        )
        self._indexes: dict[TableName, dict[str, UniqueIndex]] = {}
        self._stores: dict[FlowId, dict[str, KeyStore]] = {}
        self._absent: dict[tuple[FlowId, str], Mapping[Locator, str | None]] = {}
        self._colliding: list[Colliding] | None = None

    async def merge(self) -> None:
        """Finds the rows that are merged into others: in one snapshot they are the same at every look."""
        if self._arrived is not Arrived.NOTHING:
            return
        for plan in self._group.tables:
            if plan.shape.merge is not None:
                self._book.merge(plan.flow, await merged(self._derived.reader(plan), plan.shape.merge))

    async def find_held(self, batches: Mapping[FlowId, Sequence[Batch]]) -> None:
        """Finds the rows that NEW held before the run, for flows that say what becomes of them.

        Once rows of the run are in NEW, a row there may be one of them: only the first look tells.
        """
        if self._arrived is not Arrived.NOTHING:
            return
        found = [
            (plan, FoundRows(self._derived, plan, self._book, plan.shape.existing))
            for plan in self._group.tables
            if plan.shape.existing is not None
        ]
        for plan, rows in found:
            await rows.find(batches.get(plan.flow, ()))
        for _, rows in found:
            await rows.settle()

    async def faults(self, plan: TablePlan, batches: Sequence[Batch]) -> None:
        """Finds the rows of one table that are at fault by themselves."""
        keys = [i for c in await self._find_colliding() if c.table == plan.new for i in c.rendered(self._job)]
        by_row = [key for key, hazard in self._foreign_keys(plan) if self._by_row(plan, key, hazard)]
        reader = self._derived.reader(plan)
        existing = await find_existing(reader, self._book, self._indexes.get(plan.new, {}), self._empty)
        # Once rows of the run are in NEW, an equal row there may be one of them: only the first look tells.
        first = self._arrived is Arrived.NOTHING
        equal = EqualRows(reader, self._book, (*existing.by_row, *existing.few)) if first else None
        scan = ScanBuilder(reader, self._book, existing.by_row, keys, by_row).build()
        stores = {index.constraint: KeyStore() for index in scan.questions.keys}
        self._stores[plan.flow] = stores
        if scan.needed:
            finder = FaultFinder(reader, scan, self._book, self._tellers, stores, equal)
            with question(f"rows of {plan.flow} that NEW refuses by themselves"):
                now = Region(await self._asked_now(plan, batches, scan, by_key=bool(existing.few)))
                await finder.run(now.not_full(self._book.held(plan.flow)))
            self._absent |= {(plan.flow, name): rows for name, rows in finder.missing.rows.items()}
        for index in existing.few:
            candidates = await existing_candidates(reader, index, batches)
            if candidates:
                single = ScanBuilder(reader, self._book, [index], [], []).build_for_existing()
                finder = FaultFinder(reader, single, self._book, self._tellers, {}, equal)
                await finder.run_over(candidates)
        await find_too_large(reader, self._book, batches)
        await find_too_wide(reader, self._book)
        await LookupStrangers(self._job, self._derived, self._book).reject(plan)
        await self._updates(plan, (*existing.by_row, *existing.few), keys, by_row)
        await self._settled_parents(plan)

    async def _asked_now(
        self, plan: TablePlan, batches: Sequence[Batch], scan: Scan, *, by_key: bool
    ) -> Sequence[Batch]:
        """Returns the batches whose rows are asked before one is copied: all where more is asked of them."""
        beside, questions = self._beside.get(plan.flow, ()), scan.questions
        more = by_key or bool(questions.existing or questions.parents or questions.keys)
        for key, hazard in self._foreign_keys(plan) if beside else ():
            doubted = self._doubted(plan, key, hazard) or self._periods.counts(plan, key)
            more = more or doubted or not await self._parents.all_there(plan, key)
        if not more:
            return [batch for batch in batches if batch not in beside]
        self._book.ask_all(plan.flow)
        return batches

    async def _updates(
        self,
        plan: TablePlan,
        existing: Sequence[UniqueIndex],
        keys: Sequence[UniqueIndex],
        parents: Sequence[ForeignKey],
    ) -> None:
        """Finds the rows that NEW would refuse in place of its own rows."""
        rows = [row for row, one in self._book.held(plan.flow).items() if one.outcome is HeldAs.UPDATED]
        if not rows or plan.shape.existing is None:
            return
        after, reader = self._job.after(plan), self._derived.reader(plan)
        by = found_by(plan.shape.existing, plan, self._job.new)
        replaced, asked = matched_key(after, by.key), changing(existing, after, by.settable)
        scan = ScanBuilder(reader, self._book, asked, keys, parents, replaced=replaced).build()
        if scan.needed:
            stores = self._stores[plan.flow]
            finder = FaultFinder(reader, scan, self._book, self._tellers, stores, None)
            await finder.run_over(rows)
            for name, missing in finder.missing.rows.items():
                known = self._absent.get((plan.flow, name), {})
                self._absent[plan.flow, name] = {**known, **missing}

    async def collisions(self, batches: Mapping[FlowId, Sequence[Batch]]) -> None:
        """Resolves collisions under unique and exclusion keys."""
        for of in await self._find_colliding():
            stores = {
                (n, name): store
                for n, plan in enumerate(of.plans)
                for name, store in self._stores[plan.flow].items()
            }
            rows = sum(batch.rows for plan in of.plans for batch in batches.get(plan.flow, ()))
            await Collisions(self._job, self._derived, self._book, of, stores, rows).resolve()

    async def met_by_chance(self, plan: TablePlan) -> list[LossCount]:
        """Returns by column how many rows an expression leads to rows that NEW held before the run."""
        found: list[LossCount] = []
        for key, _ in self._foreign_keys(plan):
            try:
                rows = await self._parents.met_by_chance(plan, key)
            except NotAskable as why:
                self._book.note(
                    plan.flow, f"foreign key {key.name}, rows of NEW that expressions find: {why}"
                )
                continue
            if rows:
                found.append(LossCount(", ".join(key.columns), Loss.MET, rows))
        return found

    async def undefaulted(self, batches: Mapping[FlowId, Sequence[Batch]]) -> None:
        """Rejects the rows that arrive but for a default that raises, as COPY does when all else is known."""
        plans = [plan for plan in self._group.tables if plan.flow in self._raising]
        for plan in plans:
            reader, failure = self._derived.reader(plan), self._raising[plan.flow]
            await reject_undefaulted(reader, self._book, batches.get(plan.flow, ()), failure)
        if plans:
            await self.cascades(batches)
            await self.lookups_within(batches)

    async def cascades(self, batches: Mapping[FlowId, Sequence[Batch]]) -> None:
        """Rejects rows whose parent does not arrive."""
        ties = tuple(
            Tie(p, key, self._doubted(p, key, h))
            for p in self._group.tables
            for key, h in self._foreign_keys(p)
            if (p.new, key.name) in self._inside
        )
        if any(self._book.not_copied(plan.flow) for plan in self._group.tables):
            await self._scan_found_within(ties, batches)
        else:
            ties = tuple(tie for tie in ties if not self._found_within(tie.child, tie.key))
        if ties:
            keys = {(tie.child.flow, tie.key.name) for tie in ties}
            absent = {name: rows for name, rows in self._absent.items() if name in keys}
            within = Within(self._group.tables, ties, absent)
            await Cascades(self._job, within, self._parents, self._periods, self._book).resolve()

    async def _scan_found_within(
        self, ties: Sequence[Tie], batches: Mapping[FlowId, Sequence[Batch]]
    ) -> None:
        """Finds the rows whose parent NEW lacks, for keys whose values are found among the group's rows.

        Such a key leads to a row that arrives unless that row is rejected, merged or held. So its rows are
        read only where one is, and then once.
        """
        for tie in ties:
            place = tie.child.flow, tie.key.name
            if not self._found_within(tie.child, tie.key) or place in self._absent:
                continue
            reader = self._derived.reader(tie.child)
            scan = ScanBuilder(reader, self._book, [], [], [tie.key]).build_for_parents()
            finder = FaultFinder(reader, scan, self._book, self._tellers, {}, None)
            await finder.run(batches.get(tie.child.flow, ()))
            self._absent[place] = finder.missing.rows.get(tie.key.name, {})

    def _found_within(self, plan: TablePlan, key: ForeignKey) -> bool:
        return leads_within(self._group.tables, plan, key)

    async def lookups_within(self, batches: Mapping[FlowId, Sequence[Batch]]) -> None:
        """Rejects rows that look up what a rejected row of the group would have been, and what falls with
        them.
        """
        plans = [p for p in self._group.tables if any(map(_looks_up_within, p.columns))]
        strangers = LookupStrangers(self._job, self._derived, self._book)
        known = -1
        while plans and known < (now := self._rejected()):
            known = now
            for plan in plans:
                await strangers.reject(plan, within=True)
            if known < self._rejected():
                await self.cascades(batches)

    def _rejected(self) -> int:
        return sum(len(self._book.rejected(plan.flow)) for plan in self._group.tables)

    async def _settled_parents(self, plan: TablePlan) -> None:
        """Rejects rows whose parent is missing in a table outside the group."""
        for key, hazard in self._foreign_keys(plan):
            if (plan.new, key.name) in self._inside:
                continue
            if self._periods.counts(plan, key):
                await self._periods.reject(plan, key, rank=0)
                continue
            with question(f"foreign key {key.name} of {plan.flow}"):
                await self._judge(plan, key, hazard)

    async def _judge(self, plan: TablePlan, key: ForeignKey, hazard: Hazard) -> None:
        """Rejects the rows of a table whose parent under one key is missing."""
        absent = self._absent.get((plan.flow, key.name))
        try:
            if absent is None:
                await self._parents.judge_some(plan, key, await self._candidates(plan, key, hazard))
        except NotAskable as why:
            self._book.note(plan.flow, f"foreign key {key.name}: {why}")
            return
        gone = self._book.rejected(plan.flow)
        left = {row: text for row, text in (absent or {}).items() if row not in gone}
        await self._parents.judge(plan, key, left, rank=0)
        await self._parents.reject_unrelated(plan, key, rank=0)
        await self._parents.reject_children_of_rejected(plan, key, rank=0)

    async def _candidates(self, plan: TablePlan, key: ForeignKey, hazard: Hazard) -> RowList:
        if self._doubted(plan, key, hazard) and self._parents.set_based(plan, key):
            return await self._parents.orphans(plan, key)
        found = RowList()
        for parent in parent_flows(self._job, plan, key).flows:
            gone = parents_absent(self._book, plan, key, parent.flow)
            found.extend(await self._parents.children(plan, key, parent, gone))
        return found

    def _foreign_keys(self, plan: TablePlan) -> list[tuple[ForeignKey, Hazard]]:
        hazards = {h.constraint: h for h in plan.hazards if h.kind is HazardKind.FOREIGN_KEY}
        keys = [key for key in foreseen_references(self._job, plan) if key.name in hazards]
        return [(key, hazards[key.name]) for key in keys if not leads_to_entry(self._job, plan, key)]

    def _doubted(self, plan: TablePlan, key: ForeignKey, hazard: Hazard) -> bool:
        """OLD may have orphans. A key that OLD holds is believed by a live run, which proves it on NEW; a
        dry run can prove it on OLD alone: rows written while triggers were off stand under a valid key. So
        can a live run that has copied nothing where such a row would change what becomes of others, or
        where another flow may bring a row of its key. (A row that NEW held before is asked for in any case.)
        """
        if hazard.new or self._arrived is Arrived.SOME:
            return True
        if self._arrived is Arrived.GROUPS_BEFORE:
            return False
        one_filler = len(self._job.fillers(key.target)) == 1
        return not (self._copied_next and one_filler) or decides_others(self._job, plan)

    def _by_row(self, plan: TablePlan, key: ForeignKey, hazard: Hazard) -> bool:
        """Returns whether every child has to be read, because OLD alone cannot find the orphans of a key.

        A half NULL key that MATCH FULL forbids is no orphan to OLD.
        """
        if self._periods.counts(plan, key) or self._found_within(plan, key):
            return False
        return not self._parents.set_based(plan, key) or (
            hazard.new and key.match_full and len(key.columns) > 1
        )

    async def _find_colliding(self) -> list[Colliding]:
        if self._colliding is None:
            kinds = (HazardKind.UNIQUE, HazardKind.EXCLUDE, HazardKind.EXISTING)
            for plan in self._group.tables:
                wanted = any(h.kind in kinds for h in plan.hazards) or any(
                    leaf.keys for leaf in self._job.after(plan).partitions
                )
                if wanted and plan.new not in self._indexes:
                    self._indexes[plan.new] = await self._known_indexes.of(self._job.after(plan))
            self._colliding = colliding(self._job, self._group.tables, self._indexes)
        return self._colliding


def _looks_up_within(mapping: ColumnMapping) -> bool:
    return isinstance(mapping.expression, Lookup) and mapping.expression.within
