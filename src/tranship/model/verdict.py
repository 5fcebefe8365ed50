"""Rejects, findings and results. The result file consists of these types, written by the codec: field names
are its JSON keys.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from tranship.model.difference import Difference, RowsBefore, SecondOpinion
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import Side
from tranship.model.reasons import Reason
from tranship.model.resolution import Problem


class Reject(Struct, frozen=True, gc=False):
    """A row of OLD that was rejected (a runtime reject) or would be (a predicted reject), and why.

    Programs may rely on SQLSTATE and constraint; the reason is for people.
    """

    row: Locator
    sqlstate: str
    reason: Reason
    """It may hold values of the row, so it goes to files and the journal only."""
    column: str | None = None
    """NEW's column, where one is to blame."""
    constraint: str | None = None
    rank: int = 0
    """0: the row itself is at fault. 1: it collides with another row. 2: its parent is rejected. The lowest
    one is reported.
    """


class HeldAs(StrEnum):
    """What becomes of an old row for which no row is added to NEW."""

    ALREADY_THERE = "already there"
    """NEW's row is equal in every column that the flow fills."""
    KEPT = "kept"
    """NEW's row stays as it is."""
    UPDATED = "updated"
    """OLD's values replace NEW's."""
    MERGED = "merged"
    """Another old row with the same merge key stands for it, too."""


class Held(Struct, frozen=True, gc=False):
    """An old row for which no row is added to NEW: NEW held its row, or another old row stands for it."""

    row: Locator
    outcome: HeldAs = HeldAs.ALREADY_THERE
    key: tuple[tuple[str, str | None], ...] = ()
    """Columns of NEW by which other tables refer to its row, with their texts, where the old row would have
    had others. Empty: children find NEW's row under the value that they have.
    """
    into: Locator | None = None
    """Of a merged row: the row that stands for it."""


class RejectRecord(Struct, frozen=True):
    """One line of the rejects file, where the reason is in words."""

    table: str
    new_table: str
    key: Raw | None
    """JSON object of OLD's key columns; None (JSON null) for a table without a key."""
    column: str | None
    constraint: str | None
    sqlstate: str
    reason: Reason
    row: Raw
    """JSON object of the whole old row, without virtual generated columns."""
    flow: str | UnsetType = UNSET
    """What a person calls the flow; absent for a plain pair of tables."""
    item: int | UnsetType = UNSET
    """Which of the rows made of the old row; absent where it makes one."""


MOST_VALUES = 20
"""Values of one cause that the result file names."""


class RejectCause(Struct, frozen=True, omit_defaults=True):
    """Rejected rows of one table that are rejected for the same reason."""

    what: str
    """The kind of reason, as programs may read it: ``MappingGap``, ``CheckViolated``, ``ParentRejected`` …"""
    sqlstate: str
    rows: int
    column: str | None = None
    """NEW's column, where one is to blame."""
    constraint: str | None = None
    table: str | None = None
    """The lookup table, or the table of the parents."""
    consequence: bool = False
    """The rows would arrive if other rejected rows did."""
    values: dict[str, int] = {}
    """The most frequent values that have no place in NEW, with their rows. They are values of rows."""
    distinct_values: int = 0
    rule: str | None = None
    """What the constraint demands, in words around NEW's own text; None where no constraint of the table or
    of a domain decided, or it is not known any more.
    """


class MergedRecord(Struct, frozen=True):
    """One line of the file of merged rows: which old row stands for which."""

    table: str
    new_table: str
    key: Raw | None
    """JSON object of OLD's key columns; None (JSON null) for a table without a key, likewise ``survivor``."""
    survivor: Raw | None
    flow: str | UnsetType = UNSET
    """What a person calls the flow; absent for a plain pair of tables."""
    item: int | UnsetType = UNSET
    """Which item of the old row it is, counted from 1; absent where old rows are not taken apart."""
    survivor_item: int | UnsetType = UNSET


class LossCount(Struct, frozen=True):
    """The number of rows whose value a conversion accepted and changed."""

    column: str
    loss: str
    rows: int


class ToleratedCount(Struct, frozen=True):
    """The number of rows that are kept although they break a constraint of NEW that is NOT VALID."""

    constraint: str
    rows: int


