"""Statements that ask a server whether a type's input function takes some texts.

They only read, work on every version, and follow the rules that COPY follows.
"""

from __future__ import annotations

from tranship.model.types import PgType
from tranship.sql.expression import type_name

GIVE = """
    SELECT pg_catalog.set_config('tranship.given', $1, true),
      pg_catalog.set_config('tranship.answer', '[]', true)
"""
"""$1: the texts as a JSON array. Settings carry texts and answer, because a DO statement has no parameters
and no result.
"""
ANSWER = "SELECT pg_catalog.current_setting('tranship.answer')"
"""The answer: a JSON array with one element ``[position from 0, message]`` per refused text."""

CARRIED = "SELECT pg_catalog.length(CAST($1 AS pg_catalog.text))"
"""$1: a text. It fails where the server's encoding lacks one of the characters."""


def equal_keys(leaf: PgType) -> str:
    """Returns a query for pairs of positions (from 1) of given texts that are equal as values of the type.

    $1 (``text[]``) are the texts; each must be a value of ``leaf``, a type that has an equality operator.
    """
    one, other = (f"CAST({side}.k AS {type_name(leaf)})" for side in ("a", "b"))
    given = "pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY"
    return f"""
        SELECT a.n, b.n
        FROM {given} AS a(k, n) JOIN {given} AS b(k, n) ON a.n < b.n AND {one} {leaf.equality} {other}
        ORDER BY 1, 2
    """


def refused_texts(type_text: str) -> str:
    """Returns a DO statement that tries each given text as a value of a type and keeps the server's message
    where it fails.

    ``type_text`` is the type as ``format_type`` prints it, modifier included. A text is assigned to a
    PL/pgSQL variable of the type, because an assignment goes through the type's input function as COPY does
    (PostgreSQL documentation, "PL/pgSQL – Assignment"); a cast written in SQL would truncate a varchar(n)
    without an error.
    """
    # Only errors that speak of the value are caught: anything else (out of memory, cancelled) has to end the
    # statement.
    about_the_value = (
        "data_exception OR integrity_constraint_violation OR syntax_error_or_access_rule_violation"
        " OR program_limit_exceeded"
    )
    return f"""DO $tranship$
#variable_conflict use_variable
DECLARE
  tranship_tried {type_text};
  tranship_text pg_catalog.text;
  tranship_at pg_catalog.int4 := 0;
  tranship_answers pg_catalog.text[] := '{{}}';
BEGIN
  FOR tranship_text IN
    SELECT g.value FROM pg_catalog.json_array_elements_text(
      CAST(pg_catalog.current_setting('tranship.given') AS pg_catalog.json)) AS g
  LOOP
    BEGIN
      tranship_tried := tranship_text;
    EXCEPTION WHEN {about_the_value} THEN
      tranship_answers := pg_catalog.array_append(tranship_answers,
        CAST(pg_catalog.json_build_array(tranship_at, SQLERRM) AS pg_catalog.text));
    END;
    tranship_at := tranship_at OPERATOR(pg_catalog.+) 1;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer',
    pg_catalog.concat('[', pg_catalog.array_to_string(tranship_answers, ','), ']'), true);
END $tranship$"""
