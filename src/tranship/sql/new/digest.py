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
from tranship.sql.new.transactions import (
    Extent,
    relation_to_read,
    since,
    written_by,
    written_by_others,
)
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


def written_within(xids: Sequence[int], extent: Extent | None = None) -> tuple[str, ...]:
    """Returns the conditions of rows ``t`` that these transactions wrote; None: they may lie anywhere."""
    place = (extent.within("t"),) if extent is not None else ()
    return (*place, written_by("t", xids))


def by_others(known: Sequence[int], extent: Extent) -> tuple[str, ...]:
    """Returns the conditions of rows ``t`` that other transactions wrote, none before $1 (32 bits)."""
    return extent.within("t"), written_by_others("t", known), since("t")


def one_of(value: str, parameter: int) -> str:
    """Returns the condition that a text is in an array; many texts are looked up by their hash."""
    wanted = f"pg_catalog.unnest(${parameter}::pg_catalog.text[]) AS wanted(text)"
    return f'EXISTS (SELECT FROM {wanted} WHERE wanted.text = {value} COLLATE pg_catalog."C")'


def at_places(parameter: int) -> str:
    """Returns the condition that the ctid of a row ``t`` is in an array (``tid[]``): a TID scan."""
    return f"t.ctid = ANY (${parameter}::pg_catalog.tid[])"


def rows_where(table: Table, of: RowValues, form: HashForm, conditions: Sequence[str]) -> str:
    """Returns a query for the rows ``t`` of NEW that meet the conditions: key ``k``, hashes ``digest``, ctid
    ``p`` and, where they are wanted, values ``v``.
    """
    values = f", {of.values} AS v" if of.wanted else ""
    shown = f"{of.key} AS k, {hashed(of.columns, form)} AS r, t.ctid AS p{values}"
    kept = " AND ".join((*conditions, *of.in_parts(form)))
    read = f"SELECT {shown} FROM {relation_to_read(table)} AS t WHERE {kept} OFFSET 0"
    return f"SELECT h.k, {row_hash(form)} AS digest, h.p{', h.v' if of.wanted else ''} FROM ({read}) AS h"


def rows_of_digests(query: str, parameter: int) -> str:
    """Returns a query for those rows of a query of :func:`rows_where` whose hashes are in an array
    (``text[]``).
    """
    return f"SELECT r.k, r.digest, r.p FROM ({query}) AS r WHERE {one_of('r.digest', parameter)}"


def first_of(query: str, most: int) -> str:
    """Returns a query for so many rows of another one."""
    return f"{query} LIMIT {most}"


def part_sums(table: Table, of: RowValues, form: HashForm, number: int, conditions: Sequence[str]) -> str:
    """Returns a query for the sums over the rows ``t`` of NEW that meet the conditions, by their ``part``
    among so many.
    """
    shown = f"{of.part(form, number)} AS part, {hashed(of.columns, form)} AS r"
    read = f"SELECT {shown} FROM {relation_to_read(table)} AS t WHERE {' AND '.join(conditions)} OFFSET 0"
    return f"SELECT h.part, {row_sums(form)} FROM ({read}) AS h GROUP BY h.part"


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
    whose = f"{mine} OR {others} AND {since('t')}"
    shown = {
        "u": [one.unlike for one in filled],
        "due": [one.due for one in filled],
        "found": [one.found for one in filled],
    }
    arrays = ", ".join(f"ARRAY[{', '.join(parts)}] AS {name}" for name, parts in shown.items())
    read = f"SELECT {key} AS k, NOT {mine} AS o, {arrays} FROM {relation_to_read(table)} AS t"
    return f"{read} WHERE ({whose}) AND ({any_unlike(filled)}) LIMIT $2"


def digest_part(rows: GivenRows, of: RowValues, form: HashForm) -> str:
    """Returns each given row as NEW would hold it: an answer of the kind ``digest`` with the row's key, its
    hashes and, where they are wanted, the texts of its columns.
    """
    whole = hashed(of.columns, form)
    read = f"SELECT {rows.number} AS i, {of.key} AS k, {whole} AS r, {of.values} AS v FROM {rows.source}"
    listed = f"ARRAY[h.k, {row_hash(form)}] OPERATOR(pg_catalog.||) h.v"
    shown = answer("h.i", literal("digest"), "0", f"pg_catalog.to_json({listed})")
    return f"SELECT {shown} FROM ({read} OFFSET 0) AS h"
