"""Sequences of NEW, last: moved to the furthest of OLD's position, NEW's own, and the column's extreme; never back."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import asyncpg
from msgspec import Struct

from tranship.execution.failpoints import failpoint
from tranship.execution.job import Job
from tranship.model.catalog import Catalog, Sequence
from tranship.model.names import TableName
from tranship.model.plan import SequencePair
from tranship.model.resolution import Problem
from tranship.server.journal import Journal, name_text
from tranship.sql import statements
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


async def shelter(new: asyncpg.Connection, job: Job) -> list[TableName]:
    """Inside a rehearsal's transaction: sequences that its rows draw from or that it moves get storage that the rollback undoes.

    Returns those that this role does not own and that may therefore end further on.
    """
    filled = {plan.new for plan in job.plan.tables}
    moved = {pair.new for pair in job.plan.sequences}
    exposed = []
    for sequence in job.new.sequences:
        if sequence.name not in moved and not any(column.table in filled for column in sequence.used_by):
            continue
        if not sequence.owned:
            exposed.append(sequence.name)
            continue
        position = await _position(new, sequence.name)
        await new.execute(statements.restart_sequence(sequence.name, position.value))
        await new.execute(statements.set_sequence(sequence.name, position.value, called=position.called))
    return exposed


async def set_sequences(
    old: asyncpg.Connection, new: asyncpg.Connection, job: Job, journal: Journal, run: str, untouched: Collection[TableName] = ()
) -> dict[str, int]:
    """Move NEW's sequences, record before and after, and tell where each stands."""
    await failpoint("sequences.before")
    ends: dict[str, int] = {}
    for name in dict.fromkeys(pair.new for pair in job.plan.sequences):
        sequence = next((s for s in job.new.sequences if s.name == name), None)
        if sequence is None or name in untouched:
            continue
        own = await _position(new, name)
        others = [p for pair in job.plan.sequences if pair.new == name for p in await _candidates(old, new, pair, sequence)]
        end = furthest(own, others, sequence)
        ends[str(name)] = end.value
        if end != own:
            async with new.transaction():
                states = (str(own.value), own.called, str(end.value), end.called)
                await new.execute(journal.sql.insert_sequence, run, name_text(name), *states)
                await new.execute(statements.set_sequence(name, end.value, called=end.called))
            await failpoint("sequences.set")
    return ends


def missing_rights(job: Job) -> list[Problem]:
    """Sequences that may not be read or moved, with their GRANTs."""
    problems: list[Problem] = []
    for pair in job.plan.sequences:
        new = _named(job.new, pair.new)
        if new is not None and not new.owned and not {"UPDATE", "SELECT"} <= set(new.privileges):
            grant = f"GRANT SELECT, UPDATE ON SEQUENCE {relation(pair.new)} TO {ident(job.new.user)};"
            problems.append(Problem("TS369", str(pair.new), f"sequence {pair.new} of NEW may not be moved by {job.new.user}", grant))
        old = _named(job.old, pair.old) if pair.old is not None else None
        if old is not None and not old.owned and "SELECT" not in old.privileges:
            grant = f"GRANT SELECT ON SEQUENCE {relation(old.name)} TO {ident(job.old.user)};"
            problems.append(Problem("TS369", str(old.name), f"sequence {old.name} of OLD may not be read by {job.old.user}", grant))
    return list(dict.fromkeys(problems))


async def _candidates(old: asyncpg.Connection, new: asyncpg.Connection, pair: SequencePair, sequence: Sequence) -> list[Position]:
    found: list[Position] = []
    if pair.old is not None:
        found.append(await _position(old, pair.old))
    if pair.table is not None and pair.column is not None:
        extreme = await new.fetchval(statements.extreme(pair.table, pair.column, descending=sequence.increment < 0))
        if extreme is not None and extreme.lstrip("-").isdigit():
            found.append(Position(int(extreme), True))
    return found


async def _position(conn: asyncpg.Connection, name: TableName) -> Position:
    row = await conn.fetchrow(statements.sequence_state(name))
    return Position(int(row["last"]), row["called"])


def _named(catalog: Catalog, name: TableName) -> Sequence | None:
    return next((s for s in catalog.sequences if s.name == name), None)
