"""Rows of OLD that collide with each other on a unique or exclusion index of NEW, decided in OLD key order
over all indexes at once.

Three ways to find them, the first that can: OLD groups the keys it computes itself; NEW renders keys and
64-bit hashes are compared here (``keys.py``, up to 5 000 000 rows); NEW joins the rows of a small table
with its own operators. Beyond that the table is copied as one stream in key order, and a dry run says that
it did not ask.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.derived import Derived, whole
from tranship.execution.probe.keys import KeyStore
from tranship.execution.probe.led_equal import equal_when_led
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.records import shown_keys
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import ask, json_rows, refuse_unknowable, typed
from tranship.model.expression import Rule, Take
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.plan import HazardKind, TablePlan
from tranship.model.verdict import Held, HeldAs
from tranship.planning.plan.collisions import Clique, Edge, Loser, Place, collide
from tranship.planning.printed.names import mentioned
from tranship.server.deadline import each_row
from tranship.sql.canonical import computed_on_old
from tranship.sql.new.given_rows import rows_query
from tranship.sql.new.unique_indexes import UniqueIndex, collision_query, key_part
from tranship.sql.old.rows import duplicates, in_key_order
from tranship.sql.row_id import locate

_AT_ONCE = 5_000
"""Rows that are fetched together."""
_JOINED = 100_000
"""Rows that NEW joins with themselves where an operator lets it hash or merge, or ranges form islands."""
_COMPARED = 3_000
"""Rows that NEW compares each with each."""


class Colliding(Struct, frozen=True):
    """A table of NEW with the plans that fill it and the indexes whose keys may collide within the run."""

    table: TableName
    plans: tuple[TablePlan, ...]
    indexes: tuple[UniqueIndex, ...]

    def on_old(self, index: UniqueIndex, job: Job) -> tuple[str, ...] | None:
        """Returns the index's keys as OLD computes them. None: it cannot."""
        if len(self.plans) != 1 or not index.faithful or index.predicate is not None:
            return None
        before = job.before(self.plans[0])
        keys = [computed_on_old(self.plans[0], c, before) if c is not None else None for c in index.columns]
        return tuple(key for key in keys if key is not None) if None not in keys else None

    def rendered(self, job: Job) -> tuple[UniqueIndex, ...]:
        """Returns the indexes whose keys the scan of each plan has to render."""
        return tuple(i for i in self.indexes if i.faithful and self.on_old(i, job) is None)


def colliding(
    job: Job, plans: Sequence[TablePlan], indexes: Mapping[TableName, Mapping[str, UniqueIndex]]
) -> list[Colliding]:
    """Returns the tables of a group whose rows may collide, by the plans' hazards."""
    tables = dict.fromkeys(plan.new for plan in plans)
    found = [
        _colliding(job, [plan for plan in plans if plan.new == table], indexes.get(table, {}))
        for table in tables
    ]
    return [one for one in found if one.indexes]


def _colliding(job: Job, fillers: Sequence[TablePlan], indexes: Mapping[str, UniqueIndex]) -> Colliding:
    kinds = (HazardKind.UNIQUE, HazardKind.EXCLUDE)
    names = {hazard.constraint for plan in fillers for hazard in plan.hazards if hazard.kind in kinds}
    wanted = [
        index
        for name, index in indexes.items()
        if name in names or (index.leaf and not _implied(index, fillers, job))
    ]
    return Colliding(fillers[0].new, tuple(fillers), tuple(wanted))


def _implied(index: UniqueIndex, plans: Sequence[TablePlan], job: Job) -> bool:
    """Returns whether a key of OLD makes the rows differ in the columns of a partition's own key."""
    if len(plans) != 1 or index.exclusion or plans[0].shape.items is not None:
        return False
    taken = [m.expression for m in plans[0].columns if m.column in index.columns]
    same = {e.column for e in taken if isinstance(e, Take) and e.conversion.rule is Rule.SAME}
    return any(set(key.columns) <= same and not key.deferrable for key in job.before(plans[0]).keys)


