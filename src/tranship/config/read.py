"""From the configuration file to `Config`: every error names file, line and path, and never a secret."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tranship.codec import Document, JsonValue, Number, child, nearest, read_jsonc
from tranship.config import libpq
from tranship.config.endpoint import Config, Endpoint, Secret
from tranship.config.schema import ENDPOINT_KEYS, SSL_MODES, TOP_KEYS
from tranship.errors.codes.configuration import (
    BrokenPlaceholder,
    CommandFailed,
    CommandNotRun,
    CommandTimedOut,
    DiffersFromUrl,
    EmptySchemas,
    EmptyText,
    GivenTwice,
    JournalSchemaOfData,
    JournalSchemaOfServer,
    KeyMissing,
    MissingOnBothSides,
    NamedTwice,
    NoCommand,
    NoConfigurationObject,
    NoPassword,
    NoTablesNamed,
    NulInText,
    NumberOutOfRange,
    PasswordNotUtf8,
    SeveralHosts,
    TablesNotAList,
    UnknownKey,
    UnknownSslMode,
    VariableNotSet,
    WrongValue,
)
from tranship.model.names import Side

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_COMMAND_SECONDS = 120

_PARAMETER_OF = {"username": "user", "database": "dbname"}
"""Keys of the file whose libpq parameter has another name; the others share it."""


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Reads, checks and completes the configuration.

    Raises:
        UsageError: anything wrong with the file, a missing environment variable, a failing ``password_command``.
    """
    return _Reader(read_jsonc(path), environ).config()


