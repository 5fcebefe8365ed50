"""What tranship can do, as a library: the only module that joins the layers. Async throughout; the command line merely calls it."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tranship import __version__
from tranship.codec import CHANGES_FORMAT, ChangeRecord, ChangesFile, SideInfo, free_path, read_changes, write_changes, write_json, write_text
from tranship.codec.resolutions import read_resolutions
from tranship.config import Config, Endpoint
from tranship.errors import Refused, UsageError
from tranship.execution.job import Job
from tranship.execution.outcome import MigrationOutcome
from tranship.model.catalog import Catalog
from tranship.model.change import ChangeClass, Comparison
from tranship.model.evidence import Evidence
from tranship.model.names import Side
from tranship.model.options import MigrateOptions, command_line
from tranship.model.plan import Plan
from tranship.model.progress import Event, Noted, PlannedTable, RunStarted
from tranship.model.resolution import Answers, Problem, ResolutionFile
from tranship.model.verdict import MigrationResult, Mode, Stats
from tranship.planning.build import build
from tranship.planning.compare import compare
from tranship.planning.drift import drift
from tranship.planning.match import match
from tranship.planning.resolve import decide, open_questions
from tranship.planning.scope import Scope, make_scope
from tranship.planning.suggest import Question
from tranship.planning.suggest import suggest as suggest_answers
from tranship.report.describe.analysis import describe_analysis
from tranship.report.text import render_text
from tranship.server.catalog import read_catalog
from tranship.server.connect import connect
from tranship.server.identity import read_identity


class Sides(Struct, frozen=True):
    """Both catalogs as read in one go, and what the configuration selects of them."""

    old: Catalog
    new: Catalog
    scope: Scope
    shared_ancestor: bool


class Analysis(Struct, frozen=True):
    """What ``analyze`` found and wrote."""

    comparison: Comparison
    report: str
    report_path: Path
    changes_path: Path
    problems: tuple[Problem, ...] = ()
    """Warnings."""


class Suggestion(Struct, frozen=True):
    """What ``resolve generate`` wrote."""

    path: Path | None
    """None: nothing is open."""
    questions: tuple[Question, ...]
    dropped: tuple[str, ...]
    kept: int
    inserts: Path | None = None
    """Statements that would add the values a suggested lookup lacks."""


class Prepared(Struct, frozen=True):
    """A plan that may run, and what led to it."""

    sides: Sides
    comparison: Comparison
    answers: Answers
    plan: Plan
    warnings: tuple[Problem, ...] = ()


async def read_sides(config: Config, *, also: Sequence[tuple[Side, str]] = ()) -> Sides:
    """Read both catalogs, each in one read-only transaction.

    ``also`` names schemas beyond the configured ones whose tables are referred to (lookups).

    Raises:
        ConnectError: a server cannot be reached.
        UsageError, Refused: a configured table is not there or may not be read; all of them at once.
    """
    (old, old_system), (new, new_system) = await asyncio.gather(
        _read_side(config.old, config.journal_schema, [s for side, s in also if side is Side.OLD]),
        _read_side(config.new, config.journal_schema, [s for side, s in also if side is Side.NEW]),
    )
    scope, problems = make_scope(old, new, config.tables, config.table_mapping, old_configured=config.old.schemas, new_configured=config.new.schemas)
    refuse(problems)
    return Sides(old, new, scope, old_system == new_system)


async def analyze(config: Config, *, prefix: str | None = None, results_dir: str = "results", probe_seconds: float = 30.0) -> Analysis:
    """Compare the two schemas without writing to either, and write the report and the changes file.

    ``probe_seconds`` bounds the questions about data that feed the suggestions. Paths are relative to the working directory.
    """
    sides = await read_sides(config)
    matching = match(sides.old, sides.new, sides.scope, shared_ancestor=sides.shared_ancestor)
    comparison = compare(sides.old, sides.new, matching)
    evidence = Evidence()
    report = render_text(describe_analysis(comparison, sides.old, sides.new))
    changes_path = result_path(results_dir, prefix, "migration_changes.json")
    report_path = result_path(results_dir, prefix, "migration_report.txt")
    write_changes(changes_path, _changes_file(config, sides, comparison, evidence))
    write_text(report_path, report)
    return Analysis(comparison, report, report_path, changes_path)


async def suggest(changes: Path, *, prefix: str | None = None, results_dir: str = "results", fresh: bool = False) -> Suggestion:
    """Write the resolutions file with every open question; connects nowhere.

    Decisions of an existing file are kept unless ``fresh``. With nothing open nothing is written and ``path`` is None.
    """
    told = read_changes(changes)
    path = result_path(results_dir, prefix, "manual_resolutions.json")
    existing = read_resolutions(path) if path.exists() and not fresh else None
    old, new = told.old.catalog, told.new.catalog
    scope, problems = _told_scope(told)
    refuse([p for p in problems if p.code.startswith("TS1")])
    found = suggest_answers(old, new, scope, told.evidence, existing, shared_ancestor=told.shared_ancestor)
    if found.nothing_open:
        return Suggestion(None, (), (), found.kept, None)
    write_json(path, found.document)
    inserts = result_path(results_dir, prefix, "missing_lookups.sql") if found.inserts else None
    if inserts is not None:
        write_text(inserts, "\n".join(found.inserts) + "\n")
    return Suggestion(path, found.questions, tuple(f"{d.path}: {d.reason}" for d in found.dropped), found.kept, inserts)


def validate(resolutions: Path, changes: Path) -> tuple[Problem, ...]:
    """All problems of a resolutions file against a changes file, open questions included; connects nowhere and writes nothing.

    Raises:
        UsageError: one of the files cannot be read.
    """
    told = read_changes(changes)
    file = read_resolutions(resolutions)
    old, new = told.old.catalog, told.new.catalog
    scope, problems = _told_scope(told)
    refuse([p for p in problems if p.code.startswith("TS1")])
    answers, decided, found = decide(file, old, new, scope)
    comparison = compare(old, new, match(old, new, scope, decided, shared_ancestor=told.shared_ancestor), answers)
    return (*_stale_resolutions(file, old, new, resolutions), *found, *_open(comparison, answers))


async def prepare(config: Config, options: MigrateOptions) -> Prepared:
    """Read both sides, apply the decisions, and build the plan.

    Raises:
        Refused: wrong or stale decisions, open breaking changes, a plan that cannot be carried out; all problems at once.
    """
    path = Path(options.resolutions) if options.resolutions is not None else None
    file = read_resolutions(path) if path is not None else ResolutionFile(())
    sides = await read_sides(config, also=_lookup_schemas(file))
    old, new = sides.old, sides.new
    stale = [*_stale_changes(options, old, new), *(_stale_resolutions(file, old, new, path) if path is not None else ())]
    answers, decided, problems = decide(file, old, new, sides.scope)
    comparison = compare(old, new, match(old, new, sides.scope, decided, shared_ancestor=sides.shared_ancestor), answers)
    undecided = _open(comparison, answers)
    refuse([*stale, *problems, *_summed(undecided, options)])
    plan, more = build(old, new, comparison, answers, sides.scope.tables)
    refuse(more)
    warnings = (*stale, *problems, *more, *plan.warnings)
    return Prepared(sides, comparison, answers, plan, tuple(p for p in warnings if p.warning))


async def migrate(
    config: Config, options: MigrateOptions, on_event: Callable[[Event], None] | None = None, stop: asyncio.Event | None = None
) -> tuple[MigrationResult, Path]:
    """Dry run, rehearsal or live run; writes the result file and, where rows were rejected, the rejects file.

    ``on_event`` hears every event as it happens; ``stop``, once set, ends a live run after the batches in flight.
    Returns the result and where it was written.

    Raises:
        TranshipError: nothing could be started, or the run stopped; its exit status says which.
    """
    from tranship.execution.doctor import settle
    from tranship.execution.run import dry_run, move

    started = datetime.datetime.now(tz=datetime.UTC)
    hear = on_event or _unheard
    try:
        if options.live:
            await settle(config, lambda message: hear(Noted(message)))
        prepared = await prepare(config, options)
        job = Job(prepared.plan, prepared.sides.old, prepared.sides.new)
        engine = move if options.live else dry_run
        for warning in prepared.warnings:
            hear(Noted(f"⚠ {warning.code} {warning.message}"))
        hear(_started(job))
        told = await engine(job, config, options, on_event=hear, stop=stop or asyncio.Event())
    except Refused as refusal:
        write_outcome(MigrationOutcome(_refused(refusal, options, started)), options)
        raise
    result = replace(told.result, problems=(*prepared.warnings, *told.result.problems))
    return write_outcome(replace(told, result=result), options)


def _refused(refusal: Refused, options: MigrateOptions, started: datetime.datetime) -> MigrationResult:
    """The result of a run that a safety rule did not let start."""
    return MigrationResult(
        tool_version=__version__,
        run_id="",
        mode=_mode(options),
        status="refused",
        exit_status=refusal.exit_status,
        snapshot=None,
        started=started.isoformat(timespec="milliseconds"),
        finished=datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="milliseconds"),
        stats=Stats(),
        tables=(),
        problems=refusal.problems,
        resolutions_file=options.resolutions,
        arguments=options.arguments,
    )


def _mode(options: MigrateOptions) -> Mode:
    if options.rehearse:
        return "rehearse"
    return "live" if options.live else "dryrun"


def write_outcome(told: MigrationOutcome, options: MigrateOptions) -> tuple[MigrationResult, Path]:
    """Name and write the files of a run; the result says where its rejects lie and which decisions led to it."""
    stamp = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d_%H%M%S")
    result = told.result
    path = free_path(result_path(options.results_dir, options.prefix, f"migration_result_{result.mode}_{stamp}.json"))
    if told.rejects:
        rejects = free_path(result_path(options.results_dir, options.prefix, f"migration_rejects_{result.mode}_{stamp}.jsonl"))
        write_text(rejects, b"\n".join(msgspec.json.encode(record) for record in told.rejects).decode() + "\n")
        result = replace(result, rejects_file=str(rejects))
    if options.resolutions is not None:
        result = replace(result, resolutions_sha256=hashlib.sha256(Path(options.resolutions).read_bytes()).hexdigest())
    write_json(path, result)
    return result, path


def _started(job: Job) -> RunStarted:
    """The first event: the tables in plan order."""
    tables = (PlannedTable(p.old, p.new, len(job.before(p).columns), len(job.after(p).columns)) for p in job.plan.tables)
    return RunStarted(tuple(tables))


def _unheard(_: Event) -> None:
    """Nobody listens."""


def result_path(results_dir: str, prefix: str | None, name: str) -> Path:
    """Where a result file of this name goes."""
    return Path(results_dir) / (f"{prefix}_{name}" if prefix else name)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise when any problem is more than a warning: usage (TS1xx) first, then safety rules."""
    grave = tuple(p for p in problems if not p.warning)
    if not grave:
        return
    kind = UsageError if any(p.code.startswith("TS1") for p in grave) else Refused
    message = grave[0].message if len(grave) == 1 else "\n".join(p.message for p in grave)
    raise kind(grave[0].code, message, object=grave[0].object, hint=grave[0].hint, problems=grave)


