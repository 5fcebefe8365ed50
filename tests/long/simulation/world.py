"""What a simulated NEW holds: committed batches, rows and rejects, row locks, and what must hold
after every commit.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

from tranship.model.locator import Address, Locator
from tranship.model.progress import Batch
from tranship.sql.new.journal import JournalSql

if TYPE_CHECKING:
    from long.simulation.server import Session


class Known:
    """The journal's statements as attributes, which a ``match`` needs."""

    def __init__(self) -> None:
        self._sql = JournalSql("_tranship")

    def __getattr__(self, name: str) -> str:
        return self._sql(name)


class Violation(Exception):
    """An invariant does not hold."""


@dataclass
class Faults:
    """How likely things go wrong, per statement."""

    lost_request: float = 0.0
    lost_answer: float = 0.0
    fits: int | None = None
    """Rows of a COPY beyond which it is cancelled."""
    latest_zombie: float = 6.0
    """Seconds that a backend lives on after its client is gone."""
    dying_machine: float = 0.0
    """How likely the machine dies that has a batch in hand, and how likely a batch is given to both."""


@dataclass
class Row:
    """A batch of the journal."""

    lo: Address | None
    hi: Address | None
    count: int
    state: str = "todo"
    counts: tuple[Any, ...] = ()

    def holds(self, row: Locator) -> bool:
        """Whether a row lies in its range."""
        return (self.lo is None or row.address >= self.lo) and (self.hi is None or row.address < self.hi)


@dataclass
class Store:
    """What is committed."""

    epoch: int = 1
    state: str = "running"
    batches: dict[int, Row] = field(default_factory=dict)
    rows: list[Locator] = field(default_factory=list)
    rejects: list[Locator] = field(default_factory=list)


@dataclass
class Transaction:
    """What one transaction will change, and what it said so far."""

    said: str = ""
    batch: int | None = None
    epoch: int | None = None
    counts: tuple[Any, ...] | None = None
    rows: list[Locator] = field(default_factory=list)
    rejects: list[Locator] = field(default_factory=list)
    shortened: tuple[int, Address, int] | None = None
    """A batch, where it ends now, and its rows."""
    added: dict[int, Row] = field(default_factory=dict)
    raised: int | None = None
    ended: str | None = None


class World:
    """NEW, and who is connected to it."""

    def __init__(
        self,
        rng: random.Random,
        faults: Faults,
        batches: Iterable[Batch],
        every: Sequence[Locator],
        rejected: frozenset[Locator],
    ) -> None:
        """``every``: the rows of OLD."""
        self.rng = rng
        self.faults = faults
        self.every = every
        self.rejected = rejected
        self.store = Store(batches={b.number: Row(b.range.start, b.range.end, b.rows) for b in batches})
        self.sessions: list[Session] = []
        self.locks: dict[str, dict[Session, str]] = {}
        self.freed = asyncio.Event()
        self.up = True
        self.history: list[str] = []
        self.violations: list[str] = []
        self.believed: dict[str, int] = {}
        """The epoch each client got."""
        self.sql = Known()
        self.reserved = 0

    def reserve_number(self) -> int:
        """A batch number that nobody had before."""
        self.reserved = max(self.reserved, *self.store.batches) + 1
        return self.reserved

    def batch(self, number: int) -> Row:
        """A batch that is committed.

        Raises:
            Violation: there is none.
        """
        if number not in self.store.batches:
            raise Violation(f"I2: batch {number} is worked on and was never journalled")
        return self.store.batches[number]

    def crash(self) -> None:
        """Every backend is gone at once, uncommitted work with it."""
        self.history.append("crash")
        for session in list(self.sessions):
            session.end()

    async def lock(self, session: Session, what: str, mode: str, timeout: float | None) -> None:
        """Waits for a row lock."""
        deadline = asyncio.get_running_loop().time() + timeout if timeout is not None else None
        while any(s is not session and "X" in (mode, m) for s, m in self.locks.get(what, {}).items()):
            self.freed.clear()
            left = deadline - asyncio.get_running_loop().time() if deadline is not None else None
            try:
                await asyncio.wait_for(self.freed.wait(), left)
            except TimeoutError:
                raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout") from None
            if session.gone:
                raise asyncpg.AdminShutdownError("terminating connection")
        held = self.locks.setdefault(what, {})
        held[session] = "X" if "X" in (mode, held.get(session)) else mode

    def release(self, session: Session) -> None:
        """All locks of a session's transaction."""
        for holders in self.locks.values():
            holders.pop(session, None)
        self.freed.set()

    def commit(self, transaction: Transaction, client: str) -> None:
        """Makes it visible, and checks what must hold after every commit.

        Raises:
            Violation: I1 or I6 does not.
        """
        store = self.store
        if transaction.raised is not None:
            store.epoch = transaction.raised
        if transaction.ended is not None:
            store.state = transaction.ended
        if transaction.batch is not None:
            if transaction.epoch != store.epoch:
                raise Violation(
                    f"I6: {client} committed batch {transaction.batch} in epoch {transaction.epoch},"
                    f" it is {store.epoch}"
                )
            row = store.batches[transaction.batch]
            row.state, row.counts = "done", transaction.counts or row.counts
        if transaction.shortened is not None:
            self._divide(transaction, transaction.shortened, client)
        store.rows += transaction.rows
        store.rejects += transaction.rejects
        self.history.append(f"{client} committed {transaction.said} {transaction.batch}")
        self.check()

    def _divide(self, transaction: Transaction, shortened: tuple[int, Address, int], client: str) -> None:
        if transaction.epoch != self.store.epoch:
            raise Violation(
                f"I6: {client} divided batch {shortened[0]} in epoch {transaction.epoch},"
                f" it is {self.store.epoch}"
            )
        row = self.store.batches[shortened[0]]
        row.hi, row.count = shortened[1:]
        self.store.batches |= transaction.added

    def check(self) -> None:
        """Every row of a batch that is done is there exactly once, of any other not at all;
        every row is in one batch.
        """
        batches = list(self.store.batches.values())
        homes = [[batch for batch in batches if batch.holds(row)] for row in self.every]
        if any(len(home) != 1 for home in homes) or [b.count for b in batches] != [
            sum(home[0] is b for home in homes) for b in batches
        ]:
            raise Violation(f"I1: {len(batches)} batches do not cut the table's {len(homes)} rows")
        done = {row for row, (batch,) in zip(self.every, homes, strict=True) if batch.state == "done"}
        there = sorted([*self.store.rows, *self.store.rejects])
        if there != sorted(done):
            raise Violation(f"I1: done batches hold {len(done)} rows, {len(there)} are there")
        if not self.rejected.isdisjoint(self.store.rows) or not self.rejected.issuperset(self.store.rejects):
            raise Violation("I12: rows are rejected that were not to be, or the reverse")
