"""TS300 to TS333: what a person decides, and what the decisions and the configuration select."""

from __future__ import annotations

from tranship.errors.message import RefusalMessage


class Malformed(RefusalMessage, frozen=True):
    code = "TS320"
    meaning = "the resolutions file is malformed"
    cure = "path and line are named"
    message = "needs {what}"
    what: str


class WrongShape(Malformed, frozen=True):
    message = "must be {what}"


class NoScalar(RefusalMessage, frozen=True):
    code = Malformed.code
    message = "must be a single value: a text, a number, true, false or null"
    hint = "write arrays and JSON values as a text"


class UnknownField(RefusalMessage, frozen=True):
    code = Malformed.code
    message = "unknown field {field!r}"
    hint = "{suggestion}"
    field: str
    suggestion: str
