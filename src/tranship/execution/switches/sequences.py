"""The sequences of NEW, which a run moves last.

Each goes to the furthest of OLD's position, NEW's own, and the largest value of its column; none ever goes
back.
"""

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
from tranship.server.journal import Journal, name_text
from tranship.sql.expression import shipped as shipped_positions
from tranship.sql.new import sequences as sql_sequences
from tranship.sql.quote import ident, relation

_AT_ONCE = 100
"""Sequences that one statement reads or moves."""


class Position(Struct, frozen=True):
    """Where a sequence stands. ``called``: the value was handed out already (``is_called`` of ``setval``)."""

    value: int
    called: bool

    def rank(self, increment: int) -> tuple[int, bool]:
        """Returns a key for comparisons: further in the sequence's own direction is greater."""
        return (self.value if increment > 0 else -self.value), self.called


def furthest(own: Position, others: Iterable[Position], sequence: Sequence) -> Position:
    """Returns the furthest position that lies inside the sequence's bounds."""
    possible = [p for p in others if sequence.minimum <= p.value <= sequence.maximum]
    return max([own, *possible], key=lambda p: p.rank(sequence.increment))


async def shelter(new: asyncpg.Connection, job: Job) -> dict[TableName, Position | None]:
    """Gives sequences that a rehearsal uses new storage in its transaction, which the rollback undoes.

    ``nextval`` and ``setval`` alone survive a rollback (PostgreSQL documentation, "Sequence Manipulation
    Functions"). Returns the sequences for which that is not possible, because this role does not own them,
    with their positions; None where it may not read the position.
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
    """Returns the sequences of columns that NEW fills, and whether a default may use any sequence at all.

    A default that calls a function may.
    """
    left = [column for plan in job.plan.tables for column in filled_by_new(job, plan)]
    drawn = {column.sequence for column in left if column.sequence is not None}
    return drawn, any(column.volatile_default and column.sequence is None for column in left)


def drawn_by(job: Job, plan: TablePlan) -> list[Sequence]:
    """Returns the sequences that give each row of a table a number."""
    drawn = {column.sequence for column in filled_by_new(job, plan) if column.sequence is not None}
    if not drawn:
        return []
    return [sequence for sequence in job.new.sequences if sequence.name in drawn]


def filled_by_new(job: Job, plan: TablePlan) -> list[Column]:
    """Returns the columns of a flow's table for which the run sends no values."""
    shipped = {plan.columns[n].column for n in shipped_positions(plan)}
    return [column for column in job.after(plan).columns if column.name not in shipped]


async def keep_positions(new: asyncpg.Connection, journal: Journal, run: str, job: Job) -> None:
    """Journals where the sequences stand from which the rows of a run are about to draw numbers: a rollback
    sets them back there. Those that this role may not set are left out.
    """
    drawn, _ = _drawn(job)
    settable = [one for one in job.new.sequences if one.owned or {"SELECT", "UPDATE"} <= set(one.privileges)]
    stands = await positions(new, [one.name for one in settable if one.name in drawn])
    rows = [(run, name_text(name), *_state(own), *_state(own)) for name, own in stands.items()]
    await new.executemany(journal.sql("insert_sequence"), rows)


async def _keep_drawn(live: ActiveRun, new: asyncpg.Connection) -> None:
    """Journals where the sequences stand from which the run has drawn, of those of `keep_positions`."""
    journal = live.context.journal
    kept = [moved.name for moved in await journal.sequences(new, live.run)]
    drawn, _ = _drawn(live.context.job)
    stands = await positions(new, [name for name in kept if name in drawn])
    rows = [(live.run, name_text(name), *_state(at)) for name, at in stands.items()]
    async with new.transaction():
        await fence(live.worker, new)
        await new.executemany(journal.sql("left_sequence"), rows)


async def set_back(new: asyncpg.Connection, exposed: Mapping[TableName, Position | None]) -> list[TableName]:
    """Sets sequences back after a rehearsal's rollback. Returns those that this role may not set."""
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


class _Move(Struct, frozen=True):
    """Where a sequence of NEW stands, and where it has to go."""

    name: TableName
    own: Position
    end: Position
    descending: bool


