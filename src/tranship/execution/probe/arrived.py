"""Which rows of the run NEW holds when the data checks of a group begin."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from tranship.execution.context import Job
from tranship.model.names import TableName
from tranship.model.plan import Group


class Arrived(Enum):
    """Which rows of the run NEW holds when a group is checked."""

    NOTHING = "nothing"
    """What other tables will hold is computed from OLD."""
    SOME = "some"
    """A dry run of an interrupted run: some of any group. What is not there yet is computed from OLD."""
    GROUPS_BEFORE = "groups before"
    """Those of the groups before it."""


def pending_tables(job: Job, group: Group, arrived: Arrived) -> Callable[[TableName], bool]:
    """Returns the tables of NEW that still wait for rows of this run."""
    mine = arrived is Arrived.GROUPS_BEFORE
    waiting = frozenset(plan.new for plan in group.tables) if mine else job.filled
    return waiting.__contains__
