"""The exceptions with their exit statuses, and nothing else.

A problem that was found is a value (``model.resolution.Problem``); an exception means that we could not look, or must stop.

    TranshipError (2)
    ├── UsageError         2  TS1xx  arguments, configuration, files
    ├── ConnectError       2  TS2xx  a server cannot be reached or does not let us in
    ├── Refused            3  TS3xx  a safety rule; carries problems
    ├── Stopped            4  TS4xx  after the first committed batch; resumable
    └── Differs            5  TS5xx  NEW is not transformed OLD
"""

from __future__ import annotations

from tranship.errors.message import Message
from tranship.model.resolution import Problem


class TranshipError(Exception):
    """Base of all; ``str()`` is the whole message for a person, without secrets."""

    exit_status = 2

    def __init__(
        self,
        what: Message | str,
        message: str = "",
        *,
        place: str = "",
        object: str = "",
        hint: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Takes a message of the table.

        ``place`` stands before its words, ``object`` replaces the object that it names, ``problems`` are all that were found together.
        """
        if isinstance(what, Message):
            told = what.problem(object)
        else:
            told = Problem(code=what, object=object, message=message, hint=hint)
        super().__init__(place + told.message)
        self.what = what
        self.code = told.code
        self.message = place + told.message
        self.object = told.object
        self.hint = told.hint
        self._problems = problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The same as values: all that were found together, or this one."""
        return self._problems or (
            Problem(code=self.code, object=self.object, message=self.message, hint=self.hint),
        )


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
