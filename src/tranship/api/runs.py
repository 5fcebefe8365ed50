"""Runs: preparing a plan that may be carried out, carrying it out, and writing down what came of it."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import Callable
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tranship import __version__
from tranship.api.analysis import not_asked, places, undecided
from tranship.api.sides import Connections, Sides, connections, read_background, read_sides, refuse, result_path
from tranship.api.stale import stale_changes, stale_resolutions
from tranship.codec import check_folder, free_path, write_json, write_text
from tranship.codec.resolutions import read_resolutions
from tranship.config import Config
from tranship.errors import Refused
from tranship.execution.broken import BROKEN, could_not_begin
from tranship.execution.doctor import settle
from tranship.execution.job import Job
from tranship.execution.lock import WriterLock
from tranship.execution.outcome import MigrationOutcome, StoppedRun
from tranship.execution.rehearse import rehearse
from tranship.execution.run import dry_run, move
from tranship.model.change import Comparison
from tranship.model.expression import Sql
from tranship.model.names import Side
from tranship.model.options import MigrateOptions, command_line
from tranship.model.plan import Plan
from tranship.model.progress import Event, Noted, PlannedTable, RunStarted
from tranship.model.resolution import Answers, Problem, ResolutionFile
from tranship.model.statistics import Background, Statistics
from tranship.model.verdict import MigrationResult, Mode, Stats
from tranship.planning.build import build
from tranship.planning.compare import compare
from tranship.planning.match import Decided, match
from tranship.planning.resolve import asked_about, decide, open_questions
from tranship.planning.resolve.casts import cast_questions
from tranship.planning.resolve.words import OPEN_QUESTION
from tranship.server.casts import refused_values, repeated_keys
from tranship.server.evidence import gather_observed
from tranship.server.identity import read_identity
from tranship.server.journal import Journal
from tranship.server.session import pin
from tranship.server.transforms import refused_transforms

_OBSERVE_SECONDS = 30.0
"""Bound of the questions whether a column changes its meaning."""


class Prepared(Struct, frozen=True):
    """A plan that may run, and what led to it."""

    sides: Sides
    comparison: Comparison
    answers: Answers
    plan: Plan
    warnings: tuple[Problem, ...] = ()


async def prepare(config: Config, options: MigrateOptions) -> Prepared:
    """Read both sides, apply the decisions, and build the plan.

    Raises:
        Refused: wrong or stale decisions, open breaking changes, a plan that cannot be carried out; all problems at once.
    """
    path = Path(options.resolutions) if options.resolutions is not None else None
    file = read_resolutions(path) if path is not None else ResolutionFile(())
    async with connections(config) as open_:
        sides = await read_sides(config, open_, also=_lookup_schemas(file))
        old, new = sides.old, sides.new
        stale = [*stale_changes(options, old, new), *(stale_resolutions(file, old, new, path) if path is not None else ())]
        background, unread = await _background(open_, sides, config)
        answers, decided, problems = decide(file, old, new, sides.scope, background)
        comparison = await _compared(open_, sides, decided, answers, background)
        open_now = open_questions(comparison, answers)
        asked = asked_about(file, old, new, sides.scope)
        told_below = tuple(f"{asked[place]} (" for change in open_now for place in places(change) if place in asked)
        problems = tuple(p for p in problems if p.code != OPEN_QUESTION or not p.object.startswith(told_below))
        refuse([*stale, *problems, *_summed(undecided(open_now), options)])
        refuse(await _refused_values(open_, sides, answers))
        plan, more = build(old, new, comparison, answers, sides.scope.tables)
        refuse([*more, *await _refused_transforms(open_, sides, plan)])
    warnings = (*stale, *unread, *problems, *more, *plan.warnings)
    return Prepared(sides, comparison, answers, plan, tuple(p for p in warnings if p.warning))


async def _background(open_: Connections, sides: Sides, config: Config) -> tuple[Background, tuple[Problem, ...]]:
    """What the servers' statistics say now.

    The plan of an unfinished run from this OLD stands, and what a run wrote says nothing of what NEW held.
    """
    journal = Journal(config.journal_schema)
    ours = await journal.missing(open_.new, sides.new.user, sides.new.database) is None and await journal.exists(open_.new)
    runs = await journal.runs(open_.new, (await read_identity(open_.old)).key) if ours else ()
    if any(run.state != "finished" for run in runs):
        return Background(sides.shared_ancestor), ()
    background, unread = await read_background(open_, sides)
    return replace(background, new_statistics=Statistics()) if runs else background, not_asked(unread)


async def _compared(open_: Connections, sides: Sides, decided: Decided, answers: Answers, background: Background) -> Comparison:
    """The comparison under the decisions, judged by what the data show now."""
    old, new = sides.old, sides.new
    matching = match(old, new, sides.scope, decided, background=background)
    comparison = compare(old, new, matching, answers)
    observed, _ = await gather_observed(open_.old, open_.new, old, new, comparison, probe_seconds=_OBSERVE_SECONDS)
    return compare(old, new, matching, answers, observed=observed)


async def _refused_values(open_: Connections, sides: Sides, answers: Answers) -> list[Problem]:
    """Values of the decisions that one of the servers does not take for its type."""
    questions = cast_questions(answers, sides.old, sides.new)
    datestyle = f"ISO, {sides.new.datestyle.split(', ')[-1]}"
    found: list[Problem] = []
    asked: tuple[tuple[asyncpg.Connection, Side], ...] = ((open_.old, Side.OLD), (open_.new, Side.NEW))
    for conn, side in asked:
        if any(q.side is side for q in questions):
            await pin(conn, side, datestyle=datestyle, search_path="" if side is Side.OLD else None)
            found += await refused_values(conn, side, questions)
    if not found and any(decision.resolution.value_mapping for decision in answers.decisions):
        await pin(open_.old, Side.OLD, datestyle=datestyle, search_path="")
        found += await repeated_keys(open_.old, answers, sides.old)
    return found


async def _refused_transforms(open_: Connections, sides: Sides, plan: Plan) -> tuple[Problem, ...]:
    """Expressions of the decisions that OLD does not run, judged in a session like those that will read."""
    if not any(isinstance(m.expression, Sql) for table in plan.tables for m in table.columns):
        return ()
    await pin(open_.old, Side.OLD, datestyle=f"ISO, {sides.new.datestyle.split(', ')[-1]}", search_path="")
    return await refused_transforms(open_.old, plan.tables)


async def migrate(
    config: Config, options: MigrateOptions, on_event: Callable[[Event], None] | None = None, stop: asyncio.Event | None = None
) -> tuple[MigrationResult, Path]:
    """Dry run, rehearsal or live run; writes the result file and, where rows were rejected, the rejects file.

    ``on_event`` hears every event as it happens; ``stop``, once set, ends a live run after the batches in flight.
    Returns the result and where it was written.

    Raises:
        TranshipError: nothing could be started, or the run stopped; its exit status says which.
    """
    started = datetime.datetime.now(tz=datetime.UTC)
    hear = on_event or _unheard
    check_folder(Path(options.results_dir))
    try:
        prepared = await _begin(config, options, hear)
        job = Job(prepared.plan, prepared.sides.old, prepared.sides.new)
        engine = rehearse if options.rehearse else move if options.live else dry_run
        for warning in prepared.warnings:
            hear(Noted(f"⚠ {warning.code} {warning.message}"))
        hear(_started(job))
        told = await engine(job, config, options, on_event=hear, stop=stop or asyncio.Event())
    except Refused as refusal:
        write_outcome(MigrationOutcome(_refused(refusal, options, started)), options)
        raise
    except StoppedRun as stopped:
        if stopped.outcome is not None:
            _, path = write_outcome(stopped.outcome, options)
            hear(Noted(f"Result: {path}"))
        raise
    result = replace(told.result, problems=(*prepared.warnings, *told.result.problems))
    return write_outcome(replace(told, result=result), options)


async def _begin(config: Config, options: MigrateOptions, hear: Callable[[Event], None]) -> Prepared:
    """The plan, once no other run is at work and nothing is left switched off."""
    try:
        if (options.live or options.rehearse) and not options.take_over:
            async with connections(config) as open_:
                await WriterLock.refuse_second(config, Journal(config.journal_schema), open_.old, open_.new, spelling=options.spelling)
        if options.live:
            await settle(config, lambda message: hear(Noted(message)), going_on=True)
        return await prepare(config, options)
    except BROKEN as error:
        raise could_not_begin(error) from error


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


def _lookup_schemas(file: ResolutionFile) -> list[tuple[Side, str]]:
    lookups = [e.lookup_table for e in file.entries if e.lookup_table is not None]
    return [(Side(lookup.database), lookup.schema) for lookup in lookups if lookup.schema is not None]


def _summed(undecided: tuple[Problem, ...], options: MigrateOptions) -> tuple[Problem, ...]:
    """The open changes under one line that counts them and names the next command."""
    if not undecided:
        return ()
    changes = options.changes_file or str(result_path(options.results_dir, options.prefix, "migration_changes.json"))
    following = command_line(options.spelling, "resolve generate", changes, *options.naming)
    if not Path(changes).exists():
        following = f"{command_line(options.spelling, 'analyze', options.config_path, *options.naming)}, then {following}"
    head = Problem(
        "TS300", "", f"Breaking changes detected: {len(undecided)}", f"decide each of them; to write them down with suggestions: {following}"
    )
    return (head, *undecided)
