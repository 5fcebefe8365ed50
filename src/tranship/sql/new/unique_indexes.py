"""What NEW's unique and exclusion indexes say about given rows: against each other, and against the rows of
the table.

Two ways lead to collisions. Where all keys have canonical texts, each row's key is rendered
(:func:`key_part`) and equal texts are found outside of the server, over the whole table. Otherwise the
index's own operators compare the given rows pair by pair (:func:`collision_query`).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.sql.new.given_rows import GivenRows, whole_text
from tranship.sql.new.probe import answer
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, literal


class UniqueIndex(Struct, frozen=True):
    """A unique or exclusion index of NEW, as ``queries/ask_index_keys.sql`` describes it."""

    name: str
    constraint: str
    expressions: tuple[str, ...]
    columns: tuple[str | None, ...]
    """Per key the plain column it is; None: an expression."""
    operators: tuple[str, ...]
    """Per key ``OPERATOR(schema.op)``: two rows collide where it holds for all keys."""
    collations: tuple[str | None, ...]
    """Per key the collation it compares under; None: not collatable."""
    predicate: str | None
    """Of a partial index; None: it covers every row."""
    nulls_not_distinct: bool
    exclusion: bool
    canonical: tuple[str | None, ...]
    """Per key the SQL of its canonical text over the expression; None: its equality has none."""
    hashable: bool
    """At least one operator lets the server hash or merge, so that a self-join is not quadratic."""
    range: int | None = None
    """Position of a key of a built-in range type that is compared with ``&&`` while all others are compared
    with ``=``.
    """
    leaf: bool = False
    """Only one partition declares it; the predicate says which rows are meant."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Its keys for people: column names, or expressions."""
        return tuple(
            column or expression for column, expression in zip(self.columns, self.expressions, strict=True)
        )

    @property
    def faithful(self) -> bool:
        """Equality can be decided by canonical texts alone."""
        return not self.exclusion and all(c is not None for c in self.canonical)


def existing_part(rows: GivenRows, index: UniqueIndex, which: int, key: Sequence[str]) -> str:
    """Returns the rows that collide with a row of NEW, with the key of that row.

    ``key``: columns by which NEW's row is named. Of several such rows the one with the least text is named,
    so that the answer is the same each time.
    """
    shown = ", ".join(f"{literal(name)}, {ident(name)}" for name in key)
    held = f"CAST(pg_catalog.json_build_object({shown}) AS pg_catalog.text)"
    on = " AND ".join(_meets(index, n, "g", "e") for n in range(len(index.expressions)))
    covered = _where(_predicate(index))
    replaced = "".join(f", {ident(c)}" for c in rows.replaced.columns) if rows.replaced is not None else ""
    if rows.replaced is not None:
        # The row that it replaces is no other row.
        on += f" AND ({rows.replaced.matches('e', 'g')}) IS NOT TRUE"
    return f"""
        SELECT {answer("q.i", "'existing'", str(which), "q.held")}
        FROM (
          SELECT g.i, pg_catalog.min(e.held) AS held
          FROM (SELECT {rows.number} AS i, {_keys(index)}{replaced} FROM {rows.source}{covered}) AS g
          JOIN (SELECT {_keys(index)}, {held} AS held{replaced}
                FROM {_heap(rows.table)}{covered}) AS e ON {on}
          GROUP BY g.i) AS q
    """


def equal_part(
    rows: GivenRows, index: UniqueIndex, which: int, columns: Sequence[str], ours: Sequence[int] = ()
) -> str:
    """Returns the rows that collide with a row of NEW which has the same text in each of some columns, with
    that row's place (``tableoid`` and ``ctid``).

    :func:`whole_text` decides and not ``=``. Rows of NEW that the transactions ``ours`` (64-bit numbers)
    wrote do not count.
    """
    whole = whole_text(columns)
    place = "CAST(tableoid AS pg_catalog.text) OPERATOR(pg_catalog.||) CAST(ctid AS pg_catalog.text)"
    on = " AND ".join(_meets(index, n, "g", "e") for n in range(len(index.expressions)))
    covered = _where(_predicate(index))
    others = _where([*_predicate(index), *_not_written_by(ours)])
    return f"""
        SELECT {answer("q.i", "'equal'", str(which), "q.place")}
        FROM (
          SELECT g.i, pg_catalog.min(e.place) AS place
          FROM (SELECT {rows.number} AS i, {whole} AS whole, {_keys(index)} FROM {rows.source}{covered}) AS g
          JOIN (SELECT {place} AS place, {whole} AS whole, {_keys(index)}
                FROM {_heap(rows.table)}{others}) AS e
            ON {on} AND g.whole OPERATOR(pg_catalog.=) e.whole
          GROUP BY g.i) AS q
    """


def _not_written_by(xids: Sequence[int]) -> list[str]:
    """Returns the condition that none of these transactions wrote a row; xmin has their lower 32 bits."""
    if not xids:
        return []
    numbers = "'{" + ",".join(str(xid & 0xFFFFFFFF) for xid in xids) + "}'::pg_catalog.text[]"
    return [f"CAST(xmin AS pg_catalog.text) OPERATOR(pg_catalog.<>) ALL ({numbers})"]


