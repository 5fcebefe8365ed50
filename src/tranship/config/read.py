"""From the configuration file to `Config`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tranship.codec import JsonValue, child, read_jsonc
from tranship.config.databases import read_databases
from tranship.config.endpoint import Config, Endpoint
from tranship.config.reading import Reading, kind
from tranship.config.schema import TOP_KEYS
from tranship.errors.codes.configuration import (
    JournalSchemaOfData,
    JournalSchemaOfServer,
    JournalSchemaTooLong,
    NoConfigurationObject,
    NoTablesNamed,
    TablesNotAList,
    WrongValue,
)

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL (``NAMEDATALEN`` less its final zero)."""


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Reads, checks and completes the configuration, and returns it.

    Raises:
        UsageError: anything wrong with the file, a missing environment variable, a failing
            ``password_command``.
    """
    reading = Reading(read_jsonc(path), environ)
    root = reading.document.root
    if not isinstance(root, dict):
        raise reading.error("$", NoConfigurationObject())
    reading.check_keys("$", root, (*TOP_KEYS, "$schema"))
    old, new = read_databases(reading, root)
    return Config(
        old=old,
        new=new,
        tables=_tables(reading, root, old),
        table_mapping=_mapping(reading, root),
        journal_schema=_journal_schema(reading, root, (old, new)),
        path=str(reading.document.file),
        warnings=reading.warnings,
    )


def _tables(reading: Reading, root: Mapping[str, JsonValue], old: Endpoint) -> tuple[str, ...] | None:
    value = root.get("tables")
    if value is None:
        return None
    if not isinstance(value, list):
        raise reading.error("$.tables", TablesNotAList("a list of table names", kind(value)))
    if not value:
        schemas = "all schemas"
        if old.schemas is not None:
            schemas = ", ".join(f"schema '{name}'" for name in old.schemas)
        raise reading.error("$.tables", NoTablesNamed(schemas, old.database))
    return reading.names("$.tables", value)


def _mapping(reading: Reading, root: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    path, value = "$.table_mapping", root.get("table_mapping")
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise reading.error(path, WrongValue('{"old name": "new name"}', kind(value)))
    return tuple(
        (old, reading.text(child(path, old), new)) for old, new in value.items() if not old.startswith("_")
    )


def _journal_schema(
    reading: Reading, root: Mapping[str, JsonValue], endpoints: tuple[Endpoint, Endpoint]
) -> str:
    journal = reading.text("$.journal_schema", root.get("journal_schema", "_tranship"))
    if journal.startswith("pg_") or journal == "information_schema":
        raise reading.error("$.journal_schema", JournalSchemaOfServer(journal))
    if len(journal.encode()) > LONGEST_NAME:
        raise reading.error("$.journal_schema", JournalSchemaTooLong(journal, LONGEST_NAME))
    # Its tables would be taken for tables of the migration.
    if any(journal in (endpoint.schemas or ()) for endpoint in endpoints):
        raise reading.error("$.journal_schema", JournalSchemaOfData(journal))
    return journal
