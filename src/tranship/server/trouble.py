"""Why a connection failed, in words a person can act on: the phrases are public interface."""

from __future__ import annotations

import errno
import socket
import ssl

import asyncpg

from tranship.config import Endpoint
from tranship.errors import ConnectError

DRIVER_TROUBLE = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a lost connection raises, whatever was under way. ``InternalClientError``: the server told its end between two statements and the
socket is not closed yet, so the driver waits for more."""
DATABASE_TROUBLE = (asyncpg.PostgresError, *DRIVER_TROUBLE)
"""The same, and what a server says of itself."""
_NETWORK = "check host and port, that the server runs and listens there, and the firewall between"
_WHO = (
    "check user and password and the permissions of the role; Azure's single servers want user@server as the user name, "
    "and special characters of a password in a URL are percent-encoded"
)


def spoken(error: BaseException) -> str:
    """An error's kind and words for a terminal or a log: without the DETAIL of a server's, and for data exceptions (class 22) without the message,
    which hold values of rows."""
    if not isinstance(error, asyncpg.PostgresError):
        return f"{type(error).__name__}: {error}"
    data = (getattr(error, "sqlstate", None) or "").startswith("22")
    return type(error).__name__ if data or not error.args else f"{type(error).__name__}: {error.args[0]}"


def explain(error: BaseException, endpoint: Endpoint) -> ConnectError:
    """The error for a person. ``error`` is what the driver raised while connecting."""
    code, message, hint = _words(error, endpoint)
    side = f"{endpoint.side.upper()} database {endpoint.display}"
    return ConnectError(
        code, _without_secrets(f"{side}: {message}", endpoint), object=endpoint.display, hint=hint
    )


def _words(error: BaseException, endpoint: Endpoint) -> tuple[str, str, str]:
    match error:
        case socket.gaierror() | UnicodeError():
            hint = "check the spelling of the host, DNS and VPN; a private endpoint has a name only inside its own network"
            return "TS201", f'could not translate host name "{endpoint.host}" to an address', hint
        case asyncpg.PostgresError():
            return _server_said(error, endpoint)
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            if "authentication" in str(error):
                return (
                    "TS204",
                    f"authentication failed: the server asks for a method that is not supported ({error})",
                    "use scram-sha-256 or md5",
                )
            return "TS299", str(error), ""
        case ssl.SSLCertVerificationError():
            hint = f'"sslrootcert" must hold the authority that signed it, and verify-full needs the host\'s name in it (sslmode is {endpoint.sslmode})'
            return "TS207", f"the server's certificate is not trusted: {error.verify_message}", hint
        case ssl.SSLError():
            return (
                "TS207",
                f"the TLS handshake failed: {error.reason or error}",
                "check sslmode and the certificates",
            )
        case TimeoutError():
            return "TS202", f"no answer within {endpoint.connect_timeout:g} seconds", _NETWORK
        case OSError():
            return _network(error, endpoint)
        case _:
            return "TS299", str(error), ""


def _network(error: OSError, endpoint: Endpoint) -> tuple[str, str, str]:
    text = str(error)
    if "SSL upgrade" in text:
        message = f"server does not support SSL, but sslmode is {endpoint.sslmode!r}"
        return (
            "TS203",
            message,
            f'write "sslmode": "disable" (or "prefer") in {endpoint.side.value}_database, or switch SSL on in the server',
        )
    if isinstance(error, FileNotFoundError):
        return (
            "TS202",
            f"no server listens in the socket folder {endpoint.host} on port {endpoint.port}",
            _NETWORK,
        )
    if (
        isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in text
    ):  # several addresses come as one OSError
        return "TS202", "connection refused", _NETWORK
    if isinstance(error, ConnectionError) or "closed" in text or "lost" in text:
        return (
            "TS202",
            "the server closed the connection while we connected",
            f"{_NETWORK}; the server's log may say why",
        )
    return "TS202", f"cannot be reached: {error.strerror or text}", _NETWORK


def _server_said(error: asyncpg.PostgresError, endpoint: Endpoint) -> tuple[str, str, str]:
    state, said = getattr(error, "sqlstate", None) or "", str(error)
    if state in ("28P01", "28000"):
        hint = _WHO if endpoint.password and endpoint.password.reveal() else f"no password was given; {_WHO}"
        if "pg_hba" in said:
            hint = f"the server has no rule that lets this role in from here: ask for a line in pg_hba.conf, or another sslmode than {endpoint.sslmode}"
        return "TS204", f'authentication failed for user "{endpoint.user}": {said}', hint
    if state == "3D000":
        return (
            "TS205",
            f'database "{endpoint.database}" does not exist',
            'check "database"; names are case-sensitive',
        )
    if state == "42501":
        return "TS204", said, f'GRANT CONNECT ON DATABASE … TO the role "{endpoint.user}"'
    if state == "53300":
        return "TS206", f"too many connections: {said}", "lower --jobs, or wait until others have gone"
    if state == "57P03":
        return "TS208", f"the server does not accept connections now: {said}", "try again in a moment"
    if state.startswith("08"):
        return "TS202", f"the connection broke: {said}", _NETWORK
    return "TS299", said, ""


def _without_secrets(text: str, endpoint: Endpoint) -> str:
    for secret in (endpoint.password, endpoint.sslpassword):
        if (
            secret is not None
            and len(secret.reveal()) > 3
            and secret.reveal() not in (endpoint.user, endpoint.database, endpoint.host)
        ):
            text = text.replace(secret.reveal(), "***")
    return text
