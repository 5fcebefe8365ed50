"""The two databases of a configuration: what the file says, completed as libpq would complete it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from tranship.codec import JsonValue, Number, child, nearest
from tranship.config import libpq
from tranship.config.endpoint import Endpoint, Secret
from tranship.config.password import find_password
from tranship.config.reading import Reading, kind
from tranship.config.schema import ENDPOINT_KEYS, SSL_MODES
from tranship.errors.codes.configuration import (
    DiffersFromUrl,
    EmptySchemas,
    GivenTwice,
    KeyMissing,
    MissingOnBothSides,
    SeveralHosts,
    UnknownSslMode,
    WrongValue,
)
from tranship.model.names import Side

_PARAMETER_OF = {"username": "user", "database": "dbname"}
"""Keys of the file whose libpq parameter has another name; the others share it."""
_NUMBERS = ("port", "connect_timeout")
_NOT_PARAMETERS = ("url", "schema", "password_command")
_MAY_BE_EMPTY = ("password", "sslpassword", "options")

_HIGHEST_PORT = 65535
_LONGEST_TIMEOUT = 86400
"""Seconds of a day."""

Given = tuple[Mapping[str, JsonValue], libpq.Parameters]
"""A database's object as written, and its connection parameters so far."""


def read_databases(
    reading: Reading, root: Mapping[str, JsonValue]
) -> tuple[Endpoint | None, Endpoint | None]:
    """Returns OLD and NEW without their passwords that a command or a file gives; None: it cannot be read.

    What is wrong is kept by ``reading``.
    """
    given: dict[Side, Given] = {}
    for side in Side:
        found = reading.attempt(partial(_given, reading, f"{side.value}_database", root), None)
        if found is not None:
            given[side] = found
    # With a problem before it, a missing host would only be its consequence.
    if reading.is_right:
        reading.attempt(partial(_fill_place, reading, given), None)
    old, new = (
        reading.attempt(partial(_endpoint, reading, side, *given[side]), None) if side in given else None
        for side in Side
    )
    return old, new


def with_password(reading: Reading, endpoint: Endpoint, root: Mapping[str, JsonValue]) -> Endpoint:
    """Returns a database with its password. It runs ``password_command``, so everything else has to be right.

    Raises:
        UsageError: the command fails.
    """
    if endpoint.password is not None:
        return endpoint
    path = f"$.{endpoint.side.value}_database"
    value = root[f"{endpoint.side.value}_database"]
    assert isinstance(value, dict)
    return replace(endpoint, password=find_password(reading, path, value, endpoint))


def _given(reading: Reading, key: str, root: Mapping[str, JsonValue]) -> Given:
    """Returns a database as the file gives it. Its own keys win over its URL, both over its service."""
    path = child("$", key)
    value = root.get(key)
    if key not in root:
        raise reading.error("$", KeyMissing(key))
    if not isinstance(value, dict):
        raise reading.error(path, WrongValue("an object with host, port, database …", kind(value)))
    reading.check_keys(path, value, ENDPOINT_KEYS)
    # The order is libpq's: what is given by itself, then the URL, then the service, then the environment.
    made = _own_parameters(reading, path, value)
    reading.notice_secret(value.get("password"))
    if value.get("url") is not None:
        made = _with_url(reading, child(path, "url"), value["url"], made)
    if made.get("service"):
        where = child(path, "service")
        service = libpq.read_service(made["service"], reading.environ, reading.fail_at(where))
        _warn_of_unused(reading, where, service)
        made = service | made
    return value, made


def _own_parameters(reading: Reading, path: str, value: Mapping[str, JsonValue]) -> libpq.Parameters:
    made: libpq.Parameters = {}
    for name in ENDPOINT_KEYS:
        if value.get(name) is not None and name not in _NOT_PARAMETERS:
            text = reading.attempt(partial(_own_text, reading, path, name, value[name]), None)
            if text is not None:
                made[_PARAMETER_OF.get(name, name)] = text
    return made


def _own_text(reading: Reading, path: str, name: str, member: JsonValue) -> str:
    where = child(path, name)
    if name in _NUMBERS and isinstance(member, Number):
        return member.text
    if name in _NUMBERS and not isinstance(member, str):
        raise reading.error(where, WrongValue("a whole number", kind(member)))
    return reading.text(where, member, empty=name in _MAY_BE_EMPTY)


def _with_url(reading: Reading, path: str, value: JsonValue, made: libpq.Parameters) -> libpq.Parameters:
    from_url = libpq.parse_url(reading.text(path, value), reading.fail_at(path))
    twice = [name for name in from_url if name in made and made[name] != from_url[name]]
    if twice:
        raise reading.error(path, DiffersFromUrl(twice[0]))
    if "password" in from_url:
        reading.notice_secret(value)
    _warn_of_unused(reading, path, from_url)
    return made | from_url


