"""TS424, TS425, TS429 and TS435: a rollback stopped. What it deleted stays deleted, and the same command
resumes. Two kinds of TS130: which run is meant cannot be told. One kind of TS352. One kind each of TS353 and
TS364: another command comes first to a rollback that was interrupted.
"""

from __future__ import annotations

from datetime import datetime

from tranship.errors.codes.runs import AnotherPlan, NoRun, ReferredTo, RunAtWork
from tranship.errors.message import RefusalMessage, StopMessage
from tranship.model.names import TableName


class RollbackStopped(StopMessage, frozen=True):
    code = "TS424"
    meaning = "the rollback was stopped as asked"
    cure = "run the same command again: it resumes; so does `migrate --live`, which moves the rows again"
    about = "{run}"
    message = "stopped as asked: a part of the rows is rolled back"
    hint = "the same command resumes it"
    run: str


class RollbackFailed(StopMessage, frozen=True):
    code = "TS425"
    meaning = "the rollback was stopped by an error"
    cure = "remove the cause; the same command resumes"
    about = "{run}"
    message = "the rollback was stopped by an error: {said}"
    hint = "{remedy} and run again: the same command resumes it"
    run: str
    said: str
    remedy: str


class RowsStay(StopMessage, frozen=True):
    code = "TS435"
    meaning = "rows that a rollback deleted are still there"
    cure = "disable what keeps them; the same command resumes"
    about = "{table}"
    message = (
        "{rows:# row|# rows} of {table} that the run wrote {rows:was deleted and is|were deleted and are} "
        "still there"
    )
    hint = "look for triggers and rules that keep rows, disable them, and run the same command again"
    table: TableName
    rows: int


class ChildrenCame(StopMessage, frozen=True):
    code = "TS429"
    meaning = "while rows were rolled back, others wrote rows that refer to them"
    cure = "delete these or give them another parent; the same command resumes"
    about = "{table}"
    message = (
        "{rows:# row|# rows} of {table} came meanwhile and {rows:refers|refer} to rows of {parent} "
        "that are rolled back ({key})"
    )
    hint = "delete {rows:it or give it|them or give them} another parent, and run the same command again"
    table: TableName
    rows: int
    parent: TableName
    key: str


class NoRunFromThisOld(NoRun, frozen=True):
    message = "no run from this OLD is on record in NEW: the latest one, {run}, is from another OLD"
    hint = "is it the right configuration? To see what a rollback of that run would delete: {command}"
    run: str


class RunsFromSeveralOlds(NoRun, frozen=True):
    message = (
        "NEW has runs from {olds} OLDs on record, and this OLD cannot be asked which are its own: {trouble}"
    )
    hint = "name the run; the latest one is {run}, and this shows what its rollback would delete: {command}"
    olds: int
    trouble: str
    run: str


class RollbackNotFinished(RefusalMessage, frozen=True):
    code = RunAtWork.code
    about = "{run}"
    message = "the rollback of run {run} was interrupted: the journal is still needed"
    hint = "finish it: {command}"
    run: str
    command: str


class UnfinishedRollback(RefusalMessage, frozen=True):
    code = AnotherPlan.code
    message = "the rollback of the run of {started:%Y-%m-%d %H:%M} was interrupted"
    hint = "finish it first: {command}"
    started: datetime
    command: str


class ReferredToByChanged(ReferredTo, frozen=True):
    message = (
        "{rows:# row|# rows} of {table} that others changed after the run wrote {rows:it|them}, or that "
        "others wrote{named} {rows:refers|refer} to rows of {parent} that the run wrote ({key})"
    )
    hint = (
        "delete or re-point {rows:it|them} first{order}; of a row that others changed, nothing proves any "
        "more that the run wrote it"
    )
