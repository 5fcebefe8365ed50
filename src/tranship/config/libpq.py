"""What libpq would fill in: connection URLs, service files, password files, the environment, default socket folders."""

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
"""Connection parameters that we use."""

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
"""Parameters that libpq knows and we leave alone, saying so."""

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
"""Filled for either side; ``host`` and ``dbname`` are not among them: both sides would become the same database."""

_SOCKET_FOLDERS = ("/var/run/postgresql", "/run/postgresql", "/tmp")
_PLAIN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:/?,\[\]]*))(?::(?P<port>[0-9]*))?(?=(?:/[^@]*)?(?:\?|\Z))"
)

Parameters = dict[str, str]
Fail = Callable[[UsageMessage], UsageError]
"""Makes the error for a message, whose fields may hold no secret."""


def parse_url(url: str, fail: Fail) -> Parameters:
    """``postgresql://user:password@host:port/database?name=value`` with percent-encoding, read as libpq reads it; raises what ``fail`` makes."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("postgresql", "postgres"):
        raise fail(NoUrl())
    made: Parameters = {}
    credentials, at, after = rest.partition("@")
    if at and "/" not in credentials:
        user, colon, password = credentials.partition(":")
        if user:
            made["user"] = _decode(user, "user", fail)
        if colon:
            made["password"] = _decode(password, "password", fail)
        rest = after
    authority = _AUTHORITY.match(rest)
    if authority is None:
        raise fail(SeveralHostsInUrl() if "," in rest.split("/", 1)[0] else UnreadableUrl())
    host = authority["host"] if authority["v6"] is None else authority["v6"]
    if host:
        made["host"] = _decode(host, "host", fail)
    if authority["port"]:
        made["port"] = _decode(authority["port"], "port", fail)
    path, _, query = rest[authority.end() :].partition("?")
    if path[1:]:
        made["dbname"] = _decode(path[1:], "database", fail)
    return made | _query(query, fail)


def _query(query: str, fail: Fail) -> Parameters:
    made: Parameters = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        key = _decode(name, "parameter", fail)
        if not equals or "=" in value:
            raise fail(UrlParameterWithoutValue(key))
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
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        raise fail(UrlNotUtf8(what)) from None
    if "\0" in decoded:
        raise fail(NulInUrl(what))
    return decoded


def read_service(name: str, environ: Mapping[str, str], fail: Fail) -> Parameters:
    """The section of that name in PGSERVICEFILE (``~/.pg_service.conf``), else in ``PGSYSCONFDIR/pg_service.conf``."""
    candidates = [
        Path(environ["PGSERVICEFILE"])
        if environ.get("PGSERVICEFILE")
        else _home(environ) / ".pg_service.conf"
    ]
    if environ.get("PGSYSCONFDIR"):
        candidates.append(Path(environ["PGSYSCONFDIR"]) / "pg_service.conf")
    for file in candidates:
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
    file: Path, host: str, port: int, database: str, user: str, warn: Callable[[str], None]
) -> str | None:
    """The password of the first matching line ``host:port:database:user:password``; ``\\:`` and ``\\\\`` are escapes."""
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            warn(f"password file {file} is not a plain file: not used")
            return None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            warn(f"password file {file} may be read by others: not used (chmod 600 {file})")
            return None
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    names = ({host, "localhost"} if host.startswith("/") else {host}) if host else {"localhost"}
    for line in lines:
        fields = re.findall(r"(?:\A|(?<=:))((?:[^:\\]|\\.)*)(?::|\Z)", line)
        if line.startswith("#") or len(fields) < 5:
            continue
        wanted = [re.sub(r"\\(.)", r"\1", field) for field in fields[:5]]
        given = (names, {str(port)}, {database}, {user})
        if all(value == "*" or value in allowed for value, allowed in zip(wanted[:4], given, strict=True)):
            return wanted[4]
    return None


def passfile_path(parameters: Parameters, environ: Mapping[str, str]) -> Path:
    """Where the password file lies when nobody says."""
    return Path(parameters["passfile"]) if parameters.get("passfile") else _home(environ) / ".pgpass"


def default_host(port: int) -> str:
    """The folder of the local server's socket, else ``localhost``."""
    return next(
        (folder for folder in _SOCKET_FOLDERS if Path(folder, f".s.PGSQL.{port}").exists()), "localhost"
    )


def default_user() -> str:
    """The name of the account that runs us; empty when it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()
