"""Turns what a driver raises while connecting into an error whose message a person can act on."""

from __future__ import annotations

import errno
import socket
import ssl

import asyncpg
from msgspec.structs import asdict, replace

from tranship.config import Endpoint
from tranship.errors import ConnectError
from tranship.errors.codes.connection import (
    ELSEWHERE,
    AuthenticationFailed,
    ConnectionBroke,
    ConnectionClosed,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimedOut,
    MayNotConnect,
    NoDatabase,
    NoHbaRule,
    NoPasswordGiven,
    NoServerSsl,
    NoSocket,
    NotAccepting,
    NoVersion,
    PasswordRefused,
    ServerSaid,
    TlsFailed,
    TooManyConnections,
    UnknownHost,
    Unreachable,
    UnreadableVersion,
    UnsupportedMethod,
    UntrustedCertificate,
)
from tranship.errors.message import ConnectMessage

DRIVER_TROUBLE = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a lost connection raises, whatever it was doing. ``InternalClientError``: the server announced its end
between two statements, and the driver, whose socket is still open, expected an answer."""
DATABASE_TROUBLE = (asyncpg.PostgresError, *DRIVER_TROUBLE)
"""The same, and every error that a server reports."""

_ENDED = frozenset({"57P01", "57P02", "57P03", "25P03"})
"""Shutdown, or an administrator's command; crash; start-up; idle in a transaction for too long."""


class UnknownVersion(asyncpg.InterfaceError):  # type: ignore[misc]
    """A server announces no version of PostgreSQL that can be read. ``announced``: its words, or None."""

    def __init__(self, announced: str | None) -> None:
        super().__init__(f"unknown version {announced!r}")
        self.announced = announced


def spoken(error: BaseException) -> str:
    """Returns what a server or a library said, for a terminal or a log, without values of rows.

    A server's DETAIL may hold such values, and so may the message of a data exception (class 22): they are
    left out.
    """
    error = _first_cause(error)
    if not isinstance(error, asyncpg.PostgresError):
        return f"{type(error).__name__}: {error}"
    state: str = getattr(error, "sqlstate", None) or ""
    # Not str(), which adds the DETAIL.
    message = f"{error.args[0]}" if error.args else type(error).__name__
    said = "the server refuses a value" if state.startswith("22") else message
    return f"{said} (SQLSTATE {state})" if state else said


def _first_cause(error: BaseException) -> BaseException:
    """Returns what the server said as it ended the connection, of which the driver's error only tells."""
    lost, said = isinstance(error, asyncpg.PostgresConnectionError), error.__cause__
    return said if lost and isinstance(said, asyncpg.PostgresError) else error


def is_lost(error: BaseException) -> bool:
    """Returns whether an error says that the connection has ended, so that it is no answer to what was
    asked.
    """
    state: str = getattr(error, "sqlstate", None) or ""
    return isinstance(error, DRIVER_TROUBLE) or state in _ENDED or state.startswith("08")


def explain(error: BaseException, endpoint: Endpoint) -> ConnectError:
    """Returns the error for a person. ``error`` is what the driver raised while connecting."""
    return failed(_without_secrets(_message(error, endpoint), endpoint), endpoint)


def lost(error: BaseException, endpoint: Endpoint) -> ConnectError:
    """Returns the error for a person. ``error`` is what ended a connection that had been made."""
    return failed(_without_secrets(ConnectionLost(spoken(error)), endpoint), endpoint)


def failed(what: ConnectMessage, endpoint: Endpoint) -> ConnectError:
    """Returns the error that names the database which could not be reached, or not as it must be."""
    place = f"{endpoint.side.upper()} database {endpoint.display}: "
    return ConnectError(what, place=place, object=endpoint.display)


def _message(error: BaseException, endpoint: Endpoint) -> ConnectMessage:
    match error:
        case socket.gaierror() | UnicodeError():
            return UnknownHost(endpoint.host)
        case asyncpg.PostgresError():
            return _server_said(error, endpoint)
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return _driver_said(error)
        case ssl.SSLCertVerificationError():
            return UntrustedCertificate(error.verify_message, endpoint.sslmode)
        case ssl.SSLError():
            return TlsFailed(error.reason or str(error))
        case TimeoutError():
            return ConnectTimedOut(endpoint.connect_timeout)
        case OSError():
            return _network(error, endpoint)
        case _:
            return ServerSaid(str(error))


def _driver_said(error: asyncpg.InterfaceError | asyncpg.InternalClientError) -> ConnectMessage:
    if isinstance(error, UnknownVersion):
        return UnreadableVersion(error.announced) if error.announced is not None else NoVersion()
    # asyncpg has no class for an authentication method that it does not support.
    return UnsupportedMethod(str(error)) if "authentication" in str(error) else ServerSaid(str(error))


def _network(error: OSError, endpoint: Endpoint) -> ConnectMessage:
    text = str(error)
    # asyncpg's words when the server answers N to its request for TLS.
    if "SSL upgrade" in text:
        return NoServerSsl(endpoint.sslmode, endpoint.side.value)
    if isinstance(error, FileNotFoundError):
        return NoSocket(endpoint.host, endpoint.port)
    # A host with several addresses gives one OSError whose text holds the errors of all attempts.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in text:
        return ConnectionRefused()
    if isinstance(error, ConnectionError) or "closed" in text or "lost" in text:
        return ConnectionClosed()
    return Unreachable(error.strerror or text)


def _server_said(error: asyncpg.PostgresError, endpoint: Endpoint) -> ConnectMessage:
    state, said = getattr(error, "sqlstate", None) or "", str(error)
    if state in ("28P01", "28000"):
        return _not_let_in(said, endpoint)
    if state == "3D000":
        return NoDatabase(endpoint.database)
    if state == "42501":
        return MayNotConnect(endpoint.user, said)
    if state == "53300":
        return TooManyConnections(said)
    if state == "57P03":
        return NotAccepting(said)
    if state.startswith("08"):
        return ConnectionBroke(said)
    return ServerSaid(said)


def _not_let_in(said: str, endpoint: Endpoint) -> ConnectMessage:
    if "pg_hba" in said:
        return NoHbaRule(endpoint.user, said, sslmode=endpoint.sslmode)
    elsewhere = "" if endpoint.on_this_machine else ELSEWHERE
    if endpoint.password is None or not endpoint.password.reveal():
        return NoPasswordGiven(endpoint.user, said, elsewhere)
    english = said == f'password authentication failed for user "{endpoint.user}"'
    return (PasswordRefused if english else AuthenticationFailed)(endpoint.user, said, elsewhere)


def _without_secrets(what: ConnectMessage, endpoint: Endpoint) -> ConnectMessage:
    """Returns the message with every secret of the endpoint masked in its texts."""
    texts = {name: value for name, value in asdict(what).items() if isinstance(value, str)}
    return replace(what, **{name: _masked(text, endpoint) for name, text in texts.items()})


def _masked(text: str, endpoint: Endpoint) -> str:
    # A password that is also a name, or a few letters, would mask ordinary words and show what it is by that.
    public = (endpoint.user, endpoint.database, endpoint.host)
    for secret in filter(None, (endpoint.password, endpoint.sslpassword)):
        if len(secret.reveal()) > 3 and secret.reveal() not in public:
            text = text.replace(secret.reveal(), "***")
    return text
