"""Questions to the data that make a suggestion: bounded reads, and the INSERTs a person may run. Nothing here is run against NEW but reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tranship.model.catalog import Column, Table
from tranship.model.evidence import Demand
from tranship.model.types import PgType
from tranship.sql.quote import ident, literal, relation

LONGEST_SHOWN = 200
"""Characters of a value that are worth listing."""

_EXAMPLES = 5
_COUNTING = ("smallint", "integer", "bigint", "numeric")
_FILLINGS = {
    "date": "CURRENT_DATE",
    "timestamp without time zone": "LOCALTIMESTAMP",
    "timestamp with time zone": "CURRENT_TIMESTAMP",
    "time without time zone": "LOCALTIME",
    "interval": "'0'",
    "bytea": "''",
}
_ONE_LINE = str.maketrans("\r\n", "  ")

TIMEOUT = "SELECT pg_catalog.set_config('statement_timeout', $1, true)"
"""$1: milliseconds as text, for the current transaction."""


def distinct_values(table: Table, column: str, percent: float | None, most: int) -> str:
    """One row per distinct value, NULL first, then the most frequent: v (cut), n rows, and over all of them rows, distinct, longest.

    Among equally frequent ones the order is one without sense, so that a part of them stands for all. ``percent`` of the pages are sampled, the
    same ones each time; None reads all.
    """
    value = f'CAST({ident(column)} AS pg_catalog.text) COLLATE pg_catalog."C"'
    return (
        f"SELECT pg_catalog.left(g.v, {LONGEST_SHOWN + 1}) AS v, g.n, CAST(pg_catalog.sum(g.n) OVER () AS pg_catalog.int8) AS rows,"
        " pg_catalog.count(g.v) OVER () AS distinct, pg_catalog.max(pg_catalog.length(g.v)) OVER () AS longest"
        f" FROM (SELECT {value} AS v, pg_catalog.count(*) AS n FROM {_read(table, percent)} GROUP BY 1) AS g"
        f" ORDER BY g.v IS NOT NULL, g.n DESC, pg_catalog.hashtext(g.v), g.v LIMIT {most + 1}"
    )


def coverage(table: Table, key: str, value: str) -> str:
    """Per text in $1 (text[]): how many rows of the lookup table have it as their key, and how many different results they give."""
    return (
        "SELECT q.value, pg_catalog.count(t.key) AS rows, pg_catalog.count(DISTINCT t.result) AS results"
        " FROM pg_catalog.unnest($1::pg_catalog.text[]) AS q(value) LEFT JOIN"
        f' (SELECT CAST({ident(key)} AS pg_catalog.text) COLLATE pg_catalog."C" AS key, CAST({ident(value)} AS pg_catalog.text) AS result'
        f' FROM {_read(table, None)}) AS t ON t.key = q.value COLLATE pg_catalog."C" GROUP BY q.value'
    )


def composite_coverage(
    table: Table, columns: Sequence[str], owner: Table, keys: Sequence[str], value: str, percent: float | None
) -> str:
    """One row about several columns that are one key: distinct keys, those found, rows, rows found, and keys with different results."""
    names = ", ".join(ident(name) for name in columns)
    there = " AND ".join(f"{ident(name)} IS NOT NULL" for name in columns)
    match = " AND ".join(
        f"t.{ident(key)} = o.{ident(column)}" for key, column in zip(keys, columns, strict=True)
    )
    hits = f"(SELECT pg_catalog.count(DISTINCT CAST(t.{ident(value)} AS pg_catalog.text)) FROM {_read(owner, None)} WHERE {match})"
    grouped = f"(SELECT {names}, pg_catalog.count(*) AS n FROM {_read(table, percent)} WHERE {there} GROUP BY {names}) AS o"
    return (
        "SELECT pg_catalog.count(*) AS distinct, pg_catalog.count(*) FILTER (WHERE g.hits > 0) AS found,"
        " coalesce(pg_catalog.sum(g.n), 0) AS rows, coalesce(pg_catalog.sum(g.n) FILTER (WHERE g.hits > 0), 0) AS rows_found,"
        f" pg_catalog.count(*) FILTER (WHERE g.hits > 1) AS ambiguous FROM (SELECT o.n, {hits} AS hits FROM {grouped}) AS g"
    )


def longer_than(table: Table, column: str, length: int, percent: float | None) -> str:
    """How many values are longer, trailing spaces apart."""
    value = f"pg_catalog.length(pg_catalog.rtrim(CAST({ident(column)} AS pg_catalog.text), ' '))"
    return f"SELECT pg_catalog.count(*) FROM {_read(table, percent)} WHERE {value} > {length}"


def outside_of(table: Table, column: str, low: int, high: int, percent: float | None) -> str:
    """How many numbers lie outside of the bounds after rounding."""
    value = f"pg_catalog.round(CAST({ident(column)} AS pg_catalog.numeric))"
    return (
        f"SELECT pg_catalog.count(*) FROM {_read(table, percent)} WHERE {value} NOT BETWEEN {low} AND {high}"
    )


def holding_null(table: Table, demand: Demand, percent: float | None) -> str:
    """How many rows hold NULL in a column."""
    return (
        f"SELECT pg_catalog.count(*) FROM {_read(table, percent)} WHERE {ident(demand.columns[0][0])} IS NULL"
    )


def breaking_check(table: Table, demand: Demand, percent: float | None) -> str:
    """How many rows a CHECK over the new names would refuse."""
    names = ", ".join(f"old.{ident(old)} AS {ident(new)}" for old, new in demand.columns)
    return f"SELECT pg_catalog.count(*) FROM (SELECT {names} FROM {_read(table, percent, 'old')}) AS t WHERE ({demand.expression}) IS FALSE"


def repeated(table: Table, demand: Demand) -> str:
    """How many rows a unique key would refuse: all but one of each group of equal ones."""
    names = ", ".join(ident(old) for old, _ in demand.columns)
    there = (
        ""
        if demand.nulls_equal
        else " WHERE " + " AND ".join(f"{ident(old)} IS NOT NULL" for old, _ in demand.columns)
    )
    groups = f"SELECT pg_catalog.count(*) AS n FROM {_read(table, None)}{there} GROUP BY {names} HAVING pg_catalog.count(*) > 1"
    return (
        f"SELECT CAST(coalesce(pg_catalog.sum(g.n - 1), 0) AS pg_catalog.int8) AS count FROM ({groups}) AS g"
    )


def without_parent(table: Table, demand: Demand, target: Table, percent: float | None) -> str:
    """How many rows refer to no row of the old table behind a foreign key's target."""
    filled = " AND ".join(f"child.{ident(old)} IS NOT NULL" for old, _ in demand.columns)
    match = " AND ".join(
        f"parent.{ident(key)} = child.{ident(old)}"
        for key, (old, _) in zip(demand.target_columns, demand.columns, strict=True)
    )
    parent = f"SELECT FROM {_read(target, None, 'parent')} WHERE {match}"
    return f"SELECT pg_catalog.count(*) FROM {_read(table, percent, 'child')} WHERE {filled} AND NOT EXISTS ({parent})"


