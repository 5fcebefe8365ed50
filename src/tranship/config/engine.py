"""The address of a Dask cluster, as ``--engine`` names it."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from tranship.errors import UsageError
from tranship.errors.codes.cluster import NoEngine, PlainTcpElsewhere

PORT = 8786
"""The port on which a Dask scheduler listens unless it is told otherwise."""
_PROTOCOLS = {"dask": "tcp", "dask+tls": "tls"}


class EngineAddress(Struct, frozen=True):
    """Where the scheduler of a Dask cluster listens."""

    given: str
    protocol: str
    """``tcp`` or ``tls``."""
    host: str
    port: int

    @property
    def scheduler(self) -> str:
        """The address as Dask writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"

    @property
    def encrypted(self) -> bool:
        """Whether both ends prove who they are, and nobody in between reads or changes anything."""
        return self.protocol == "tls"


def engine_address(given: str) -> EngineAddress:
    """Returns the address that ``--engine`` names.

    Raises:
        UsageError: it is none, or it is plain TCP to another machine.
    """
    try:
        url = urlsplit(given)
        host, port = url.hostname or "", url.port or PORT
    except ValueError as error:
        raise UsageError(NoEngine(given, str(error))) from None
    reason = _fault(url, host)
    if reason:
        raise UsageError(NoEngine(given, reason))
    address = EngineAddress(given, _PROTOCOLS[url.scheme], host, port)
    if not address.encrypted and not is_loopback(host):
        raise UsageError(PlainTcpElsewhere(host))
    return address


def _fault(url: SplitResult, host: str) -> str:
    """Returns why a URL is no address of a scheduler; empty: it is one."""
    if url.scheme not in _PROTOCOLS:
        return "it begins neither with dask:// nor with dask+tls://"
    if not host:
        return "it names no host"
    if url.username is not None or url.path.strip("/") or url.query or url.fragment:
        return "it holds more than a host and a port"
    return ""


def is_loopback(host: str) -> bool:
    """Returns whether a host is this machine by its address alone: another name may lead anywhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
