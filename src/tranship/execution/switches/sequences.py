"""Sequences of NEW, last: moved to the furthest of OLD's position, NEW's own, and the column's extreme; never back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import asyncpg
from msgspec import Struct

from tranship.errors.codes.privileges import SequenceNotMovable, SequenceUnreadable
from tranship.execution.active_run import ActiveRun, fence
from tranship.execution.context import Job
from tranship.execution.resilience.failpoints import failpoint
from tranship.model.catalog import Catalog, Column
from tranship.model.database_objects import Sequence
from tranship.model.names import TableName
from tranship.model.plan import SequencePair, TablePlan
from tranship.model.resolution import Problem
from tranship.model.visible import pasteable
from tranship.server.journal import name_text
from tranship.sql.expression import shipped as shipped_positions
from tranship.sql.new import sequences as sql_sequences
from tranship.sql.quote import ident, relation


class Position(Struct, frozen=True):
    """Where a sequence stands; ``called``: the value was handed out."""

    value: int
    called: bool

    def rank(self, increment: int) -> tuple[int, bool]:
        """Further is greater, in the sequence's own direction."""
        return (self.value if increment > 0 else -self.value), self.called


def furthest(own: Position, others: Iterable[Position], sequence: Sequence) -> Position:
    """The position to end at: the furthest that lies inside the sequence's bounds."""
    possible = [p for p in others if sequence.minimum <= p.value <= sequence.maximum]
    return max([own, *possible], key=lambda p: p.rank(sequence.increment))


async def shelter(new: asyncpg.Connection, job: Job) -> dict[TableName, Position | None]:
    """Inside a rehearsal's transaction: sequences that its rows may draw from or that it moves get storage that the rollback undoes.

    Returns those that this role does not own, with where they stand; None: it may not look.
    """
    drawn, anything = _drawn(job)
    moved = {pair.new for pair in job.plan.sequences}
    exposed: dict[TableName, Position | None] = {}
    for sequence in job.new.sequences:
        touched = sequence.name in moved or sequence.name in drawn
        if sequence.owned and (touched or anything):
            stands = await position(new, sequence.name)
            await new.execute(sql_sequences.restart_sequence(sequence.name, stands.value))
            await new.execute(sql_sequences.set_sequence(sequence.name, stands.value, called=stands.called))
        elif touched or (anything and sequence.privileges):
            exposed[sequence.name] = (
                await position(new, sequence.name) if "SELECT" in sequence.privileges else None
            )
    return exposed


def _drawn(job: Job) -> tuple[set[TableName], bool]:
    """The sequences of columns that NEW fills by itself, and whether some default may draw from any: it calls a function of its own."""
    left = [column for plan in job.plan.tables for column in _filled_by_new(job, plan)]
    drawn = {column.sequence for column in left if column.sequence is not None}
    return drawn, any(column.volatile_default and column.sequence is None for column in left)


def drawn_by(job: Job, plan: TablePlan) -> list[Sequence]:
    """The sequences that give each row of a table a number."""
    drawn = {column.sequence for column in _filled_by_new(job, plan) if column.sequence is not None}
    return [sequence for sequence in job.new.sequences if sequence.name in drawn]


def _filled_by_new(job: Job, plan: TablePlan) -> list[Column]:
    shipped = {plan.columns[n].column for n in shipped_positions(plan)}
    return [column for column in job.after(plan).columns if column.name not in shipped]


async def set_back(new: asyncpg.Connection, exposed: Mapping[TableName, Position | None]) -> list[TableName]:
    """After a rehearsal's rollback: what it drew from exposed sequences is undone; those where this role may not do that are returned."""
    left = []
    for name, before in exposed.items():
        if before is None:
            left.append(name)
        elif await position(new, name) != before:
            try:
                await new.execute(sql_sequences.set_sequence(name, before.value, called=before.called))
            except asyncpg.InsufficientPrivilegeError:
                left.append(name)
    return left


async def set_sequences(
    live: ActiveRun, old: asyncpg.Connection, new: asyncpg.Connection, untouched: Collection[TableName] = ()
) -> dict[str, int]:
    """Move NEW's sequences, record before and after, and tell where each stands; of ``untouched`` ones, where it would stand.

    Raises:
        Stopped: another run took over.
    """
    await failpoint("sequences.before")
    job, journal = live.context.job, live.context.journal
    ends: dict[str, int] = {}
    for name in dict.fromkeys(pair.new for pair in job.plan.sequences):
        sequence = next((s for s in job.new.sequences if s.name == name), None)
        if sequence is None:
            continue
        own = await position(new, name)
        others = [
            p
            for pair in job.plan.sequences
            if pair.new == name
            for p in await _candidates(old, new, pair, sequence)
        ]
        end = furthest(own, others, sequence)
        ends[str(name)] = end.value
        if end != own and name not in untouched:
            async with new.transaction():
                await fence(live.worker, new)
                states = (str(own.value), own.called, str(end.value), end.called)
                await new.execute(journal.sql("insert_sequence"), live.run, name_text(name), *states)
            # A rollback does not undo setval: its way back is on record before.
            async with new.transaction():
                await fence(live.worker, new)
                # Others may draw from it meanwhile: it is looked at again in the same statement.
                moving = sql_sequences.advance_sequence(
                    name, end.value, called=end.called, descending=sequence.increment < 0
                )
                await new.execute(moving)
            ends[str(name)] = (await position(new, name)).value
            await failpoint("sequences.set")
    return ends


def missing_rights(job: Job) -> list[Problem]:
    """Sequences that may not be read or moved, with their GRANTs."""
    problems: list[Problem] = []
    for pair in job.plan.sequences:
        new = _named(job.new, pair.new)
        if new is not None and not new.owned and not {"UPDATE", "SELECT"} <= set(new.privileges):
            grant = f"GRANT SELECT, UPDATE ON SEQUENCE {relation(pair.new)} TO {ident(job.new.user)};"
            problems.append(SequenceNotMovable(pair.new, job.new.user, pasteable(grant)).problem())
        old = _named(job.old, pair.old) if pair.old is not None else None
        if old is not None and not old.owned and "SELECT" not in old.privileges:
            grant = f"GRANT SELECT ON SEQUENCE {relation(old.name)} TO {ident(job.old.user)};"
            problems.append(SequenceUnreadable(old.name, job.old.user, pasteable(grant)).problem())
    return list(dict.fromkeys(problems))


async def _candidates(
    old: asyncpg.Connection, new: asyncpg.Connection, pair: SequencePair, sequence: Sequence
) -> list[Position]:
    found: list[Position] = []
    if pair.old is not None:
        found.append(await position(old, pair.old))
    if pair.table is not None and pair.column is not None:
        extreme = await new.fetchval(
            sql_sequences.extreme(pair.table, pair.column, descending=sequence.increment < 0)
        )
        if extreme is not None and extreme.lstrip("-").isdigit():
            # Beyond its bounds: the sequence ends at its last number, so that it gives none that a row has.
            found.append(Position(min(max(int(extreme), sequence.minimum), sequence.maximum), True))
    return found


async def position(conn: asyncpg.Connection, name: TableName) -> Position:
    """Where a sequence stands."""
    row = await conn.fetchrow(sql_sequences.sequence_state(name))
    return Position(int(row["last"]), row["called"])


def _named(catalog: Catalog, name: TableName) -> Sequence | None:
    return next((s for s in catalog.sequences if s.name == name), None)
