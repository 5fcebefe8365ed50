"""The job of a run as the journal keeps it for workers."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tranship.execution.context import Job, Journalled, MovedBefore, TakenUp
from tranship.model.catalog import Catalog
from tranship.model.plan import Plan


class _SharedJob(Struct, frozen=True):
    """A job without what only data checks read."""

    plan: Plan
    old: Catalog
    new: Catalog
    moved: tuple[MovedBefore, ...]
    taken_up: tuple[TakenUp, ...]
    journalled: tuple[Journalled, ...]


def encoded(job: Job) -> bytes:
    """Returns a job as JSON in UTF-8."""
    return msgspec.json.encode(
        _SharedJob(job.plan, job.old, job.new, job.moved, job.taken_up, job.journalled)
    )


def decoded(data: bytes) -> Job:
    """Returns the job that `encoded` wrote."""
    shared = msgspec.json.decode(data, type=_SharedJob)
    return Job(
        shared.plan,
        shared.old,
        shared.new,
        moved=shared.moved,
        taken_up=shared.taken_up,
        journalled=shared.journalled,
    )
