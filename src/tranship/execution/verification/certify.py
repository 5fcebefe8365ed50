"""The certificate of runs whose rows are all verified."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec import UNSET
from msgspec.structs import replace

from tranship.config import Config
from tranship.errors.codes.stale_references import of_references
from tranship.execution.results.causes import CauseCounter, by_reason
from tranship.execution.verification.recorded import Recorded, RecordedRun
from tranship.model.certificate import Certificate, CertifiedRun, CertifiedTable
from tranship.model.digest import Sums
from tranship.model.plan import Plan
from tranship.model.verdict import RejectCause
from tranship.model.verification import Verification, VerifiedTable
from tranship.server.journal import DecidedBy, Journal, Run


async def certify(
    new: asyncpg.Connection,
    journal: Journal,
    config: Config,
    runs: Sequence[RecordedRun],
    result: Verification,
) -> Certificate | None:
    """Returns the certificate without its hash; None: not every row is proven, and every constraint met."""
    if result.status != "verified" or result.new is None:
        return None
    wanted = [run for run in runs if run.run.id in result.runs]
    flows = {
        (flow.run.id, str(flow.table), flow.flow.name, str(flow.flow.old)): flow for flow in _flows(wanted)
    }
    causes = {run.run.id: await _causes(new, journal, run.run) for run in wanted}
    tables = []
    for verdict in result.tables:
        flow = flows[verdict.run, verdict.new_table, verdict.flow or "", verdict.table]
        tables.append(_table(flow, verdict, causes[verdict.run].get(flow.task.position, ())))
    return Certificate(
        tool_version=result.tool_version,
        made=result.finished,
        old=config.old.display,
        new=result.new,
        runs=tuple(_run(run.run, run.plan) for run in wanted),
        tables=tuple(tables),
        constraints=result.constraints,
        cells=sum(table.cells for table in tables),
    )


def _flows(runs: Sequence[RecordedRun]) -> list[Recorded]:
    return [flow for run in runs for flow in run.flows]


async def _causes(new: asyncpg.Connection, journal: Journal, run: Run) -> dict[int, tuple[RejectCause, ...]]:
    """Returns why rows of a run are rejected, by flow. A certificate goes from hand to hand: it holds no
    values of rows.
    """
    found: dict[int, CauseCounter] = {}
    async for row in journal.rejects(new, run.id):
        found.setdefault(row.position, CauseCounter()).add(row.reject)
    return {
        position: tuple(replace(one, values={}, distinct_values=0) for one in counter.causes())
        for position, counter in found.items()
    }


def _run(run: Run, plan: Plan | None) -> CertifiedRun:
    decided = run.decided_by or DecidedBy("", "")
    warned = of_references(plan.warnings) if plan is not None else ()
    return CertifiedRun(
        run.id,
        run.tool_version,
        run.started.isoformat(timespec="seconds"),
        run.finished.isoformat(timespec="seconds") if run.finished is not None else "",
        run.old_identity,
        run.new_identity,
        run.snapshot,
        run.plan_hash,
        decided.os_user,
        decided.role,
        decided.resolutions,
        decided.resolutions_sha256,
        dict(run.left_out),
        run.mixed or UNSET,
        tuple(problem.message for problem in warned) or UNSET,
    )


def _table(flow: Recorded, verdict: VerifiedTable, causes: Sequence[RejectCause]) -> CertifiedTable:
    done = flow.done
    made = _total(flow, "read")
    old = [batch.batch.old for batch in done if batch.batch.old is not None]
    sums = sum((batch.due for batch in done), Sums())
    words = verdict.verified if isinstance(verdict.verified, str) else ""
    return CertifiedTable(
        verdict.run,
        verdict.table,
        verdict.new_table,
        verdict.flow or "",
        sum(one.read for one in old) if old else made,
        sum(one.left_out for one in old),
        made,
        flow.rows,
        _total(flow, "rejected"),
        by_reason(causes),
        _total(flow, "already_there"),
        _total(flow, "kept"),
        _total(flow, "updated"),
        _total(flow, "merged"),
        verdict.cells // flow.rows if flow.rows else 0,
        verdict.cells,
        words.removeprefix("except "),
        verdict.verified_why,
        str(flow.hashing),
        (str(sums.first), str(sums.second)),
        verdict.second_opinion,
        verdict.rows_before,
        tuple(causes) or UNSET,
    )


def _total(flow: Recorded, count: str) -> int:
    """Returns one of the counts of a flow's batches, by its name."""
    return sum(int(getattr(batch, count)) for batch in flow.done)
