"""How NEW is asked about rows before they are copied: read-only, on every version, as a role that may only
SELECT.

NEW's own input functions and constraint expressions are the only exact judges of a value, so the data checks
let NEW evaluate them over rows that are not in any table.

* The rows travel as JSON objects of shipped texts in the setting ``tranship.given``: an array of blocks, a
  block an array of rows ``{"i": number, "c0": text, …}``.
* ``json_to_recordset`` reads each string with its column's input function and modifier, exactly as COPY does;
  a domain checks itself.
* A block is one subtransaction (a PL/pgSQL block with EXCEPTION). A block that raises is repeated row by row,
  so one DO statement names every row that the server refuses, with the server's message.
* The answers come back in the setting ``tranship.answer``, an array of JSON arrays ``[row number, kind,
  which, detail]``:

============  =============================  =====================================================
kind          which                          detail
============  =============================  =====================================================
``error``     SQLSTATE                       [message, constraint, column]
``check``     position of the check          null
``routing``   0                              null: no partition takes the row
``null``      position of generated column   null
``existing``  position of the index          key of the row that NEW holds, a JSON object as text
``equal``     position of the index          place of a row of NEW that has the same values
``differs``   0                              null: NEW's row under the key has another value
``found``     number of rows of NEW          [place, key shown, its own key where it is another one]
``compared``  xmin of NEW's row              [positions of columns with other texts, its place]
``matched``   1: they differ, 0              numbers and places of rows that found a row, as two texts
``apart``     1: it differs, 0               [place, key shown, its own key, positions as in ``compared``]
``placed``    number of rows of NEW         place of the first of them: all have the row's values
``parent``    position of the foreign key    text of the key; null where MATCH FULL forbids a key
                                             that is partly NULL
``key``       position of the key            64-bit hash of the canonical key text, or that text
``shown``     0                              texts of columns, for people
============  =============================  =====================================================

The queries themselves are in ``given_rows.py`` (types, checks, foreign keys) and ``unique_indexes.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.builtin_types import Family
from tranship.model.types import PgType
from tranship.sql.quote import literal

# The savepoint undoes the two settings, which hold rows, and an error of the DO statement.
SAVEPOINT = "SAVEPOINT tranship_question"
ROLL_BACK = "ROLLBACK TO SAVEPOINT tranship_question; RELEASE SAVEPOINT tranship_question"

# length(): the setting itself, which may be megabytes, is not sent back.
GIVE = """
    SELECT pg_catalog.length(pg_catalog.set_config('tranship.given', $1, true)),
      pg_catalog.set_config('TimeZone', COALESCE($2, pg_catalog.current_setting('TimeZone')), true)
"""
"""$1: the blocks as JSON. $2: the time zone in which texts are read, or NULL for the session's."""
ANSWER = "SELECT pg_catalog.current_setting('tranship.answer')"
ANSWER_AS_BYTES = """
    SELECT pg_catalog.convert_to(pg_catalog.current_setting('tranship.answer'),
      CASE pg_catalog.current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)
"""
"""In UTF-8, but for parts of characters: a server that knows none may quote them in a message."""

_NOT_OF_A_ROW = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that say nothing about a row: connection, transaction state, resources, cancellation
(PostgreSQL documentation, "Error Codes")."""
_OF_THE_QUERY = ("HV", "XX")
"""Classes of internal errors and of foreign servers: the check is not possible."""
_PRIVILEGE = "42501"
"""A missing privilege concerns every row."""


_GUARDED = """
#variable_conflict use_column
DECLARE
  tranship_block pg_catalog.json;
  tranship_item pg_catalog.json;
  tranship_given pg_catalog.json;
  tranship_answers pg_catalog.text[] := '{{}}';
  tranship_some pg_catalog.text[];
  tranship_one pg_catalog.text;
  tranship_constraint pg_catalog.text;
  tranship_column pg_catalog.text;
  tranship_message pg_catalog.text;
BEGIN
  FOR tranship_block IN
    SELECT '[]'::pg_catalog.json UNION ALL SELECT b.value FROM pg_catalog.json_array_elements(
      pg_catalog.current_setting('tranship.given')::pg_catalog.json) AS b
  LOOP
    BEGIN
      tranship_given := tranship_block;
      tranship_some := ARRAY({query});
      tranship_answers := pg_catalog.array_cat(tranship_answers, tranship_some);
    EXCEPTION WHEN OTHERS THEN
      {impossible}
      {reraise}
      FOR tranship_item IN SELECT b.value FROM pg_catalog.json_array_elements(tranship_block) AS b LOOP
        BEGIN
          tranship_given := pg_catalog.json_build_array(tranship_item);
          FOR tranship_one IN {query} LOOP
            tranship_answers := pg_catalog.array_append(tranship_answers, tranship_one);
          END LOOP;
        EXCEPTION WHEN OTHERS THEN
          {reraise}
          GET STACKED DIAGNOSTICS tranship_message = MESSAGE_TEXT,
            tranship_constraint = CONSTRAINT_NAME, tranship_column = COLUMN_NAME;
          tranship_answers := pg_catalog.array_append(tranship_answers,
            pg_catalog.json_build_array(
              pg_catalog.substring(tranship_item::pg_catalog.text, '"i" *: *([0-9-]+)')::pg_catalog.int4,
              'error', SQLSTATE,
              pg_catalog.json_build_array(tranship_message, tranship_constraint, tranship_column)
            )::pg_catalog.text);
        END;
      END LOOP;
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer',
    '[' || pg_catalog.array_to_string(tranship_answers, ',') || ']', true);
