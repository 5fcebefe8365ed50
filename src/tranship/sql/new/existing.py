"""Rows that NEW holds, found by a key that a person named: which there are, and where they differ from OLD's.

The parts are SELECTs over the given rows of ``given_rows.py``, and their answers are those of ``probe.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.sql.canonical import key_text
from tranship.sql.new.given_rows import GivenRows
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import answer
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, literal


def found_part(rows: GivenRows, key: MatchedKey, own: MatchedKey, shown: Sequence[str]) -> str:
    """Returns the given rows whose key a row of NEW has: ``[row, "found", how many, [place, shown, own]]``.

    ``place`` is that of the first row of NEW. ``own`` are columns by which other tables refer to it: a JSON
    object with, per column, whether NEW's value is another one, and its text. ``shown``: columns by which
    NEW's row is named.
    """
    place = "CAST(e.tableoid AS pg_catalog.text) OPERATOR(pg_catalog.||) CAST(e.ctid AS pg_catalog.text)"
    found = "pg_catalog.json_build_array(q.place, q.held, q.own)"
    return f"""
        SELECT {answer("q.i", literal("found"), "q.many", found)}
        FROM (
          SELECT g.{rows.number} AS i, pg_catalog.count(*) AS many, pg_catalog.min({place}) AS place,
            pg_catalog.min({_object("e", shown)}) AS held, pg_catalog.min({_own_key(own)}) AS own
          FROM tranship_rows AS g JOIN {relation_to_read(rows.table)} AS e ON {key.matches("e", "g")}
          GROUP BY g.{rows.number}) AS q
    """


def compared_part(rows: GivenRows, key: MatchedKey, columns: Sequence[str]) -> str:
    """Returns in which of some columns the row of NEW under a given row's key has another text:
    ``[row, "compared", 0, positions]``, the positions as one text with commas.
    """
    parts = ", ".join(
        f'CASE WHEN CAST(e.{ident(c)} AS pg_catalog.text) COLLATE pg_catalog."C" IS DISTINCT FROM'
        f" CAST(g.{ident(c)} AS pg_catalog.text) THEN {n} END"
        for n, c in enumerate(columns)
    )
    # The function leaves NULLs out.
    differing = f"pg_catalog.array_to_string(ARRAY[{parts}]::pg_catalog.int4[], ',')"
    return f"""
        SELECT {answer(f"g.{rows.number}", literal("compared"), "0", differing)}
        FROM tranship_rows AS g JOIN {relation_to_read(rows.table)} AS e ON {key.matches("e", "g")}
    """


def keys_held(table: Table, canonicals: Sequence[str]) -> str:
    """Returns a query for the canonical key texts of NEW's rows; ``canonicals`` are the SQL of its parts."""
    known = " AND ".join(f"{text} IS NOT NULL" for text in canonicals)
    return f"SELECT {key_text(canonicals)} FROM {relation_to_read(table)} AS t WHERE {known}"


def _object(alias: str, columns: Sequence[str]) -> str:
    """Returns SQL for the texts of some columns as one JSON object, as text."""
    pairs = ", ".join(f"{literal(c)}, CAST({alias}.{ident(c)} AS pg_catalog.text)" for c in columns)
    return f"CAST(pg_catalog.json_build_object({pairs}) AS pg_catalog.text)"


def _own_key(own: MatchedKey) -> str:
    pairs = []
    for column, operator in zip(own.columns, own.operators, strict=True):
        value = f"e.{ident(column)}"
        differs = f"({value} {operator} g.{ident(column)}) IS NOT TRUE"
        text = f"CAST({value} AS pg_catalog.text)"
        pairs.append(f"{literal(column)}, pg_catalog.json_build_array({differs}, {text})")
    return f"CAST(pg_catalog.json_build_object({', '.join(pairs)}) AS pg_catalog.text)"