class Collisions:
    """Resolves the collisions of one table of NEW."""

    def __init__(
        self,
        job: Job,
        derived: Derived,
        book: Book,
        of: Colliding,
        stores: Mapping[tuple[int, str], KeyStore],
        rows: int,
    ) -> None:
        self._job, self._derived, self._book, self._of, self._stores, self._rows = (
            job,
            derived,
            book,
            of,
            stores,
            rows,
        )

    async def resolve(self) -> None:
        """Enters the rows that lose a collision into the book."""
        losers = await self._losers()
        if losers:
            await self._enter(losers)

    async def _losers(self) -> Sequence[Loser]:
        cliques: list[Clique] = []
        edges: list[Edge] = []
        for index in self._of.indexes:
            reader = self._job.reader_of_filled(" ".join([*index.expressions, index.predicate or ""]))
            if reader is not None:
                self._give_up(index, f"it calls {reader}, which may read tables that this run fills")
                continue
            keys = self._of.on_old(index, self._job)
            if keys is not None:
                cliques += await self._by_old(index, keys)
            elif index.faithful:
                cliques += await self._by_hash(index)
            else:
                edges += await self._by_operators(index)
        if not cliques and not edges:
            return ()
        members = itertools.chain.from_iterable(clique.members for clique in cliques)
        ends = (place for edge in edges for place in (edge.one, edge.other))
        involved = {place: place for place in itertools.chain(members, ends)}
        return collide(await self._ordered(involved), cliques, edges)

    async def _by_old(self, index: UniqueIndex, keys: tuple[str, ...]) -> list[Clique]:
        plan = self._of.plans[0]
        query = duplicates(plan, keys, nulls_not_distinct=index.nulls_not_distinct)
        found = _Members(self._book, self._of.plans)
        old = self._derived.reader(plan).old
        async for source, id_, key in each_row(old, query, at_once=_AT_ONCE):
            found.add(0, locate(source, id_), key)
        return found.cliques(index)

    async def _by_hash(self, index: UniqueIndex) -> list[Clique]:
        stores = [self._stores.get((n, index.constraint)) for n in range(len(self._of.plans))]
        known = [store for store in stores if store is not None]
        if len(known) < len(stores) or any(store.overflowed for store in known):
            self._give_up(index, "too many rows, or a value that only NEW will know")
            return []
        found = _Members(self._book, self._of.plans)
        for n, store in enumerate(known):
            rows = store.shared(known[:n] + known[n + 1 :])
            if rows:
                await self._find_keys(found, n, index, rows)
        return found.cliques(index)

    async def _find_keys(self, found: _Members, n: int, index: UniqueIndex, rows: Sequence[Locator]) -> None:
        """Adds the rows of one plan with their keys."""
        plan = self._of.plans[n]
        reader = self._derived.reader(plan)
        question = typed(self._job, plan, _columns(index, plan, self._job))
        query = rows_query(question.rows, [key_part(question.rows, index, 0, hashed=False)])
        async for chunk in reader.chosen(rows, question.positions):
            answers = await ask(reader, query, json_rows(chunk, question.positions, range(len(chunk.rows))))
            for answer in answers:
                if answer.kind == "key" and isinstance(answer.detail, str):
                    found.add(n, chunk.rows[answer.row], answer.detail)

    async def _by_operators(self, index: UniqueIndex) -> list[Edge]:
        if self._rows > (_JOINED if index.hashable or index.range is not None else _COMPARED):
            self._give_up(index, f"{self._rows} rows are too many to compare")
            return []
        try:
            return await self._pairs(index)
        except NotAskable as why:
            self._give_up(index, str(why))
            return []

    async def _pairs(self, index: UniqueIndex) -> list[Edge]:
        places: list[Place] = []
        rows: list[dict[str, int | str | None]] = []
        query = ""
        for n, plan in enumerate(self._of.plans):
            reader = self._derived.reader(plan)
            question = typed(self._job, plan, _columns(index, plan, self._job))
            # Sent as NULL, the values would collide with none.
            refuse_unknowable(reader, question)
            if query and query != collision_query(question.rows, index):
                raise NotAskable("several old tables fill it in different ways")
            query = collision_query(question.rows, index)
            gone = self._book.not_written(plan.flow)
            async for chunk in reader.chunks(whole(plan), question.positions):
                numbers = [k for k, row in enumerate(chunk.rows) if row not in gone]
                for given, k in zip(json_rows(chunk, question.positions, numbers), numbers, strict=True):
                    rows.append({**given, "i": len(places)})
                    places.append(Place(n, chunk.rows[k]))
        answers = await ask(self._derived.reader(self._of.plans[0]), query, rows, block=max(1, len(rows)))
        return [
            Edge(index.constraint, places[a.row], places[int(a.which)]) for a in answers if a.kind == "pair"
        ]

    async def _ordered(self, involved: Mapping[Place, Place]) -> list[Place]:
        """OLD key order; rows of several old tables in the plan's order of tables. The places are those that
        are given, so that none takes memory twice.
        """
        ordered: list[Place] = []
        for n, plan in enumerate(self._of.plans):
            rows = sorted(place.row for place in involved if place.plan == n)
            if rows:
                query = in_key_order(plan, self._job.before(plan), rows)
                old = self._derived.reader(plan).old
                async for source, id_ in each_row(old, query, at_once=_AT_ONCE):
                    ordered.append(involved[Place(n, locate(source, id_))])
        return ordered

    async def _enter(self, losers: Sequence[Loser]) -> None:
        indexes = {index.constraint: index for index in self._of.indexes}
        names: dict[Place, str] = {}
        for n, plan in enumerate(self._of.plans):
            rows = {loser.winner.row for loser in losers if loser.winner.plan == n}
            shown = await shown_keys(self._derived.reader(plan), rows)
            names |= {Place(n, row): shown[row] for row in rows}
        merged = await self._merged(losers, indexes)
        for loser in (one for one in losers if one not in merged):
            index = indexes[loser.constraint]
            others = loser.winner.plan != loser.place.plan
            flow = str(self._of.plans[loser.winner.plan].flow) if others else ""
            winner = names[loser.winner], flow
            reject = reasons.collision(
                loser.place.row, index.constraint, index.shown, winner, exclusion=index.exclusion
            )
            self._book.add(self._of.plans[loser.place.plan].flow, reject)

    async def _merged(self, losers: Sequence[Loser], indexes: Mapping[str, UniqueIndex]) -> set[Loser]:
        """Enters losers that only re-pointing makes equal to their winners as merged; returns them."""
        merged: set[Loser] = set()
        for n, plan in enumerate(self._of.plans):
            for index in (one for one in indexes.values() if not one.exclusion):
                mine = [
                    one
                    for one in losers
                    if one.place.plan == one.winner.plan == n and one.constraint == index.constraint
                ]
                pairs = [(one.place.row, one.winner.row) for one in mine]
                equal = await equal_when_led(self._derived.reader(plan), index.columns, pairs)
                merged |= {one for one in mine if (one.place.row, one.winner.row) in equal}
                held = [Held(row, HeldAs.MERGED, into=winner) for row, winner in sorted(equal)]
                self._book.merge(plan.flow, held)
        return merged

    def _give_up(self, index: UniqueIndex, why: str) -> None:
        for plan in self._of.plans:
            self._book.order(plan.flow)
            self._book.note(plan.flow, f"collisions on {index.constraint}: {why}")


class _Members:
    """The rows of some plans under the key that each will have."""

    def __init__(self, book: Book, plans: Sequence[TablePlan]) -> None:
        self._gone = [book.not_written(plan.flow) for plan in plans]
        self._places: dict[str, list[Place]] = {}

    def add(self, n: int, row: Locator, key: str) -> None:
        """Adds a row of the n-th plan; one that does not change NEW takes no key."""
        if row not in self._gone[n]:
            self._places.setdefault(key, []).append(Place(n, row))

    def cliques(self, index: UniqueIndex) -> list[Clique]:
        """Returns the rows that share a key."""
        shared = (places for places in self._places.values() if len(places) > 1)
        return [Clique(index.constraint, tuple(places)) for places in shared]


def _columns(index: UniqueIndex, plan: TablePlan, job: Job) -> set[str]:
    return mentioned(" ".join([*index.expressions, index.predicate or ""]), job.after(plan))
