"""The names and meanings of the configuration's keys: one table for the reader and for the JSON Schema."""

from __future__ import annotations

from typing import Any

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}

ENDPOINT_KEYS: dict[str, dict[str, Any]] = {
    "url": {
        **_TEXT,
        "description": "postgresql://user@host:5432/database, in place of host, port, database and username",
    },
    "service": {**_TEXT, "description": "a section of the connection service file (PGSERVICEFILE)"},
    "host": {**_TEXT, "description": "name, address or folder of a Unix socket"},
    "port": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 65535},
            {"type": "string", "pattern": "^[0-9]+$"},
        ],
        "description": "5432 by default",
    },
    "database": {**_TEXT, "description": "name of the database"},
    "username": {**_TEXT, "description": "role to connect as"},
    "password": {
        "type": "string",
        "description": "better as ${NAME} from the environment; $${ is a literal ${",
    },
    "password_command": {
        "anyOf": [_TEXT, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        "description": "a command whose output is the password: a line for the shell, or a list of arguments",
    },
    "schema": {
        "anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}],
        "description": "one schema or a list; left out: all user schemas",
    },
    "sslmode": {"enum": list(SSL_MODES), "description": "as libpq; prefer by default"},
    "sslrootcert": {**_TEXT, "description": "file of the certificate authorities, or system"},
    "sslcert": {**_TEXT, "description": "file of the client certificate"},
    "sslkey": {**_TEXT, "description": "file of the client key"},
    "sslcrl": {**_TEXT, "description": "file of revoked certificates"},
    "sslpassword": {"type": "string", "description": "password of the client key"},
    "passfile": {**_TEXT, "description": "password file (PGPASSFILE)"},
    "connect_timeout": {"type": "integer", "minimum": 1, "description": "seconds; 30 by default"},
    "options": {"type": "string", "description": "options for the server process, as libpq's"},
}

TOP_KEYS: dict[str, dict[str, Any]] = {
    "old_database": {"$ref": "#/$defs/database", "description": "where the rows come from; never written to"},
    "new_database": {"$ref": "#/$defs/database", "description": "where the rows go; its schema exists"},
    "tables": {
        "type": "array",
        "items": _TEXT,
        "minItems": 1,
        "uniqueItems": True,
        "description": "which tables, in which order; left out: all, ordered by foreign keys",
    },
    "table_mapping": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "old table name to new table name",
    },
    "journal_schema": {
        **_TEXT,
        "description": "where the journal lives in the new database; _tranship by default",
    },
}


def config_schema() -> dict[str, Any]:
    """Returns the JSON Schema of the configuration file, for editors."""
    comments = {"^_": {"description": "a comment"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tranship configuration",
        "type": "object",
        "properties": TOP_KEYS | {"$schema": {"type": "string"}},
        "patternProperties": comments,
        "additionalProperties": False,
        "required": ["old_database", "new_database"],
        "$defs": {
            "database": {
                "type": "object",
                "properties": ENDPOINT_KEYS,
                "patternProperties": comments,
                "additionalProperties": False,
            }
        },
    }
