"""What the journal holds, as values."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec import Struct

from tranship.model.difference import Proof
from tranship.model.digest import Sums
from tranship.model.flow import FlowId
from tranship.model.locator import Address, Locator
from tranship.model.names import TableName
from tranship.model.progress import Batch, OldRows, Phase
from tranship.model.undo import IndexDropped, SwitchedOff
from tranship.model.verdict import Held, HeldAs, LossCount, Reject, ToleratedCount
from tranship.sql.row_id import render_address


class RunStatus(StrEnum):
    """Where a run stands by the journal; one that is killed stays ``running``."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class DecidedBy(Struct, frozen=True):
    """Who began a run, and by which decisions."""

    os_user: str
    role: str
    """The role that logged in to NEW."""
    resolutions: str | None = None
    """Name of the resolutions file; None: nothing was decided by hand."""
    resolutions_sha256: str | None = None
    again: str = ""
    """The command that resumes the run; empty: a journal of an earlier version does not say it."""


class Run(Struct, frozen=True):
    """One run as the journal knows it."""

    id: str
    format: int
    """Of the journal that it began in; a run of format 1 has no plan."""
    old_identity: str
    new_identity: str
    plan_hash: str
    epoch: int
    host: str
    pid: int
    state: RunStatus
    snapshot: str
    """Where the snapshot it reads stands: :class:`Mark` as text."""
    mixed: bool
    """Some tables were read in another snapshot than others, as a person allowed."""
    left_out: dict[str, int]
    tool_version: str
    started: datetime.datetime
    finished: datetime.datetime | None
    silent_seconds: float
    backends: tuple[int, ...]
    phase: Phase = Phase.COPY
    decided_by: DecidedBy | None = None
    hashing: str | None = None
    """How its rows are hashed for the proof; None: they are not."""


class RolledBack(Struct, frozen=True):
    """A run that was rolled back, of which the journal holds nothing else any more."""

    id: str
    at: datetime.datetime
    stays: int
    """Rows of its tables that others wrote or changed since it began, and that stayed."""
    decided_by: DecidedBy | None = None

    @property
    def again(self) -> str:
        """The command that began the run; empty: it is not on record."""
        return self.decided_by.again if self.decided_by is not None else ""


class Findings(Struct, frozen=True):
    """What the data checks found about a table, its rejects apart."""

    losses: tuple[LossCount, ...] = ()
    not_asked: tuple[str, ...] = ()
    ordered_stream: bool = False
    gone: int = 0
    """Of a rejects-only run: rejected rows that are no longer in OLD."""
    tolerated: tuple[ToleratedCount, ...] = ()
    not_alone: str | None = None
    """Why rejected rows of the flow cannot be moved without the others; None: they can."""

    @property
    def tolerated_by(self) -> tuple[tuple[str, int], ...]:
        """Constraints of NEW with the rows that break each and are kept by decision."""
        return tuple((one.constraint, one.rows) for one in self.tolerated)


class RelationIdentity(Struct, frozen=True):
    """What tells a relation of NEW from another of the same name."""

    oid: int
    filenode: int | None
    """The file that holds its rows: another one after TRUNCATE and rewrites. None: a partitioned table."""
    persistence: str
    """``p``, or ``u``: unlogged, a crash of the server empties it."""

    @property
    def lasting(self) -> bool:
        """Whether a crash of the server leaves the rows; of a partitioned table nobody says."""
        return self.persistence == "p" and self.filenode is not None


class TaskRow(Struct, frozen=True):
    """One flow of a run."""

    position: int
    flow: FlowId
    plan_hash: str
    done: bool
    rows: int
    digest: str
    findings: Findings
    format: str
    old_rows: int | None = None
    """Rows of OLD behind ``rows``; None: they are the same rows."""
    relation: RelationIdentity | None = None
    """NEW's relation before it received the first row; None: nothing was written, or format 1."""
    proof: Proof | None = None
    """What the last verification says of its rows in NEW; None: there was none."""
    rejects_of: str | None = None
    """The run whose rejected rows a rejects-only run moves; None in every other run."""
    lookups: str | None = None
    """Hash of what its lookup tables held at its first row; None: it has none yet."""

    @property
    def unsettled(self) -> tuple[str, ...]:
        """The checks that were not possible beforehand and whose outcome is not known yet. Each of them is
        about rows that NEW refuses: once it has taken or refused every row of the flow, there is none.
        """
        return () if self.done else self.findings.not_asked


Chain = tuple[tuple[Run, TaskRow], ...]
"""The finished runs that moved one flow together: the one that moved all its rows, then each rejects-only
run, which moved what the one before it had rejected.
"""


class BatchRow(Struct, frozen=True):
    """One batch of a run: its range, and once done what became of it."""

    position: int
    batch: Batch
    done: bool
    read: int
    written: int
    rejected: int
    bytes: int
    seconds: float
    xids: tuple[int, ...]
    sums: Sums | None = None
    """Over the rows as NEW should hold them; None: they were not hashed."""
    rolling_back: bool = False
    """The rollback of its rows has begun: some are gone, some may still be there."""
    kept: int = 0
    """Rows for which NEW's own row stays."""
    updated: int = 0
    """Rows whose values replaced those of NEW's row."""
    update_xids: tuple[int, ...] = ()
    """The transactions of those updates, each a savepoint's: 32 bits."""
    merged: int = 0
    """Rows that were merged into others."""
    committed: datetime.datetime | None = None
    """When it was counted, moments before its COMMIT; None: not yet, or format 1, which does not say it."""
    uncounted: bool = False
    """It is no batch, but the rest of a source that is not cut into batches yet; its rows are an estimate."""

    @property
    def due(self) -> Sums:
        """The sums over what NEW should hold of it; none where they were not computed."""
        return self.sums or Sums()

    @property
    def already_there(self) -> int:
        """Rows that NEW held before the run, equal in every column: all others are counted."""
        counted = self.written + self.rejected + self.kept + self.updated + self.merged
        return self.read - counted


