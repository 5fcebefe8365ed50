"""Asking a server whether a type's input function takes some texts: read-only, on every version, by the rules that COPY goes by."""

from __future__ import annotations

from tranship.model.types import PgType
from tranship.sql.expression import type_name

GIVE = "SELECT pg_catalog.set_config('tranship.given', $1, true), pg_catalog.set_config('tranship.answer', '[]', true)"
"""$1: the texts as a JSON array."""
ANSWER = "SELECT pg_catalog.current_setting('tranship.answer')"
"""A JSON array with one element per refused text: ``[position from 0, message]``."""

CARRIED = "SELECT pg_catalog.length(CAST($1 AS pg_catalog.text))"
"""$1: a text; an error where the server's encoding lacks one of its characters."""


def equal_keys(leaf: PgType) -> str:
    """Positions from 1 of the given texts ($1) that are one and the same value of a type to its ``=``, in pairs. Each is a value of the type."""
    one, other = (f"CAST({side}.k AS {type_name(leaf)})" for side in ("a", "b"))
    given = "pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY"
    return f"SELECT a.n, b.n FROM {given} AS a(k, n) JOIN {given} AS b(k, n) ON a.n < b.n AND {one} {leaf.equality} {other} ORDER BY 1, 2"


def refused_texts(type_text: str) -> str:
    """A DO statement that tries every given text as a value of ``type_text`` (as ``format_type`` prints it) and keeps the server's words.

    Assigning a text to a variable goes through the type's input, as a COPY does; a cast written in SQL would cut a varchar.
    """
    return f"""DO $tranship$
#variable_conflict use_variable
DECLARE
  tranship_tried {type_text};
  tranship_text pg_catalog.text;
  tranship_at pg_catalog.int4 := 0;
  tranship_answers pg_catalog.text[] := '{{}}';
BEGIN
  FOR tranship_text IN
    SELECT g.value FROM pg_catalog.json_array_elements_text(CAST(pg_catalog.current_setting('tranship.given') AS pg_catalog.json)) AS g
  LOOP
    BEGIN
      tranship_tried := tranship_text;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR syntax_error_or_access_rule_violation OR program_limit_exceeded THEN
      tranship_answers := pg_catalog.array_append(tranship_answers, CAST(pg_catalog.json_build_array(tranship_at, SQLERRM) AS pg_catalog.text));
    END;
    tranship_at := tranship_at OPERATOR(pg_catalog.+) 1;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer', pg_catalog.concat('[', pg_catalog.array_to_string(tranship_answers, ','), ']'), true);
END $tranship$"""
