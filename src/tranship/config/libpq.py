"""What libpq would fill in: connection URLs, service files, password files, the environment, default socket
folders (PostgreSQL documentation, "libpq – Database Connection Control Functions").
"""

from __future__ import annotations

import getpass
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from tranship.codec import nearest
from tranship.errors import UsageError
from tranship.errors.codes.configuration import (
    BrokenPercent,
    NoUrl,
    NulInUrl,
    ServiceLineWithoutValue,
    SeveralHostsInUrl,
    UndefinedService,
    UnknownParameter,
    UnreadableServiceFile,
    UnreadableUrl,
    UrlNotUtf8,
    UrlParameterWithoutValue,
)
from tranship.errors.message import UsageMessage

PARAMETERS = [
    "host",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "sslpassword",
    "connect_timeout",
    "options",
    "service",
]
"""Connection parameters that tranship uses."""

UNUSED = frozenset(
    [
        "application_name",
        "channel_binding",
        "client_encoding",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "gsslib",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "max_protocol_version",
        "min_protocol_version",
        "replication",
        "require_auth",
        "requirepeer",
        "requiressl",
        "sslcertmode",
        "sslcompression",
        "sslcrldir",
        "sslkeylogfile",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslnegotiation",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
    ]
)
"""Parameters that libpq knows and tranship ignores, with a warning."""

ENVIRONMENT = {
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
}
"""Variables that complete either side. PGHOST and PGDATABASE are not among them: both sides would become the
same database.
"""

_SOCKET_FOLDERS = ("/var/run/postgresql", "/run/postgresql", "/tmp")
"""Debian's and Red Hat's default, and PostgreSQL's own."""
_PLAIN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:/?,\[\]]*))(?::(?P<port>[0-9]*))?(?=(?:/[^@]*)?(?:\?|\Z))"
)

Parameters = dict[str, str]
Fail = Callable[[UsageMessage], UsageError]
"""Returns the error for a message, whose fields may hold no secret."""


def parse_url(url: str, fail: Fail) -> Parameters:
    """Returns the parameters of a URL ``postgresql://user:password@host:port/database?name=value``, read as
    libpq reads it.

    Raises:
        UsageError: what ``fail`` makes of the first thing that is wrong.
    """
    # libpq knows these two schemes; others (jdbc:postgresql) are another program's.
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("postgresql", "postgres"):
        raise fail(NoUrl())
    made, rest = _credentials(rest, fail)
    authority = _AUTHORITY.match(rest)
    if authority is None:
        raise fail(SeveralHostsInUrl() if "," in rest.split("/", 1)[0] else UnreadableUrl())
    path, _, query = rest[authority.end() :].partition("?")
    parts = {
        "host": (authority["host"] if authority["v6"] is None else authority["v6"], "host"),
        "port": (authority["port"], "port"),
        "dbname": (path[1:], "database"),
    }
    made |= {name: _decode(text, what, fail) for name, (text, what) in parts.items() if text}
    return made | _query(query, fail)


def _credentials(rest: str, fail: Fail) -> tuple[Parameters, str]:
    """Returns user and password, and what follows them. An @ after a slash is part of the path."""
    credentials, at, after = rest.partition("@")
    if not at or "/" in credentials:
        return {}, rest
    made: Parameters = {}
    user, colon, password = credentials.partition(":")
    if user:
        made["user"] = _decode(user, "user", fail)
    if colon:
        made["password"] = _decode(password, "password", fail)
    return made, after


def _query(query: str, fail: Fail) -> Parameters:
    made: Parameters = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        key = _decode(name, "parameter", fail)
        if not equals or "=" in value:
            raise fail(UrlParameterWithoutValue(key))
        # JDBC's way to ask for TLS, which libpq takes, too.
        if key == "ssl" and value == "true":
            key, value = "sslmode", "require"
        made[_known(key, fail)] = _decode(value, key, fail)
    return made


def _known(key: str, fail: Fail) -> str:
    if key in PARAMETERS or key in UNUSED:
        return key
    near = nearest(key, (*PARAMETERS, *UNUSED))
    raise fail(UnknownParameter(key, f"did you mean {near!r}?" if near else ""))


