"""Prepares a run: reads both catalogs, compares them under the decisions, and builds the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.analysis.added_values import asks_to_add, with_added_values
from tranship.analysis.described import described_plan, with_described_queries
from tranship.analysis.evidence import gather_columns, gather_observed
from tranship.analysis.expression_checks import refused_sql
from tranship.analysis.lookup_checks import looks_up_in_old, refused_lookups
from tranship.analysis.open_changes import summed
from tranship.analysis.problems import not_asked, places
from tranship.analysis.sides import Connections, Sides, connections, read_background, read_sides, refuse
from tranship.analysis.stale import stale_changes, stale_resolutions, turned_round
from tranship.analysis.swapped import perhaps_swapped, probably_swapped
from tranship.analysis.uses import uses
from tranship.analysis.value_checks import refused_values, repeated_keys
from tranship.codec.resolutions import read_resolutions
from tranship.config import Config
from tranship.errors.codes.decisions import (
    OpenQuestion,
)
from tranship.errors.codes.start import ProbablySwapped
from tranship.model.change import Change, Comparison, Matching
from tranship.model.expression import Lookup
from tranship.model.names import Side, TableName
from tranship.model.options import MigrateOptions
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Answers, Problem, ResolutionFile
from tranship.model.statistics import Background, Statistics
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.come_alive import come_alive, marks_left
from tranship.planning.deciding.resolve import asked_about, decide, open_questions, with_mistakes
from tranship.planning.deciding.resolve.answered import without_answered
from tranship.planning.deciding.resolve.casts import cast_questions
from tranship.planning.deciding.resolve.flows import queries, with_queries
from tranship.planning.deciding.resolve.open_changes import left_behind
from tranship.planning.deciding.resolve.run_started import asks_for_start, constant, with_start
from tranship.planning.deciding.resolve.words import entry_path
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import chosen_by_new_name
from tranship.planning.plan.build import at_moment, build, flow_plans
from tranship.planning.plan.children import with_children
from tranship.planning.plan.not_executed import not_executed
from tranship.planning.plan.person_sql import person_sql
from tranship.server.identity import read_identity
from tranship.server.journal import RunStatus, find_journal, missing_rights
from tranship.server.session import datestyle, pin
from tranship.sql.session import CLOCK

_OBSERVE_SECONDS = 300.0
"""Bound of the questions whether a column changes its meaning: what has no answer refuses the run, so a slow
network gets ten times what ``analyze`` takes by default."""


class Prepared(Struct, frozen=True):
    """A plan that may run, and what it was made from."""

    sides: Sides
    comparison: Comparison
    answers: Answers
    plan: Plan
    warnings: tuple[Problem, ...] = ()


class Sketch(Struct, frozen=True):
    """The plan as far as it is decided, for a preview."""

    sides: Sides
    plan: Plan
    answers: Answers
    """The decisions of the plan, which say what SQL of a person is said to read."""
    open: tuple[Change, ...]
    """Breaking changes that nobody has decided: what they are about is not to be computed."""
    warnings: tuple[Problem, ...] = ()


async def prepare(config: Config, options: MigrateOptions) -> Prepared:
    """Reads both sides, applies the decisions, builds the plan and returns it with its warnings.

    All that is wrong with single entries is refused at once, with what is still open; then what is wrong with
    the plan as a whole, which would only repeat them in other words.

    Raises:
        UsageError: a file or the configuration names what does not exist.
        Refused: wrong or stale decisions, undecided breaking changes, or a plan that cannot be carried out.
    """
    path = Path(options.resolutions) if options.resolutions is not None else None
    file = read_resolutions(path) if path is not None else ResolutionFile(())
    async with connections(config) as open_:
        sides = await read_sides(config, open_, also=_lookup_schemas(file))
        file, moment = await _with_start(open_.old, file)
        old, new = sides.old, sides.new
        stale = _stale(options, file, path, sides)
        background, unread, filled = await _background(open_, sides, config)
        file, sides, unfit = await _with_made_flows(open_, sides, file, background)
        old = sides.old
        answers, decided, problems = decide(file, old, new, sides.scope, background)
        matching = match(old, new, sides.scope, decided, background=background)
        refuse(chosen_by_new_name(sides.scope, [(p.old, p.new) for p in matching.pairs], old))
        answers, untried = await _with_uses(open_, sides, matching, answers)
        comparison = await _compared(open_, sides, matching, answers, filled)
        problems = without_answered(problems, file, (old, new), comparison, answers)
        wrong = with_mistakes(problems)
        asked = asked_about(file, (old, new), sides.scope, background, wrong)
        open_now = _beside(open_questions(comparison, answers), asked, wrong)
        # An open question of the file about an undecided change is reported once, with the change.
        reported = {asked[place] for change in open_now for place in places(change) if place in asked}
        problems = tuple(p for p in problems if p.code != OpenQuestion.code or entry_path(p) not in reported)
        wrong_entries, left = [*problems, *untried], summed(open_now, options, (old, new))
        left = await _with_direction(open_, sides, config, left, allowed=options.allow_empty_old)
        _refuse_with([*stale, *unfit], [*wrong_entries, *left])
        # What only a server can tell is asked of all right entries, whatever is wrong with others: who
        # corrects a file wants to see all of it at once. The plan comes before the expressions, because they
        # are tried as the plan's reads have them.
        wrong_entries += await _refused_values(open_, sides, answers)
        plan, more = build(old, new, comparison, answers, sides.scope.tables)
        tried = await _refused_by_old(open_, sides, plan)
        # What is wrong with the plan as a whole may only follow from what is wrong or open.
        _refuse_with([*wrong_entries, *left], tried)
        refuse([*more, *tried, *not_executed(plan, new)])
        plan = at_moment(await described_plan(open_.old, plan, sides), moment)
        refuse(await probably_swapped(open_, sides, plan, config, allowed=options.allow_empty_old))
        alive = await _come_alive(open_, sides, plan, answers, options)
    warnings = (*stale, *unread, *problems, *tried, *more, *alive, *plan.warnings)
    return Prepared(sides, comparison, answers, plan, tuple(p for p in warnings if p.warning))


async def _with_direction(
    open_: Connections, sides: Sides, config: Config, left: tuple[Problem, ...], *, allowed: bool
) -> tuple[Problem, ...]:
    """Returns the open changes; behind them, where OLD and NEW are perhaps swapped, that they are: nobody
    should decide about the wrong direction. ``allowed`` asks for nothing.
    """
    if not left or allowed:
        return left
    both = (sides.old, sides.new)
    return (*left, *await perhaps_swapped(open_, both, config, message=ProbablySwapped))


def _refuse_with(causes: Sequence[Problem], others: Sequence[Problem]) -> None:
    """Refuses some problems and others beside them; the others alone are no reason yet.

    Raises:
        UsageError, Refused: one of the causes is more than a warning.
    """
    if any(not one.warning for one in causes):
        refuse([*dict.fromkeys([*causes, *others])])


def _beside(
    changes: Sequence[Change], asked: Mapping[tuple[str, Side, str], str], wrong: AbstractSet[str]
) -> list[Change]:
    """Returns the open changes about which no entry with a mistake speaks: its mistake is the cause."""
    return [one for one in changes if not any(asked.get(place) in wrong for place in places(one))]


async def sketch(
    config: Config, file: ResolutionFile, path: Path | None = None, *, asks: bool = True
) -> Sketch:
    """Reads both sides and builds the plan of the decisions that are made so far.

    Open questions are no problem here; wrong decisions are, and SQL that OLD does not run. ``path`` names the
    file in messages. ``asks``: the data is asked what is still open, which changes neither plan nor problems.

    Raises:
        UsageError: the configuration or a decision names what does not exist.
        Refused: wrong or stale decisions.
    """
    async with connections(config) as open_:
        sides = await read_sides(config, open_, also=_lookup_schemas(file))
        file, moment = await _with_start(open_.old, file)
        stale = stale_resolutions(file, sides.old, sides.new, path) if path is not None else ()
        background, unread, filled = await _background(open_, sides, config)
        file, sides, unfit = await _with_made_flows(open_, sides, file, background)
        old, new = sides.old, sides.new
        answers, decided, problems = decide(file, old, new, sides.scope, background)
        wrong_entries = [p for p in problems if p.code != OpenQuestion.code]
        _refuse_with([*stale, *unfit], wrong_entries)
        matching = match(old, new, sides.scope, decided, background=background)
        answers, untried = await _with_uses(open_, sides, matching, answers)
        bare = Comparison(matching, (), ())
        comparison = await _compared(open_, sides, matching, answers, filled) if asks else bare
        wrong_entries += [*untried, *await _refused_values(open_, sides, answers)]
        plan, more = build(old, new, comparison, answers, sides.scope.tables)
        tried = await _refused_by_old(open_, sides, plan)
        refuse([*dict.fromkeys([*wrong_entries, *tried])])
        plan = at_moment(await described_plan(open_.old, plan, sides), moment)
    warnings = (*stale, *unread, *problems, *tried, *more, *plan.warnings)
    open_now = open_questions(comparison, answers)
    return Sketch(sides, plan, answers, open_now, tuple(p for p in warnings if p.warning))


async def _with_start(old: asyncpg.Connection, file: ResolutionFile) -> tuple[ResolutionFile, str]:
    """Returns the file with the time of OLD's clock in place of ``run.started``, and that constant;
    empty where nothing reads it.
    """
    if not asks_for_start(file):
        return file, ""
    moment = constant(await old.fetchval(CLOCK))
    return with_start(file, moment), moment


def _stale(options: MigrateOptions, file: ResolutionFile, path: Path | None, sides: Sides) -> list[Problem]:
    """Returns why the files of an earlier comparison do not fit the databases as they are.

    Raises:
        Refused: the decisions are about the opposite direction, from which everything else follows.
    """
    found = list(stale_changes(options, sides.old, sides.new))
    found += stale_resolutions(file, sides.old, sides.new, path) if path is not None else ()
    if turned_round((file.old_fingerprint, file.new_fingerprint), sides.old, sides.new):
        refuse(found)
    return found


async def _background(
    open_: Connections, sides: Sides, config: Config
) -> tuple[Background, tuple[Problem, ...], frozenset[TableName]]:
    """Returns the servers' statistics, warnings about what could not be read, and the tables of NEW that
    runs from this OLD fill.

    While a run from this OLD is unfinished, its plan stands: statistics, which change, must not suggest
    another one. After any run NEW's statistics describe rows that the run wrote, so they are left out.
    """
    usable = (
        await missing_rights(open_.new, config.journal_schema, sides.new.user, sides.new.database) is None
    )
    journal = await find_journal(open_.new, config.journal_schema) if usable else None
    if journal is None:
        background, unread = await read_background(open_, sides)
        return background, not_asked(unread), frozenset()
    runs = await journal.runs(open_.new, (await read_identity(open_.old)).key)
    filled = frozenset([task.flow.new for run in runs for task in await journal.tasks(open_.new, run.id)])
    if any(run.state != RunStatus.FINISHED for run in runs):
        return Background(sides.shared_ancestor), (), filled
    background, unread = await read_background(open_, sides)
    background = replace(background, new_statistics=Statistics()) if runs else background
    return background, not_asked(unread), filled


async def _with_made_flows(
    open_: Connections, sides: Sides, file: ResolutionFile, background: Background
) -> tuple[ResolutionFile, Sides, tuple[Problem, ...]]:
    """Returns the file with the flows that add values to lookup tables, both sides with a table for the
    output of each ``query``, and what is wrong with them.
    """
    known, unfit = await _with_queries(open_, sides, file)
    if unfit or not asks_to_add(file):
        return file, known, unfit
    answers, decided, _ = decide(file, known.old, known.new, known.scope, background)
    matching = match(known.old, known.new, known.scope, decided, background=background)
    plans, _ = with_children(flow_plans(known.old, known.new, matching, answers), known.old, known.new)
    file, lacking = with_added_values(file, plans, known.new, known.scope)
    known, unfit = await _with_queries(open_, sides, file)
    return file, known, (*lacking, *unfit)


async def _with_queries(
    open_: Connections, sides: Sides, file: ResolutionFile
) -> tuple[Sides, tuple[Problem, ...]]:
    """Returns both sides with a table for the output of each ``query``, and why OLD does not run one."""
    if not any(True for _ in queries(file, sides.new)):
        return sides, ()
    await pin(open_.old, Side.OLD, datestyle=datestyle(sides.new), search_path="")
    old, problems = await with_described_queries(open_.old, file, (sides.old, sides.new))
    return replace(sides, old=with_queries(file, old, sides.new)), problems


async def _with_uses(
    open_: Connections, sides: Sides, matching: Matching, answers: Answers
) -> tuple[Answers, tuple[Problem, ...]]:
    """Returns the answers with what lookups and SQL of the decisions use of that which would be left behind,
    and the problems of SQL of which nobody knows what it uses.
    """
    old, new = sides.old, sides.new
    plans = flow_plans(old, new, matching, answers) if answers.decisions else []
    answers = replace(answers, read=_looked_up(plans, matching))
    if not any(one.produces_values for plan in plans for one in person_sql(plan)):
        return answers, ()
    columns, tables = left_behind(compare(old, new, matching, answers), answers)
    if not columns and not tables:
        return answers, ()
    await pin(open_.old, Side.OLD, datestyle=datestyle(new), search_path="")
    found = await uses(open_.old, old, plans, columns)
    read = tuple(dict.fromkeys((*answers.read, *found.tables)))
    return replace(answers, used=found.columns, read=read), found.problems


def _looked_up(plans: Sequence[TablePlan], matching: Matching) -> tuple[TableName, ...]:
    """Returns the tables of OLD that lookups read, but for those that may have a counterpart in NEW."""
    found = (mapping.expression for plan in plans for mapping in plan.columns)
    proposed = {proposal.old for proposal in matching.proposals}
    tables = (one.table for one in found if isinstance(one, Lookup) and not one.reads_new)
    return tuple(dict.fromkeys(table for table in tables if table not in proposed))


async def _compared(
    open_: Connections, sides: Sides, matching: Matching, answers: Answers, filled: frozenset[TableName]
) -> Comparison:
    """Returns the comparison under the decisions, with meanings judged by what the data shows now.

    The first comparison only finds out which columns to look at.
    """
    old, new = sides.old, sides.new
    comparison = compare(old, new, matching, answers)
    observed, _ = await gather_observed(
        open_, old, new, comparison, probe_seconds=_OBSERVE_SECONDS, filled=filled
    )
    return compare(old, new, matching, answers, observed=observed)


async def _come_alive(
    open_: Connections, sides: Sides, plan: Plan, answers: Answers, options: MigrateOptions
) -> tuple[Problem, ...]:
    """Returns warnings of rows that OLD marks as deleted and NEW would not; before rows are moved nobody is
    to wait for such a count.
    """
    marks = () if options.live or options.rehearse else marks_left(plan, answers, sides.old, sides.new)
    if not marks:
        return ()
    columns = dict.fromkeys(one.ref for one in marks)
    known = await gather_columns(open_, sides.old, sides.new, columns, probe_seconds=_OBSERVE_SECONDS)
    return tuple(come_alive(marks, known))


async def _refused_values(open_: Connections, sides: Sides, answers: Answers) -> list[Problem]:
    """Returns problems about values of the decisions that a server refuses for the column's type, or takes
    for equal.
    """
    questions = cast_questions(answers, sides.old, sides.new)
    style = datestyle(sides.new)
    found: list[Problem] = []
    sides_to_ask: tuple[tuple[asyncpg.Connection, Side], ...] = ((open_.old, Side.OLD), (open_.new, Side.NEW))
    for conn, side in sides_to_ask:
        if any(q.side is side for q in questions):
            await pin(conn, side, datestyle=style, search_path="" if side is Side.OLD else None)
            found += await refused_values(conn, side, questions)
    if not found and any(decision.resolution.value_mapping for decision in answers.decisions):
        await pin(open_.old, Side.OLD, datestyle=style, search_path="")
        found += await repeated_keys(open_.old, answers, sides.old)
    return found


async def _refused_by_old(open_: Connections, sides: Sides, plan: Plan) -> tuple[Problem, ...]:
    """Returns problems about SQL and lookups of the decisions that OLD does not run.

    The session is pinned as the run's readers are, because names resolve and texts print by its settings.
    """
    columns = [column for table in plan.tables for column in table.columns]
    texts = any(True for table in plan.tables for _ in person_sql(table))
    if not texts and not any(map(looks_up_in_old, columns)):
        return ()
    await pin(open_.old, Side.OLD, datestyle=datestyle(sides.new), search_path="")
    wrong = await refused_sql(open_.old, plan.tables)
    return (*wrong, *await refused_lookups(open_.old, sides.old, plan.tables))


def _lookup_schemas(file: ResolutionFile) -> list[tuple[Side, str]]:
    entries = (*file.entries, *(pattern.entry for pattern in file.for_all))
    lookups = [entry.lookup_table for entry in entries if entry.lookup_table is not None]
    return [(Side(lookup.database), lookup.schema) for lookup in lookups if lookup.schema is not None]
