"""The exceptions with their exit statuses, and nothing else.

A problem that was found is a value (``model.resolution.Problem``); an exception means that we could not look,
or must stop.

    TranshipError (2)
    ├── UsageError         2  TS1xx  arguments, configuration, files
    ├── ConnectError       2  TS2xx  a server cannot be reached or does not let us in
    ├── Refused            3  TS3xx  a safety rule; carries problems
    ├── Stopped            4  TS4xx  after the first committed batch; resumable
    └── Differs            5  TS5xx  NEW is not transformed OLD
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.errors.message import Message
from tranship.model.resolution import Problem


class TranshipError(Exception):
    """Base of all; ``str()`` is the whole message for a person, without secrets."""

    exit_status = 2

    def __init__(
        self,
        what: Message | Sequence[Problem],
        *,
        place: str = "",
        object: str = "",
    ) -> None:
        """Takes a message of the table, or all problems that were found together, of which the first gives
        the code.

        ``place`` stands before the words, ``object`` replaces the object that the message names.
        """
        if isinstance(what, Message):
            told = what.problem(object)
        else:
            told = replace(what[0], message=_together(what))
        super().__init__(place + told.message)
        self.what = what
        self.code = told.code
        self.message = place + told.message
        self.object = told.object
        self.hint = told.hint
        self._problems = () if isinstance(what, Message) else tuple(what)

    @property
    def transient(self) -> bool:
        """The cause may pass by itself: worth another attempt."""
        return isinstance(self.what, Message) and self.what.transient

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The same as values: all that were found together, or this one."""
        return self._problems or (
            Problem(code=self.code, object=self.object, message=self.message, hint=self.hint),
        )


def _together(problems: Sequence[Problem]) -> str:
    """Returns the words of several problems, each with its hint; a single one keeps its hint to itself."""
    if len(problems) == 1:
        return problems[0].message
    return "\n".join(p.message + (f"\n  {p.hint}" if p.hint else "") for p in problems)


class UsageError(TranshipError):
    """Arguments, configuration or a file are wrong; nothing was written."""


class ConnectError(TranshipError):
    """A server cannot be reached or refuses us."""


class Refused(TranshipError):
    """A safety rule forbids the start; nothing was written."""

    exit_status = 3


class Stopped(TranshipError):
    """The run ended after its first committed batch and can be resumed."""

    exit_status = 4


class Differs(TranshipError):
    """NEW does not hold what the plan and OLD say."""

    exit_status = 5
