"""What NEW's tables hold before anything is moved, and how much of it OLD holds, too."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.database_objects import ExtensionTable
from tranship.sql.canonical import key_text
from tranship.sql.quote import ident, relation
from tranship.sql.types.values import canonical


def row_counts(tables: Sequence[Table]) -> str:
    """Returns a query with one row per table: ``place`` (from 0) and ``rows``, without its children's."""
    return " UNION ALL ".join(
        f"SELECT {place} AS place, pg_catalog.count(*) AS rows FROM {_own(table)}"
        for place, table in enumerate(tables)
    )


def own_rows(table: ExtensionTable) -> str:
    """Returns a query for ``rows``, the number of the user's rows in a table of an extension.

    The condition is the extension's own text and runs as pg_dump runs it.
    """
    return f"SELECT pg_catalog.count(*) AS rows FROM {relation(table.name)} {table.condition or ''}"


def holding_any(tables: Sequence[Table]) -> str:
    """Returns a query with one row per table: ``place`` (from 0) and ``held``, whether it holds a row."""
    return " UNION ALL ".join(
        f"SELECT {place} AS place, EXISTS (SELECT FROM {_own(table)}) AS held"
        for place, table in enumerate(tables)
    )


def canonical_columns(table: Table, columns: Sequence[str]) -> list[str] | None:
    """Returns SQL for the texts that compare columns across servers; None: one of them has none."""
    declared = [table.column(name) for name in columns]
    texts = [canonical(f"t.{ident(c.name)}", c.type) if c is not None else None for c in declared]
    found = [text for text in texts if text is not None]
    return found if len(found) == len(columns) else None


def standing_rows(
    table: Table, keys: Sequence[str], values: Sequence[str], name: Sequence[str], most: int
) -> str:
    """Returns a query with up to ``most`` rows of a table: ``key`` and ``content`` as digests, and ``name``
    as one, too; NULL where a part of it is NULL, or no column makes a name.

    ``keys``, ``values`` and ``name`` are SQL over the row ``t``.
    """
    return f"SELECT {_digests(keys, values, name)} FROM {_own(table)} LIMIT {most}"


def shared_with(table: Table, keys: Sequence[str], values: Sequence[str], name: Sequence[str]) -> str:
    """Returns a query with one row about $1, $2 and $3 (``text[]``: keys, contents and names of NEW's rows).

    ``keys`` and ``equal`` count rows of OLD under the same key, and those with the same content;
    ``renumbered`` counts names that OLD has under another key, ``renamed`` keys that have another name.
    """
    old = f"(SELECT {_digests(keys, values, name)} FROM {_own(table)}) AS o"
    return f"""
        WITH n AS MATERIALIZED (
          SELECT * FROM ROWS FROM (
            pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
            pg_catalog.unnest($3::pg_catalog.text[])) AS q(key, content, name)
        ), o AS MATERIALIZED (SELECT * FROM {old})
        SELECT
          (SELECT pg_catalog.count(*) FROM n JOIN o USING (key)) AS keys,
          (SELECT pg_catalog.count(*) FROM n JOIN o USING (key, content)) AS equal,
          (SELECT pg_catalog.count(*) FROM n JOIN o USING (name) WHERE n.key <> o.key) AS renumbered,
          (SELECT pg_catalog.count(*) FROM n JOIN o USING (key) WHERE n.name <> o.name) AS renamed
    """


def _digests(keys: Sequence[str], values: Sequence[str], name: Sequence[str]) -> str:
    key, content, named = (f"pg_catalog.md5({key_text(parts)})" for parts in (keys, values, name))
    known = " AND ".join(f"{part} IS NOT NULL" for part in name) or "false"
    return f"{key} AS key, {content} AS content, CASE WHEN {known} THEN {named} END AS name"


def _own(table: Table) -> str:
    return f"{'' if table.kind == 'p' else 'ONLY '}{relation(table.name)} AS t"
