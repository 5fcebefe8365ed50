"""Asking a pair of databases as a dry run does, without the engine around it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from support import Database, Pair
from tranship.codec.resolutions import read_resolutions
from tranship.execution.context import Job
from tranship.execution.probe.arrived import Arrived
from tranship.execution.probe.group import probe_group
from tranship.execution.probe.probe_context import ProbeContext
from tranship.execution.probe.records import fetch_records
from tranship.execution.probe.reject_book import Book
from tranship.model.names import Side
from tranship.model.resolution import ResolutionFile
from tranship.model.verdict import TableFindings
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import decide
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.planning.plan.build import build
from tranship.report.reasons import reason_text
from tranship.server.catalog import read_catalog
from tranship.server.cut import cut
from tranship.server.session import pin


@dataclass
class Found:
    """What asking found, per old table (``schema.table``)."""

    findings: dict[str, TableFindings] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def keys(self, table: str, column: str = "id") -> list[Any]:
        """One key column of the rejected rows, sorted."""
        return sorted(record["key"][column] for record in self.records[table])

    def by_key(self, table: str, column: str = "id") -> dict[Any, dict[str, Any]]:
        """The reject records by a key column."""
        return {record["key"][column]: record for record in self.records[table]}


@asynccontextmanager
async def session(
    database: Database, side: Side, datestyle: str, **options: Any
) -> AsyncIterator[asyncpg.Connection]:
    """A pinned connection in a read-only transaction."""
    async with database.connect(statement_cache_size=0, **options) as conn:
        await pin(conn, side, datestyle=datestyle, search_path="" if side is Side.OLD else None)
        await conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield conn
        await conn.execute("ROLLBACK")


async def make_job(
    pair: Pair, resolutions: Mapping[str, Any] | None = None, tables: list[str] | None = None
) -> Job:
    """Catalogs, comparison and plan."""
    async with pair.old.connect() as conn:
        old = await read_catalog(conn, None)
    async with pair.new.connect() as conn:
        new = await read_catalog(conn, None)
    scope, problems = make_scope(old, new, tables)
    assert not problems, problems
    file = ResolutionFile(())
    if resolutions is not None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "resolutions.json"
            path.write_text(json.dumps({"resolutions": resolutions}), encoding="utf-8")
            file = read_resolutions(path)
    answers, decided, problems = decide(file, old, new, scope)
    assert not [p for p in problems if not p.warning], problems
    comparison = compare(old, new, match(old, new, scope, decided), answers)
    plan, problems = build(old, new, comparison, answers, scope.tables)
    assert not problems, problems
    return Job(plan, old, new)


async def ask_all(
    pair: Pair,
    resolutions: Mapping[str, Any] | None = None,
    *,
    batch_rows: int = 50_000,
    job: Job | None = None,
    **options: Any,
) -> Found:
    """A dry run's asking over all groups. ``options`` go to NEW's connection."""
    job = job or await make_job(pair, resolutions)
    found = Found()
    book = Book()
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(session(pair.old, Side.OLD, job.new.datestyle))
        new = await stack.enter_async_context(session(pair.new, Side.NEW, job.new.datestyle, **options))
        probing = ProbeContext(job, old, new, book, Arrived.NOTHING)
        batches = {plan.flow: await cut(old, plan, batch_rows) for plan in job.plan.tables}
        for group in job.plan.groups:
            for findings in await probe_group(probing, group, batches):
                found.findings[str(findings.flow)] = findings
        for plan in job.plan.tables:
            records = [r async for r in fetch_records(old, job, plan, book.rejected(plan.flow).values())]
            found.records[str(plan.flow)] = [
                {
                    "key": json.loads(bytes(r.key)) if r.key is not None else None,
                    "column": r.column,
                    "constraint": r.constraint,
                    "sqlstate": r.sqlstate,
                    "reason": reason_text(r.reason),
                    "row": json.loads(bytes(r.row)),
                }
                for r in records
            ]
    return found


def transform(column: str, **more: object) -> dict[str, object]:
    """Returns a decision that transforms a column which keeps its name."""
    return {"action": "transform", "old_column": column, "new_column": column, **more}