def _warn_of_unused(reading: Reading, path: str, parameters: Iterable[str]) -> None:
    unused = sorted(set(parameters) & libpq.UNUSED)
    if unused:
        reading.warn(f"{path}: not used: {', '.join(unused)}")


def _fill_place(reading: Reading, given: Mapping[Side, Given]) -> None:
    """Fills host and database from the environment, but never for both sides, which would be one database
    then.
    """
    for name, key, variable in (("host", "host", "PGHOST"), ("dbname", "database", "PGDATABASE")):
        lacking = [side for side in Side if name not in given[side][1]]
        if not lacking or not reading.environ.get(variable):
            continue
        if len(lacking) == 2:
            raise reading.error("$", MissingOnBothSides(key, variable))
        given[lacking[0]][1][name] = reading.environ[variable]


def _endpoint(
    reading: Reading, side: Side, value: Mapping[str, JsonValue], parameters: libpq.Parameters
) -> Endpoint:
    path = f"$.{side.value}_database"
    _fill_from_environment(reading, value, parameters)
    if "password" in parameters and value.get("password_command") is not None:
        reading.attempt(partial(_refuse_two_passwords, reading, path), None)
    # The port comes first: the folder of a local server's socket is found by it.
    port = _number(reading, path, "port", parameters.get("port") or "5432", _HIGHEST_PORT)
    timeout = parameters.get("connect_timeout") or "30"
    user = parameters.get("user") or libpq.default_user()
    if not user:
        raise reading.error(path, KeyMissing("username"))
    return Endpoint(
        side=side,
        host=reading.attempt(partial(_host, reading, path, parameters, port), ""),
        port=port,
        # libpq's default: the database has the name of the user.
        database=parameters.get("dbname") or user,
        user=user,
        password=Secret(parameters["password"]) if "password" in parameters else None,
        passfile=libpq.passfile_path(parameters, reading.environ),
        schemas=reading.attempt(partial(_schemas, reading, child(path, "schema"), value.get("schema")), None),
        sslmode=reading.attempt(partial(_sslmode, reading, path, parameters), ""),
        sslrootcert=_unless_empty(parameters, "sslrootcert"),
        sslcert=_unless_empty(parameters, "sslcert"),
        sslkey=_unless_empty(parameters, "sslkey"),
        sslcrl=_unless_empty(parameters, "sslcrl"),
        sslpassword=Secret(parameters["sslpassword"]) if parameters.get("sslpassword") else None,
        connect_timeout=float(_number(reading, path, "connect_timeout", timeout, _LONGEST_TIMEOUT)),
        options=_unless_empty(parameters, "options"),
    )


def _number(reading: Reading, path: str, key: str, text: str, most: int) -> int:
    return reading.attempt(partial(reading.number, path, key, text, most), 1)


def _refuse_two_passwords(reading: Reading, path: str) -> None:
    raise reading.error(child(path, "password_command"), GivenTwice())


def _unless_empty(parameters: libpq.Parameters, name: str) -> str | None:
    return parameters.get(name) or None


def _fill_from_environment(
    reading: Reading, value: Mapping[str, JsonValue], parameters: libpq.Parameters
) -> None:
    for name, variable in libpq.ENVIRONMENT.items():
        # A command for the password of this side outranks PGPASSWORD, which may be the other side's.
        by_command = name == "password" and "password_command" in value
        if name not in parameters and reading.environ.get(variable) and not by_command:
            parameters[name] = reading.environ[variable]


def _host(reading: Reading, path: str, parameters: libpq.Parameters, port: int) -> str:
    host = parameters.get("host") or libpq.default_host(port)
    # libpq tries several hosts in turn; a migration has to reach the same server every time.
    if "," in host and not host.startswith("/"):
        raise reading.error(child(path, "host"), SeveralHosts())
    return host


def _sslmode(reading: Reading, path: str, parameters: libpq.Parameters) -> str:
    # libpq: the system's authorities vouch for any host, so its name has to be checked.
    default = "verify-full" if parameters.get("sslrootcert") == "system" else "prefer"
    sslmode = parameters.get("sslmode") or default
    if sslmode not in SSL_MODES:
        near = nearest(sslmode, SSL_MODES)
        hint = (f"did you mean {near!r}? " if near else "") + f"one of: {', '.join(SSL_MODES)}"
        raise reading.error(child(path, "sslmode"), UnknownSslMode(sslmode, hint))
    return sslmode


def _schemas(reading: Reading, path: str, value: JsonValue) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        return (reading.text(path, value),)
    if not value:
        raise reading.error(path, EmptySchemas())
    return reading.names(path, value)
