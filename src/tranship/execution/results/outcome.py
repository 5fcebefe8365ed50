"""The result of a run, made of the counts of its tables."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from tranship import __version__
from tranship.config import Endpoint
from tranship.errors import Stopped
from tranship.execution.context import Job, RunContext
from tranship.execution.results.causes import by_reason, with_rules
from tranship.execution.results.spool import Spool
from tranship.model.catalog import Catalog
from tranship.model.difference import Difference, Proof, differing
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.progress import OldRows, TableDone
from tranship.model.resolution import Problem
from tranship.model.verdict import (
    DatabaseInfo,
    HeldNow,
    LockAhead,
    LossCount,
    MergedRecord,
    MigrationResult,
    Mode,
    MovedAgain,
    ReadSample,
    Reject,
    RejectCause,
    RejectRecord,
    Stats,
    Status,
    TableResult,
    ToleratedCount,
)
from tranship.planning.plan.content import run_hash
from tranship.planning.plan.stand_ins import why_not_alone
from tranship.sql.expression import shipped
from tranship.sql.old.batch import select_for_people


class MigrationOutcome(Struct, frozen=True):
    """A result with its rejects. The caller names the files and writes them."""

    result: MigrationResult
    rejects: Spool = field(default_factory=Spool)
    merged: tuple[MergedRecord, ...] = ()
    """The rows that this run merged into others."""


class StoppedRun(Stopped):
    """A run that stopped, with its result so far, which the caller writes as that of a stopped run."""

    def __init__(self, why: Stopped, so_far: MigrationOutcome | None) -> None:
        super().__init__(why.what)
        self.outcome: MigrationOutcome | None = None
        if so_far is not None:
            problems = (*so_far.result.problems, *why.problems)
            self.outcome = replace(
                so_far, result=replace(so_far.result, status="stopped", exit_status=4, problems=problems)
            )


class TableCounts(Struct, frozen=True):
    """The rows of one table, counted."""

    plan: TablePlan
    made: int
    """Rows that the flow made of old rows; mostly one of each."""
    written: int
    rejected: int
    bytes: int = 0
    format: str = ""
    causes: tuple[RejectCause, ...] = ()
    losses: tuple[LossCount, ...] = ()
    not_asked: tuple[str, ...] = ()
    already: bool = False
    old: OldRows | None = None
    """The old rows behind those made. None: they are the same rows."""
    kept: int = 0
    """Rows for which NEW's own row stays."""
    updated: int = 0
    """Rows whose values replaced those of NEW's row."""
    merged: int = 0
    """Rows that were merged into others."""
    tolerated: tuple[ToleratedCount, ...] = ()
    """Of those written: rows that break constraints of NEW and are kept by decision."""
    rejects_of: str | None = None
    """The run whose rejected rows these are; None: all rows of the table."""
    before: int | UnsetType = UNSET
    """Of those written: rows that earlier runs wrote; UNSET: they wrote none."""
    again: MovedAgain | UnsetType = UNSET
    raising_defaults: tuple[str, ...] | UnsetType = UNSET
    """Of a dry run: defaults of NEW that raise, so that rows are predicted to be rejected."""

    @property
    def tolerated_shown(self) -> tuple[ToleratedCount, ...] | UnsetType:
        """What the result file says of rows that are kept although they break a constraint."""
        return self.tolerated or UNSET

    @property
    def read(self) -> int:
        """Rows of OLD."""
        return self.made if self.old is None else self.old.read

    proof: Proof | None = None
    """What a verification says of its rows in NEW; None: there was none."""
    filled: int = 0
    """Without a proof: the columns that NEW fills by itself and that a verification would compare."""

    @property
    def already_there(self) -> int:
        """Rows that NEW held before the run, equal in every column: all others are counted."""
        return self.made - self.written - self.rejected - self.kept - self.updated - self.merged

    def without(self, gone: int) -> TableCounts:
        """Returns the counts with rejected rows that are no longer in OLD: they are read and left out."""
        if not gone:
            return self
        return replace(self, old=(self.old or OldRows(self.made)) + OldRows(gone, gone))

    def leaving_out(self, rows: int) -> TableCounts:
        """Returns the counts without rows that were made and rejected, and are left out now."""
        if not rows:
            return self
        return replace(self, made=self.made - rows, old=(self.old or OldRows(self.made)) + OldRows(0, rows))

    @property
    def event(self) -> TableDone:
        """The event that tells these counts."""
        return TableDone(
            self.plan.flow,
            self.made,
            self.written,
            self.rejected,
            self.already_there,
            kept=self.kept,
            updated=self.updated,
            merged=self.merged,
            old=self.old,
            tolerated=tuple((one.constraint, one.rows) for one in self.tolerated),
        )


