"""The verification of finished runs, from their journal in NEW."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack

import asyncpg
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tranship import __version__
from tranship.config import Config
from tranship.errors.codes.stale_references import of_references
from tranship.execution.context import Journalled
from tranship.execution.resilience.connection import control
from tranship.execution.resilience.stop_reasons import not_begun
from tranship.execution.resilience.writer_lock import at_work
from tranship.execution.results.on_record import unknown_run
from tranship.execution.time_spent import phase
from tranship.execution.verification.certify import certify
from tranship.execution.verification.constraints import ask_constraints
from tranship.execution.verification.old_now import OldNow
from tranship.execution.verification.recorded import Recorded, RecordedRun, read_runs
from tranship.execution.verification.scene import Scene
from tranship.execution.verification.structure import structure_problems
from tranship.execution.verification.tables import check_table
from tranship.execution.verification.verdicts import wrong_ones
from tranship.model.catalog import Catalog
from tranship.model.certificate import Certificate
from tranship.model.difference import Difference
from tranship.model.names import TableName
from tranship.model.plan import Plan
from tranship.model.resolution import Problem
from tranship.model.verdict import DatabaseInfo
from tranship.model.verification import AskedConstraint, Verification, VerifiedTable, VerifyOptions
from tranship.server.catalog import read_catalog
from tranship.server.identity import read_identity
from tranship.server.journal import Journal, Run, RunStatus, find_journal
from tranship.server.session import datestyle, open_session
from tranship.server.trouble import DATABASE_TROUBLE

OnTable = Callable[[VerifiedTable], None]


async def verify(
    config: Config, options: VerifyOptions, on_table: OnTable
) -> tuple[Verification, Certificate | None]:
    """Compares what runs brought into NEW with the sums in its journal, and with OLD as it is now. Returns
    the result, and the certificate where every row is verified. ``on_table`` is called as each table is done.
    Writes nothing.

    Raises:
        UsageError: the journal knows no such run.
        TranshipError: NEW cannot be read.
    """
    started = datetime.datetime.now(tz=datetime.UTC)
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        every = await journal.runs(new, None) if journal is not None else ()
        wanted = [run for run in every if options.run in (None, run.id)]
        if journal is None or not wanted:
            raise await unknown_run(new, journal, config, options.run, options.invocation)
        identity = (await read_identity(new)).key
        runs = await read_runs(new, journal, every, identity)
        catalog = await _catalog(new, journal, runs)
        working = await _working(new, runs, wanted)
    plans = {run.run.id: run.plan for run in runs if run.plan is not None}
    async with AsyncExitStack() as stack:
        old = OldNow(config, catalog, plans.values(), stack)
        try:
            # As batches have it: domains and generated columns mean the same.
            session = await open_session(config.new, datestyle=datestyle(catalog), search_path=None)
            stack.callback(session.terminate)
            scene = Scene(session, journal, catalog, identity, options, old, plans, _places(runs, journal))
            with phase("compare the rows"):
                tables = await _tables(scene, runs, frozenset(run.id for run in wanted), on_table)
            with phase("ask the constraints"):
                asked = await ask_constraints(scene, _finished(runs, wanted), _tolerating(plans.values()))
            result = _result(options, started, tables, asked)
            problems = await structure_problems(session, journal, config, runs)
            problems += _references(wanted, plans)
            info = _database(config, catalog)
            ids, resume = tuple(run.id for run in wanted), _resuming(wanted)
            result = replace(result, runs=ids, new=info, old_read=old.read, problems=tuple(problems))
            going_back = _rolling_back(runs, ids)
            if working:
                # The lock is held: whoever resumed a run or its rollback now would be refused.
                resume, going_back = UNSET, UNSET
            result = replace(result, resume=resume, rolling_back=going_back, at_work=working)
            result = replace(result, mixed=_mixed(wanted))
            return result, await certify(session, journal, config, runs, result)
        except DATABASE_TROUBLE as error:
            raise not_begun(error, "the verification") from error


async def _catalog(new: asyncpg.Connection, journal: Journal, runs: Sequence[RecordedRun]) -> Catalog:
    # A table that was attached to another one as a partition is compared under its name.
    filled = {flow.table for run in runs for flow in run.flows}
    async with new.transaction(isolation="repeatable_read", readonly=True):
        return await read_catalog(new, None, journal_schema=journal.schema, partitions=filled)


def _references(runs: Sequence[Run], plans: Mapping[str, Plan]) -> list[Problem]:
    """Returns what the plans of these runs warn of references, which are equal and may lead elsewhere."""
    warned = [problem for run in runs if run.id in plans for problem in of_references(plans[run.id].warnings)]
    return list(dict.fromkeys(warned))


def _mixed(runs: Sequence[Run]) -> bool | UnsetType:
    """Returns True where one of the runs read OLD in several snapshots; else UNSET."""
    return any(run.mixed for run in runs) or UNSET


def _resuming(runs: Sequence[Run]) -> str | UnsetType:
    """Returns the command that resumes the latest of the runs that is not finished; UNSET: all are, or the
    journal does not say it.
    """
    commands = [
        run.decided_by.again for run in runs if run.state is not RunStatus.FINISHED and run.decided_by
    ]
    return next(filter(None, reversed(commands)), UNSET)


async def _working(
    new: asyncpg.Connection, runs: Sequence[RecordedRun], wanted: Sequence[Run]
) -> str | UnsetType:
    """Returns the latest of the wanted runs on which, or on whose rollback, a process is at work; UNSET: on
    none.
    """
    back = {run.run.id for run in runs for f in run.flows if any(b.rolling_back for b in f.batches)}
    for run in reversed(wanted):
        begun = run.state is not RunStatus.FINISHED or run.id in back
        if begun and await at_work(new, run):
            return run.id
    return UNSET


def _rolling_back(runs: Sequence[RecordedRun], wanted: Collection[str]) -> str | UnsetType:
    """Returns the latest of the wanted runs whose rollback was interrupted; UNSET: none was."""
    begun = (
        run.run.id
        for run in reversed(runs)
        if run.run.id in wanted and any(batch.rolling_back for flow in run.flows for batch in flow.batches)
    )
    return next(begun, UNSET)


def _places(runs: Sequence[RecordedRun], journal: Journal) -> dict[str, tuple[Journalled, ...]]:
    """Returns by run where the journal says where its children are led: in the run itself, or in the latest
    one before it that moved the parents from the same OLD.
    """
    found: dict[str, tuple[Journalled, ...]] = {}
    known: dict[tuple[str, object], Journalled] = {}
    for run in runs:
        for flow in run.flows:
            if flow.task.rejects_of is None:
                place = Journalled(flow.flow, journal.schema, run.run.id, flow.task.position)
                known[run.run.old_identity, flow.flow] = place
        mine = [place for (old, _), place in known.items() if old == run.run.old_identity]
        found[run.run.id] = tuple(mine)
    return found


async def _tables(
    scene: Scene, runs: Iterable[RecordedRun], wanted: AbstractSet[str], on_table: OnTable
) -> list[VerifiedTable]:
    """Returns the verdicts about the wanted runs table by table, in the order of the first run's plan."""
    by_table: dict[TableName, list[Recorded]] = {}
    for run in runs:
        for flow in run.flows:
            by_table.setdefault(flow.table, []).append(flow)
    found: list[VerifiedTable] = []
    for flows in by_table.values():
        mine = [flow for flow in flows if flow.run.id in wanted]
        for verdict in await check_table(scene, mine, flows) if mine else []:
            found.append(_shown(verdict, show_values=scene.options.show_values))
            on_table(found[-1])
    return found


