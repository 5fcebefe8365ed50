"""``--rejects-only``: the rows that finished runs rejected are moved again, and no others.

The run has a plan, batches and an account of its own, in which OLD consists of the rejected rows; all others
are in NEW already, as rows of others would be. With the runs before it, it covers each table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import asyncpg
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.rejects_only import (
    NotFoundAgain,
    NothingMoved,
    NothingRejected,
    ParentsNotOnRecord,
    RejectedInEarlierFormat,
)
from tranship.errors.codes.start import RejectsReadLater
from tranship.execution.context import Job, MovedBefore, RunContext, TakenUp
from tranship.execution.probe.everything import probing_session
from tranship.execution.proof.as_it_was import Seen
from tranship.execution.start.earlier_runs import Before, journalled, latest
from tranship.execution.start.found_again import Found, Rejected, Unfindable, find_again, restricted
from tranship.execution.start.values_written import Written, other_values
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.notes import NotMovedYet, RejectedRowsGone
from tranship.model.options import command_line
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Problem
from tranship.planning.plan.content import plan_hash, rebound
from tranship.planning.plan.numbers import KeyOf, key_of, numbers_in, own_numbers, with_starts
from tranship.planning.plan.stand_ins import why_not_alone
from tranship.server.journal import Chain, Run, TaskRow
from tranship.server.snapshot import Mark, Snapshot
from tranship.sql.old.found_again import others


async def take_up(
    control: asyncpg.Connection, context: RunContext, before: Before
) -> tuple[Job, dict[FlowId, Chain]]:
    """Returns the job of a rejects-only run, over all rows until `restrict` finds the rejected ones, and the
    runs that moved each table. Its plan is empty where no rows are rejected any more.

    Raises:
        Refused: no finished run left rejected rows.
    """
    job, journal = context.job, context.journal
    flows = {plan.flow for plan in job.plan.tables}
    known = {flow: chain for flow, chain in latest(before).items() if flow in flows}
    if before.unfinished is not None:
        wanted = {task.flow for task in await journal.tasks(control, before.unfinished.id)}
    else:
        wanted = await _with_rejects(control, context, known)
        _tell_left(context, flows - known.keys())
    job = replace(_only(job, wanted, known), journalled=tuple(journalled(journal, known)))
    tables = {plan.new for plan in job.plan.tables}
    written, updated = await _written_before(control, context, known.values(), tables)
    return replace(job, written_before=written, updated_before=updated), known


def _only(job: Job, wanted: AbstractSet[FlowId], known: Mapping[FlowId, Chain]) -> Job:
    """Returns the job of the wanted flows; the others are moved already."""
    moved = [plan for plan in job.plan.tables if plan.flow in known]
    plans = [plan for plan in moved if plan.flow in wanted]
    return replace(
        job,
        # Tables that a decision leaves out are none of this run's.
        plan=replace(job.plan.part(plans), left_out=()),
        moved=tuple(MovedBefore(p, chain=known[p.flow]) for p in moved if p.flow not in wanted),
        taken_up=tuple(TakenUp(plan.flow, known[plan.flow]) for plan in plans),
    )


def _tell_left(context: RunContext, flows: AbstractSet[FlowId]) -> None:
    if flows:
        context.note(NotMovedYet(tuple(str(flow) for flow in sorted(flows))))


async def _with_rejects(
    control: asyncpg.Connection, context: RunContext, known: Mapping[FlowId, Chain]
) -> set[FlowId]:
    """Returns the flows with rejected rows, and those without that have other decisions now: of these the run
    records that their rows are as these decisions say.

    Raises:
        Refused: there are no rejected rows, nor were there any.
    """
    if not known:
        raise Refused(NothingMoved())
    now = {plan.flow: plan_hash(plan) for plan in context.job.plan.tables}
    rejected, changed = set[FlowId](), set[FlowId]()
    for flow, chain in known.items():
        run, task = chain[-1]
        sums = await control.fetchrow(context.journal.sql("sums"), run.id, task.position)
        rejected |= {flow} if sums["rejected"] else set()
        changed |= {flow} if run.format > 1 and task.plan_hash != now[flow] else set()
    if not rejected and (changed or all(len(chain) == 1 for chain in known.values())):
        raise Refused(NothingRejected())
    return rejected | changed if rejected else set()


async def _written_before(
    control: asyncpg.Connection, context: RunContext, known: Iterable[Chain], tables: set[TableName]
) -> tuple[dict[TableName, tuple[int, ...]], dict[TableName, tuple[int, ...]]]:
    """Returns the transactions in which earlier runs added rows to tables of NEW, and in which they changed
    rows of NEW's own.
    """
    journal = context.journal
    known = tuple(known)
    written: dict[TableName, list[int]] = {table: [] for table in tables}
    updated: dict[TableName, list[int]] = {table: [] for table in tables}
    for run in {run.id for chain in known for run, _ in chain}:
        for batch in await journal.batches(control, await journal.tasks(control, run), run):
            if batch.batch.flow.new in written:
                written[batch.batch.flow.new] += batch.xids
                updated[batch.batch.flow.new] += batch.update_xids
    by_table = [{table: tuple(xids) for table, xids in of.items()} for of in (written, updated)]
    return by_table[0], by_table[1]


async def restrict(context: RunContext, snapshot: Snapshot, control: asyncpg.Connection) -> Job:
    """Returns the job of a rejects-only run over the rejected rows, found in this snapshot; any other job as
    it is.

    Raises:
        Refused: rejected rows cannot be found, or rows that are in NEW would get other values.
    """
    job = context.job
    if not job.taken_up:
        return job
    plans, taken_up, problems = [], [], list[Problem]()
    starts: dict[KeyOf, int] = {}
    async with probing_session(context) as new:
        search = _Search(context, snapshot, control, new)
        for plan, chain in _numbering_flows(job):
            try:
                starts |= await search.numbers(plan, chain)
            except Refused as refusal:
                problems += refusal.problems
        for taken in job.taken_up:
            plan = next(plan for plan in job.plan.tables if plan.flow == taken.flow)
            try:
                found = await search.rejected(plan, taken.chain, len(taken.chain) - 1)
                problems += await search.other_values(plan, taken.chain)
            except Refused as refusal:
                problems += refusal.problems
                continue
            plans.append(restricted(plan, found.rows))
            taken_up.append(replace(taken, gone=len(found.gone)))
            if found.gone:
                context.note(RejectedRowsGone(plan.flow, len(found.gone), _shown(found)))
    if problems:
        raise Refused(tuple(problems))
    # Numbers go on counting all rows, so that each row has the one that it would have had.
    numbered = with_starts(job.plan.part(plans), starts)
    return replace(job, plan=numbered, taken_up=tuple(taken_up), numbered_before=starts)


def _numbering_flows(job: Job) -> list[tuple[TablePlan, Chain]]:
    """Returns the flows that give numbers which rows of the run have or refer to, with the runs that moved
    them.
    """
    needed = {key for plan in job.plan.tables for key in numbers_in(plan)}
    flows = [(plan, taken.chain) for plan in job.plan.tables if (taken := job.taken(plan.flow))]
    flows += [(before.plan, before.chain) for before in job.moved]
    return [one for one in flows if any(key_of(made) in needed for _, made in own_numbers(one[0]))]


def read_later(job: Job, now: Mark) -> tuple[Problem, ...]:
    """Returns a warning if the rejected rows are read in a later state of OLD than the others."""
    runs = {run.id: run for taken in job.taken_up for run, _ in taken.chain}
    later = [run for run in runs.values() if not now.nothing_ended_since(Mark.of(run.snapshot))]
    return (RejectsReadLater(min(run.started for run in later)).problem(),) if later else ()


_SHOWN = 5
"""Keys that a message names."""


def _shown(found: Found) -> tuple[str, ...]:
    return tuple(key.decode() for key in found.gone[:_SHOWN])


class _Search:
    """Looks in a new snapshot for the rows that earlier runs rejected, and compares what they wrote."""

    def __init__(
        self,
        context: RunContext,
        snapshot: Snapshot,
        control: asyncpg.Connection,
        new: asyncpg.Connection,
    ) -> None:
        self._context, self._snapshot, self._control, self._new = context, snapshot, control, new
        self._decided: dict[str, Plan] = {}
        self._found: dict[tuple[str, FlowId], Found] = {}

    async def rejected(self, plan: TablePlan, chain: Chain, number: int) -> Found:
        """Returns the rows of a flow that one of its runs rejected.

        Raises:
            Refused: nothing tells which rows they are.
        """
        run, task = chain[number]
        if (run.id, task.flow) not in self._found:
            rows = await self._context.journal.rejected_rows(self._control, run.id, task.position)
            if run.format == 1:
                raise Refused(
                    RejectedInEarlierFormat(str(plan.flow), len(rows), run.tool_version, self._back(run))
                )
            why = why_not_alone(plan, self._context.job.known, self._context.job.new)
            if rows and why is not None:
                again = self._context.options.again_with("--live")
                raise Refused(ParentsNotOnRecord(str(plan.flow), len(rows), why, self._back(run), again))
            then = await self._then(run, task)
            rejected = Rejected(
                then,
                Seen(then, task.rows if task.old_rows is None else task.old_rows, task.digest),
                Mark.of(run.snapshot),
                tuple(key for key, _ in rows),
                tuple(place for _, place in rows),
            )
            job = self._context.job
            raw = job.old.encoding == "SQL_ASCII"
            try:
                async with self._snapshot.reader() as old:
                    found = await find_again(
                        old, self._snapshot.mark, plan, job.before(plan), rejected, raw=raw
                    )
            except Unfindable as why:
                raise Refused(NotFoundAgain(str(plan.flow), len(rows), str(why), self._back(run))) from why
            self._found[run.id, task.flow] = found
        return self._found[run.id, task.flow]

    async def other_values(self, plan: TablePlan, chain: Chain) -> list[Problem]:
        """Returns refusals if rows that the runs wrote would have other values under the present plan.

        Raises:
            Refused: nothing tells which rows they wrote.
        """
        problems = []
        for number, (run, task) in enumerate(chain):
            if task.plan_hash == plan_hash(plan):
                continue
            # The expressions of then, over the heaps of now, in which rows are found.
            then = replace(await self._then(run, task), sources=plan.unrestricted.sources)
            refused = (await self.rejected(plan, chain, number)).rows
            if number:
                read = (await self.rejected(plan, chain, number - 1)).rows
                then, refused = restricted(then, read - refused), frozenset()
            written = Written(run.id, then, tuple(sorted(refused)), self._unseen(run))
            async with self._snapshot.reader(plan.zone) as old:
                problem = await other_values(self._context.job, plan, written, old, self._new)
            problems += [problem] if problem is not None else []
        return problems

    async def numbers(self, plan: TablePlan, chain: Chain) -> dict[KeyOf, int]:
        """Returns from which number on the first run of a flow gave numbers, by their old key.

        Raises:
            Refused: OLD has other rows by now, so that a row would get another number than it had.
        """
        run, task = chain[0]
        found = await self.rejected(plan, chain, 0)
        unseen, rows = self._unseen(run), task.rows if task.old_rows is None else task.old_rows
        same = unseen is not None and not found.gone
        if unseen is not None and same:
            async with self._snapshot.reader() as old:
                now = await old.fetchrow(others(plan, sorted(found.rows), unseen))
            async with self._snapshot.reading() as old:
                taken = (await old.cut(plan.unrestricted, task.rows + 1, digest=False)).rows
            same = (now["rows"], now["later"], taken) == (rows, 0, task.rows)
        if not same:
            why = "rows are numbered in the order of OLD's keys, and OLD has other rows by now"
            raise Refused(NotFoundAgain(str(plan.flow), len(found.rows), why, self._back(run)))
        then = await self._then(run, task)
        return {key_of(made): made.start for _, made in own_numbers(then)}

    def _unseen(self, run: Run) -> tuple[int, tuple[int, ...]] | None:
        """Returns the transactions of OLD that a run's snapshot did not show; None: they cannot be told any
        more.
        """
        return Mark.of(run.snapshot).unseen_from(self._snapshot.mark)

    async def _then(self, run: Run, task: TaskRow) -> TablePlan:
        """Returns the plan of a flow as a run decided it, on the heaps as they are now."""
        if run.id not in self._decided:
            decided = await self._context.journal.plan(self._control, run)
            if decided is None:
                raise Refused(RejectedInEarlierFormat(str(task.flow), 0, run.tool_version, self._back(run)))
            self._decided[run.id] = rebound(decided, self._context.job.plan, self._context.job.new)
        return next(plan for plan in self._decided[run.id].tables if plan.flow == task.flow)

    def _back(self, run: Run) -> str:
        return command_line("tranship", "rollback", *self._context.config.words, "--run", run.id, "--live")