def _decode(text: str, what: str, fail: Fail) -> str:
    if _PLAIN_PERCENT.search(text):
        raise fail(BrokenPercent(what))
    # Decoded as bytes: several percent codes may be one character of UTF-8.
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        raise fail(UrlNotUtf8(what)) from None
    if "\0" in decoded:
        raise fail(NulInUrl(what))
    return decoded


def read_service(name: str, environ: Mapping[str, str], fail: Fail) -> Parameters:
    """Returns the parameters of a service: its section in PGSERVICEFILE (default ``~/.pg_service.conf``),
    else in ``PGSYSCONFDIR/pg_service.conf``.

    Raises:
        UsageError: what ``fail`` makes of a service that no file has, or of a file that cannot be read.
    """
    named, folder = environ.get("PGSERVICEFILE"), environ.get("PGSYSCONFDIR")
    candidates = [
        Path(named) if named else _in_home(".pg_service.conf", environ),
        Path(folder) / "pg_service.conf" if folder else None,
    ]
    for file in filter(None, candidates):
        found = _section(file, name, fail)
        if found is not None:
            return found
    places = " and ".join(str(file) for file in candidates)
    raise fail(UndefinedService(name, places))


def _section(file: Path, name: str, fail: Fail) -> Parameters | None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise fail(UnreadableServiceFile(str(file))) from None
    made: Parameters | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        # As libpq: the first section of a name counts, and it ends where the next one begins.
        if line.startswith("["):
            if made is not None:
                break
            made = {} if line == f"[{name}]" else None
        elif made is not None:
            key, equals, value = line.partition("=")
            if not equals:
                raise fail(ServiceLineWithoutValue(str(file), number))
            made[_known(key.strip(), fail)] = value.lstrip()
    return made


def read_passfile(
    file: Path | None, host: str, port: int, database: str, user: str, warn: Callable[[str], None]
) -> str | None:
    """Returns the password of the first matching line ``host:port:database:user:password`` of a password
    file; None: no line matches.

    ``*`` matches anything, ``\\:`` and ``\\\\`` are escapes (PostgreSQL documentation, "The Password File").
    A file that is missing, or None, has no lines. One that others may read is not used, as in libpq, and
    ``warn`` is told so.
    """
    hosts = {host or "localhost"}
    if host.startswith("/"):
        # libpq looks a socket in its default folder up as localhost.
        hosts.add("localhost")
    given = (hosts, {str(port)}, {database}, {user})
    for line in _passfile_lines(file, warn) if file is not None else ():
        fields = re.findall(r"(?:\A|(?<=:))((?:[^:\\]|\\.)*)(?::|\Z)", line)
        if line.startswith("#") or len(fields) < 5:
            continue
        *wanted, password = (re.sub(r"\\(.)", r"\1", field) for field in fields[:5])
        if all(value == "*" or value in allowed for value, allowed in zip(wanted, given, strict=True)):
            return password
    return None


def _passfile_lines(file: Path, warn: Callable[[str], None]) -> list[str]:
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            warn(f"password file {file} is not a plain file: not used")
            return []
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            warn(f"password file {file} may be read by others: not used (chmod 600 {file})")
            return []
        # A password is bytes: what is no UTF-8 is kept as it is.
        return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []


def passfile_path(parameters: Parameters, environ: Mapping[str, str]) -> Path | None:
    """Returns the path of the password file: ``passfile`` (or PGPASSFILE), else ``~/.pgpass``. None: the
    account has no home.
    """
    named = parameters.get("passfile")
    return Path(named) if named else _in_home(".pgpass", environ)


def default_host(port: int) -> str:
    """Returns the folder in which a local server's socket of this port lies, else ``localhost``."""
    return next(
        (folder for folder in _SOCKET_FOLDERS if Path(folder, f".s.PGSQL.{port}").exists()), "localhost"
    )


def default_user() -> str:
    """Returns the name of the operating system's account; empty when it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _in_home(name: str, environ: Mapping[str, str]) -> Path | None:
    """Returns a file in the home directory; None where there is none, as in a container whose user the image
    does not know.
    """
    try:
        return (Path(environ["HOME"]) if environ.get("HOME") else Path.home()) / name
    except RuntimeError:
        return None