def _shown(verdict: VerifiedTable, *, show_values: bool) -> VerifiedTable:
    """Returns a verdict; values of rows, keys apart, only where they may be shown."""
    if show_values:
        return verdict
    return replace(
        verdict, differences=tuple(replace(one, expected=(), found=()) for one in verdict.differences)
    )


def _finished(runs: Iterable[RecordedRun], wanted: Sequence[Run]) -> list[TableName]:
    """Returns the tables that the wanted runs filled and that no unfinished run is still filling."""
    ids = {run.id for run in wanted}
    open_ones = {f.table for run in runs if run.run.state is not RunStatus.FINISHED for f in run.flows}
    mine = (flow.table for run in runs if run.run.id in ids for flow in run.flows)
    return [name for name in dict.fromkeys(mine) if name not in open_ones]


def _tolerating(plans: Iterable[Plan]) -> frozenset[tuple[TableName, str]]:
    """Returns the constraints of NEW whose offenders the runs keep by decision."""
    return frozenset(
        (table.new, name) for plan in plans for table in plan.tables for name in table.tolerating
    )


def _result(
    options: VerifyOptions,
    started: datetime.datetime,
    tables: Sequence[VerifiedTable],
    asked: Sequence[AskedConstraint],
) -> Verification:
    found = [one for table in tables for one in table.differences]
    broken = any(one.broken for one in asked)
    exit_status = 5 if broken else _exit_status(options, found, tables)
    return Verification(
        tool_version=__version__,
        status="differs" if found or broken else "not verified" if exit_status else "verified",
        exit_status=exit_status,
        started=started.isoformat(timespec="milliseconds"),
        finished=datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="milliseconds"),
        runs=(),
        tables=tuple(tables),
        constraints=tuple(asked),
        arguments=options.arguments,
    )


def _exit_status(options: VerifyOptions, found: Sequence[Difference], tables: Sequence[VerifiedTable]) -> int:
    """Returns 5 where NEW is wrong, and 1 where a person has to look: others changed rows of a NEW in use, or
    the rows of a table could not be compared.
    """
    if wrong_ones(options, found):
        return 5
    return 1 if found or any(table.verified is None for table in tables) else 0


def _database(config: Config, catalog: Catalog) -> DatabaseInfo:
    new = config.new
    return DatabaseInfo(
        new.host, new.port, catalog.database, new.user, catalog.server_version, catalog.fingerprint
    )
