"""From the configuration file to `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from tranship.codec import JsonValue, child, read_jsonc
from tranship.codec.kinds import other_kind
from tranship.config.databases import read_databases, with_password
from tranship.config.endpoint import Config, Endpoint
from tranship.config.reading import Reading, kind
from tranship.config.schema import TOP_KEYS
from tranship.config.urls import UrlDocument, document_of, refuse_password
from tranship.errors.codes.configuration import (
    JournalSchemaOfData,
    JournalSchemaOfServer,
    JournalSchemaTooLong,
    NoConfigurationObject,
    NoTablesNamed,
    OtherInPlaceOfConfiguration,
    TablesNotAList,
    WrongValue,
)

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL (``NAMEDATALEN`` less its final zero)."""


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Reads, checks and completes the configuration, and returns it. ``environ`` is in place of the process's
    environment.

    Raises:
        UsageError: anything wrong with the file, a missing environment variable, a failing
            ``password_command``. It holds all problems; a command is run only where there are none.
    """
    return _read(Reading(read_jsonc(path, f"tranship init {path}"), environ))


def config_from_urls(old: str, new: str, environ: Mapping[str, str] | None = None) -> Config:
    """Returns the configuration that two URLs of a command line stand for; ``${NAME}`` in them is filled from
    the environment.

    Raises:
        UsageError: a URL is wrong or holds a password, which others could read on the command line.
    """
    given = UrlDocument(old, new)
    for path, url in given.urls():
        refuse_password(url, given.fail_at(path))
    return replace(_read(Reading(given, environ)), path="", urls=(old, new))


def config_from_values(values: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Config:
    """Returns the configuration that a file with these values would stand for.

    Raises:
        UsageError: as `load_config`.
    """
    return replace(_read(Reading(document_of(values), environ)), path="")


def _read(reading: Reading) -> Config:
    root = reading.document.root
    if not isinstance(root, dict):
        raise reading.error("$", NoConfigurationObject())
    other = other_kind(root, "a configuration")
    if other is not None:
        raise reading.error("$", OtherInPlaceOfConfiguration(*other))
    reading.check_keys("$", root, (*TOP_KEYS, "$schema"))
    old, new = read_databases(reading, root)
    tables = reading.attempt(partial(_tables, reading, root, old), None)
    mapping = reading.attempt(partial(_mapping, reading, root), ())
    journal = reading.attempt(partial(_journal_schema, reading, root, (old, new)), "")
    reading.refuse()
    assert old is not None
    assert new is not None
    old, new = (
        reading.attempt(partial(with_password, reading, endpoint, root), endpoint) for endpoint in (old, new)
    )
    reading.refuse()
    return Config(
        old=old,
        new=new,
        tables=tables,
        table_mapping=mapping,
        journal_schema=journal,
        path=str(reading.document.file),
        warnings=reading.warnings,
    )


def _tables(reading: Reading, root: Mapping[str, JsonValue], old: Endpoint | None) -> tuple[str, ...] | None:
    value = root.get("tables")
    if value is None:
        return None
    if not isinstance(value, list):
        raise reading.error("$.tables", TablesNotAList("a list of table names", kind(value)))
    if not value:
        raise reading.error("$.tables", _no_tables(old))
    return reading.names("$.tables", value)


def _no_tables(old: Endpoint | None) -> NoTablesNamed:
    schemas = "all schemas"
    if old is not None and old.schemas is not None:
        schemas = ", ".join(f"schema '{name}'" for name in old.schemas)
    return NoTablesNamed(schemas, "" if old is None else old.database)


def _mapping(reading: Reading, root: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    path, value = "$.table_mapping", root.get("table_mapping")
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise reading.error(path, WrongValue('{"old name": "new name"}', kind(value)))
    pairs = (
        (old, reading.attempt(partial(reading.text, child(path, old), new), ""))
        for old, new in value.items()
        if not old.startswith("_")
    )
    return tuple(pairs)


def _journal_schema(
    reading: Reading, root: Mapping[str, JsonValue], endpoints: tuple[Endpoint | None, Endpoint | None]
) -> str:
    journal = reading.text("$.journal_schema", root.get("journal_schema", "_tranship"))
    if journal.startswith("pg_") or journal == "information_schema":
        raise reading.error("$.journal_schema", JournalSchemaOfServer(journal))
    if len(journal.encode()) > LONGEST_NAME:
        raise reading.error("$.journal_schema", JournalSchemaTooLong(journal, LONGEST_NAME))
    # Its tables would be taken for tables of the migration.
    if any(journal in (endpoint.schemas or ()) for endpoint in endpoints if endpoint is not None):
        raise reading.error("$.journal_schema", JournalSchemaOfData(journal))
    return journal
