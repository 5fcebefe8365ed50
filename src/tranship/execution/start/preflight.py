"""Finds everything that would stop a run later, before anything is written, with its remedy."""

from __future__ import annotations

import asyncpg
from msgspec import Struct

from tranship.config import Config
from tranship.errors import Refused
from tranship.errors.codes.privileges import (
    ColumnPrivilegeMissing,
    ForeignPartition,
    NoXml,
    PrivilegeMissing,
    RuleWouldFire,
)
from tranship.errors.codes.runs import OldIsStandbyOfNew, SameDatabase
from tranship.errors.codes.start import (
    EventTriggers,
    FewerStreams,
    FilledFromAnotherOld,
    ManyLocks,
    NewInUse,
    NewIsStandby,
    NewPublishes,
    NewPublishesJournal,
    OrphansNoticed,
    UnloggedTable,
    UnseenReads,
)
from tranship.execution.context import Job, RunContext
from tranship.execution.probe.everything import locked_relations
from tranship.execution.resilience.writer_lock import at_work
from tranship.execution.start.dependencies import reads_of
from tranship.execution.start.filled_before import from_other_olds, in_other_journals
from tranship.execution.start.replica_identity import without_identity
from tranship.execution.start.row_security import hidden_rows
from tranship.execution.switches import indexes, sequences
from tranship.execution.switches import triggers_and_keys as switches
from tranship.model.catalog import Catalog
from tranship.model.catalog_codes import FIRES_AS_ORIGIN, RelationKind
from tranship.model.dependencies import Reads
from tranship.model.expression import Lookup, NewDefault
from tranship.model.names import Side, TableName
from tranship.model.options import RebuildIndexes
from tranship.model.plan import Group
from tranship.model.resolution import Problem
from tranship.model.types import PgType
from tranship.model.visible import pasteable
from tranship.planning.plan.found import filled_columns, updates
from tranship.server.identity import Identity, read_identities, same_database, standby_of
from tranship.server.journal import RunStatus, find_journal, missing_rights
from tranship.sql.queries import query
from tranship.sql.quote import ident, relation
from tranship.sql.session import TRY_XML

OTHERS = 3
"""Connections that a run has beside its streams: journal, lock and the count beside the copy in NEW, two
holders of the snapshot and a reader in OLD. It can do without the count's and the second holder.
"""


_OTHER_LOCKS = 1_000
"""Locks for transactions that read and write some tables with their indexes, a few of them side by side."""


class Passed(Struct, frozen=True):
    """What is known of both servers when a run may begin."""

    old: Identity
    new: Identity
    replica: bool
    """Whether this role may set ``session_replication_role``."""
    jobs: int
    """The number of streams that the connection limits of both servers allow."""
    crowded: bool
    """Whether a server leaves no connection beside those of a single stream."""
    reads: Reads
    """What the expressions of the plan reach in OLD."""
    problems: tuple[Problem, ...]
    """Warnings, and in a dry run the problems for which a live run would be refused."""


async def preflight(
    context: RunContext, old: asyncpg.Connection, new: asyncpg.Connection, *, live: bool
) -> Passed:
    """Looks for everything that would stop the run later, on both servers.

    Raises:
        Refused: OLD is NEW, or the run may not do what it needs to do, or a dry run could not even read. It
            names every problem.
    """
    job = context.job
    mine, theirs = await read_identities(old, new)
    await _refuse_same(old, new, mine, theirs, context.config)
    replica = await switches.may_be_replica(new)
    reading = [
        *_old_rights(job),
        *_lookup_rights(job),
        *await hidden_rows(old, new, job),
        *_foreign_partitions(job),
    ]
    problems = [*reading, *await _writing(context, new, mine, theirs, replica=replica)]
    problems += await _without_xml(new, job)
    possible, warnings = await _limits(old, new, job, context.options.jobs)
    problems += [*warnings, *_unlogged(job), *_watchers(job.new, context.config.journal_schema)]
    reads = await reads_of(old, job)
    problems += [UnseenReads(name).problem() for name in reads.unseen]
    grave = tuple(dict.fromkeys(problem for problem in problems if not problem.warning))
    # A dry run goes on past what only a live run may not do, but it cannot check rows that it may not read.
    if grave and (live or reading or _new_rights(job, "SELECT")):
        raise Refused(grave)
    jobs = max(1, min(possible, context.options.jobs))
    return Passed(mine, theirs, replica, jobs, possible < 1, reads, tuple(dict.fromkeys(problems)))


async def _writing(
    context: RunContext, new: asyncpg.Connection, mine: Identity, theirs: Identity, *, replica: bool
) -> list[Problem]:
    """Returns what forbids the live run to write into NEW, or to switch off what it needs off."""
    job, config = context.job, context.config
    problems = [*_new_rights(job, "SELECT", "INSERT"), *_rules(job), *sequences.missing_rights(job)]
    problems += await without_identity(new, job)
    if theirs.standby:
        problems.append(NewIsStandby(config.new.display).problem())
    lacking, altered = await _switching(context, new, replica=replica)
    problems += [*lacking, *await _in_use(new, job, altered)]
    missing = await missing_rights(new, config.journal_schema, job.new.user, job.new.database)
    problems += [missing] if missing is not None else await _beside(new, config, job, mine, altered)
    return [
        *problems,
        *await in_other_journals(new, context, mine),
        *await from_other_olds(new, context, mine),
    ]


