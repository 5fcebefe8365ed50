"""Names of database objects. A name is data: it is compared exactly, and quoted only where SQL is written."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

SERVER_SCHEMAS = ("pg_catalog", "information_schema")
"""Schemas of the server's own tables, which hold its roles and settings."""


class Side(StrEnum):
    """Which of the two databases is meant."""

    OLD = "old"
    NEW = "new"


class TableName(Struct, frozen=True, order=True):
    """A schema-qualified relation name, exactly as the catalog holds it (never quoted).

    What stands for the output of a SELECT has no schema.
    """

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


class ColumnRef(Struct, frozen=True, order=True):
    """A column of a relation."""

    table: TableName
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"
