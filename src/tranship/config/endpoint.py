"""The configuration as values. Secrets cannot be printed, pickled or encoded by accident."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tranship.model.names import Side


class Secret:
    """A text that no repr, str, format, pickle or encoder shows; only `reveal` gives it."""

    # Without a __dict__, vars() and most debuggers show nothing.
    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Returns the text itself, for the driver alone."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """How one of the two databases is reached."""

    side: Side
    host: str
    """A name, an address, or a folder of a Unix socket (begins with ``/``)."""
    port: int
    database: str
    user: str
    password: Secret | None = None
    passfile: Path | None = None
    """The password file in which a password is looked for that nothing else gives."""
    schemas: tuple[str, ...] | None = None
    """None: all user schemas."""
    sslmode: str = "prefer"
    sslrootcert: str | None = None
    """Path of a file, or ``system`` for the machine's own authorities; None: ``~/.postgresql/root.crt`` where
    it exists. The three paths below have libpq's defaults likewise."""
    sslcert: str | None = None
    sslkey: str | None = None
    sslcrl: str | None = None
    sslpassword: Secret | None = None
    connect_timeout: float = 30.0
    """Seconds for all attempts to connect together."""
    options: str | None = None
    """Command-line options for the server process (libpq's ``options``)."""

    @property
    def display(self) -> str:
        """``host:port/database``, for messages; an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.database}"

    @property
    def is_socket(self) -> bool:
        """Whether it is a Unix socket, which libpq never encrypts, whatever ``sslmode`` says."""
        return self.host.startswith("/")

    @property
    def on_this_machine(self) -> bool:
        """Whether it is a Unix socket or a loopback address: no server of a provider is reached so."""
        if self.is_socket or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole configuration file."""

    old: Endpoint
    new: Endpoint
    tables: tuple[str, ...] | None = None
    """Which tables, in which order; None: all. It is never empty."""
    table_mapping: tuple[tuple[str, str], ...] = ()
    """Old table name and new table name, as written."""
    journal_schema: str = "_tranship"
    """The schema in NEW in which the journal lives."""
    path: str = ""
    """The file, as it was named; empty: two URLs on the command line."""
    urls: tuple[str, ...] = ()
    """The two URLs that stood on the command line in place of a file; they hold no password."""
    only: tuple[str, ...] = ()
    """Patterns of names: only old tables that match one of them take part; empty: all."""
    never: tuple[str, ...] = ()
    """Patterns of names: old tables that match one of them take no part."""
    warnings: tuple[str, ...] = ()
    """What is wrong with the file but stops nothing; a command prints them once on stderr."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of a command line that name the two databases: the file, or both URLs."""
        return self.urls or (self.path,)