def magnitudes(table: Table, column: str, percent: float | None) -> str:
    """One row about the finite numbers of a column: rows, nonzero, fractional, lowest, median (of the absolute values that are not zero), highest."""
    value = (
        f"CAST(CAST({ident(column)} AS pg_catalog.numeric) AS pg_catalog.float8)"
        if _is_money(table, column)
        else f"CAST({ident(column)} AS pg_catalog.float8)"
    )
    of = f"(SELECT {value} AS v FROM {_read(table, percent)} WHERE {ident(column)} IS NOT NULL) AS g"
    finite = "g.v <> 'NaN' AND pg_catalog.abs(g.v) < 'Infinity'"
    middle = (
        "pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_catalog.abs(g.v)) FILTER (WHERE g.v <> 0)"
    )
    return (
        "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE g.v <> 0) AS nonzero,"
        " pg_catalog.count(*) FILTER (WHERE g.v <> pg_catalog.trunc(g.v)) AS fractional,"
        f" pg_catalog.min(g.v) AS lowest, {middle} AS median, pg_catalog.max(g.v) AS highest FROM {of} WHERE {finite}"
    )


def trial(table: Table, sql: str, fits: str, shown: str, percent: float | None) -> str:
    """One row: rows to translate, fitting ones, some values of the others, and how many results the expression gave for the fitting ones.

    ``sql``, ``fits`` and ``shown`` are expressions over the old row ``old``; the first is computed only where the second is true.
    """
    tried = f"CAST(CASE WHEN ({fits}) THEN ({sql}) END AS pg_catalog.text)"
    of = f"(SELECT ({fits}) IS TRUE AS fits, {tried} AS result, CAST(({shown}) AS pg_catalog.text) AS shown FROM {_read(table, percent, 'old')}) AS g"
    few = (
        f"pg_catalog.array_agg(DISTINCT pg_catalog.left(g.shown, {LONGEST_SHOWN})) FILTER (WHERE NOT g.fits)"
    )
    return (
        "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE g.fits) AS fitting, pg_catalog.count(g.result) AS results,"
        f" ({few})[1:{_EXAMPLES}] AS examples FROM {of} WHERE g.shown IS NOT NULL"
    )


