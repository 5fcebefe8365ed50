"""Statements that give rows of NEW's own back the values that they had before a run changed them.

A row is restored only while it carries the transaction that changed it: whatever anybody else wrote since
stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Column, Table
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import through_text
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident


def still_ours(table: Table, key: MatchedKey, columns: Sequence[Column], journal: str) -> str:
    """Returns a query for the number of rows that nobody changed after the run. $1 run, $2 position.

    ``columns`` are those of the key.
    """
    return f"""
        SELECT pg_catalog.count(*) FROM {journal}.image AS i
        CROSS JOIN LATERAL {_record("i.row_key", "k", columns)}
        JOIN {relation_to_read(table)} AS t ON {_found(key, columns)}
        WHERE i.run = $1 AND i.position = $2
    """


def restore(
    table: Table, key: MatchedKey, columns: tuple[Sequence[Column], Sequence[Column]], journal: str
) -> str:
    """Returns a statement that restores rows and forgets their images; its tag counts the rows.

    ``columns`` are those of the key and those that were changed. $1 run, $2 position, $3 sources, $4 pages,
    $5 lines, $6 items and $7 keys of the images.
    """
    of_key, changed = columns
    values = ", ".join(f"{ident(c.name)} = {_typed('h', c)}" for c in changed)
    place, kinds = "source, page, line, item, key", ("int4", "int8", "int4", "int4", "text")
    lists = ", ".join(f"pg_catalog.unnest(${n}::pg_catalog.{kind}[])" for n, kind in enumerate(kinds, 3))
    return f"""
        WITH wanted AS (
          SELECT i.* FROM {journal}.image AS i JOIN ROWS FROM ({lists}) AS p({place}) USING ({place})
          WHERE i.run = $1 AND i.position = $2),
        restored AS (
          UPDATE {relation_to_read(table)} AS t SET {values}
          FROM wanted AS i CROSS JOIN LATERAL {_record("i.row_key", "k", of_key)}
          CROSS JOIN LATERAL {_record("i.held", "h", changed)}
          WHERE {_found(key, of_key)}
          RETURNING i.source, i.page, i.line, i.item, i.key)
        DELETE FROM {journal}.image WHERE run = $1 AND position = $2
          AND ({place}) IN (SELECT {place} FROM restored)
    """


def _record(text: str, alias: str, columns: Sequence[Column]) -> str:
    """Returns a FROM item over one JSON object of column to text, each read by its type's input function."""
    definitions = []
    for column in columns:
        collation = f" COLLATE {column.collation}" if column.collation else ""
        kind = "pg_catalog.text" if through_text(column.type) else f"{column.type.text}{collation}"
        definitions.append(f"{ident(column.name)} {kind}")
    return f"pg_catalog.json_to_record(CAST({text} AS pg_catalog.json)) AS {alias}({', '.join(definitions)})"


def _typed(alias: str, column: Column) -> str:
    value = f"{alias}.{ident(column.name)}"
    return f"CAST({value} AS {column.type.text})" if through_text(column.type) else value


def _found(key: MatchedKey, columns: Sequence[Column]) -> str:
    """Returns the condition that ``t`` is the row of the image ``i`` and nobody changed it since."""
    operators = dict(zip(key.columns, key.operators, strict=True))
    same = [f"t.{ident(c.name)} {operators[c.name]} {_typed('k', c)}" for c in columns]
    return " AND ".join([*same, "t.xmin::pg_catalog.text::pg_catalog.int8 = i.xid"])