class Frame(Struct, frozen=True):
    """The parts of a result that do not belong to one table."""

    mode: Mode
    run_id: str
    snapshot: str | None
    started: datetime.datetime
    seconds: float
    problems: tuple[Problem, ...] = ()
    left_out: dict[str, int] = {}
    sequences: dict[str, int] = {}
    held_now: Mapping[FlowId, HeldNow] = {}
    """What OLD holds now in tables that were moved before."""
    differs: Mapping[TableName, Problem] = {}
    """Tables of NEW that lack rows which finished runs wrote."""
    rows_a_second: float | None = None
    """Of a dry run: how quick the last run was; None: none is on record."""
    sample: ReadSample | None = None
    """Of a dry run: how quickly OLD gave some rows."""
    locks: tuple[LockAhead, ...] | UnsetType = UNSET
    """Of a dry run: the locks of the live run."""
    rows_to_move: int = 0
    """Of a dry run: rows that the live run would read."""
    show_values: bool = False
    """Whether the result may hold values of rows."""
    new_in_use: bool = False
    """Whether others may write to NEW meanwhile."""
    old_identity: str = ""
    """Of a live run: the identity of OLD in the journal."""
    rejected_elsewhere: int = 0
    """Of a live run: rows of other tables that earlier runs rejected and that no later one moved."""


def outcome(
    context: RunContext, frame: Frame, tables: Sequence[TableCounts], rejects: Spool
) -> MigrationOutcome:
    """Returns the whole result. Its status is that of a run that reached its end."""
    job, config = context.job, context.config
    results = tuple(_table(job, frame, counts) for counts in tables)
    found = [one for t in tables if t.proof is not None for one in t.proof.differences]
    status, exit_status = _status(frame, sum(t.rows_failed for t in results), found)
    ended = frame.started + datetime.timedelta(seconds=frame.seconds)
    result = MigrationResult(
        tool_version=__version__,
        run_id=frame.run_id,
        mode=frame.mode,
        status=status,
        exit_status=exit_status,
        snapshot=frame.snapshot,
        started=frame.started.isoformat(timespec="milliseconds"),
        finished=ended.isoformat(timespec="milliseconds"),
        stats=_stats(frame, tables, results),
        tables=results,
        problems=(*frame.problems, *frame.differs.values()),
        old=_database(config.old, job.old),
        new=_database(config.new, job.new),
        plan_hash=run_hash(job.plan.tables),
        resolutions_file=context.options.resolutions,
        arguments=context.options.arguments,
        left_out=frame.left_out,
        sequences=frame.sequences,
        estimated_seconds=_estimate(frame),
        sample=frame.sample or UNSET,
        locks=frame.locks,
        rows_rejected_elsewhere=frame.rejected_elsewhere or UNSET,
    )
    return MigrationOutcome(result, rejects)


def _estimate(frame: Frame) -> float | UnsetType:
    if frame.rows_a_second is None or not frame.rows_to_move:
        return UNSET
    return max(round(frame.rows_to_move / frame.rows_a_second, 1), 0.1)


def _stats(frame: Frame, tables: Sequence[TableCounts], results: Sequence[TableResult]) -> Stats:
    left = sum(frame.left_out.values())
    made, without_items = _made(tables)
    return Stats(
        tables_processed=len(results),
        rows_read=sum(t.rows_read for t in results) + left,
        rows_migrated=sum(t.rows_migrated for t in results),
        rows_failed=sum(t.rows_failed for t in results),
        rows_left_out=left + sum(t.rows_left_out for t in results),
        rows_already_there=sum(t.rows_already_there for t in results),
        rows_kept=sum(t.rows_kept for t in results),
        rows_updated=sum(t.rows_updated for t in results),
        rows_merged=sum(counts.merged for counts in tables) if _merges(tables) else UNSET,
        bytes=sum(t.bytes for t in results),
        duration_seconds=round(frame.seconds, 3),
        rows_made=made,
        rows_without_items=without_items,
    )


def _merges(tables: Sequence[TableCounts]) -> bool:
    """Returns whether a flow merges rows."""
    return any(counts.plan.shape.merge is not None or counts.merged for counts in tables)


def _made(tables: Sequence[TableCounts]) -> tuple[int, int] | tuple[UnsetType, UnsetType]:
    """Returns the rows that all flows made, and the old rows of which they made none.

    UNSET: each makes one row of each old row that it takes.
    """
    several = [counts.old for counts in tables if counts.old is not None and not _one_of_each(counts)]
    if not several:
        return UNSET, UNSET
    return sum(counts.made for counts in tables), sum(old.without_items for old in several)


def reject_record(plan: TablePlan, reject: Reject, key: bytes | None, row: bytes) -> RejectRecord:
    """Returns one line of the rejects file. ``key`` and ``row`` are JSON already."""
    raw = msgspec.Raw(key) if key is not None else None
    return RejectRecord(
        str(plan.old),
        str(plan.new),
        raw,
        reject.column,
        reject.constraint,
        reject.sqlstate,
        reject.reason,
        msgspec.Raw(row),
        plan.name or UNSET,
        reject.row.item or UNSET,
    )


