"""A preview of what a run would write, for some rows of every table."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from tranship.analysis.prepare import Sketch, sketch
from tranship.codec.resolutions import read_resolutions
from tranship.config import Config
from tranship.errors import TranshipError, UsageError
from tranship.errors.codes.scope import LeftOutOfPreview, NothingDecidedToPreview, NothingToPreview
from tranship.errors.message import UsageMessage
from tranship.execution.context import Job
from tranship.execution.preview.flow import Beside, preview_flow
from tranship.execution.start.numbers import numbering, rows_beside
from tranship.model.plan import TablePlan
from tranship.model.preview import TablePreview
from tranship.model.resolution import Problem, ResolutionFile
from tranship.model.text import nearest
from tranship.server.session import datestyle, open_session


async def preview(
    config: Config, *, resolutions: str | None = None, table: str | None = None
) -> tuple[TablePreview, ...]:
    """Returns the first ten rows of every flow, before and after, under the decisions made so far.

    It writes to no database. Columns about which nobody has decided yet are named and not computed. ``table``
    is the name of an old table, a new table or a flow; None: all.

    Raises:
        UsageError, ConnectError, Refused: nothing can be shown: configuration, connections, privileges or
            wrong decisions.
    """
    path = Path(resolutions) if resolutions is not None else None
    file = read_resolutions(path) if path is not None else ResolutionFile(())
    found = await sketch(config, file, path)
    return await preview_of(config, found, _chosen(found, table))


async def preview_of(
    config: Config,
    found: Sketch,
    plans: Sequence[TablePlan],
    *,
    only: str | None = None,
    wrong_first: bool = False,
    seconds: float = math.inf,
) -> tuple[TablePreview, ...]:
    """Returns the same of some flows of a sketch.

    ``only``: the only column of NEW that is computed. ``wrong_first``: rows with a value that is refused are
    looked for, and stand first. ``seconds``: when they are over no further flow is begun.
    """
    until = time.monotonic() + seconds
    job = Job(found.plan, found.sides.old, found.sides.new)
    style = datestyle(job.new)
    old = await open_session(config.old, datestyle=style)
    try:
        new = await open_session(config.new, datestyle=style, search_path=None)
        try:
            job = await numbering(new, job, await rows_beside(old, job))
            numbered = {plan.flow: plan for plan in job.plan.tables}
            shown = [
                await preview_flow(
                    job,
                    (old, new),
                    numbered[plan.flow],
                    _beside(found, plan),
                    only,
                    wrong_first=wrong_first,
                )
                for plan in plans
                if time.monotonic() < until
            ]
            return tuple(
                replace(one, open=_open(found, plan, one)) for one, plan in zip(shown, plans, strict=False)
            )
        finally:
            new.terminate()
    finally:
        old.terminate()


async def preview_answer(
    config: Config, file: ResolutionFile, key: str, place: str
) -> tuple[TablePreview, ...]:
    """Returns what the entry at a place of a file makes of ten rows of its flows, for the one column that it
    fills; of all columns for an entry that fills none, and for the only one of a flow with a name: it decides
    that the others are filled, too. Rows with a value that is refused stand first.

    Args:
        config: the two databases.
        file: the decisions, with the entry that is tried; the file need not be written.
        key: the key under which the entry stands.
        place: its JSON path.

    Raises:
        UsageError, ConnectError, Refused: nothing can be shown, or the entry is refused.
    """
    found = await sketch(config, file)
    entry = next((one for one in file.entries if one.path == place), None)
    own = _under(_chosen(found, key), key)
    begun = any(one.name for one in own) and sum(one.table == key for one in file.entries) == 1
    only = entry.new_column if entry is not None and not begun else None
    return await preview_of(config, found, own, only=only, wrong_first=True)


async def preview_flows(
    config: Config, file: ResolutionFile, keys: Iterable[str]
) -> tuple[TablePreview, ...]:
    """Returns ten rows of the flows of some keys under the decisions of a file that need not be written; of a
    key whose rows stay behind there are none. Rows with a value that is refused stand first.

    Raises:
        UsageError, ConnectError, Refused: nothing can be shown, or a decision is refused.
    """
    found = await sketch(config, file)
    chosen = [plan for key in keys for plan in found.plan.tables if _has_key(plan, key)]
    return await preview_of(config, found, chosen, wrong_first=True)


async def refused_by_servers(
    config: Config, file: ResolutionFile, before: ResolutionFile
) -> tuple[Problem, ...]:
    """Returns what is wrong with the decisions of a file once both servers have read their expressions and
    values, apart from what is wrong with those of the file ``before``; likewise where no server can be asked.
    Nothing is copied or computed for any row.
    """
    found = await _refused(config, file)
    # Two readings of both catalogs cost time: only a refusal needs the second one.
    known = {(one.code, one.message) for one in await _refused(config, before)} if found else set()
    # Nothing new is said where no server answered, or where earlier decisions stop the reading before.
    unread = {(one.code, one.message) for one in found} <= known
    return found if unread else tuple(one for one in found if (one.code, one.message) not in known)


async def _refused(config: Config, file: ResolutionFile) -> tuple[Problem, ...]:
    try:
        await sketch(config, file, asks=False)
    except TranshipError as error:
        return tuple(one for one in error.problems if not one.warning)
    return ()


def _under(plans: Sequence[TablePlan], key: str) -> list[TablePlan]:
    """Returns the flows about which the entries of a key are: where each flow of a table has a name, those of
    the table are about all of them.
    """
    own = [one for one in plans if _has_key(one, key)]
    return own or [one for one in plans if key in (str(one.old), one.old.name)]


def _has_key(plan: TablePlan, key: str) -> bool:
    """Returns whether a key of the file is about a flow and about no other of its old table."""
    return key == plan.name if plan.name else key in (str(plan.old), plan.old.name)


def _beside(found: Sketch, plan: TablePlan) -> Beside:
    """Returns what the decisions say of a flow that its plan does not."""
    decided = [one.resolution for one in found.answers.of_flow(plan.old, plan.name)]
    return Beside(
        _undecided(found, plan),
        {one.new_column: one.sources for one in decided if one.new_column is not None and one.transform_sql},
    )


def _undecided(found: Sketch, plan: TablePlan) -> frozenset[str]:
    own = (change.new_column for change in found.open if change.table == (plan.name or str(plan.old)))
    return frozenset(column for column in own if column is not None)


def _open(found: Sketch, plan: TablePlan, shown: TablePreview) -> tuple[str, ...]:
    """Returns the old columns of a flow that nothing takes as yet because nobody has decided about them."""
    own = {change.old_column for change in found.open if change.table == (plan.name or str(plan.old))}
    return tuple(name for name in shown.unnamed if name in own)


def _chosen(found: Sketch, table: str | None) -> tuple[TablePlan, ...]:
    """Returns the flows that a name means.

    Raises:
        UsageError: it means none.
    """
    plans = found.plan.tables
    if table is None:
        return plans
    chosen = tuple(plan for plan in plans if table in _names(plan))
    if not chosen:
        raise UsageError(_why_none(found, table))
    return chosen


def _why_none(found: Sketch, table: str) -> UsageMessage:
    old = next((one.name for one in found.sides.old.tables if table in (str(one.name), one.name.name)), None)
    if old in {one.old for one in found.plan.left_out}:
        return LeftOutOfPreview(table)
    if any(change.table == str(old) for change in found.open):
        return NothingDecidedToPreview(table)
    near = nearest(table, _all_names(found.plan.tables))
    return NothingToPreview(table, f"did you mean {near!r}?" if near else "")


def _names(plan: TablePlan) -> tuple[str, ...]:
    own = (plan.name,) if plan.name else ()
    return (*own, str(plan.old), plan.old.name, str(plan.new), plan.new.name)


def _all_names(plans: Iterable[TablePlan]) -> list[str]:
    return sorted({name for plan in plans for name in _names(plan)})