END
"""
"""The body of the DO statement. The answers of a block are taken as a whole (tranship_some): when it raises,
none of them counts and every row of the block is asked again. Row by row the query is a loop, because a row
may have several answers. The number of a row that raises is read without the texts beside it, which may hold
a character that NEW lacks. The first block is empty: what raises there is the query itself and no row.
"""


def guarded(query: str, *, conversion: bool = False) -> str:
    """Returns a DO statement that answers ``query`` for every block, row by row where a block raises.

    Args:
        query: reads the PL/pgSQL variable ``tranship_given`` (a JSON array of rows) and returns one text
            column.
        conversion: a missing privilege and errors of the classes HV and XX count as the row's, too. PostGIS
            raises XX000 for every wrong text; a query that only converts has no other way to raise them.

    Classes 0A and 42 are the row's where the query itself can be answered: ``extract(year FROM d)::int``
    raises 0A000 for infinity, ``regclass`` 42P01 for a name that does not exist.
    """
    stopping = _NOT_OF_A_ROW + (() if conversion else _OF_THE_QUERY)
    raising = f"pg_catalog.left(SQLSTATE, 2) IN ({', '.join(map(literal, stopping))})"
    impossible = ""
    if not conversion:
        raising += f" OR SQLSTATE = {literal(_PRIVILEGE)}"
        impossible = "IF pg_catalog.json_array_length(tranship_block) = 0 THEN RAISE; END IF;"
    reraise = f"IF {raising} THEN RAISE; END IF;"
    body = _GUARDED.format(query=query, reraise=reraise, impossible=impossible)
    return f"DO LANGUAGE plpgsql {literal(body)}"


def conversion_query(pg_type: PgType) -> str:
    """Returns a query that reads every given value ``c0`` as the type and returns nothing: a refused value
    raises.
    """
    # No row number is below 0. The condition keeps the row from being returned, not from being read.
    kept = "r.i < 0"
    if through_text(pg_type):
        kept += f" OR (r.c0 IS NOT NULL AND CAST(r.c0 AS {pg_type.text}) IS NULL)"
    return f"SELECT ''::pg_catalog.text FROM {recordset([given_column(0, pg_type, None)])} WHERE {kept}"


def character_query(encoding: str) -> str:
    """Returns a query that converts each given character ``c0`` to NEW's encoding: one that it lacks raises.

    A character is given as the hexadecimal text of its UTF-8 bytes, because the connection itself converts
    texts and would fail before the query.
    """
    converted = f"pg_catalog.convert(pg_catalog.decode(r.c0, 'hex'), 'UTF8', {literal(encoding)})"
    return f"SELECT ''::pg_catalog.text FROM {recordset(['c0 pg_catalog.text'])} WHERE {converted} IS NULL"


def answer(row: str, kind: str, which: str, detail: str) -> str:
    """Returns the SQL of one answer, from the SQL of its four elements."""
    return f"CAST(pg_catalog.json_build_array({row}, {kind}, {which}, {detail}) AS pg_catalog.text)"


def value_of(expression: str) -> str:
    """Returns the SQL that computes an expression of NEW's catalog once, for no row."""
    return f"SELECT {expression}"


def recordset(definitions: Sequence[str]) -> str:
    """Returns a FROM item ``r`` over the given rows: the row number ``i`` and the columns of these
    definitions.
    """
    columns = ", ".join(["i pg_catalog.int4", *definitions])
    return f"pg_catalog.json_to_recordset(tranship_given) AS r({columns})"


def through_text(pg_type: PgType) -> bool:
    """Returns whether values of the type are read as text first and cast then.

    For a json or jsonb column ``json_to_recordset`` takes the string itself as the value, not what the string
    contains.
    """
    return pg_type.leaf.family is Family.JSON


def given_column(number: int, pg_type: PgType, collation: str | None) -> str:
    """Returns the definition of the given column ``c<number>`` for :func:`recordset`."""
    if through_text(pg_type):
        return f"c{number} pg_catalog.text"
    return f"c{number} {pg_type.text}" + (f" COLLATE {collation}" if collation else "")
