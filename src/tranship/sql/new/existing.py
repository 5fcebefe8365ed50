"""Rows that NEW holds, found by a key that a person named: which there are, and where they differ from OLD's.

The parts are SELECTs over the given rows of ``given_rows.py``, and their answers are those of ``probe.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.sql.canonical import key_text
from tranship.sql.new.given_rows import GivenRows
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import answer
from tranship.sql.new.transactions import relation_to_read, written_by
from tranship.sql.quote import ident, literal


def found_part(rows: GivenRows, key: MatchedKey, own: MatchedKey, shown: Sequence[str]) -> str:
    """Returns the given rows whose key a row of NEW has: ``[row, "found", how many, [place, shown, own]]``.

    ``place`` is that of the first row of NEW. ``own`` are columns by which other tables refer to it: a JSON
    object with, per column, whether NEW's value is another one, and its text. ``shown``: columns by which
    NEW's row is named.
    """
    place = _place("e")
    found = "pg_catalog.json_build_array(q.place, q.held, q.own)"
    return f"""
        SELECT {answer("q.i", literal("found"), "q.many", found)}
        FROM (
          SELECT g.{rows.number} AS i, pg_catalog.count(*) AS many, pg_catalog.min({place}) AS place,
            pg_catalog.min({_object("e", shown)}) AS held, pg_catalog.min({_own_key(own)}) AS own
          FROM tranship_rows AS g JOIN {relation_to_read(rows.table)} AS e ON {key.matches("e", "g")}
          GROUP BY g.{rows.number}) AS q
    """


class Matching(Struct, frozen=True):
    """How the rows of NEW that a table held are found, and what is asked about them."""

    key: MatchedKey
    own: MatchedKey
    """Columns by which other tables refer to a row."""
    shown: tuple[str, ...]
    """Columns by which a row of NEW is named."""
    compared: tuple[str, ...] = ()
    """Columns in which both rows are compared; empty: they are not."""
    told: tuple[str, ...] = ()
    """Those of them whose difference is told by name."""


def matched_part(rows: GivenRows, by: Matching) -> str:
    """Returns the given rows whose key a row of NEW has, most of them in two answers:
    ``[0, "matched", differs, [rows, places]]``, the rows' numbers with commas, the places with blanks.

    A row for which NEW has other values in the columns of its own key, or that differs in a column that is
    told, comes alone: ``[row, "apart", differs, [place, shown, own, positions]]``, with ``own`` as
    :func:`found_part` has it, and the positions of the differing columns with commas.
    """
    place = _place("e")
    differs = " OR ".join(_unlike(column) for column in by.compared) or "false"
    pairs = zip(by.own.columns, by.own.operators, strict=True)
    apart = [_other_value(column, operator) for column, operator in pairs]
    alone = " OR ".join([*apart, *(_unlike(column) for column in by.told)]) or "false"
    details = f"{place}, {_object('e', by.shown)}, {_own_key(by.own)}, {_positions(by.compared)}"
    lists = ("CAST(m.i AS pg_catalog.text), ','", "m.place, ' '")
    together = ", ".join(f"pg_catalog.string_agg({one})" for one in lists)
    which = "CAST(m.differs AS pg_catalog.int4)"
    return f"""
        SELECT r.* FROM (WITH matched AS MATERIALIZED (
          SELECT g.{rows.number} AS i, {place} AS place, {differs} AS differs,
            CASE WHEN {alone} THEN pg_catalog.json_build_array({details}) END AS alone
          FROM tranship_rows AS g JOIN {relation_to_read(rows.table)} AS e ON {by.key.matches("e", "g")})
        SELECT {answer("0", literal("matched"), which, f"pg_catalog.json_build_array({together})")}
        FROM matched AS m WHERE m.alone IS NULL GROUP BY m.differs
        UNION ALL
        SELECT {answer("m.i", literal("apart"), which, "m.alone")}
        FROM matched AS m WHERE m.alone IS NOT NULL) AS r
    """


def compared_part(rows: GivenRows, key: MatchedKey, columns: Sequence[str]) -> str:
    """Returns in which of some columns the row of NEW under a given row's key has another text:
    ``[row, "compared", xid, [positions, place]]``, the positions as one text with commas. ``xid`` is the
    transaction that wrote NEW's row, ``place`` as :func:`found_part` has it.
    """
    xid = "CAST(CAST(e.xmin AS pg_catalog.text) AS pg_catalog.int8)"
    detail = f"pg_catalog.json_build_array({_positions(columns)}, {_place('e')})"
    return f"""
        SELECT {answer(f"g.{rows.number}", literal("compared"), xid, detail)}
        FROM tranship_rows AS g JOIN {relation_to_read(rows.table)} AS e ON {key.matches("e", "g")}
    """


def keys_held(table: Table, canonicals: Sequence[str]) -> str:
    """Returns a query for the canonical key texts of NEW's rows; ``canonicals`` are the SQL of its parts."""
    known = " AND ".join(f"{text} IS NOT NULL" for text in canonicals)
    return f"SELECT {key_text(canonicals)} FROM {relation_to_read(table)} AS t WHERE {known}"


def places_written(table: Table, xids: Sequence[int]) -> str:
    """Returns a query for the places of the rows that some transactions wrote, as the parts above have
    them.
    """
    return f"SELECT {_place('t')} FROM {relation_to_read(table)} AS t WHERE {written_by('t', xids)}"


def at_places(alias: str, parameter: int) -> str:
    """Returns the condition that a row is at one of some places: an array of texts."""
    return f"{_place(alias)} = ANY (${parameter}::pg_catalog.text[])"


def _place(alias: str) -> str:
    """Returns SQL for the place of a row as one text without blanks."""
    relation, tid = (f"CAST({alias}.{name} AS pg_catalog.text)" for name in ("tableoid", "ctid"))
    return f"{relation} OPERATOR(pg_catalog.||) {tid}"


def _object(alias: str, columns: Sequence[str]) -> str:
    """Returns SQL for the texts of some columns as one JSON object, as text."""
    pairs = ", ".join(f"{literal(c)}, CAST({alias}.{ident(c)} AS pg_catalog.text)" for c in columns)
    return f"CAST(pg_catalog.json_build_object({pairs}) AS pg_catalog.text)"


def _positions(columns: Sequence[str]) -> str:
    """Returns SQL for the positions of the columns that differ, as one text with commas."""
    parts = ", ".join(f"CASE WHEN {_unlike(c)} THEN {n} END" for n, c in enumerate(columns))
    # The function leaves NULLs out.
    return f"pg_catalog.array_to_string(ARRAY[{parts}]::pg_catalog.int4[], ',')"


def _unlike(column: str) -> str:
    """Returns the condition that a column of both rows has different texts."""
    new, old = (f"CAST({alias}.{ident(column)} AS pg_catalog.text)" for alias in ("e", "g"))
    return f'{new} COLLATE pg_catalog."C" IS DISTINCT FROM {old}'


def _other_value(column: str, operator: str) -> str:
    """Returns the condition that NEW's row has another value in a column, or none."""
    return f"(e.{ident(column)} {operator} g.{ident(column)}) IS NOT TRUE"


def _own_key(own: MatchedKey) -> str:
    pairs = []
    for column, operator in zip(own.columns, own.operators, strict=True):
        value = f"e.{ident(column)}"
        differs = _other_value(column, operator)
        text = f"CAST({value} AS pg_catalog.text)"
        pairs.append(f"{literal(column)}, pg_catalog.json_build_array({differs}, {text})")
    return f"CAST(pg_catalog.json_build_object({', '.join(pairs)}) AS pg_catalog.text)"
