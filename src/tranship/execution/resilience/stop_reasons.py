"""What ends a run without being a decision of ours, in words."""

from __future__ import annotations

from tranship.errors import Stopped, TranshipError
from tranship.execution.resilience.failpoints import FailpointReached
from tranship.execution.resilience.server_errors import StreamBroken, sqlstate
from tranship.server.trouble import DATABASE_TROUBLE, spoken

BROKEN = (*DATABASE_TROUBLE, StreamBroken, FailpointReached)
_GOES_ON = "and run the same command again: it goes on where it stopped"
_CAUSES = {
    "53100": ("TS402", "a server's disk is full", "make space on it"),
    "53200": (
        "TS403",
        "a server ran out of memory",
        "give it more, or use fewer --jobs or a smaller --batch-size,",
    ),
    "42501": ("TS404", "a privilege was taken away while the run went on", "grant it again"),
    "42P01": ("TS405", "a table that the run needs is gone", "put it back as it was"),
    "3F000": ("TS405", "a schema that the run needs is gone", "put it back as it was"),
    "42703": ("TS405", "a column that the run needs is gone", "put it back as it was"),
}
_UNKNOWN = ("TS401", "stopped by an error", "remove the cause")


def could_not_begin(error: BaseException) -> TranshipError:
    """Before anything was written."""
    return in_vain(error, "could not begin")


def in_vain(error: BaseException, what: str = "NEW database") -> TranshipError:
    """A command that the journal alone is about, or a run before it has one."""
    return TranshipError("TS212", f"{what}: {spoken(error)}", hint=f"{cure(error)} and run again")


def stopped_by(error: BaseException) -> Stopped:
    """After that; what is committed stays."""
    code, what, _ = _CAUSES.get(sqlstate(error), _UNKNOWN)
    return Stopped(code, f"{what}: {spoken(error)}", hint=f"{cure(error)} {_GOES_ON}")


def cure(error: BaseException) -> str:
    """What a person can do about it."""
    if sqlstate(error) == "53200" and "max_locks_per_transaction" in (getattr(error, "hint", None) or ""):
        return 'raise max_locks_per_transaction of that server, or move fewer tables at a time ("tables"),'
    return _CAUSES.get(sqlstate(error), _UNKNOWN)[2]
