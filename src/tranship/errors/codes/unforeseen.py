"""TS900: a failure that nobody thought of."""

from __future__ import annotations

from tranship.errors.message import Message


class Unforeseen(Message, frozen=True):
    code = "TS900"
    meaning = "an unforeseen failure"
    cure = "please report it"
    message = "unforeseen: {kind}: {said}"
    hint = "nothing was written; please report this"
    kind: str
    said: str


class UnforeseenDuringRun(Unforeseen, frozen=True):
    exit_status = 4
    message = Unforeseen.message
    hint = "run the same command again: it resumes; please report this"