class Alike(Struct, frozen=True):
    """Rows of one flow that have the same outcome, and of which nothing else is on record."""

    outcome: HeldAs
    rows: tuple[Locator, ...]
    """In order."""


class Predicted(Struct, frozen=True):
    """What the data checks said of a batch's rows that are not copied."""

    rejects: tuple[Reject, ...] = ()
    apart: tuple[Held, ...] = ()
    """Rows that no row is added to NEW for, each with what is on record of it."""
    alike: tuple[Alike, ...] = ()
    """The others of those."""

    @property
    def held(self) -> tuple[Held, ...]:
        """All rows that no row is added to NEW for, in order."""
        alike = (Held(row, some.outcome) for some in self.alike for row in some.rows)
        return tuple(sorted((*self.apart, *alike), key=lambda one: one.row))

    @property
    def rows(self) -> list[Locator]:
        """The rows that the batch does not add to NEW."""
        return [*self.updated, *self.not_updated]

    @property
    def updated(self) -> list[Locator]:
        """The rows whose values replace those of NEW's row."""
        return self._held(lambda outcome: outcome is HeldAs.UPDATED)

    @property
    def not_updated(self) -> list[Locator]:
        """The rows that change nothing in NEW."""
        staying = self._held(lambda outcome: outcome is not HeldAs.UPDATED)
        return [*(reject.row for reject in self.rejects), *staying]

    def _held(self, wanted: Callable[[HeldAs], bool]) -> list[Locator]:
        alike = [row for some in self.alike if wanted(some.outcome) for row in some.rows]
        return [*(one.row for one in self.apart if wanted(one.outcome)), *alike]

    def count(self, outcome: HeldAs) -> int:
        """Returns the number of rows with an outcome."""
        alike = sum(len(some.rows) for some in self.alike if some.outcome is outcome)
        return alike + sum(one.outcome is outcome for one in self.apart)

    def __len__(self) -> int:
        return len(self.rejects) + len(self.apart) + sum(len(some.rows) for some in self.alike)

    def within(self, batch: Batch) -> Predicted:
        """Returns what is said of the rows of a part of the batch."""
        alike = ((some.outcome, batch.among(some.rows)) for some in self.alike)
        return Predicted(
            tuple(reject for reject in self.rejects if reject.row in batch),
            tuple(one for one in self.apart if one.row in batch),
            tuple(Alike(outcome, rows) for outcome, rows in alike if rows),
        )


class BatchReject(Struct, frozen=True):
    """A reject as journalled, without the old row."""

    position: int
    batch: int
    reject: Reject


class RejectRow(Struct, frozen=True):
    """A rejected row as journalled; key and row are JSON text in UTF-8."""

    position: int
    batch: int
    reject: Reject
    key: bytes | None
    row: bytes


class Undo(Struct, frozen=True):
    """Something of NEW that is switched off, and how it is restored."""

    run: str
    seq: int
    what: str
    sql: str
    """What restores it, composed from the facts; of an unreadable entry what the journal holds, which is
    never executed.
    """
    off: SwitchedOff
    server: str = ""
    """The database in which the run began, where OIDs and column numbers of the entry mean something."""

    @property
    def index(self) -> IndexDropped | None:
        """The index that is gone; None: something else is off."""
        return self.off if isinstance(self.off, IndexDropped) else None


class SequenceMove(Struct, frozen=True):
    """A sequence's position before and after."""

    name: TableName
    before: int
    before_called: bool
    after: int
    after_called: bool


def hashes(sums: Sums | None) -> tuple[Decimal | None, Decimal | None]:
    """Returns the two sums of hashes as the journal keeps them; NULL where rows were not hashed."""
    return (Decimal(sums.first), Decimal(sums.second)) if sums is not None else (None, None)


def name_text(name: TableName) -> str:
    """Returns a table name as one text in ASCII, which every encoding of NEW can hold."""
    return json.dumps({"schema": name.schema, "name": name.name})


def name_from(text: str) -> TableName:
    """Reads what :func:`name_text` wrote."""
    return msgspec.json.decode(text.encode(), type=TableName)


def flow_name_text(flow: FlowId) -> str:
    """Returns a flow's name in ASCII, which every encoding of NEW can hold; empty without a name."""
    return json.dumps(flow.name) if flow.name else ""


def old_columns(old: OldRows | None) -> tuple[int | None, int | None, int | None, int | None]:
    """Returns the old rows of a batch as the journal's columns hold them."""
    if old is None:
        return None, None, None, None
    return old.read, old.left_out, old.without_items, old.with_parent


def bound(address: Address | None) -> str | None:
    """Returns an end of a range as the journal keeps it; NULL is open."""
    return render_address(address) if address is not None else None


def count_values(run: str, row: BatchRow) -> tuple[object, ...]:
    """Returns what became of a batch, in the order of ``count_batch``."""
    place = (run, row.position, row.batch.number, bound(row.batch.range.end), row.batch.rows)
    counts = (row.read, row.written, row.rejected, row.kept, row.updated, row.bytes, row.seconds)
    xids = (row.xids, row.update_xids)
    return (*place, *counts, *xids, *old_columns(row.batch.old), *hashes(row.sums), row.merged)