async def _switching(
    context: RunContext, new: asyncpg.Connection, *, replica: bool
) -> tuple[list[Problem], set[TableName]]:
    """Returns what this role may not switch off, and the tables whose definitions change during the run."""
    job, options = context.job, context.options
    problems: list[Problem] = []
    altered: set[TableName] = set()
    acting = await switches.acting_tables(new, [job.after(plan) for plan in job.plan.tables])
    for group in job.plan.groups:
        if switches.stays_on(job, group, acting):
            continue
        need = await switches.needed(new, job, group, replica=replica, rows=None, batch_rows=0)
        problems += switches.missing_rights(need, job, replica=replica)
        problems += await _noticing(new, job, group, replica=replica) if need.replica or need.drop else []
        altered |= {plan.new for plan in group.tables} if need.alters else set()
    if options.rebuild_indexes == RebuildIndexes.ALWAYS and not options.rehearse:
        problems += await indexes.missing_rights(new, job)
        loose = await indexes.loose(new, job, [plan.new for plan in job.plan.tables])
        altered |= {index.table for index in loose}
    return problems, altered


async def _noticing(new: asyncpg.Connection, job: Job, group: Group, *, replica: bool) -> list[Problem]:
    """Returns what this role cannot silence should rows of the group have to leave again."""
    acting = [
        one
        for plan in group.tables
        for one in await switches.acting(new, job.after(plan), switches.DELETE, replica=replica)
    ]
    return [OrphansNoticed(str(one), one.relation, job.new.user).problem() for one in acting if not one.owned]


async def _without_xml(new: asyncpg.Connection, job: Job) -> list[Problem]:
    """Returns the columns that hold xml, if NEW was built without libxml and takes no such value."""
    columns = [
        f"{p.new}.{m.column}"
        for p in job.plan.tables
        for m in p.columns
        if _holds_xml(m.type) and not isinstance(m.expression, NewDefault)
    ]
    if not columns:
        return []
    try:
        async with new.transaction():
            await new.fetchval(TRY_XML)
    except asyncpg.FeatureNotSupportedError:
        return [NoXml(name).problem() for name in columns]
    return []


def _holds_xml(pg_type: PgType) -> bool:
    inner = (
        *([pg_type.element] if pg_type.element is not None else []),
        *(a.type for a in pg_type.attributes),
    )
    return pg_type.base == "xml" or any(_holds_xml(t) for t in inner)


async def _refuse_same(
    old: asyncpg.Connection, new: asyncpg.Connection, mine: Identity, theirs: Identity, config: Config
) -> None:
    if standby_of(mine, theirs):
        raise Refused(OldIsStandbyOfNew(config.old.display, config.new.display))
    if not theirs.standby and await same_database(old, new):
        raise Refused(SameDatabase(config.old.display, config.new.display))


def _old_rights(job: Job) -> list[Problem]:
    user, problems = job.old.user, []
    for plan in job.plan.tables:
        table = job.before(plan)
        if "SELECT" not in table.privileges:
            problems.append(_denied(Side.OLD, plan.old, "SELECT", user, table.unreadable_columns))
    return problems


def _new_rights(job: Job, *wanted: str) -> list[Problem]:
    user, problems = job.new.user, []
    for plan in job.plan.tables:
        table = job.after(plan)
        needed = (*wanted, "UPDATE") if "INSERT" in wanted and updates(plan) else wanted
        lacking = [p for p in needed if p not in table.privileges]
        if lacking:
            problems.append(_denied(Side.NEW, plan.new, ", ".join(lacking), user))
    return problems


def _lookup_rights(job: Job) -> list[Problem]:
    """Returns lookup tables that may not be read; those that the plan moves, too, are reported elsewhere."""
    planned = {(Side.OLD, p.old) for p in job.plan.tables} | {(Side.NEW, p.new) for p in job.plan.tables}
    lookups = (
        m.expression for plan in job.plan.tables for m in plan.columns if isinstance(m.expression, Lookup)
    )
    problems = []
    for side, name in dict.fromkeys((lookup.side, lookup.table) for lookup in lookups):
        catalog = job.old if side is Side.OLD else job.new
        table = catalog.table(name)
        if table is not None and "SELECT" not in table.privileges and (side, name) not in planned:
            problems.append(_denied(side, name, "SELECT", catalog.user))
    return problems


def _denied(side: Side, table: TableName, rights: str, user: str, columns: tuple[str, ...] = ()) -> Problem:
    role = ident(user)
    usage = f"GRANT USAGE ON SCHEMA {ident(table.schema)} TO {role};"
    grant = pasteable(f"{usage} GRANT {rights} ON {relation(table)} TO {role};")
    if columns:
        return ColumnPrivilegeMissing(side, table, user, rights, grant, columns).problem()
    return PrivilegeMissing(side, table, user, rights, grant).problem()