class TableFindings(Struct, frozen=True):
    """What the data checks of one flow found."""

    flow: FlowId
    rejected: int = 0
    """Rows."""
    losses: tuple[LossCount, ...] = ()
    tolerated: tuple[ToleratedCount, ...] = ()
    not_asked: tuple[str, ...] = ()
    """Checks that were not possible read-only, in words for people."""
    raising_defaults: tuple[str, ...] = ()
    """Defaults of NEW that raise, with what they raise: the rows that take them are among the rejected."""
    already_there: int = 0
    """Rows that NEW held before the run, equal in every column that the flow fills."""
    kept: int = 0
    """Rows of OLD for which NEW's own row stays."""
    updated: int = 0
    """Rows of OLD whose values replace those of NEW's row."""
    merged: int = 0
    """Rows of OLD that are merged into others."""
    ordered_stream: bool = False
    """Collisions could not be decided beforehand, so the table is copied as one stream in key order."""


class MovedAgain(Struct, frozen=True):
    """What later runs did with the rows of a table that were rejected before."""

    runs: int
    """All runs that moved rows of it, the first among them."""
    left_out: int
    """Rejected rows that a later run did not move: no longer in OLD, or filtered."""


class HeldNow(Struct, frozen=True):
    """What OLD holds now of a table that earlier runs moved."""

    rows: int | None = None
    """None: they were not counted."""
    written: int | UnsetType = UNSET
    """Of these, rows that were inserted or changed since the last run that moved some; UNSET: it cannot be
    told.
    """


class TableResult(Struct, frozen=True):
    """One table in the result file."""

    table: str
    new_table: str
    rows_read: int
    rows_migrated: int
    rows_failed: int
    rows_left_out: int
    bytes: int
    verified: bool | str | None
    verified_why: str
    rejects_by_reason: dict[str, int]
    not_asked: tuple[str, ...]
    causes: tuple[RejectCause, ...] = ()
    """The rejected rows by their cause, consequences of other rejects last."""
    losses: tuple[LossCount, ...] = ()
    sql: str = ""
    """The exact SELECT that read OLD."""
    format: str = ""
    """``binary``, ``text`` or empty where nothing was copied."""
    already_migrated: bool = False
    rows_already_there: int = 0
    """Rows that NEW held before the run, equal in every column that the flow fills: neither written nor
    rejected.
    """
    rows_kept: int = 0
    """Rows of OLD for which a row that NEW held before the run stays as it is."""
    rows_updated: int = 0
    """Rows of OLD whose values replaced those of a row that NEW held before the run."""
    rows_merged: int | UnsetType = UNSET
    """Rows of OLD that were merged into others; absent where the flow merges none."""
    rows_in_old_now: int | None = None
    """Of a table that was moved before: rows that OLD holds now, beside ``rows_read`` then."""
    rows_written_since: int | UnsetType = UNSET
    """Of a table that was moved before: rows of OLD that were inserted or changed since; absent where that
    cannot be told.
    """
    cells: int = 0
    """Values of NEW that are compared, or would be if all were well."""
    cells_verified: int = 0
    """Values of NEW that were compared with what OLD's rows become, and are equal."""
    differences: tuple[Difference, ...] = ()
    """Rows of NEW that are not what OLD's rows become."""
    second_opinion: SecondOpinion | UnsetType = UNSET
    """What was computed once more in Python; absent where nothing was."""
    rows_before: RowsBefore | UnsetType = UNSET
    """What the run found of rows that NEW held before; absent where it held none of them."""
    tolerated: tuple[ToleratedCount, ...] | UnsetType = UNSET
    """Rows that break constraints of NEW and are kept by decision, as the data checks counted them; absent
    where there is none."""
    not_alone: str | UnsetType = UNSET
    """Why ``--rejects-only`` cannot move the rejected rows without the others; absent where it can."""
    raising_defaults: tuple[str, ...] | UnsetType = UNSET
    """Columns of which NEW's default raises, with what it raises, so that rows are predicted to be rejected;
    absent where there is none."""
    flow: str | UnsetType = UNSET
    """What a person calls the flow; absent for a plain pair of tables."""
    rows_made: int | UnsetType = UNSET
    """Rows that the flow made of those read and not left out; absent where it makes one of each."""
    rows_without_items: int | UnsetType = UNSET
    """Old rows of which the flow made none."""
    rows_left_with_parent: int | UnsetType = UNSET
    """Of those left out: rows whose parent is left out; the filter does not select the others."""
    rejects_of: str | None = None
    """The run whose rejected rows were moved, and no others; None: all rows of the table."""
    rows_written_before: int | UnsetType = UNSET
    """Of ``rows_migrated``: rows that earlier runs wrote; absent where they wrote none."""
    again: MovedAgain | UnsetType = UNSET
    """Of a table whose rejected rows were moved by later runs; absent where one run moved it."""

    @property
    def label(self) -> str:
        """What people see: the flow's name, and the old table's where the flow has none."""
        return self.flow or self.table