async def _read_side(endpoint: Endpoint, journal_schema: str, also: Sequence[str]) -> tuple[Catalog, str]:
    """One side's catalog and system identifier; relations that foreign keys or lookups reach outside the scope are read too."""
    conn = await connect(endpoint)
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            catalog = await read_catalog(conn, endpoint.schemas, journal_schema=journal_schema)
            targets = {key.target for table in catalog.tables for key in table.foreign_keys}
            beyond = tuple(sorted({*also, *(t.schema for t in targets)} - set(catalog.schemas)))
            if beyond:
                extra = await read_catalog(conn, beyond, journal_schema=journal_schema)
                wanted = [t for t in extra.tables if t.name in targets or t.name.schema in also]
                catalog = replace(catalog, outside=tuple(wanted))
            return catalog, (await read_identity(conn)).system
    finally:
        await conn.close()


def _told_scope(told: ChangesFile) -> tuple[Scope, tuple[Problem, ...]]:
    """The scope as the changes file remembers it."""
    old, new = told.old.catalog, told.new.catalog
    return make_scope(
        old,
        new,
        told.tables,
        told.table_mapping,
        old_configured=old.schemas if told.old.configured else None,
        new_configured=new.schemas if told.new.configured else None,
    )


def _changes_file(config: Config, sides: Sides, comparison: Comparison, evidence: Evidence) -> ChangesFile:
    def side(catalog: Catalog, endpoint: Endpoint) -> SideInfo:
        configured = endpoint.schemas is not None
        return SideInfo(catalog.database, catalog.server_version, catalog.fingerprint, catalog, configured)

    counts = {cls.value: len(comparison.of(cls)) for cls in ChangeClass}
    return ChangesFile(
        format_version=CHANGES_FORMAT,
        tool_version=__version__,
        old=side(sides.old, config.old),
        new=side(sides.new, config.new),
        summary={"total": len(comparison.changes), **counts},
        changes=tuple(ChangeRecord.of(c) for c in comparison.changes),
        notes=tuple(ChangeRecord.of(c) for c in comparison.notes),
        tables=config.tables,
        table_mapping=config.table_mapping,
        journal_schema=config.journal_schema,
        shared_ancestor=sides.shared_ancestor,
        evidence=evidence,
    )


