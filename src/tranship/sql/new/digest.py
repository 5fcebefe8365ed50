"""What NEW computes to prove a copy: the sums over its rows by the transactions that wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.digest import HashForm
from tranship.sql.digest import RowValues, Value, hashed, row_hash, row_sums
from tranship.sql.new.filled import Filling, any_unlike
from tranship.sql.new.given_rows import GivenRows
from tranship.sql.new.orphans import Place, places_of
from tranship.sql.new.probe import answer
from tranship.sql.new.transactions import relation_to_read, written_by
from tranship.sql.quote import literal, relation


def sums_by_transaction(
    table: Table, values: Sequence[Value], form: HashForm, filled: Sequence[Filling] = ()
) -> str:
    """Returns a query that reads a table once: per transaction (``xid``, 32 bits) the number of its rows and
    the sums over these columns of ``t``, how many rows are ``unlike`` in the columns that NEW fills, and
    whether it is ``later`` than transaction $1 (32 bits).
    """
    row = hashed(values, form)
    shown = f"t.xmin AS xid, {row} AS r, {any_unlike(filled)} AS u"
    read = f"SELECT {shown} FROM {relation_to_read(table)} AS t OFFSET 0"
    later = "pg_catalog.age(h.xid) <= pg_catalog.age(CAST($1 AS pg_catalog.xid))"
    return f"""
        SELECT CAST(CAST(h.xid AS pg_catalog.text) AS pg_catalog.int8) AS xid, {later} AS later,
          pg_catalog.count(*) FILTER (WHERE h.u) AS unlike, {row_sums(form)}
        FROM ({read}) AS h GROUP BY h.xid
    """


def sums_at(table: Table, values: Sequence[Value], form: HashForm, places: Sequence[Place]) -> str:
    """Returns a query for the sums over these columns of ``t``, of the rows at these places."""
    row = hashed(values, form)
    at_place = "t.tableoid = place.relation AND t.ctid = place.id"
    rows = f"{relation(table.name)} AS t JOIN {places_of(places)} ON {at_place}"
    return f"SELECT {row_sums(form)} FROM (SELECT {row} AS r FROM {rows} OFFSET 0) AS h"


def rows_written(
    table: Table, of: RowValues, form: HashForm, xids: Sequence[int], *, among: bool = False
) -> str:
    """Returns a query for the rows of NEW that these transactions wrote: key ``k``, hashes ``digest``.
    ``among``: of those only with a key in $1 (``text[]``).
    """
    chosen = f"{written_by('t', xids)}" + (f" AND {_one_of(of.key, 1)}" if among else "")
    return _rows(table, of, form, chosen)


def rows_of_others(
    table: Table,
    of: RowValues,
    form: HashForm,
    xids: Sequence[int],
    most: int | None = None,
    *,
    among: bool = False,
) -> str:
    """Returns a query for the rows that other transactions wrote, none before $1 (32 bits); ``most`` bounds
    their number. ``among``: of those only with a key, or hashes where there is no key, in $2 (``text[]``).
    """
    rows = _rows(table, of, form, f"NOT {written_by('t', xids)} AND {_later('t')}")
    if among:
        rows = f"SELECT r.k, r.digest, r.v FROM ({rows}) AS r WHERE {_one_of('COALESCE(r.k, r.digest)', 2)}"
    return rows if most is None else f"{rows} LIMIT {most}"


def _one_of(value: str, parameter: int) -> str:
    """Returns the condition that a text is in an array; many texts are looked up by their hash."""
    wanted = f"pg_catalog.unnest(${parameter}::pg_catalog.text[]) AS wanted(text)"
    return f'EXISTS (SELECT FROM {wanted} WHERE wanted.text = {value} COLLATE pg_catalog."C")'


def _later(alias: str) -> str:
    return f"pg_catalog.age({alias}.xmin) <= pg_catalog.age(CAST($1 AS pg_catalog.xid))"


def rows_unlike(
    table: Table, key: str, filled: Sequence[Filling], xids: Sequence[int], known: Sequence[int] | None
) -> str:
    """Returns a query for the rows that ``xids`` wrote, or later than $1 (32 bits) anybody but ``known``
    (None: nobody), and that do not hold what NEW should have filled in: key ``k``, whether others wrote it
    (``o``), and per column whether it differs (``u``), what it should hold (``due``) and what it holds
    (``found``). $2 bounds their number.
    """
    mine = written_by("t", xids)
    others = f"NOT {written_by('t', known)}" if known is not None else "false"
    whose = f"{mine} OR {others} AND {_later('t')}"
    shown = {
        "u": [one.unlike for one in filled],
        "due": [one.due for one in filled],
        "found": [one.found for one in filled],
    }
    arrays = ", ".join(f"ARRAY[{', '.join(parts)}] AS {name}" for name, parts in shown.items())
    read = f"SELECT {key} AS k, NOT {mine} AS o, {arrays} FROM {relation_to_read(table)} AS t"
    return f"{read} WHERE ({whose}) AND ({any_unlike(filled)}) LIMIT $2"


def rows_of_keys(table: Table, of: RowValues, form: HashForm) -> str:
    """Returns a query for the rows of NEW whose key is in $1 (``text[]``), whoever wrote them."""
    return _rows(table, of, form, _one_of(of.key, 1))


def _rows(table: Table, of: RowValues, form: HashForm, condition: str) -> str:
    whole = hashed(of.columns, form)
    read = f"SELECT {of.key} AS k, {whole} AS r, {of.values} AS v FROM {relation_to_read(table)} AS t"
    return f"SELECT h.k, {row_hash(form)} AS digest, h.v FROM ({read} WHERE {condition} OFFSET 0) AS h"


def digest_part(rows: GivenRows, of: RowValues, form: HashForm) -> str:
    """Returns each given row as NEW would hold it: an answer of the kind ``digest`` with the row's key, its
    hashes and, where they are wanted, the texts of its columns.
    """
    whole = hashed(of.columns, form)
    read = f"SELECT {rows.number} AS i, {of.key} AS k, {whole} AS r, {of.values} AS v FROM {rows.source}"
    listed = f"ARRAY[h.k, {row_hash(form)}] OPERATOR(pg_catalog.||) h.v"
    shown = answer("h.i", literal("digest"), "0", f"pg_catalog.to_json({listed})")
    return f"SELECT {shown} FROM ({read} OFFSET 0) AS h"
