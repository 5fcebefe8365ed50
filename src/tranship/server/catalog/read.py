"""The catalog of one database, read in the caller's transaction."""

from __future__ import annotations

import asyncpg

from tranship.model.catalog import Catalog
from tranship.model.database_objects import Extension, OtherObject, Routine, Sequence, UserType
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.fingerprint import fingerprinted
from tranship.server.catalog.printing import plain_output
from tranship.server.catalog.rows import (
    DatabaseObjectRow,
    ExtensionRow,
    OtherObjectRow,
    RelationRow,
    RoutineRow,
    SchemaRow,
    SequenceRow,
    SequenceUseRow,
    SessionRow,
    fetch,
)
from tranship.server.catalog.tables import build_table, read_parts
from tranship.server.catalog.types import TypeReader


async def read_catalog(
    conn: asyncpg.Connection, schemas: tuple[str, ...] | None, *, journal_schema: str = "_tranship"
) -> Catalog:
    """Reads one database's catalog from pg_catalog alone, so that nothing depends on what the role may read.

    *conn* is inside a transaction, READ ONLY REPEATABLE READ for a catalog of one moment. *schemas* None means all user
    schemas; a named one that does not exist is missing in ``Catalog.schemas``. The session's settings are as before afterwards.
    """
    async with plain_output(conn):
        catalog = await _read(conn, schemas, journal_schema)
    return fingerprinted(catalog)


async def _read(conn: asyncpg.Connection, schemas: tuple[str, ...] | None, journal_schema: str) -> Catalog:
    version = int(conn.get_server_version().major) * 10000
    session = (await fetch(conn, version, "session", SessionRow))[0]
    scope = await fetch(
        conn, version, "schemas", SchemaRow, None if schemas is None else list(schemas), journal_schema
    )
    schema_oids = [row.oid for row in scope]
    relations = await fetch(conn, version, "relations", RelationRow, schema_oids)
    relation_oids = [row.oid for row in relations]
    parts = await read_parts(conn, version, relations)
    used = {(column.type, column.modifier) for columns in parts.columns.values() for column in columns}
    types = await TypeReader.read(conn, version, used, schema_oids)
    sequence_rows = await fetch(conn, version, "sequences", SequenceRow, schema_oids, relation_oids)
    uses = await fetch(conn, version, "sequence_uses", SequenceUseRow, [row.oid for row in sequence_rows])
    objects = await fetch(conn, version, "database_objects", DatabaseObjectRow, schema_oids, relation_oids)
    of_column = _sequence_of_column(sequence_rows, uses)
    return Catalog(
        database=session.database,
        server_version=session.version,
        schemas=tuple(row.name for row in scope),
        tables=tuple(build_table(row, parts, types, of_column) for row in relations),
        sequences=_sequences(sequence_rows, uses),
        types=tuple(
            UserType(TableName(row.schema, row.name), types.build(row.oid), row.comment)
            for row in types.user_types(schema_oids)
        ),
        routines=tuple(
            Routine(TableName(row.schema, row.name), row.arguments, row.kind, row.definition_hash)
            for row in await fetch(conn, version, "routines", RoutineRow, schema_oids)
        ),
        extensions=tuple(
            Extension(row.name, row.version, row.schema)
            for row in await fetch(conn, version, "extensions", ExtensionRow)
        ),
        encoding=session.encoding,
        collation=session.collation,
        timezone=session.timezone,
        datestyle=session.datestyle,
        search_path=session.search_path,
        user=session.role,
        superuser=session.superuser,
        event_triggers=tuple(row.text for row in objects if row.kind == "t"),
        publications=tuple(row.text for row in objects if row.kind == "p"),
        large_objects=session.large_objects,
        casts=tuple(row.text for row in objects if row.kind == "c"),
        loose_collations=session.loose_collations,
        others=tuple(
            OtherObject(row.kind, row.schema or "", row.name, row.definition)
            for row in await fetch(conn, version, "other_objects", OtherObjectRow, schema_oids, relation_oids)
        ),
    )


def _sequence_of_column(
    rows: list[SequenceRow], uses: list[SequenceUseRow]
) -> dict[tuple[int, str], TableName]:
    """Per relation OID and column: the sequence behind its identity or named by its default."""
    names = {row.oid: TableName(row.schema, row.name) for row in rows}
    return {(use.relation, use.column): names[use.sequence] for use in uses if use.tie in "in"}


def _sequences(rows: list[SequenceRow], uses: list[SequenceUseRow]) -> tuple[Sequence, ...]:
    ties: dict[int, list[SequenceUseRow]] = {row.oid: [] for row in rows}
    for use in uses:
        ties[use.sequence].append(use)
    return tuple(
        Sequence(
            name=TableName(row.schema, row.name),
            type=row.type,
            start=row.start,
            increment=row.increment,
            minimum=row.minimum,
            maximum=row.maximum,
            cycle=row.cycle,
            cache=row.cache,
            owned_by=next((_column_of(use) for use in ties[row.oid] if use.tie in "ai"), None),
            identity=any(use.tie == "i" for use in ties[row.oid]),
            used_by=tuple(_column_of(use) for use in ties[row.oid] if use.tie in "in"),
            privileges=row.privileges,
            owned=row.owned,
        )
        for row in rows
    )


def _column_of(use: SequenceUseRow) -> ColumnRef:
    return ColumnRef(TableName(use.schema, use.name), use.column)