def collision_query(rows: GivenRows, index: UniqueIndex) -> str:
    """Returns pairs of given rows that collide by the index's own operators: ``[lower number, "pair", higher
    number]``.
    """
    given = f"SELECT {rows.number} AS i, {_keys(index)} FROM {rows.source}{_where(_predicate(index))}"
    on = " AND ".join(_meets(index, n, "a", "b") for n in range(len(index.expressions)))
    # Without a range the rows are read twice where they stand; the planner hashes an equality by itself.
    steps, read = "", f"({given})"
    if index.range is not None:
        steps, read = f", {_islands(given, index, index.range)}", "tranship_islands"
        on += " AND a.island OPERATOR(pg_catalog.=) b.island"
    return f"""
        {rows.with_clause}{steps}
        SELECT {answer("a.i", literal("pair"), "b.i", "NULL")}
        FROM {read} AS a JOIN {read} AS b ON {on} AND a.i < b.i
    """


def _islands(given: str, index: UniqueIndex, at: int) -> str:
    """Returns WITH items that number the rows by the unbroken stretch ("island") of ranges they lie in.

    No operator of the server can hash or merge ``&&``, so a self-join by it compares every pair. Ranges that
    overlap lie in one island, so pairs are compared inside an island only, and the join is hashed by its
    number.

    A row begins a new island when its range starts after every earlier range (in order of lower bounds, for
    equal other keys) has ended. Rows with a NULL key or an empty range overlap nothing and are left out.
    """
    key = f"k{at}"
    others = [f"k{n}" for n in range(len(index.expressions)) if n != at]
    part = f"PARTITION BY {', '.join(others)} " if others else ""
    order = f"{part}ORDER BY pg_catalog.lower({key}) NULLS FIRST, i"
    known = " AND ".join([*(f"{k} IS NOT NULL" for k in others), f"NOT pg_catalog.isempty({key})"])
    # Joined to the rows before it: one of them is open above, or this one is open below (and there is one),
    # or this one starts no later than the furthest of them ends. An infinite bound is NULL to lower() and
    # upper(), hence three cases.
    joined = f"""
        pg_catalog.bool_or(pg_catalog.upper_inf({key})) OVER before
        OR (pg_catalog.lower_inf({key}) AND pg_catalog.count(*) OVER before > 0)
        OR pg_catalog.lower({key}) <= pg_catalog.max(pg_catalog.upper({key})) OVER before
    """
    return f"""
        tranship_starts AS (
          SELECT q.*, CASE WHEN {joined} THEN 0 ELSE 1 END AS starts
          FROM ({given}) AS q WHERE {known}
          WINDOW before AS ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
        tranship_islands AS MATERIALIZED (
          SELECT q.*, pg_catalog.sum(q.starts) OVER ({order}) AS island FROM tranship_starts AS q)
    """


def key_part(rows: GivenRows, index: UniqueIndex, which: int, *, hashed: bool) -> str:
    """Returns the canonical key text of every row that the index covers, or a 64-bit hash of it where
    ``hashed``.
    """
    whole = _canonical_key(index)
    shown = f"CAST(pg_catalog.hashtextextended({whole}, 0) AS pg_catalog.text)" if hashed else whole
    key = answer(rows.number, literal("key"), str(which), shown)
    return f"SELECT {key} FROM {rows.source}{_where(_covered(index))}"


def held_keys(table: Table, index: UniqueIndex) -> str:
    """Returns a query for the canonical key texts under which NEW's table holds rows."""
    return f"SELECT {_canonical_key(index)} FROM {_heap(table)}{_where(_covered(index))}"


def _canonical_key(index: UniqueIndex) -> str:
    texts = ", ".join(c for c in index.canonical if c is not None)
    return f"CAST(pg_catalog.json_build_array({texts}) AS pg_catalog.text)"


def _covered(index: UniqueIndex) -> list[str]:
    """Returns conditions of the rows that can collide: NULLs never do, unless they are NULLS NOT DISTINCT."""
    known = [] if index.nulls_not_distinct else [f"({e}) IS NOT NULL" for e in index.expressions]
    return known + _predicate(index)


def _predicate(index: UniqueIndex) -> list[str]:
    return [f"({index.predicate})"] if index.predicate else []


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _heap(table: Table) -> str:
    return f"{relation_to_read(table)} AS {ident(table.name.name)}"


def _keys(index: UniqueIndex) -> str:
    collations = [f" COLLATE {c}" if c else "" for c in index.collations]
    return ", ".join(
        f"({e}){c} AS k{n}" for n, (e, c) in enumerate(zip(index.expressions, collations, strict=True))
    )


def _meets(index: UniqueIndex, n: int, one: str, other: str) -> str:
    """Returns the condition that key ``n`` of one row meets key ``n`` of another, both given by their
    aliases.
    """
    same = f"{one}.k{n} {index.operators[n]} {other}.k{n}"
    return f"({same} OR ({one}.k{n} IS NULL AND {other}.k{n} IS NULL))" if index.nulls_not_distinct else same
