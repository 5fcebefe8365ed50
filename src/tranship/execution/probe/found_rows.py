"""What becomes of the rows of OLD that find a row which NEW held before the run, by a key that a person named
(the action ``existing``).

Two steps, because a row may be compared only once it is known where its parents are: :meth:`FoundRows.find`
says which row of NEW a row of OLD is, for all flows of a group; :meth:`FoundRows.settle` says what becomes of
it.

Memory: about 500 bytes per row of OLD that NEW held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.start import ExistingNotAskable
from tranship.execution.probe import reasons
from tranship.execution.probe.derived import Derived, whole
from tranship.execution.probe.matches import Match, Matcher
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import Reader, by_source
from tranship.execution.probe.reject_book import Book
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.shape import Existing, ExistingRows
from tranship.model.verdict import Held, HeldAs, Reject
from tranship.planning.plan.found import found_by
from tranship.planning.plan.led_children import referred_in_old
from tranship.sql.new.existing import places_written
from tranship.sql.new.given_rows import held_rows
from tranship.sql.old.rows import in_key_order, own_keys
from tranship.sql.row_id import locate


class FoundRows:
    """Finds the rows of one flow that NEW held before the run, and enters them into the book."""

    def __init__(self, derived: Derived, plan: TablePlan, book: Book, existing: Existing) -> None:
        self._reader, self._plan, self._book, self._existing = derived.reader(plan), plan, book, existing
        job = self._reader.job
        self._by = found_by(existing, plan, job.new)
        # A rejects-only run looks for all rows: those that it does not move have found theirs before.
        self._again = job.taken(plan.flow) is not None
        asking = _before_them(derived, plan) if self._again else self._reader
        self._matcher = Matcher(asking, existing, self._by)
        self._asked = asking
        self._found: dict[Locator, Match] = {}

    async def find(self, batches: Sequence[Batch]) -> None:
        """Finds NEW's row for each row of OLD; in the modes that do not compare, that settles it.

        Raises:
            Refused: the key finds several rows of NEW, or NEW cannot be asked.
        """
        if not await self._reader.new.fetchval(held_rows(self._asked.job.after(self._plan), 1)):
            return
        try:
            matches = await self._matcher.find(whole(self._asked.plan) if self._again else batches)
            # A row that is merged into another finds nothing by itself: its survivor does.
            gone = self._book.absent(self._plan.flow)
            matches = {row: match for row, match in matches.items() if row not in gone}
            if self._again:
                await self._leave(matches)
            else:
                self._found = matches
            await self._claim()
        except NotAskable as why:
            raise Refused(ExistingNotAskable(self._plan.flow, self._plan.new, str(why))) from why
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
        """Enters what becomes of each row of OLD, by how the row of NEW that it found differs.

        A row that NEW cannot read is left to the data checks, which say why.

        Raises:
            Refused: NEW cannot be asked.
        """
        if self._existing.rows not in (ExistingRows.SAME, ExistingRows.UPDATE):
            return
        outcomes = {False: HeldAs.ALREADY_THERE, True: HeldAs.UPDATED}
        held, left = list[Held](), list[Locator]()
        for row, found in self._found.items():
            if found.differs is None:
                left.append(row)
            elif found.told:
                self._settle(row, found.told)
            else:
                held.append(Held(row, outcomes[found.differs], found.key))
        self._book.restore_held(self._plan.flow, held)
        try:
            if left:
                async for row, columns in self._matcher.differing(left):
                    self._settle(row, columns)
        except NotAskable as why:
            raise Refused(ExistingNotAskable(self._plan.flow, self._plan.new, str(why))) from why

    async def _leave(self, found: Mapping[Locator, Match]) -> None:
        """Leaves to rows of earlier runs what they found, and rejects those of this run that find it, too."""
        job, mine = self._reader.job, Chosen(self._plan)
        xids = job.updated_before.get(self._plan.new, ())
        updated = places_written(job.after(self._plan), xids)
        # Whoever found them then may be gone from OLD.
        taken = {record[0] for record in await self._reader.new.fetch(updated)} if xids else set()
        taken.update(match.place for row, match in found.items() if row not in mine)
        self._found = {row: match for row, match in found.items() if row in mine}
        await self._reject_late([row for row, match in self._found.items() if match.place in taken])

    async def _claim(self) -> None:
        """Gives each row of NEW to the first row of OLD that found it, in OLD key order.

        The others are rejected.
        """
        first: dict[str, Locator] = {}
        sharing: dict[str, list[Locator]] = {}
        for row, found in self._found.items():
            other = first.setdefault(found.place, row)
            if other is not row:
                sharing.setdefault(found.place, [other]).append(row)
        flow = self._plan.flow
        alone = {place: row for place, row in first.items() if place not in sharing}
        late = self._book.claim_all(flow, alone)
        for place, rows in sharing.items():
            late += [row for row in await self._in_order(rows) if not self._book.claim(flow, place, row)]
        await self._reject_late(late)

    async def _reject_late(self, late: Sequence[Locator]) -> None:
        """Rejects rows of which another row of OLD has found the row of NEW."""
        named = await self._matcher.details([row for row in late if not self._found[row].shown])
        for row in late:
            found = self._found.pop(row)
            shown = found.shown or named[row].shown
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

    def _reject(self, reject: Reject) -> None:
        self._book.add(self._plan.flow, reject)


class Chosen:
    """The rows that a flow of a rejects-only run moves."""

    def __init__(self, plan: TablePlan) -> None:
        self._only = [set(source.only or ()) for source in plan.sources]
        self._items = [set(source.items) for source in plan.sources]

    def __contains__(self, row: Locator) -> bool:
        items = self._items[row.source]
        wanted = not items or not items.isdisjoint(((row.address, 0), (row.address, row.item)))
        return wanted and row.address in self._only[row.source]


def _before_them(derived: Derived, plan: TablePlan) -> Reader:
    """Returns a reader of all rows of a flow that asks a NEW without what earlier runs added."""
    reader = derived.of_all_rows.reader(plan.unrestricted)
    job = reader.job
    added = job.written_before.get(plan.new, ())
    tables = (replace(t, leaving=(*t.leaving, *added)) if t.name == plan.new else t for t in job.new.tables)
    return replace(reader, job=replace(job, new=replace(job.new, tables=tuple(tables))))
