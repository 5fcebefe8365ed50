"""Reads the catalog of one database in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg

from tranship.model.catalog import Catalog
from tranship.model.database_objects import (
    Extension,
    ExtensionTable,
    OtherObject,
    Routine,
    Sequence,
    UserType,
)
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.fingerprint import fingerprinted
from tranship.server.catalog.ask import Question, ask
from tranship.server.catalog.functions import reading_functions
from tranship.server.catalog.printing import plain_output
from tranship.server.catalog.rows import (
    DatabaseObjectRow,
    ExtensionRow,
    FunctionSourceRow,
    OtherObjectRow,
    RelationRow,
    RoutineRow,
    SchemaRow,
    SequenceRow,
    SequenceUseRow,
)
from tranship.server.catalog.tables import (
    LeafQuestions,
    PartQuestions,
    TableParts,
    build_table,
    table_parts,
)
from tranship.server.catalog.types import QUESTIONS, SESSION, TypeReader, TypeUse
from tranship.sql.session import VERSION


async def read_catalog(
    conn: asyncpg.Connection,
    schemas: tuple[str, ...] | None,
    *,
    journal_schema: str = "_tranship",
    partitions: Collection[TableName] = (),
) -> Catalog:
    """Returns one database's catalog with its fingerprint.

    It is read from pg_catalog alone, because information_schema leaves out what the role may not use.

    Args:
        conn: inside a transaction; READ ONLY REPEATABLE READ gives a catalog of one moment. Its settings are
            as before afterwards.
        schemas: in the configured order; None: all schemas of users. One that does not exist is missing in
            ``Catalog.schemas``.
        journal_schema: tranship's own schema, which is left out.
        partitions: those that are wanted as tables of their own beside the tables of which they are a part.
    """
    async with plain_output(conn):
        catalog = await _read(conn, schemas, journal_schema, partitions)
    return fingerprinted(catalog)


async def _read(
    conn: asyncpg.Connection, schemas: tuple[str, ...] | None, journal: str, partitions: Collection[TableName]
) -> Catalog:
    # Columns of the catalogs come with major versions, so the minor version does not matter.
    version = int(await conn.fetchval(VERSION)) // 10000 * 10000
    chosen = None if schemas is None else list(schemas)
    # Each question needs what the ones before it found: schemas, relations, their parts, the types that these
    # use.
    in_scope = Question("schemas", SchemaRow, (chosen, journal))
    scope = (await ask(conn, version, in_scope))[in_scope]
    schema_oids = [row.oid for row in scope]
    there = _relations(schema_oids, partitions)
    relations = (await ask(conn, version, there))[there]
    of_relations = PartQuestions.of(relations)
    asked = _Questions.of(schema_oids, [row.oid for row in relations])
    answers = await ask(conn, version, *of_relations, *QUESTIONS, *asked)
    nodes, sequence_rows = answers[of_relations.partitions], answers[asked.sequences]
    of_leaves = LeafQuestions.of(nodes)
    tied = Question("sequence_uses", SequenceUseRow, ([row.oid for row in sequence_rows],))
    answers |= await ask(conn, version, *of_leaves, tied)
    parts, uses = table_parts(answers, of_relations, of_leaves), answers[tied]
    types = await TypeReader.read(conn, version, answers, _used_types(parts), schema_oids)
    of_column = _sequence_of_column(sequence_rows, uses)
    session, objects = answers[SESSION][0], answers[asked.objects]
    return Catalog(
        database=session.database,
        server_version=session.version,
        schemas=tuple(row.name for row in scope),
        tables=tuple(build_table(row, parts, types, of_column) for row in relations),
        sequences=_sequences(sequence_rows, uses),
        types=_user_types(types, schema_oids),
        routines=_routines(answers[asked.routines]),
        extensions=_extensions(answers[asked.extensions]),
        encoding=session.encoding,
        collation=session.collation,
        timezone=session.timezone,
        datestyle=session.datestyle,
        search_path=session.search_path,
        user=session.role,
        superuser=session.superuser,
        event_triggers=_texts(objects, "t"),
        publications=_texts(objects, "p"),
        large_objects=session.large_objects,
        casts=_texts(objects, "c"),
        loose_collations=session.loose_collations,
        reading_functions=reading_functions(answers[asked.sources], relations, nodes),
        others=_others(answers[asked.others]),
    )


def _relations(schema_oids: list[int], partitions: Collection[TableName]) -> Question[RelationRow]:
    names = [name.schema for name in partitions], [name.name for name in partitions]
    return Question("relations", RelationRow, (schema_oids, *names))


class _Questions(NamedTuple):
    """What is asked of a database beside its relations and types."""

    sequences: Question[SequenceRow]
    objects: Question[DatabaseObjectRow]
    sources: Question[FunctionSourceRow]
    routines: Question[RoutineRow]
    extensions: Question[ExtensionRow]
    others: Question[OtherObjectRow]

    @classmethod
    def of(cls, schema_oids: list[int], relation_oids: list[int]) -> _Questions:
        """Returns the questions about some schemas and relations."""
        both = (schema_oids, relation_oids)
        return cls(
            Question("sequences", SequenceRow, both),
            Question("database_objects", DatabaseObjectRow, both),
            Question("function_sources", FunctionSourceRow),
            Question("routines", RoutineRow, (schema_oids,)),
            Question("extensions", ExtensionRow),
            Question("other_objects", OtherObjectRow, both),
        )


def _used_types(parts: TableParts) -> set[TypeUse]:
    return {(column.type, column.modifier) for columns in parts.columns.values() for column in columns}


def _user_types(types: TypeReader, schema_oids: list[int]) -> tuple[UserType, ...]:
    return tuple(
        UserType(TableName(row.schema, row.name), types.build(row.oid), row.comment)
        for row in types.user_types(schema_oids)
    )


def _routines(rows: list[RoutineRow]) -> tuple[Routine, ...]:
    return tuple(
        Routine(TableName(row.schema, row.name), row.arguments, row.kind, row.definition_hash) for row in rows
    )


def _extensions(rows: list[ExtensionRow]) -> tuple[Extension, ...]:
    return tuple(Extension(row.name, row.version, row.schema, _tables_of(row)) for row in rows)


def _tables_of(row: ExtensionRow) -> tuple[ExtensionTable, ...]:
    names = map(TableName, row.table_schemas, row.table_names)
    return tuple(map(ExtensionTable, names, row.conditions))


def _others(rows: list[OtherObjectRow]) -> tuple[OtherObject, ...]:
    return tuple(OtherObject(row.kind, row.schema or "", row.name, row.definition) for row in rows)


def _texts(objects: list[DatabaseObjectRow], kind: str) -> tuple[str, ...]:
    """Returns the objects of one kind: ``t`` event trigger, ``p`` publication, ``c`` cast."""
    return tuple(row.text for row in objects if row.kind == kind)


def _sequence_of_column(
    rows: list[SequenceRow], uses: list[SequenceUseRow]
) -> dict[tuple[int, str], TableName]:
    """Returns, per relation OID and column name, the sequence behind its identity (tie ``i``) or in its
    default (``n``).
    """
    names = {row.oid: TableName(row.schema, row.name) for row in rows}
    return {(use.relation, use.column): names[use.sequence] for use in uses if use.tie in "in"}


def _sequences(rows: list[SequenceRow], uses: list[SequenceUseRow]) -> tuple[Sequence, ...]:
    ties: dict[int, list[SequenceUseRow]] = {row.oid: [] for row in rows}
    for use in uses:
        ties[use.sequence].append(use)
    return tuple(_sequence(row, ties[row.oid]) for row in rows)


def _sequence(row: SequenceRow, ties: list[SequenceUseRow]) -> Sequence:
    """Returns a sequence. Its ties to columns: ``a`` OWNED BY, ``i`` identity, ``n`` named by a default."""
    return Sequence(
        name=TableName(row.schema, row.name),
        type=row.type,
        start=row.start,
        increment=row.increment,
        minimum=row.minimum,
        maximum=row.maximum,
        cycle=row.cycle,
        cache=row.cache,
        owned_by=next((_column_of(use) for use in ties if use.tie in "ai"), None),
        identity=any(use.tie == "i" for use in ties),
        used_by=tuple(_column_of(use) for use in ties if use.tie in "in"),
        privileges=row.privileges,
        owned=row.owned,
    )


def _column_of(use: SequenceUseRow) -> ColumnRef:
    return ColumnRef(TableName(use.schema, use.name), use.column)
