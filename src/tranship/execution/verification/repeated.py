"""What a live run compares beside its sums, done once more with OLD as it is now: the second opinion, and the
rows that NEW held before the run.

Only row versions that the run's snapshot showed are looked at. Where that cannot be told, or OLD cannot be
read, what the run itself said stands, with the reason why it was not repeated.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.errors import TranshipError
from tranship.execution.probe.lookup_changes import contents, fixed_lookups
from tranship.execution.probe.reading import by_source
from tranship.execution.proof.as_it_was import Seen, as_it_was
from tranship.execution.proof.new_rows import Runs
from tranship.execution.proof.one_reader import OneReader
from tranship.execution.proof.rows_before import BeforeResult, HeldRows, OldSince
from tranship.execution.proof.second_opinion import Compare, OpinionResult, none_of
from tranship.execution.verification.old_now import OldSide
from tranship.execution.verification.recorded import Recorded
from tranship.execution.verification.scene import Found, Scene
from tranship.model.difference import Difference, DifferenceKind, Proof, RowsBefore, SecondOpinion
from tranship.model.expression import Lookup, old_columns
from tranship.model.locator import Locator
from tranship.model.names import Side
from tranship.model.plan import Plan, TablePlan
from tranship.model.verdict import Held, HeldAs
from tranship.server.catalog import read_catalog
from tranship.server.journal import BatchRow
from tranship.server.old_reader import PostgresReader
from tranship.server.snapshot import Mark
from tranship.server.trouble import DATABASE_TROUBLE, spoken
from tranship.sql.old.rows import which_of
from tranship.sql.old.values_written import seen_by
from tranship.sql.row_id import parse

_HELD = (HeldAs.ALREADY_THERE, HeldAs.UPDATED)
_NOTHING_SAID = Proof(0, ())


class Cannot(Exception):
    """Something of a run cannot be done once more; ``str()`` says why."""


class Repeating(Struct, frozen=True):
    """One flow of a run, whose rows in NEW are read in one transaction."""

    scene: Scene
    flow: Recorded
    plan: TablePlan
    whole: Plan
    """The plan of the run."""
    updated_by: frozenset[int]
    """Transactions, 32 bits, in which other flows gave rows of NEW other values, as their decisions say."""

    async def rows_before(self, runs: Runs) -> BeforeResult:
        """Compares the rows that NEW held before the run once more."""
        if not any(batch.read > batch.written + batch.rejected for batch in self.flow.done):
            return BeforeResult(self._proof.rows_before, [])
        try:
            old = await self._old()
            async with self._answering():
                return await self._before(old, runs)
        except Cannot as why:
            return BeforeResult(self.not_repeated(str(why)), [])

    def not_repeated(self, why: str) -> RowsBefore | None:
        """Returns what the run said of the rows that NEW held before, with why this is not repeated."""
        said = self._proof.rows_before
        compared = said is not None and said.compared + said.not_compared > 0
        return replace(said, not_repeated=why) if said is not None and compared else said

    async def with_opinion(self, found: Found) -> Found:
        """Returns what was found with the second opinion. Where rows differ, there is nothing to be
        confirmed; those that others changed are named already.
        """
        if not all(one.by_others and one.key is not None for one in found.differences):
            return found
        said, differences = await self._second_opinion()
        known = [one.key for one in found.differences]
        more = [one for one in differences if one.key not in known]
        return replace(found, differences=[*found.differences, *more], second_opinion=said)

    async def _second_opinion(self) -> tuple[SecondOpinion, Sequence[Difference]]:
        try:
            old = await self._old()
            async with self._answering():
                return await self._opinion(old)
        except Cannot as why:
            return self._recorded(str(why))

    @property
    def _proof(self) -> Proof:
        return self.flow.task.proof or _NOTHING_SAID

    def _recorded(self, why: str) -> tuple[SecondOpinion, Sequence[Difference]]:
        """Returns what the run itself said. NEW still holds what it wrote, also where that was wrong: with
        a second opinion on record, no other differences are its own.
        """
        said = self._proof.second_opinion
        if said is None:
            return none_of(self.plan, why).said, ()
        wrong = tuple(one for one in self._proof.differences if not one.by_others)
        return replace(said, not_repeated=why), wrong

    async def _old(self) -> OldSide:
        """Returns OLD as it is now, if it can say what the run read.

        Raises:
            Cannot: it cannot.
        """
        old, then = await self.scene.old.side(), Mark.of(self.flow.run.snapshot)
        if old is None:
            raise Cannot(f"OLD cannot be read: {self.scene.old.trouble}")
        if old.identity != self.flow.run.old_identity:
            raise Cannot("OLD is another database than the one of its run")
        if self.flow.run.mixed:
            raise Cannot("its run read OLD in several snapshots")
        if then.unseen_from(old.snapshot.mark) is None:
            raise Cannot("OLD no longer tells which of its rows the run saw")
        if old.catalog.table(self.plan.old) is None:
            raise Cannot("OLD has no such table any more")
        lacking = self._lacking(old)
        if lacking:
            raise Cannot(f"OLD has no column {lacking} any more")
        return old

    def _lacking(self, old: OldSide) -> str:
        """Returns an old column of the flow that OLD has no more; empty: it has all."""
        table = self.scene.job("", old).before(self.plan)
        names = (name for mapping in self.plan.columns for name in old_columns(mapping.expression))
        return next((name for name in names if table.column(name) is None), "")

    @property
    def _then(self) -> Mark:
        return Mark.of(self.flow.run.snapshot)

    @property
    def _unchanged(self) -> tuple[str, ...]:
        """The conditions of row versions that the run's snapshot showed."""
        # The list of open transactions lacks their subtransactions, which are all later than the oldest.
        return seen_by(self._then.oldest, ())

    async def _opinion(self, old: OldSide) -> tuple[SecondOpinion, Sequence[Difference]]:
        """Returns the second opinion."""
        job, plan = self.scene.job(self.flow.run.id, old), self.plan
        gone = frozenset([row async for row in self._not_copied()])
        chosen = any(source.only is not None for source in plan.sources)
        async with OneReader(old.snapshot) as reader:
            # The rows of a query lie nowhere, and none of their values is computed again.
            if (gone or chosen) and plan.shape.in_a_heap:
                await self._check_places(old, reader)
            rows = sum(batch.read for batch in self.flow.done)
            unchanged = () if self._as_then(old) else self._unchanged
            compare = Compare(job, plan, rows, gone, unchanged=unchanged, updated_by=self.updated_by)
            result = await compare.result(reader, self.scene.new)
            if result.differences and not await self._lookups_kept(reader):
                compare = replace(compare, lookups_kept=frozenset[Side]())
                result = await compare.result(reader, self.scene.new)
        return await self._confirmed(old, result)

    def _as_then(self, old: OldSide) -> bool:
        """Returns whether nothing was written in OLD's whole cluster since."""
        return old.snapshot.mark.nothing_ended_since(self._then)

    async def _confirmed(
        self, old: OldSide, result: OpinionResult
    ) -> tuple[SecondOpinion, Sequence[Difference]]:
        """Returns what is found without what may be due to another schema of OLD, or to a filter that takes
        other rows by now.
        """
        said, found, filtered = result.said, result.differences, self.plan.shape.filter
        if found:
            await self._check_schema(old)
        if filtered is not None and filtered.where:
            left = tuple(one for one in found if one.kind is not DifferenceKind.MISSING)
            if len(left) < len(found):
                why = "rows that its filter takes by now, and did not take then"
                said = replace(said, apart=(*said.apart, f"{self.plan.flow}: {len(found) - len(left)} {why}"))
            found = left
        return said, found

    async def _check_schema(self, old: OldSide) -> None:
        """Raises `Cannot` where OLD's schema is another one than that of the plan: a column of the same name
        may hold something else.
        """
        async with old.snapshot.reader() as conn:
            schemas, journal = self.scene.old.schemas, self.scene.journal.schema
            now = await read_catalog(conn, schemas, journal_schema=journal)
        if now.fingerprint != self.whole.old_fingerprint:
            raise Cannot("OLD's schema was changed since, and with it rows look otherwise")

    async def _lookups_kept(self, reader: OneReader) -> bool:
        """Returns whether all tables in which the flow's values are looked up hold what they held then."""
        (group,) = (one for one in self.whole.groups if self.plan.flow in [p.flow for p in one.tables])
        used = fixed_lookups(group, self.plan)
        if len(used) < len({m.expression for m in self.plan.columns if isinstance(m.expression, Lookup)}):
            return False
        try:
            now = await contents(used, await reader.on(None), self.scene.new)
        except asyncpg.PostgresError:
            await reader.close()
            return False
        return now == self.flow.task.lookups

    async def _check_places(self, old: OldSide, reader: OneReader) -> None:
        """Raises `Cannot` where rows may lie elsewhere than the run saw them."""
        conn, task = PostgresReader(await reader.on(None)), self.flow.task
        if self._as_then(old):
            return
        try:
            moved = [await conn.rewritten(source, self._then.oldest) for source in self.plan.sources]
            if any(moved):
                rows = task.rows if task.old_rows is None else task.old_rows
                seen = Seen(self.plan, rows, task.digest)
                moved = [not await as_it_was(conn, old.snapshot.mark, self._then, seen)]
        except DATABASE_TROUBLE as error:
            await reader.close()
            raise Cannot(spoken(error)) from error
        if any(moved):
            raise Cannot("OLD wrote the table anew since, so that rejected rows are not known there")

    async def _not_copied(self) -> AsyncIterator[Locator]:
        """Yields the rows that the run did not add to NEW."""
        for batch in self.flow.done:
            if batch.read > batch.written:
                rows = await self.scene.journal.not_copied(self.scene.new, self.flow.run.id, batch)
                for row in rows:
                    yield row

    @contextlib.asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Holds a savepoint in NEW.

        Raises:
            Cannot: inside of it a server did not answer.
        """
        try:
            async with self.scene.new.transaction():
                yield
        except TranshipError as error:
            raise Cannot(error.message) from error
        except DATABASE_TROUBLE as error:
            if self.scene.new.is_closed():
                raise
            raise Cannot(spoken(error)) from error

    async def _before(self, old: OldSide, runs: Runs) -> BeforeResult:
        """Compares the rows that NEW held."""
        held, changed = await self._held(old)
        job = self.scene.job(self.flow.run.id, old)
        rows = HeldRows(job, self.plan, held, runs, self.updated_by, OldSince(changed))
        result = await rows.compared(old.snapshot, self.scene.new)
        if result.differences:
            await self._check_schema(old)
        return result

    async def _held(self, old: OldSide) -> tuple[dict[Locator, Held], int]:
        """Returns the rows of OLD that stand for rows which NEW held before, and how many others of them OLD
        changed since.
        """
        if self.plan.shape.query is not None:
            raise Cannot("its rows are those of a query")
        if self.plan.repointing is not None:
            raise Cannot("its references lead elsewhere")
        held = await self._held_then()
        async with OneReader(old.snapshot) as reader:
            await self._check_places(old, reader)
            if self._as_then(old):
                return held, 0
            conn, there = await reader.on(None), set[Locator]()
            for group in by_source(held):
                records = await conn.fetch(which_of(self.plan, group, self._unchanged))
                there |= {parse(group[0].source, record["id"]) for record in records}
        gone = sum(one.outcome in _HELD for row, one in held.items() if row not in there)
        return {row: one for row, one in held.items() if row in there}, gone

    async def _held_then(self) -> dict[Locator, Held]:
        """Returns the rows that NEW held, by the journal."""
        some = [batch for batch in self.flow.done if batch.read > batch.written + batch.rejected]
        return {one.row: one for batch in some for one in await self._held_in(batch)}

    async def _held_in(self, batch: BatchRow) -> list[Held]:
        journal, new, run = self.scene.journal, self.scene.new, self.flow.run.id
        predicted = await journal.predicted_in(new, run, batch.position, batch.batch)
        rejected = {*await journal.rejected_in(new, run, batch), *(one.row for one in predicted.rejects)}
        return [one for one in predicted.held if one.row not in rejected and one.into is None]
