"""What ends a run without being a decision of ours, in words."""

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
    """Before anything was written."""
    return in_vain(error, "could not begin")


def in_vain(error: BaseException, what: str = "NEW database") -> TranshipError:
    """A command that the journal alone is about, or a run before it has one."""
    return TranshipError(CouldNotBegin(what, spoken(error), cure(error)))


def stopped_by(error: BaseException) -> Stopped:
    """After that; what is committed stays."""
    return Stopped(_cause(error))


def cure(error: BaseException) -> str:
    """What a person can do about it."""
    return _cause(error).remedy


def _cause(error: BaseException) -> StoppedByError:
    if sqlstate(error) == "53200" and "max_locks_per_transaction" in (getattr(error, "hint", None) or ""):
        return OutOfLocks(spoken(error))
    return _BY_STATE.get(sqlstate(error), StoppedByError)(spoken(error))
