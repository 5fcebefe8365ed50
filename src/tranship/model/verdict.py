"""What came of it: rejects, findings and results. The result file is these nouns, written by the codec."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.resolution import Problem


class Reject(Struct, frozen=True):
    """A row of OLD that did not (or would not) arrive, and why. SQLSTATE and constraint are its contract; the words are for people."""

    row: Locator
    sqlstate: str
    reason: str
    """The server's words where met, ours where predicted. May hold row values: for files and journal only."""
    column: str | None = None
    """NEW's column."""
    constraint: str | None = None
    rank: int = 0
    """0 fault of the row itself, 1 collision, 2 cascade."""


class RejectRecord(Struct, frozen=True):
    """One line of the rejects file."""

    table: str
    new_table: str
    key: Raw | None
    """JSON object of OLD's key columns; null for a table without a key."""
    column: str | None
    constraint: str | None
    sqlstate: str
    reason: str
    row: Raw
    """JSON object of the whole old row."""


class LossCount(Struct, frozen=True):
    """Rows whose value a conversion accepted and changed."""

    column: str
    loss: str
    rows: int


class TableFindings(Struct, frozen=True):
    """What asking the data of one flow found."""

    flow: FlowId
    rejects: tuple[Reject, ...] = ()
    losses: tuple[LossCount, ...] = ()
    not_asked: tuple[str, ...] = ()
    """What could not be asked read-only, in words."""
    ordered_stream: bool = False
    """Collisions could not be decided by asking: copy the table as one stream in key order."""


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
    losses: tuple[LossCount, ...] = ()
    sql: str = ""
    """The exact SELECT that read OLD."""
    format: str = ""
    """``binary``, ``text`` or empty where nothing was copied."""
    already_migrated: bool = False


class Stats(Struct, frozen=True):
    """Totals of the result file; seconds and bytes."""

    tables_processed: int = 0
    rows_read: int = 0
    rows_migrated: int = 0
    rows_failed: int = 0
    rows_left_out: int = 0
    bytes: int = 0
    duration_seconds: float = 0.0


class DatabaseInfo(Struct, frozen=True):
    """Who was connected where; no secret."""

    host: str
    port: int
    database: str
    user: str
    server_version: int
    fingerprint: str


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
    left_out: dict[str, int] = {}
    """Rows per table that a ``drop_table`` left out."""
    sequences: dict[str, int] = {}
    """Where each sequence of NEW stands at the end."""
