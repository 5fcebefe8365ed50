"""Errors that end a run, as errors of tranship with what a person can do about them."""

from __future__ import annotations

from tranship.errors import Stopped, TranshipError
from tranship.errors.codes.connection import CouldNotBegin
from tranship.errors.codes.stops import (
    ColumnDropped,
    DiskFull,
    OutOfLocks,
    OutOfMemory,
    PrivilegeTaken,
    SchemaDropped,
    StoppedByError,
    TableDropped,
)
from tranship.execution.resilience.failpoints import FailpointReached
from tranship.execution.resilience.server_errors import StreamBroken, sqlstate
from tranship.server.trouble import DATABASE_TROUBLE, spoken

BROKEN = (*DATABASE_TROUBLE, StreamBroken, FailpointReached)
_BY_STATE: dict[str, type[StoppedByError]] = {
    "53100": DiskFull,
    "53200": OutOfMemory,
    "42501": PrivilegeTaken,
    "42P01": TableDropped,
    "3F000": SchemaDropped,
    "42703": ColumnDropped,
}


def could_not_begin(error: BaseException) -> TranshipError:
    """Returns the error of a run that failed before it wrote anything."""
    return not_begun(error, "could not begin")


def not_begun(error: BaseException, what: str = "NEW database") -> TranshipError:
    """Returns the error of a command that has written nothing; ``what`` begins its message."""
    return TranshipError(CouldNotBegin(what, spoken(error), cure(error)))


def stopped_by(error: BaseException) -> Stopped:
    """Returns the stop of a run that has committed rows, which stay: the same command resumes it."""
    return Stopped(_cause(error))


def cure(error: BaseException) -> str:
    """Returns what a person can do about the error."""
    return _cause(error).remedy


def _cause(error: BaseException) -> StoppedByError:
    if sqlstate(error) == "53200" and "max_locks_per_transaction" in (getattr(error, "hint", None) or ""):
        return OutOfLocks(spoken(error))
    return _BY_STATE.get(sqlstate(error), StoppedByError)(spoken(error))
