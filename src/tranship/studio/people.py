"""Who may use the studio: each person gets a link that works once, and a session for it."""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

from msgspec import Struct

_BYTES = 32
"""Random bytes of a link, of a session and of a CSRF token: nobody guesses 256 bits."""


class Role(StrEnum):
    """What a person may do."""

    EDITOR = "editor"
    """Read, answer, try expressions, start dry runs."""
    APPROVER = "approver"
    """Start live runs, too, where the studio allows them."""


class Person(Struct, frozen=True):
    """Somebody who was invited."""

    name: str
    role: Role


class Session(Struct, frozen=True):
    """A person's browser."""

    person: Person
    csrf: str
    """The page sends it with every write."""


class People:
    """Links that nobody has used yet, and the sessions of those that were. Only hashes of the secrets are
    kept, and looked up, so that how long a comparison takes tells nothing.
    """

    def __init__(self) -> None:
        self._invited: dict[bytes, Person] = {}
        self._sessions: dict[bytes, Session] = {}

    def invite(self, person: Person) -> str:
        """Returns the secret of a link for a person; it can be exchanged once."""
        secret = secrets.token_urlsafe(_BYTES)
        self._invited[_hash(secret)] = person
        return secret

    def enter(self, secret: str) -> str | None:
        """Exchanges the secret of a link for that of a session; None where the link is unknown or used."""
        person = self._invited.pop(_hash(secret), None)
        if person is None:
            return None
        cookie = secrets.token_urlsafe(_BYTES)
        self._sessions[_hash(cookie)] = Session(person, secrets.token_urlsafe(_BYTES))
        return cookie

    def session(self, cookie: str) -> Session | None:
        """Returns the session of a cookie; None where there is none."""
        return self._sessions.get(_hash(cookie))


def csrf_fits(session: Session, given: str) -> bool:
    """Returns whether a CSRF token is that of the session."""
    return secrets.compare_digest(session.csrf.encode(), given.encode("utf-8", "replace"))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
