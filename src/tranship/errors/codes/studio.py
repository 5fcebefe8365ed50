"""TS141 to TS144: the studio."""

from __future__ import annotations

from tranship.errors.message import UsageMessage


class NoStudio(UsageMessage, frozen=True):
    code = "TS141"
    meaning = "the libraries of the studio are not installed"
    cure = "`pip install 'tranship[studio]'`"
    message = "the studio needs further libraries ({missing} is missing)"
    hint = "pip install 'tranship[studio]'"
    missing: str


class WrongInvitation(UsageMessage, frozen=True):
    code = "TS142"
    meaning = "`--invite` names no role"
    cure = "write `editor` or `approver`, and a name after a colon: `editor:Ann`"
    message = "{given!r} is no invitation"
    hint = "editor:NAME or approver:NAME"
    given: str


class LiveNotAllowed(UsageMessage, frozen=True):
    code = "TS143"
    meaning = "the studio does not start this run"
    cure = "the message says why"
    message = "a live run needs `studio --allow-live` and an approver"
    hint = "start the studio with --allow-live, and open the link of an approver"


class WrongDatabaseTyped(LiveNotAllowed, frozen=True):
    message = "{typed!r} is not the name of the new database"
    hint = "type the name of the database that the rows are written to"
    typed: str


class RunAtWork(LiveNotAllowed, frozen=True):
    message = "a run that was started here is still at work"
    hint = "wait until it has ended"


class CannotListen(UsageMessage, frozen=True):
    code = "TS144"
    meaning = "the studio cannot listen on the port"
    cure = "end what uses it, or leave `--port` out"
    message = "cannot listen on 127.0.0.1:{port}: {reason}"
    hint = "leave --port out to take a free one"
    port: int
    reason: str