async def set_sequences(
    live: ActiveRun, new: asyncpg.Connection, untouched: Collection[TableName] = ()
) -> dict[str, int]:
    """Moves NEW's sequences and journals their positions before and after.

    Returns where each one stands; of ``untouched`` ones, where it would stand.

    Raises:
        Stopped: another run took over.
    """
    await failpoint("sequences.before")
    known = {sequence.name: sequence for sequence in live.context.job.new.sequences}
    pairs, ends = _by_sequence(live.context.job, known), dict[str, int]()
    names = list(pairs)
    for first in range(0, len(names), _AT_ONCE):
        some = {name: pairs[name] for name in names[first : first + _AT_ONCE]}
        moves = await _moves(live, new, some, known)
        ends |= {str(move.name): move.end.value for move in moves}
        due = [move for move in moves if move.end != move.own and move.name not in untouched]
        if due:
            await _carry_out(live, new, due)
            now = await positions(new, [move.name for move in due])
            ends |= {str(name): there.value for name, there in now.items()}
            await failpoint("sequences.set")
    await _keep_drawn(live, new)
    return ends


def _by_sequence(job: Job, known: Collection[TableName]) -> dict[TableName, list[SequencePair]]:
    """Returns what moves each sequence of NEW."""
    pairs: dict[TableName, list[SequencePair]] = {}
    for pair in job.plan.sequences:
        if pair.new in known:
            pairs.setdefault(pair.new, []).append(pair)
    return pairs


async def _moves(
    live: ActiveRun,
    new: asyncpg.Connection,
    pairs: Mapping[TableName, Iterable[SequencePair]],
    known: Mapping[TableName, Sequence],
) -> list[_Move]:
    """Returns where some sequences have to go."""
    flat = [pair for mine in pairs.values() for pair in mine]
    # A transaction of its own: it keeps the lock of every sequence that it reads.
    async with live.snapshot.reader() as old:
        of_old = await positions(old, [pair.old for pair in flat if pair.old is not None])
    own, columns = await positions(new, list(pairs)), await extremes(new, flat, known)
    moves = []
    for name, mine in pairs.items():
        others = [of_old[pair.old] for pair in mine if pair.old is not None]
        others += [columns[pair] for pair in mine if pair in columns]
        end = furthest(own[name], others, known[name])
        moves.append(_Move(name, own[name], end, known[name].increment < 0))
    return moves


async def extremes(
    new: asyncpg.Connection, pairs: Iterable[SequencePair], known: Mapping[TableName, Sequence]
) -> dict[SequencePair, Position]:
    """Returns the furthest values of the columns that sequences number."""
    asked = [pair for pair in pairs if pair.table is not None and pair.column is not None]
    parts = [
        sql_sequences.extreme(pair.table, pair.column, descending=known[pair.new].increment < 0)
        for pair in asked
        if pair.table is not None and pair.column is not None
    ]
    found = {}
    for row in await new.fetch(sql_sequences.numbered(parts)) if parts else ():
        pair, extreme = asked[row["n"]], row["extreme"]
        if extreme is not None and extreme.lstrip("-").isdigit():
            # A value beyond the bounds moves the sequence to its end, so that it gives no number that a row
            # has.
            sequence = known[pair.new]
            found[pair] = Position(min(max(int(extreme), sequence.minimum), sequence.maximum), True)
    return found


async def _carry_out(live: ActiveRun, new: asyncpg.Connection, moves: Iterable[_Move]) -> None:
    """Moves sequences, and journals that first."""
    journal, moves = live.context.journal, list(moves)
    async with new.transaction():
        await fence(live.worker, new)
        rows = [(live.run, name_text(move.name), *_state(move.own), *_state(move.end)) for move in moves]
        await new.executemany(journal.sql("insert_sequence"), rows)
    # A transaction of its own: the record has to be committed before setval, which no rollback undoes.
    async with new.transaction():
        await fence(live.worker, new)
        # Others may use the sequences meanwhile, so each statement looks at the position again.
        moving = (
            sql_sequences.advance_sequence(
                move.name, move.end.value, called=move.end.called, descending=move.descending
            )
            for move in moves
        )
        await new.execute("; ".join(moving))


def _state(at: Position) -> tuple[str, bool]:
    return str(at.value), at.called


def missing_rights(job: Job) -> list[Problem]:
    """Returns the sequences that this role may not read or move, with their GRANTs."""
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


async def positions(conn: asyncpg.Connection, names: Collection[TableName]) -> dict[TableName, Position]:
    """Returns where sequences stand, in one statement; the caller bounds their number."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    rows = await conn.fetch(sql_sequences.numbered([sql_sequences.sequence_state(name) for name in wanted]))
    return {wanted[row["n"]]: Position(int(row["last"]), row["called"]) for row in rows}


async def position(conn: asyncpg.Connection, name: TableName) -> Position:
    """Returns where a sequence stands."""
    row = await conn.fetchrow(sql_sequences.sequence_state(name))
    return Position(int(row["last"]), row["called"])


def _named(catalog: Catalog, name: TableName) -> Sequence | None:
    return next((s for s in catalog.sequences if s.name == name), None)