class _Reader:
    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ
        self._warnings: list[str] = []
        self._plain_secret = False

    def config(self) -> Config:
        root = self._document.root
        if not isinstance(root, dict):
            raise self._document.error("$", NoConfigurationObject())
        self._check_keys("$", root, (*TOP_KEYS, "$schema"))
        given = {side: self._given(f"{side.value}_database", root) for side in Side}
        self._fill_place(given)
        old, new = (self._endpoint(side, *given[side]) for side in Side)
        tables = self._tables(root, old)
        mapping = self._mapping(root)
        journal = self._text("$.journal_schema", root.get("journal_schema", "_tranship"))
        if journal.startswith("pg_") or journal == "information_schema":
            raise self._document.error("$.journal_schema", JournalSchemaOfServer(journal))
        if any(journal in (endpoint.schemas or ()) for endpoint in (old, new)):
            raise self._document.error("$.journal_schema", JournalSchemaOfData(journal))
        self._warn_of_readers()
        warnings = tuple(dict.fromkeys(self._warnings))
        return Config(
            old=old,
            new=new,
            tables=tables,
            table_mapping=mapping,
            journal_schema=journal,
            path=str(self._document.file),
            warnings=warnings,
        )

    # Texts

    def _check_keys(self, path: str, value: Mapping[str, JsonValue], known: Iterable[str]) -> None:
        for key in value:
            if key in known or key.startswith("_"):
                continue
            near = nearest(key, known) or {
                "user": "username",
                "dbname": "database",
                "passwd": "password",
            }.get(key)
            hint = f"did you mean {near!r}?" if near else f"known keys: {', '.join(known)}"
            raise self._document.error(
                child(path, key), UnknownKey(json.dumps(key, ensure_ascii=False), hint)
            )

    def _text(self, path: str, value: JsonValue, *, empty: bool = False) -> str:
        """A text with its placeholders filled; the message never repeats it."""
        if not isinstance(value, str):
            raise self._document.error(path, WrongValue("a text in quotes", _kind(value)))
        filled = _PLACEHOLDER.sub(lambda match: self._fill(path, match), value)
        if "\0" in filled:
            raise self._document.error(path, NulInText())
        if not filled and not empty:
            raise self._document.error(path, EmptyText())
        return filled

    def _fill(self, path: str, match: re.Match[str]) -> str:
        if match[1] is None:
            return "${"
        if not match[2] or not _NAME.match(match[1]):
            raise self._document.error(path, BrokenPlaceholder())
        if match[1] not in self._environ:
            raise self._document.error(path, VariableNotSet(match[1]))
        return self._environ[match[1]]

    # The two databases

    def _given(
        self, key: str, root: Mapping[str, JsonValue]
    ) -> tuple[Mapping[str, JsonValue], libpq.Parameters]:
        """The object as written, and its connection parameters: keys, then URL, then service."""
        path = child("$", key)
        value = root.get(key)
        if key not in root:
            raise self._document.error("$", KeyMissing(key))
        if not isinstance(value, dict):
            raise self._document.error(
                path, WrongValue("an object with host, port, database …", _kind(value))
            )
        self._check_keys(path, value, ENDPOINT_KEYS)
        made: libpq.Parameters = {}
        for name in ENDPOINT_KEYS:
            if value.get(name) is None or name in ("url", "schema", "password_command"):
                continue
            where = child(path, name)
            member = value[name]
            if name in ("port", "connect_timeout") and isinstance(member, Number):
                made[name] = member.text
            elif name in ("port", "connect_timeout") and not isinstance(member, str):
                raise self._document.error(where, WrongValue("a whole number", _kind(member)))
            else:
                made[_PARAMETER_OF.get(name, name)] = self._text(
                    where, member, empty=name in ("password", "sslpassword", "options")
                )
        self._notice_secret(value.get("password"))
        if value.get("url") is not None:
            made = self._with_url(child(path, "url"), value["url"], made)
        if made.get("service"):
            service = libpq.read_service(
                made["service"], self._environ, self._failure(child(path, "service"))
            )
            self._say_unused(child(path, "service"), service)
            made = service | made
        return value, made

    def _with_url(self, path: str, value: JsonValue, made: libpq.Parameters) -> libpq.Parameters:
        from_url = libpq.parse_url(self._text(path, value), self._failure(path))
        twice = [name for name in from_url if name in made and made[name] != from_url[name]]
        if twice:
            raise self._document.error(path, DiffersFromUrl(twice[0]))
        if "password" in from_url:
            self._notice_secret(value)
        self._say_unused(path, from_url)
        return made | from_url

    def _say_unused(self, path: str, parameters: Iterable[str]) -> None:
        unused = sorted(set(parameters) & libpq.UNUSED)
        if unused:
            self._warnings.append(f"{path}: not used: {', '.join(unused)}")

    def _notice_secret(self, value: JsonValue) -> None:
        if isinstance(value, str) and value and not re.search(r"(?<!\$)\$\{", value):
            self._plain_secret = True

    def _failure(self, path: str) -> libpq.Fail:
        return lambda what: self._document.error(path, what)

    def _fill_place(self, given: Mapping[Side, tuple[Mapping[str, JsonValue], libpq.Parameters]]) -> None:
        """Host and database from the environment, but never for both sides: they would be one database."""
        for name, key, variable in (("host", "host", "PGHOST"), ("dbname", "database", "PGDATABASE")):
            lacking = [side for side in Side if name not in given[side][1]]
            if not lacking or not self._environ.get(variable):
                continue
            if len(lacking) == 2:
                raise self._document.error("$", MissingOnBothSides(key, variable))
            given[lacking[0]][1][name] = self._environ[variable]

    def _endpoint(self, side: Side, value: Mapping[str, JsonValue], parameters: libpq.Parameters) -> Endpoint:
        path = f"$.{side.value}_database"
        for name, variable in libpq.ENVIRONMENT.items():
            if (
                name not in parameters
                and self._environ.get(variable)
                and not (name == "password" and "password_command" in value)
            ):
                parameters[name] = self._environ[variable]
        port = self._number(path, "port", parameters.get("port") or "5432", 65535)
        host = parameters.get("host") or libpq.default_host(port)
        if "," in host and not host.startswith("/"):
            raise self._document.error(child(path, "host"), SeveralHosts())
        user = parameters.get("user") or libpq.default_user()
        if not user:
            raise self._document.error(path, KeyMissing("username"))
        sslmode = parameters.get("sslmode") or (
            "verify-full" if parameters.get("sslrootcert") == "system" else "prefer"
        )
        if sslmode not in SSL_MODES:
            near = nearest(sslmode, SSL_MODES)
            hint = (f"did you mean {near!r}? " if near else "") + f"one of: {', '.join(SSL_MODES)}"
            raise self._document.error(child(path, "sslmode"), UnknownSslMode(sslmode, hint))
        database = parameters.get("dbname") or user
        password = self._password(path, value, parameters, (host, port, database, user))
        return Endpoint(
            side=side,
            host=host,
            port=port,
            database=database,
            user=user,
            password=None if password is None else Secret(password),
            schemas=self._schemas(child(path, "schema"), value.get("schema")),
            sslmode=sslmode,
            sslrootcert=parameters.get("sslrootcert") or None,
            sslcert=parameters.get("sslcert") or None,
            sslkey=parameters.get("sslkey") or None,
            sslcrl=parameters.get("sslcrl") or None,
            sslpassword=Secret(parameters["sslpassword"]) if parameters.get("sslpassword") else None,
            connect_timeout=float(
                self._number(path, "connect_timeout", parameters.get("connect_timeout") or "30", 86400)
            ),
            options=parameters.get("options") or None,
        )

    def _number(self, path: str, key: str, text: str, most: int) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            raise self._document.error(child(path, key), NumberOutOfRange(key, most))
        return int(text)

    def _password(
        self,
        path: str,
        value: Mapping[str, JsonValue],
        parameters: libpq.Parameters,
        place: tuple[str, int, str, str],
    ) -> str | None:
        if value.get("password_command") is not None:
            where = child(path, "password_command")
            if "password" in parameters:
                raise self._document.error(where, GivenTwice())
            return self._run(where, value["password_command"])
        if "password" in parameters:
            return parameters["password"]
        return libpq.read_passfile(
            libpq.passfile_path(parameters, self._environ), *place, self._warnings.append
        )

    def _run(self, path: str, command: JsonValue) -> str:
        if isinstance(command, list) and command:
            words: list[str] | str = [
                self._text(child(path, number), word, empty=True) for number, word in enumerate(command)
            ]
        elif isinstance(command, str):
            words = self._text(path, command)
        else:
            raise self._document.error(path, NoCommand())
        name = words[0] if isinstance(words, list) else "the command"
        try:
            done = subprocess.run(
                words,
                shell=isinstance(words, str),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._document.error(path, CommandTimedOut(name, _COMMAND_SECONDS)) from None
        except OSError as error:
            raise self._document.error(path, CommandNotRun(name, error.strerror)) from None
        if done.returncode != 0:
            raise self._document.error(path, CommandFailed(name, done.returncode))
        try:
            password = done.stdout.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise self._document.error(path, PasswordNotUtf8(name)) from None
        if not password:
            raise self._document.error(path, NoPassword(name))
        return password

    def _schemas(self, path: str, value: JsonValue) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list):
            return (self._text(path, value),)
        if not value:
            raise self._document.error(path, EmptySchemas())
        return self._names(path, value)

    def _names(self, path: str, value: list[JsonValue]) -> tuple[str, ...]:
        names = [self._text(child(path, number), name) for number, name in enumerate(value)]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise self._document.error(child(path, number), NamedTwice(name))
        return tuple(names)

    # The rest

    def _tables(self, root: Mapping[str, JsonValue], old: Endpoint) -> tuple[str, ...] | None:
        value = root.get("tables")
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._document.error("$.tables", TablesNotAList("a list of table names", _kind(value)))
        if not value:
            schemas = (
                "all schemas"
                if old.schemas is None
                else ", ".join(f"schema '{name}'" for name in old.schemas)
            )
            raise self._document.error("$.tables", NoTablesNamed(schemas, old.database))
        return self._names("$.tables", value)

    def _mapping(self, root: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
        value = root.get("table_mapping")
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise self._document.error(
                "$.table_mapping", WrongValue('{"old name": "new name"}', _kind(value))
            )
        path = "$.table_mapping"
        return tuple(
            (old, self._text(child(path, old), new)) for old, new in value.items() if not old.startswith("_")
        )

    def _warn_of_readers(self) -> None:
        file = self._document.file
        if self._plain_secret and os.name != "nt" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            self._warnings.append(
                f"{file} holds a password and can be read by others: chmod 600 {file}, or write ${{NAME}} and set the variable"
            )


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case Number():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"
