"""Runs: it prepares a plan, carries it out, and writes the result file."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tranship.analysis.prepare import Prepared, prepare
from tranship.analysis.sides import connections
from tranship.api.held_back import HeldBack
from tranship.api.shown_rows import shown_rows
from tranship.codec import check_folder, encode
from tranship.config import Config
from tranship.errors import Refused, Stopped, UsageError
from tranship.execution.cluster.scheduler import usable
from tranship.execution.context import Job, RunContext, started
from tranship.execution.dry import dry_run
from tranship.execution.live import move
from tranship.execution.rehearsal import rehearse
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin
from tranship.execution.resilience.writer_lock import WriterLock
from tranship.execution.results.files import Words, longest_path, refused, write_outcome
from tranship.execution.results.outcome import MigrationOutcome, StoppedRun
from tranship.execution.time_spent import Stopwatch, phase, spent
from tranship.execution.upkeep.doctor import refuse_what_is_off, restore_all
from tranship.model.notes import ResultUnwritten, ResultWritten, Warned
from tranship.model.options import MigrateOptions
from tranship.model.preview import ShownRows
from tranship.model.progress import Event, Noted
from tranship.model.resolution import Problem
from tranship.model.verdict import MigrationResult
from tranship.planning.matching.scope import not_chosen
from tranship.report.describe.dry_run import describe_dry_run
from tranship.report.html import render_html
from tranship.report.notebook import result_html
from tranship.report.rejects import reject_line
from tranship.report.spelled import spelled_problems
from tranship.server.journal import Journal
from tranship.server.lock_waits import telling


class Migrated(NamedTuple):
    """What `migrate` returns."""

    result: MigrationResult
    path: Path | None
    """The result file. None: a live run could not write it; then the result was an event, and the journal of
    NEW holds it with the rejected rows.
    """

    def _repr_html_(self) -> str:
        """Returns the tables with their counts, which notebooks show."""
        return result_html(self.result)


async def migrate(
    config: Config,
    options: MigrateOptions | None = None,
    on_event: Callable[[Event], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Migrated:
    """Does a dry run, a rehearsal or a live run, and returns the result and the path of its file. Without
    ``options`` it is a dry run.

    It writes the result file and, where rows were rejected, the rejects file. ``on_event`` is called with
    every event as it happens. ``stop``, once set, ends a live run after the batches in flight.

    Raises:
        TranshipError: nothing could be started, or the run stopped; its exit status says which.
    """
    options = options or MigrateOptions()
    hear = HeldBack(on_event or _unheard)
    with Stopwatch(hear=hear).running(), telling(lambda note: hear(Noted(note))):
        try:
            return await _migrate(config, options, hear, stop or asyncio.Event())
        finally:
            hear.release()


async def _migrate(config: Config, options: MigrateOptions, hear: HeldBack, stop: asyncio.Event) -> Migrated:
    """Does the same under a stopwatch."""
    began = datetime.datetime.now(tz=datetime.UTC)
    # First of all: a run whose result cannot be written must not begin.
    check_folder(longest_path(options), named=Path(options.results_dir))
    if options.engine is not None:
        usable(options.engine)
    try:
        with phase("compare the databases"):
            prepared = await _begin(config, options, hear)
        job = Job(prepared.plan, prepared.sides.old, prepared.sides.new)
        engine = rehearse if options.rehearse else move if options.live else dry_run
        _tell_beginning(prepared, job, options, hear)
        journal = Journal(config.journal_schema)
        outcome = await engine(RunContext(job, config, options, journal, hear, stop))
    except Refused as refusal:
        _kept(MigrationOutcome(refused(refusal, options, began)), options, hear)
        raise
    except Stopped as stop_:
        so_far = stop_.outcome if isinstance(stop_, StoppedRun) else None
        told = so_far or MigrationOutcome(refused(stop_, options, began))
        _, path = _kept(told, options, hear)
        if path is not None:
            hear(Noted(ResultWritten(str(path))))
        raise
    outcome = _beside(outcome, prepared, () if hear.is_over else prepared.warnings)
    # What a dry run is asked for is its result; a live run has moved the rows, whatever becomes of the file.
    if options.live:
        return Migrated(*_kept(outcome, options, hear))
    with phase("show rows"):
        rows = await shown_rows(config, prepared) if _shows_rows(options) else ShownRows()
    return Migrated(*write_outcome(_profiled(outcome, options), options, _words(options, rows)))


def _beside(outcome: MigrationOutcome, prepared: Prepared, warnings: Sequence[Problem]) -> MigrationOutcome:
    """Returns the outcome with the warnings of its plan, and with the tables that are not chosen."""
    moved = {plan.old for plan in prepared.plan.tables}
    aside = not_chosen(prepared.sides.old, prepared.sides.scope, moved)
    problems = (*warnings, *outcome.result.problems)
    return replace(
        outcome, result=replace(outcome.result, problems=problems, tables_not_chosen=aside or UNSET)
    )


def _shows_rows(options: MigrateOptions) -> bool:
    """Returns whether a page shows the first rows of each table: not where it is about rejected ones."""
    return not (options.live or options.rehearse or options.rejects_only)


def _words(options: MigrateOptions, rows: ShownRows = ShownRows()) -> Words:  # noqa: B008 - frozen
    """Returns what makes texts for people in the files of a run."""
    return Words(reject_line, lambda result: render_html(describe_dry_run(result, options, rows)))


def _profiled(outcome: MigrationOutcome, options: MigrateOptions) -> MigrationOutcome:
    """Returns the outcome with commands as they can be typed, and with where its time went, if that was asked
    for.
    """
    problems = spelled_problems(outcome.result.problems, options.invocation, options.databases)
    result = replace(outcome.result, problems=problems)
    if options.profile:
        result = replace(result, profile=spent())
    return replace(outcome, result=result)


def _tell_beginning(prepared: Prepared, job: Job, options: MigrateOptions, hear: HeldBack) -> None:
    """Tells warnings and the tables; which tables a rejects-only run has is known later."""
    hear.hold(Noted(Warned(warning)) for warning in prepared.warnings)
    if not options.rejects_only:
        hear.hold([started(job)])
    if not options.live:
        hear.release()


def _kept(
    outcome: MigrationOutcome, options: MigrateOptions, hear: Callable[[Event], None]
) -> tuple[MigrationResult, Path | None]:
    """Writes the files of a run; where they cannot be written, the result is told as an event instead."""
    outcome = _profiled(outcome, options)
    try:
        return write_outcome(outcome, options, _words(options))
    except UsageError as error:
        printed = outcome.result if options.show_values else outcome.result.without_values
        hear(Noted(ResultUnwritten(error.message, encode(printed).decode())))
        return outcome.result, None


async def _begin(config: Config, options: MigrateOptions, hear: Callable[[Event], None]) -> Prepared:
    """Returns the plan, once no other run is at work and nothing is left switched off in NEW.

    The order matters: a plan that is read while a trigger or key is off would take it for gone.
    """
    try:
        if (options.live or options.rehearse) and not options.take_over:
            async with connections(config) as open_:
                await WriterLock.refuse_second(
                    config,
                    open_.old,
                    open_.new,
                    invocation=options.invocation,
                )
        if options.live:
            refuse_what_is_off(await restore_all(config, lambda note: hear(Noted(note)), resuming=True))
        return await prepare(config, options)
    except BROKEN as error:
        raise could_not_begin(error) from error


def _unheard(_: Event) -> None:
    """Ignores an event: the caller gave no ``on_event``."""