def _rules(job: Job) -> list[Problem]:
    """Returns rules on INSERT that would fire.

    COPY fires none, but a table that receives none of OLD's columns is filled by INSERT.
    """
    plans = [p for p in job.plan.tables if not filled_columns(p) and job.after(p).columns]
    found = [
        (p.new, rule.name)
        for p in plans
        for rule in job.after(p).rules
        if rule.event == "INSERT" and rule.enabled in FIRES_AS_ORIGIN
    ]
    return [RuleWouldFire(table, rule).problem() for table, rule in found]


def _foreign_partitions(job: Job) -> list[Problem]:
    """Returns partitions that are foreign tables.

    A snapshot of OLD does not hold their rows, and a transaction on NEW does not write them.
    """
    olds = [
        (Side.OLD, plan.old, leaf)
        for plan in job.plan.tables
        for leaf in job.before(plan).partitions
        if leaf.kind == RelationKind.FOREIGN_TABLE
    ]
    news = [
        (Side.NEW, plan.new, leaf)
        for plan in job.plan.tables
        for leaf in job.after(plan).partitions
        if leaf.kind == RelationKind.FOREIGN_TABLE
    ]
    return [ForeignPartition(leaf.name, side, table).problem() for side, table, leaf in (*olds, *news)]


async def _limits(
    old: asyncpg.Connection, new: asyncpg.Connection, job: Job, jobs: int
) -> tuple[int, list[Problem]]:
    """Returns the number of streams for which both servers have room beside `OTHERS`, less than 1 where not
    even these have all the connections that they would use, and the warnings.
    """
    room, warnings = jobs, []
    for side, conn in ((Side.OLD, old), (Side.NEW, new)):
        row = await conn.fetchrow(query("limits"))
        free = row["max_connections"] - row["used"]
        for limit, used in ((row["role_limit"], row["role_used"]), (row["database_limit"], row["used"])):
            if limit >= 0 and not row["superuser"]:
                free = min(free, limit - used)
        possible = max(1, free - OTHERS)
        if possible < max(1, room):
            warnings.append(FewerStreams(side, possible, jobs).problem(side.value))
        room = min(room, free - OTHERS)
        locks, there = _locks(job, side), row["locks_each"] * row["lockers"]
        if locks > there:
            enough = -(-locks // row["lockers"])
            warnings.append(ManyLocks(side, locks, there, enough).problem(side.value))
    return room, warnings


def _locks(job: Job, side: Side) -> int:
    """Returns how many locks a run needs at a time on one side: one session holds every table of OLD, and
    other transactions read and write a bounded number of tables.
    """
    if side is Side.NEW:
        return _OTHER_LOCKS
    tables = (job.old.table(name) for name in locked_relations(job))
    return _OTHER_LOCKS + sum(1 + len(table.partitions) for table in tables if table is not None)


async def _in_use(new: asyncpg.Connection, job: Job, altered: set[TableName]) -> list[Problem]:
    """Returns the sessions that write to tables whose triggers, keys or indexes would be off for them,
    too.
    """
    oids = [table.oid for name in sorted(altered) if (table := job.new.table(name)) is not None]
    found = await new.fetch(query("writers"), oids) if oids else []
    return [NewInUse(r["relation"], r["pid"], r["role"], r["application"]).problem() for r in found]


async def _beside(
    new: asyncpg.Connection, config: Config, job: Job, mine: Identity, altered: set[TableName]
) -> list[Problem]:
    """Returns runs from other OLDs that fill the same tables now.

    Whichever ends first would restore what the other one needs off.
    """
    journal = await find_journal(new, config.journal_schema)
    if journal is None:
        return []
    filled, problems = {p.new for p in job.plan.tables}, []
    off = {undo.run for undo in await journal.open_undo(new) if undo.index is None}
    for run in await journal.runs(new, None):
        if run.old_identity == mine.key or run.state != RunStatus.RUNNING:
            continue
        both = filled & {task.flow.new for task in await journal.tasks(new, run.id)}
        crossed = both if run.id in off else both & altered
        if crossed and await at_work(new, run):
            problems.append(FilledFromAnotherOld(tuple(sorted(crossed)), run.host, run.pid).problem())
    return problems


def _unlogged(job: Job) -> list[Problem]:
    """Tables of NEW that a crash of its server empties."""
    tables = {plan.new: job.after(plan) for plan in job.plan.tables}
    return [UnloggedTable(name).problem() for name, table in tables.items() if table.persistence == "u"]


def _watchers(new: Catalog, journal_schema: str) -> list[Problem]:
    found = []
    if new.publications:
        whole = any(name.endswith("(all tables)") for name in new.publications)
        published = (
            NewPublishesJournal(new.publications, journal_schema) if whole else NewPublishes(new.publications)
        )
        found.append(published.problem())
    if new.event_triggers:
        found.append(EventTriggers(new.event_triggers).problem())
    return found