def _lookup_schemas(file: ResolutionFile) -> list[tuple[Side, str]]:
    lookups = [e.lookup_table for e in file.entries if e.lookup_table is not None]
    return [(Side(lookup.database), lookup.schema) for lookup in lookups if lookup.schema is not None]


def _open(comparison: Comparison, answers: Answers) -> tuple[Problem, ...]:
    """The breaking changes that no decision settles, as problems."""
    return tuple(
        Problem("TS301", ".".join(filter(None, (c.table, c.old_column or c.new_column))), c.description, "decide it in the resolutions file")
        for c in open_questions(comparison, answers)
    )


def _summed(undecided: tuple[Problem, ...], options: MigrateOptions) -> tuple[Problem, ...]:
    """The open changes under one line that counts them and names the next command."""
    if not undecided:
        return ()
    changes = options.changes_file or str(result_path(options.results_dir, options.prefix, "migration_changes.json"))
    prefix = ("--prefix", options.prefix) if options.prefix else ()
    following = command_line(options.spelling, "resolve generate", changes, *prefix)
    head = Problem(
        "TS300", "", f"Breaking changes detected: {len(undecided)}", f"decide each of them; to write them down with suggestions: {following}"
    )
    return (head, *undecided)


def _stale_changes(options: MigrateOptions, old: Catalog, new: Catalog) -> tuple[Problem, ...]:
    """A changes file that was named, or stands at the default place, must describe the schemas as they are."""
    default = result_path(options.results_dir, options.prefix, "migration_changes.json")
    path = Path(options.changes_file) if options.changes_file is not None else default
    if options.changes_file is None and not path.exists():
        return (Problem("TS340", str(path), f"no changes file at {path}: the schemas are compared now", warning=True),)
    told = read_changes(path)
    return tuple(
        Problem("TS302", str(path), f"{path} is stale: {what}", "run analyze again; resolve generate keeps the decisions already made")
        for before, now, side in ((told.old.catalog, old, Side.OLD), (told.new.catalog, new, Side.NEW))
        for what in drift(before, now, side)
    )


def _stale_resolutions(file: ResolutionFile, old: Catalog, new: Catalog, path: Path | None) -> tuple[Problem, ...]:
    """Decisions made on other schemas are refused; a file without fingerprints was written by hand and is accepted, which is said."""
    if not file.old_fingerprint and not file.new_fingerprint:
        return (Problem("TS341", str(path), f"{path} carries no fingerprints: it is taken as it is", warning=True),)
    return tuple(
        Problem(
            "TS303",
            str(path),
            f"{path} was made for another {side.value.upper()} schema",
            "run analyze and resolve generate again: decisions are kept",
        )
        for then, now, side in ((file.old_fingerprint, old.fingerprint, Side.OLD), (file.new_fingerprint, new.fingerprint, Side.NEW))
        if then != now
    )
