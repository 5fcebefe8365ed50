"""The configuration as values. Secrets cannot be printed, pickled or encoded by accident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from tranship.model.names import Side


class Secret:
    """A text that no repr, str, format, pickle or encoder shows; only `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the driver alone."""
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
    schemas: tuple[str, ...] | None = None
    """None: all user schemas."""
    sslmode: str = "prefer"
    sslrootcert: str | None = None
    """Path, or ``system`` for the machine's own authorities; None: ``~/.postgresql/root.crt`` where it exists. The others likewise."""
    sslcert: str | None = None
    sslkey: str | None = None
    sslcrl: str | None = None
    sslpassword: Secret | None = None
    connect_timeout: float = 30.0
    """Seconds."""
    options: str | None = None
    """Command-line options for the server process (libpq's ``options``)."""

    @property
    def display(self) -> str:
        """``host:port/database`` for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.database}"

    @property
    def is_socket(self) -> bool:
        """A Unix socket: never encrypted, whatever ``sslmode`` says (as libpq)."""
        return self.host.startswith("/")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole configuration file."""

    old: Endpoint
    new: Endpoint
    tables: tuple[str, ...] | None = None
    """Which tables, in which order; None: all. Never empty."""
    table_mapping: tuple[tuple[str, str], ...] = ()
    journal_schema: str = "_tranship"
    path: str = ""
    warnings: tuple[str, ...] = ()
    """Told once on stderr."""