def keys_found(table: Table, key: str, old: PgType) -> str:
    """How many of the texts in $1 (text[]), read as the old column's type, are keys of a table."""
    match = f"t.{ident(key)} = CAST(q.value AS {old.leaf.base})"
    return (
        "SELECT pg_catalog.count(*) FROM pg_catalog.unnest($1::pg_catalog.text[]) AS q(value)"
        f" WHERE EXISTS (SELECT FROM {_read(table, None)} WHERE {match})"
    )


def insert_missing(
    table: Table, key: str, values: Iterable[str], constants: Mapping[str, str]
) -> tuple[str, ...]:
    """Statements that would add rows for missing names, one after the other.

    Where the table asks for more than the name they are comments, and say what was guessed: ``constants`` by column, keys numbered on.
    """
    needed = [c for c in table.columns if c.name != key and c.refuses_null and not c.filled_by_server]
    names = ", ".join(ident(name) for name in (key, *(c.name for c in needed)))
    made = []
    for value in values:
        rest = "".join(f", {_filling(table, column, value, constants)}" for column in needed)
        statement = f"INSERT INTO {relation(table.name)} ({names}) VALUES ({literal(value)}{rest});"
        made.append("\n".join(f"-- {line}" for line in statement.split("\n")) if needed else statement)
    if needed and made:
        guessed = ", ".join(column.name for column in needed)
        made[0] = f"-- {table.name}: guessed and to be looked at: {guessed.translate(_ONE_LINE)}\n{made[0]}"
    return tuple(made)


def _filling(table: Table, column: Column, name: str, constants: Mapping[str, str]) -> str:
    """An expression that makes a row of a lookup table whole."""
    leaf = column.type.leaf
    refers = next((key for key in table.foreign_keys if key.columns == (column.name,)), None)
    if refers is not None:
        return f"(SELECT pg_catalog.min({ident(refers.target_columns[0])}) FROM {relation(refers.target)})"
    unique = any(column.name in key.columns for key in table.keys)
    if unique and leaf.base in _COUNTING:
        return f"(SELECT coalesce(pg_catalog.max({ident(column.name)}), 0) + 1 FROM {relation(table.name)})"
    if leaf.base == "uuid":
        return "pg_catalog.gen_random_uuid()"
    if column.name in constants:
        return literal(constants[column.name])
    known = _FILLINGS.get(leaf.base)
    return (
        known
        if known is not None
        else literal(name)
        if leaf.category == "S"
        else f"NULL /* {column.type.text} */"
    )


def _is_money(table: Table, column: str) -> bool:
    """Money becomes a double through numeric alone."""
    declared = table.column(column)
    return declared is not None and declared.type.leaf.base == "money"


def _read(table: Table, percent: float | None, alias: str = "t") -> str:
    only = "" if table.kind == "p" else "ONLY "
    sample = f" TABLESAMPLE SYSTEM ({percent:.6f}) REPEATABLE (0)" if percent is not None else ""
    return f"{only}{relation(table.name)} AS {alias}{sample}"
