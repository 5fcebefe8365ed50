"""TLS as libpq does it: which modes are tried in which order, and the context with its certificates
(PostgreSQL documentation, "libpq – SSL Support").
"""

from __future__ import annotations

import ssl
from pathlib import Path

from tranship.config import Endpoint
from tranship.errors.codes.connection import (
    NoClientCertificate,
    NoRootCertificate,
    SystemAuthoritiesNeedVerifyFull,
    UnusableCertificate,
)
from tranship.server.trouble import failed

_VERIFYING = ("verify-ca", "verify-full")


def ladder(endpoint: Endpoint) -> tuple[ssl.SSLContext | None, ...]:
    """Returns the attempts in their order; None is one without TLS. A later attempt is for a server that
    refused the earlier one.

    Raises:
        ConnectError: a certificate file is missing or unusable.
    """
    if endpoint.is_socket or endpoint.sslmode == "disable":
        return (None,)
    context = make_context(endpoint)
    match endpoint.sslmode:
        case "allow":
            return (None, context)
        case "prefer":
            return (context, None)
        case _:
            return (context,)


def make_context(endpoint: Endpoint) -> ssl.SSLContext:
    """Returns a client's TLS context.

    As in libpq, the server's certificate is checked in every mode when there is a root certificate file;
    without one only the ``verify-…`` modes are an error.

    Raises:
        ConnectError: a certificate file is missing or unusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # In this order: Python refuses CERT_NONE while host names are checked.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # libpq's default for ssl_min_protocol_version.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if _load_authorities(context, endpoint):
            context.verify_mode = ssl.CERT_REQUIRED
            context.check_hostname = endpoint.sslmode == "verify-full"
            _load_revoked(context, endpoint)
        _load_client(context, endpoint)
    except (OSError, ValueError) as error:
        reason = (
            error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
        ) or str(error)
        raise failed(UnusableCertificate(reason), endpoint) from None
    return context


def _load_authorities(context: ssl.SSLContext, endpoint: Endpoint) -> bool:
    """Loads the authorities; returns whether there are any to check a certificate against."""
    if endpoint.sslrootcert == "system":
        if endpoint.sslmode != "verify-full":
            raise failed(SystemAuthoritiesNeedVerifyFull(endpoint.sslmode), endpoint)
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return True
    path = _path(endpoint.sslrootcert, "root.crt")
    if path is not None and path.exists():
        context.load_verify_locations(cafile=path)
        return True
    if endpoint.sslmode in _VERIFYING:
        raise failed(NoRootCertificate(str(path), endpoint.sslmode), endpoint)
    return False


def _load_revoked(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    path = _path(endpoint.sslcrl, "root.crl")
    if path is not None and (endpoint.sslcrl or path.exists()):
        context.load_verify_locations(cafile=path)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _load_client(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    certificate, key = _path(endpoint.sslcert, "postgresql.crt"), _path(endpoint.sslkey, "postgresql.key")
    if certificate is None or not (endpoint.sslcert or certificate.exists()):
        return
    for path in (certificate, key):
        if path is None or not path.exists():
            raise failed(NoClientCertificate(str(path)), endpoint)
    password = endpoint.sslpassword.reveal() if endpoint.sslpassword else ""
    context.load_cert_chain(certificate, key, password=lambda: password)


def _path(named: str | None, default: str) -> Path | None:
    """Returns the named file, else libpq's default below ~/.postgresql; None without a home directory."""
    if named:
        return Path(named)
    try:
        return Path.home() / ".postgresql" / default
    except RuntimeError:
        return None
