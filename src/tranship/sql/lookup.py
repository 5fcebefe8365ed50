"""Lookup tables of either side: what they hold for given keys, whether their keys are unique, and whether
they changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.expression import Lookup
from tranship.model.types import PgType
from tranship.sql.expression import type_name
from tranship.sql.quote import ident, relation
from tranship.sql.types.values import canonical

_EQUALS = "OPERATOR(pg_catalog.=)"
FRACTIONS = frozenset({Family.NUMERIC, Family.FLOAT})
"""Families of numbers that need not be whole."""

_MOST_SHOWN = 3
"""Ambiguous keys that are named to a person: one is enough to refuse the lookup."""


class LookupKey(Struct, frozen=True):
    """How one key column of a lookup table is compared with a given text."""

    column: str
    """SQL of the column over the alias ``l``."""
    given: str
    """The type as which the given text is read."""
    operator: str
    """The equality operator between the two."""
    canonical: str | None
    """SQL over the given value ``r.c<n>`` for its canonical text; None: the type has none."""


def compared(position: int, name: str, new: PgType | None, *, fractions: bool) -> LookupKey:
    """Returns how the key at a position is compared.

    The given text is read as the column's own type without its modifier, which would cut or round it. Texts
    of numbers with fractions are compared with an integer column as numeric: 1.5 must not be found as 2.
    Where the column's type is unknown (``new`` is None), texts are compared. ``fractions``: what is looked up
    may be such a number.
    """
    column, value = f"l.{ident(name)}", f"r.c{position}"
    if new is None:
        text = f"CAST({column} AS pg_catalog.text)"
        return LookupKey(text, "pg_catalog.text", _EQUALS, f"CAST({value} AS pg_catalog.text)")
    leaf = new.leaf
    if fractions and leaf.family is Family.INTEGER:
        number = f"CAST({column} AS pg_catalog.numeric)"
        whole = f"pg_catalog.trunc({value})"
        one = f"CAST(CASE WHEN {value} = {whole} THEN {whole} ELSE {value} END AS pg_catalog.text)"
        return LookupKey(number, "pg_catalog.numeric", _EQUALS, one)
    operator = leaf.own_equality or _EQUALS
    return LookupKey(column, type_name(leaf), operator, canonical(value, leaf, new.collation))


def found_query(lookup: Lookup, keys: Sequence[LookupKey], table: str) -> str:
    """Returns a query for what NEW's lookup table holds for given keys, in the protocol of
    ``sql/new/probe.py``. ``table`` is the FROM item of the lookup table.

    Its answers are ``[row, "found", canonical key, value text]``, one for each different value, or ``[row,
    "absent", canonical key, null]``. The key is empty where a key column's type has no canonical text.
    """
    given = ", ".join(f"c{n} {key.given}" for n, key in enumerate(keys))
    held = ", ".join(f"{key.column} AS k{n}" for n, key in enumerate(keys))
    on = " AND ".join(f"l.k{n} {key.operator} r.c{n}" for n, key in enumerate(keys))
    canonicals = [key.canonical for key in keys if key.canonical]
    complete = len(canonicals) == len(keys)
    whole = f"CAST(pg_catalog.json_build_array({', '.join(canonicals)}) AS pg_catalog.text)"
    canonical_key = whole if complete else "''"
    # `found` tells a row whose value is NULL from no row at all.
    value = f"CAST(l.{ident(lookup.value)} AS pg_catalog.text) AS v"
    return f"""
        SELECT DISTINCT CAST(pg_catalog.json_build_array(
          r.i, CASE WHEN l.found THEN 'found' ELSE 'absent' END, {canonical_key}, l.v) AS pg_catalog.text)
        FROM pg_catalog.json_to_recordset(tranship_given) AS r(i pg_catalog.int4, {given})
        LEFT JOIN (SELECT {held}, {value}, true AS found FROM {table} AS l) AS l ON {on}
    """


def everything(lookup: Lookup, table: str, most: int, most_bytes: int) -> str:
    """Returns a query for at most so many entries of a lookup table, each once: the texts of its key, then
    that of its value. All are NULL where they have more bytes together than ``most_bytes``. ``table`` is its
    FROM item.

    Keys with a NULL are never looked up.
    """
    columns = (*lookup.keys, lookup.value)
    texts = ", ".join(f"CAST(l.{ident(c)} AS pg_catalog.text) AS c{n}" for n, c in enumerate(columns))
    known = " AND ".join(f"l.{ident(key)} IS NOT NULL" for key in lookup.keys)
    each = " + ".join(f"COALESCE(pg_catalog.octet_length(d.c{n}), 0)" for n in range(len(columns)))
    shown = ", ".join(f"CASE WHEN e.bytes <= {most_bytes} THEN e.c{n} END" for n in range(len(columns)))
    return f"""
        SELECT {shown} FROM (
          SELECT d.*, pg_catalog.sum({each}) OVER () AS bytes
          FROM (SELECT DISTINCT {texts} FROM {table} AS l WHERE {known} LIMIT {most}) AS d) AS e
    """


def ambiguous(lookup: Lookup, table: str) -> str:
    """Returns a query for some keys of a lookup table that stand for different values, as texts, least text
    first. ``table`` is its FROM item.

    Keys with a NULL are never looked up and do not count.
    """
    keys = ", ".join(f"l.{ident(k)}" for k in lookup.keys)
    shown = ", ".join(f"CAST(l.{ident(k)} AS pg_catalog.text)" for k in lookup.keys)
    known = " AND ".join(f"l.{ident(k)} IS NOT NULL" for k in lookup.keys)
    value = f"CAST(l.{ident(lookup.value)} AS pg_catalog.text)"
    return f"""
        SELECT {shown} FROM {table} AS l
        WHERE {known} GROUP BY {keys} HAVING {several(value)} ORDER BY {shown} LIMIT {_MOST_SHOWN}
    """


def several(value: str) -> str:
    """Returns the condition that a group of rows has more than one value; NULL counts as one, which count()
    leaves out.
    """
    # count(DISTINCT) skips NULL, which is a value of its own here.
    null = f"CASE WHEN pg_catalog.count({value}) < pg_catalog.count(*) THEN 1 ELSE 0 END"
    return f"pg_catalog.count(DISTINCT {value}) + {null} > 1"


def content_hash(lookup: Lookup) -> str:
    """Returns a query for the number of rows of a lookup table and a hash of its keys and values, which is
    the same in any order.
    """
    columns = ", ".join(f"CAST(l.{ident(c)} AS pg_catalog.text)" for c in (*lookup.keys, lookup.value))
    row = f"CAST(pg_catalog.json_build_array({columns}) AS pg_catalog.text)"
    return f"""
        SELECT pg_catalog.count(*),
          COALESCE(pg_catalog.sum(pg_catalog.hashtextextended({row}, 0)), 0)::pg_catalog.text
        FROM {relation(lookup.table)} AS l
    """