class Stats(Struct, frozen=True):
    """The totals of the result file, in rows, bytes and seconds."""

    tables_processed: int = 0
    rows_read: int = 0
    rows_migrated: int = 0
    rows_failed: int = 0
    rows_left_out: int = 0
    rows_already_there: int = 0
    rows_kept: int = 0
    rows_updated: int = 0
    rows_merged: int | UnsetType = UNSET
    bytes: int = 0
    duration_seconds: float = 0.0
    rows_made: int | UnsetType = UNSET
    """Rows that all flows made; absent where each makes one row of each old row that it takes."""
    rows_without_items: int | UnsetType = UNSET


class DatabaseInfo(Struct, frozen=True):
    """A database and the role connected to it; it holds no secret."""

    host: str
    port: int
    database: str
    user: str
    server_version: int
    fingerprint: str


class TimeSpent(Struct, frozen=True):
    """The seconds of a phase of a run, or of one of its questions."""

    phase: str
    question: str
    """Empty: the phase as a whole."""
    times: int
    seconds: float
    """Of all times together. Questions that are asked side by side add up to more than their phase took."""


class LockAhead(Struct, frozen=True):
    """A lock that a live run takes."""

    side: Side
    mode: str
    """As PostgreSQL names it: ``ACCESS SHARE``."""
    tables: tuple[str, ...]
    why: str
    """When, and what for, in words."""


class ReadSample(Struct, frozen=True):
    """How quickly OLD gave some rows, read as the copy reads them."""

    table: str
    rows: int
    seconds: float


Mode = Literal["dryrun", "live", "rehearse"]
Status = Literal["done", "rejects", "differs", "refused", "stopped", "failed"]


class MigrationResult(Struct, frozen=True, kw_only=True):
    """The result file."""

    format_version: int = 1
    tool_version: str
    run_id: str
    mode: Mode
    status: Status
    exit_status: int
    snapshot: str | None
    started: str
    finished: str
    stats: Stats
    tables: tuple[TableResult, ...]
    problems: tuple[Problem, ...] = ()
    old: DatabaseInfo | None = None
    new: DatabaseInfo | None = None
    plan_hash: str = ""
    resolutions_file: str | None = None
    resolutions_sha256: str | None = None
    arguments: tuple[str, ...] = ()
    rejects_file: str | None = None
    page_file: str | UnsetType = UNSET
    """The same as a page, of a dry run and a rehearsal; ``tranship report`` makes that of a live run."""
    merged_file: str | UnsetType = UNSET
    """Where the keys of merged rows stand with those of their survivors; absent where none was merged."""
    estimated_seconds: float | UnsetType = UNSET
    """Of a dry run: how long the live run takes if it is as quick as the last one; absent where there is
    none on record.
    """
    sample: ReadSample | UnsetType = UNSET
    """Of a dry run without an estimate: how quickly OLD gave some rows; absent where none was measured."""
    locks: tuple[LockAhead, ...] | UnsetType = UNSET
    """Of a dry run: the locks that the live run takes."""
    rejects_in_file: int | UnsetType = UNSET
    """Rows of the rejects file. A dry run writes the first of each cause, unless it is asked for all."""
    rejects_file_bytes: int | UnsetType = UNSET
    left_out: dict[str, int] = {}
    """The number of rows per table that a ``drop_table`` resolution left out."""
    tables_not_chosen: int | UnsetType = UNSET
    """Tables of OLD that the configuration or the patterns of the command line leave out; absent where it is
    none.
    """
    sequences: dict[str, int] = {}
    """The last value of each sequence of NEW at the end."""
    rows_rejected_elsewhere: int | UnsetType = UNSET
    """Of a live run: rows of other tables that earlier runs rejected and that no later one moved; absent
    where there is none.
    """
    profile: tuple[TimeSpent, ...] | UnsetType = UNSET
    """Where the time went; absent unless it was asked for."""

    @property
    def without_values(self) -> MigrationResult:
        """The same without values of rows, for terminals."""
        return replace(self, tables=tuple(_without_values(table) for table in self.tables))


def _without_values(table: TableResult) -> TableResult:
    return replace(table, causes=tuple(replace(cause, values={}) for cause in table.causes))