def _status(frame: Frame, failed: int, found: Sequence[Difference]) -> tuple[Status, int]:
    if any(not p.warning for p in frame.problems):
        return "refused", 3
    if frame.differs or any(_is_wrong(one, in_use=frame.new_in_use) for one in found):
        return "differs", 5
    # What others did to a NEW in use is told, and a person has to look at it.
    if found:
        return "differs", 1
    return ("rejects", 1) if failed else ("done", 0)


def _is_wrong(difference: Difference, *, in_use: bool) -> bool:
    """Returns whether a difference is an error: others may write rows of a NEW in use, and remove none."""
    return not (in_use and difference.by_others)


def _verified(frame: Frame, counts: TableCounts) -> tuple[bool | str | None, str]:
    """What is known of a table's rows in NEW, and why no more."""
    differs = frame.differs.get(counts.plan.new) if counts.already else None
    if differs is not None:
        return False, differs.message
    if frame.mode == "dryrun":
        return None, "a dry run writes nothing"
    proof = counts.proof
    if proof is None:
        return None, "counted on both servers, contents not compared"
    if proof.differences:
        return _differing(proof, in_use=frame.new_in_use)
    if proof.sample:
        return None, f"only a sample of {proof.sample} was compared: {proof.compared} of {proof.rows} rows"
    return (f"except {', '.join(proof.apart)}" if proof.apart else True), ""


def _differing(proof: Proof, *, in_use: bool) -> tuple[bool | str, str]:
    """Returns the same of a table in which rows differ."""
    wrong = [one for one in proof.differences if _is_wrong(one, in_use=in_use)]
    if not wrong:
        rows = sum(one.rows for one in proof.differences)
        return f"except rows that others added or changed since: {rows}", ""
    return False, differing(wrong)


def _left_out_of(counts: TableCounts) -> int:
    return counts.old.left_out if counts.old is not None else 0


def _table(job: Job, frame: Frame, counts: TableCounts) -> TableResult:
    verified, why = _verified(frame, counts)
    proof, now = counts.proof or Proof(0, ()), frame.held_now.get(counts.plan.flow, HeldNow())
    return TableResult(
        table=str(counts.plan.old),
        new_table=str(counts.plan.new),
        rows_read=counts.read,
        rows_migrated=counts.written,
        rows_failed=counts.rejected,
        rows_left_out=_left_out_of(counts),
        bytes=counts.bytes,
        verified=verified,
        verified_why=why,
        rejects_by_reason=by_reason(counts.causes),
        causes=with_rules(counts.causes, job.after(counts.plan)),
        not_asked=counts.not_asked,
        raising_defaults=counts.raising_defaults,
        losses=counts.losses,
        tolerated=counts.tolerated_shown,
        sql=select_for_people(counts.plan, job.before(counts.plan)),
        format=counts.format,
        already_migrated=counts.already,
        rows_already_there=counts.already_there,
        rows_kept=counts.kept,
        rows_updated=counts.updated,
        rows_merged=counts.merged if _merges([counts]) else UNSET,
        rows_in_old_now=now.rows,
        rows_written_since=now.written,
        flow=counts.plan.name or UNSET,
        rows_made=counts.made if not _one_of_each(counts) else UNSET,
        rows_without_items=counts.old.without_items if counts.old and not _one_of_each(counts) else UNSET,
        rows_left_with_parent=counts.old.with_parent if counts.old and counts.plan.shape.left_with else UNSET,
        cells=_cells(counts),
        cells_verified=proof.cells_equal if verified is not False else 0,
        differences=_shown(proof, frame).differences,
        rejects_of=counts.rejects_of,
        rows_written_before=counts.before,
        again=counts.again,
        second_opinion=proof.second_opinion or UNSET,
        rows_before=proof.rows_before or UNSET,
        not_alone=_not_alone(job, counts),
    )


def _not_alone(job: Job, counts: TableCounts) -> str | UnsetType:
    """Returns why the rejected rows cannot be moved without the others, if there are any."""
    return (counts.rejected and why_not_alone(counts.plan, job.known, job.new)) or UNSET


def _cells(counts: TableCounts) -> int:
    """Returns the values of NEW that are compared, or would be."""
    proof = counts.proof
    return counts.written * (len(proof.columns) if proof else len(shipped(counts.plan)) + counts.filled)


def _shown(proof: Proof, frame: Frame) -> Proof:
    return proof if frame.show_values else proof.without_values


def _one_of_each(counts: TableCounts) -> bool:
    """Returns whether a flow makes one row of each old row that it takes."""
    shape = counts.plan.shape
    return shape.query is None and shape.items is None


def _database(endpoint: Endpoint, catalog: Catalog) -> DatabaseInfo:
    return DatabaseInfo(
        endpoint.host,
        endpoint.port,
        catalog.database,
        endpoint.user,
        catalog.server_version,
        catalog.fingerprint,
    )
