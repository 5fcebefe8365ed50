"""Queries whose answers support a suggestion of ``analyze``: bounded reads of OLD and of NEW, and the INSERTs
a person may run.

Nothing here is run against NEW but reads. Every query counts over the same FROM item: the table with its
partitions but without inheritance children, and of a large one a sample of its pages (``percent``, 0 to 100;
None reads all of it). A sample is the same pages each time, so two questions about a column speak of the same
rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tranship.model.catalog import Column, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.evidence import Demand
from tranship.model.references import references
from tranship.model.visible import pasteable, visible
from tranship.sql.quote import ident, literal, relation

LONGEST_SHOWN = 200
"""Characters of a value that are worth listing. One more is read, so that a cut value is known as such."""

_EXAMPLES = 5
"""Values that do not fit, at most: enough to see what is wrong with them."""

TIMEOUT = "SELECT pg_catalog.set_config('statement_timeout', $1, true)"
"""$1: milliseconds as text, for the current transaction."""


def bounded_transaction(milliseconds: int) -> str:
    """Returns the statements that begin a read-only transaction and cancel each of its statements after a
    time.
    """
    return f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {milliseconds}"


def distinct_values(table: Table, column: str, percent: float | None, most: int) -> str:
    """Returns a query with one row per distinct value: NULL first, then the most frequent ones.

    Its columns are ``v`` (the value as text, cut), ``n`` (rows that hold it) and, the same in each row,
    ``rows``, ``distinct`` (without NULL) and ``longest`` (characters). At most ``most`` + 1 rows: one more
    than asked for shows that there are more.

    Equally frequent values come in the order of their hashes. Sorted by themselves, the first ones of a
    column without repetition would be alike (all from one prefix) and not stand for the rest.
    """
    # COLLATE "C": grouped by bytes, whatever the column's collation calls equal.
    value = f'CAST({ident(column)} AS pg_catalog.text) COLLATE pg_catalog."C"'
    return f"""
        SELECT pg_catalog.left(g.v, {LONGEST_SHOWN + 1}) AS v, g.n,
          CAST(pg_catalog.sum(g.n) OVER () AS pg_catalog.int8) AS rows,
          pg_catalog.count(g.v) OVER () AS distinct,
          pg_catalog.max(pg_catalog.length(g.v)) OVER () AS longest
        FROM (SELECT {value} AS v, pg_catalog.count(*) AS n FROM {read_from(table, percent)} GROUP BY 1) AS g
        ORDER BY g.v IS NOT NULL, g.n DESC, pg_catalog.hashtext(g.v), g.v
        LIMIT {most + 1}
    """


def sent_values(table: Table, sent: str, percent: float | None, most: int, longest: int) -> str:
    """Returns a query for the distinct texts that a conversion sends, with their rows: the most frequent
    first.

    ``sent`` is an expression over the old row ``old``. Texts of more than ``longest`` characters come as
    NULL,
    as one group: they are too large to be tried by the thousand.
    """
    value = f"CASE WHEN pg_catalog.char_length({sent}) <= {longest} THEN {sent} END"
    heap = read_from(table, percent, "old")
    return f"""
        SELECT g.v, g.n
        FROM (
          SELECT {value} COLLATE pg_catalog."C" AS v, pg_catalog.count(*) AS n
          FROM {heap} WHERE {sent} IS NOT NULL GROUP BY 1
        ) AS g
        ORDER BY g.n DESC, g.v LIMIT {most + 1}
    """


def coverage(table: Table, key: str, value: str) -> str:
    """Returns a query with one row per text in $1 (``text[]``): does a lookup table have it as a key?

    Its columns are ``value`` (the text), ``rows`` (rows of the lookup table with this key) and ``results``
    (how many different values those rows give; more than one makes the key ambiguous).
    """
    return f"""
        SELECT q.value, pg_catalog.count(t.key) AS rows, pg_catalog.count(DISTINCT t.result) AS results
        FROM pg_catalog.unnest($1::pg_catalog.text[]) AS q(value)
        LEFT JOIN (
          SELECT CAST({ident(key)} AS pg_catalog.text) COLLATE pg_catalog."C" AS key,
            CAST({ident(value)} AS pg_catalog.text) AS result
          FROM {read_from(table, None)}) AS t ON t.key = q.value COLLATE pg_catalog."C"
        GROUP BY q.value
    """


def composite_coverage(
    table: Table, columns: Sequence[str], owner: Table, keys: Sequence[str], value: str, percent: float | None
) -> str:
    """Returns a query with one row: how far a lookup table covers several columns that are one key.

    ``columns`` of ``table`` are looked up among ``keys`` of ``owner``; both are tables of OLD. The row holds
    ``distinct`` (different keys), ``found`` (of them, those that the lookup table has), ``rows`` and
    ``rows_found`` (rows with such keys), and ``ambiguous`` (keys that give more than one different
    ``value``).
    """
    names = ", ".join(ident(name) for name in columns)
    filled = " AND ".join(f"{ident(name)} IS NOT NULL" for name in columns)
    match = " AND ".join(
        f"t.{ident(key)} = o.{ident(column)}" for key, column in zip(keys, columns, strict=True)
    )
    hits = f"""
        (SELECT pg_catalog.count(DISTINCT CAST(t.{ident(value)} AS pg_catalog.text))
         FROM {read_from(owner, None)} WHERE {match})
    """
    grouped = f"""
        (SELECT {names}, pg_catalog.count(*) AS n
         FROM {read_from(table, percent)} WHERE {filled} GROUP BY {names}) AS o
    """
    return f"""
        SELECT pg_catalog.count(*) AS distinct, pg_catalog.count(*) FILTER (WHERE g.hits > 0) AS found,
          coalesce(pg_catalog.sum(g.n), 0) AS rows,
          coalesce(pg_catalog.sum(g.n) FILTER (WHERE g.hits > 0), 0) AS rows_found,
          pg_catalog.count(*) FILTER (WHERE g.hits > 1) AS ambiguous
        FROM (SELECT o.n, {hits} AS hits FROM {grouped}) AS g
    """


def longer_than(
    table: Table, column: str, length: int, percent: float | None, units: tuple[bool, bool]
) -> str:
    """Returns a query for the number of values that are longer than ``length`` for NEW.

    Trailing spaces do not count, because the server cuts them without an error (PostgreSQL documentation,
    "Character Types"). ``units`` say whether OLD counts bytes, and whether NEW does.
    """
    value = _length_in_new(f"pg_catalog.rtrim(CAST({ident(column)} AS pg_catalog.text), ' ')", *units)
    return f"SELECT pg_catalog.count(*) FROM {read_from(table, percent)} WHERE {value} > {length}"


def _length_in_new(text: str, old_bytes: bool, new_bytes: bool) -> str:
    """Returns the length that a text of OLD has in NEW: in characters, or in bytes where NEW is SQL_ASCII."""
    if new_bytes and not old_bytes:
        return f"pg_catalog.octet_length(pg_catalog.convert_to({text}, 'UTF8'))"
    if old_bytes and not new_bytes:
        # Each character of UTF-8 has one byte that does not continue another (RFC 3629, section 3).
        text = f"pg_catalog.regexp_replace({text}, '[\\x80-\\xbf]', '', 'g')"
    return f"pg_catalog.length({text})"


def outside_of(table: Table, column: str, low: int, high: int, percent: float | None) -> str:
    """Returns a query for the number of values that lie outside of ``low`` … ``high`` after rounding to an
    integer.
    """
    # Rounded first, as the conversion does it: 32767.4 fits a smallint.
    value = f"pg_catalog.round(CAST({ident(column)} AS pg_catalog.numeric))"
    outside = f"{value} NOT BETWEEN {low} AND {high}"
    return f"SELECT pg_catalog.count(*) FROM {read_from(table, percent)} WHERE {outside}"


def holding_null(table: Table, demand: Demand, percent: float | None) -> str:
    """Returns a query for the number of rows that a NOT NULL on the demand's column would refuse."""
    null = f"{ident(demand.columns[0][0])} IS NULL"
    return f"SELECT pg_catalog.count(*) FROM {read_from(table, percent)} WHERE {null}"


def breaking_check(table: Table, demand: Demand, percent: float | None) -> str:
    """Returns a query for the number of rows that a CHECK of NEW would refuse.

    The check is written over NEW's names, so the old columns are read under them. A check that gives NULL is
    met.
    """
    names = ", ".join(f"old.{ident(old)} AS {ident(new)}" for old, new in demand.columns)
    renamed = f"(SELECT {names} FROM {read_from(table, percent, 'old')}) AS t"
    return f"SELECT pg_catalog.count(*) FROM {renamed} WHERE ({demand.expression}) IS FALSE"


def repeated(table: Table, demand: Demand) -> str:
    """Returns a query for the number of rows that a unique key would refuse: all but one of each group of
    equal keys.

    The whole table is read: a sample would miss most of the pairs.
    """
    names = ", ".join(ident(old) for old, _ in demand.columns)
    filled = " AND ".join(f"{ident(old)} IS NOT NULL" for old, _ in demand.columns)
    # NULLs are different from each other unless the key is NULLS NOT DISTINCT.
    where = "" if demand.nulls_equal else f" WHERE {filled}"
    return f"""
        SELECT CAST(coalesce(pg_catalog.sum(g.n - 1), 0) AS pg_catalog.int8) AS count
        FROM (SELECT pg_catalog.count(*) AS n FROM {read_from(table, None)}{where}
          GROUP BY {names} HAVING pg_catalog.count(*) > 1) AS g
    """


def without_parent(table: Table, demand: Demand, target: Table, percent: float | None) -> str:
    """Returns a query for the number of rows whose parent is missing from the old table behind a foreign
    key's target.
    """
    filled = " AND ".join(f"child.{ident(old)} IS NOT NULL" for old, _ in demand.columns)
    match = " AND ".join(
        f"parent.{ident(key)} = child.{ident(old)}"
        for key, (old, _) in zip(demand.target_columns, demand.columns, strict=True)
    )
    parent = f"SELECT FROM {read_from(target, None, 'parent')} WHERE {match}"
    return f"""
        SELECT pg_catalog.count(*) FROM {read_from(table, percent, "child")}
        WHERE {filled} AND NOT EXISTS ({parent})
    """


def magnitudes(table: Table, column: str, percent: float | None) -> str:
    """Returns a query with one row about the finite numbers of a column.

    Its columns are ``rows``, ``nonzero``, ``fractional`` (numbers that are no integers), ``lowest``,
    ``median`` (of the absolute values that are not 0) and ``highest``.
    """
    read = ident(column)
    if _is_money(table, column):
        # money has no cast to float8; numeric has.
        read = f"CAST({read} AS pg_catalog.numeric)"
    value = f"CAST({read} AS pg_catalog.float8)"
    finite = "g.v <> 'NaN' AND pg_catalog.abs(g.v) < 'Infinity'"
    return f"""
        SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE g.v <> 0) AS nonzero,
          pg_catalog.count(*) FILTER (WHERE g.v <> pg_catalog.trunc(g.v)) AS fractional,
          pg_catalog.min(g.v) AS lowest,
          pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_catalog.abs(g.v))
            FILTER (WHERE g.v <> 0) AS median,
          pg_catalog.max(g.v) AS highest
        FROM (SELECT {value} AS v FROM {read_from(table, percent)} WHERE {ident(column)} IS NOT NULL) AS g
        WHERE {finite}
    """


NOT_COMPUTED = "''"
"""Stands in a `trial` for an expression that raised: only ``fits`` is then looked at."""


def trial(table: Table, sql: str, fits: str, shown: str, percent: float | None) -> str:
    """Returns a query with one row: would an expression translate every row that holds something?

    ``sql``, ``fits`` and ``shown`` are expressions over the row ``old``. ``sql`` is computed only where
    ``fits`` is true, so that a value it does not understand raises nothing. The row holds ``rows`` (with
    something in ``shown``), ``fitting``, ``results`` (fitting rows for which ``sql`` gave no NULL) and
    ``examples`` (some values of ``shown`` that do not fit, cut).
    """
    tried = f"CAST(CASE WHEN ({fits}) THEN ({sql}) END AS pg_catalog.text)"
    cut = f"pg_catalog.left(g.shown, {LONGEST_SHOWN})"
    return f"""
        SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE g.fits) AS fitting,
          pg_catalog.count(g.result) AS results,
          (pg_catalog.array_agg(DISTINCT {cut}) FILTER (WHERE NOT g.fits))[1:{_EXAMPLES}] AS examples
        FROM (
          SELECT ({fits}) IS TRUE AS fits, {tried} AS result, CAST(({shown}) AS pg_catalog.text) AS shown
          FROM {read_from(table, percent, "old")}) AS g
        WHERE g.shown IS NOT NULL
    """


def _is_money(table: Table, column: str) -> bool:
    declared = table.column(column)
    return declared is not None and declared.type.leaf.base == "money"


def read_from(table: Table, percent: float | None, alias: str = "t") -> str:
    """Returns the FROM item over a table or a sample of its pages."""
    only = "" if table.kind == RelationKind.PARTITIONED_TABLE else "ONLY "
    # REPEATABLE (0): the same pages in each query, as long as the table does not change.
    sample = f" TABLESAMPLE SYSTEM ({percent:.6f}) REPEATABLE (0)" if percent is not None else ""
    return f"{only}{relation(table.name)} AS {alias}{sample}"


# --- statements for a person ------------------------------------------------------------------------------

_COUNTING = ("smallint", "integer", "bigint", "numeric")
_FILLINGS = {
    "date": "CURRENT_DATE",
    "timestamp without time zone": "LOCALTIMESTAMP",
    "timestamp with time zone": "CURRENT_TIMESTAMP",
    "time without time zone": "LOCALTIME",
    "interval": "'0'",
    "bytea": "''",
}
"""Per base type a value that is harmless in a column that refuses NULL."""


def insert_missing(
    table: Table, key: str, values: Iterable[str], constants: Mapping[str, str]
) -> tuple[str, ...]:
    """Returns statements that would add rows to a lookup table of NEW, one per missing name, to be run one
    after the other.

    Where the table asks for more columns than the name, the statements are comments and the first one names
    the columns that were guessed: a person has to look at them. ``constants`` holds, by column, a value to
    use there. Each is one line whatever the values hold: a carriage return, too, ends a comment.
    """
    needed = [c for c in table.columns if c.name != key and c.refuses_null and not c.filled_by_server]
    statements = [pasteable(_insert(table, key, value, needed, constants)) for value in values]
    if not needed or not statements:
        return tuple(statements)
    guessed = ", ".join(column.name for column in needed)
    return (
        visible(f"-- {table.name}: guessed and to be looked at: {guessed}"),
        *(f"-- {visible(statement)}" for statement in statements),
    )


def _insert(
    table: Table, key: str, value: str, needed: Sequence[Column], constants: Mapping[str, str]
) -> str:
    names = ", ".join(ident(name) for name in (key, *(c.name for c in needed)))
    filled = "".join(f", {_filling(table, column, value, constants)}" for column in needed)
    return f"INSERT INTO {relation(table.name)} ({names}) VALUES ({literal(value)}{filled});"


def _filling(table: Table, column: Column, name: str, constants: Mapping[str, str]) -> str:
    """Returns an expression for one further column of a lookup table's row, the most fitting one first."""
    leaf = column.type.leaf
    refers = next((key for key in references(table) if key.columns == (column.name,)), None)
    if refers is not None:
        return f"(SELECT pg_catalog.min({ident(refers.target_columns[0])}) FROM {relation(refers.target)})"
    unique = any(column.name in key.columns for key in table.keys)
    if unique and leaf.base in _COUNTING:
        # Each statement numbers on from what the one before it has added.
        return f"(SELECT coalesce(pg_catalog.max({ident(column.name)}), 0) + 1 FROM {relation(table.name)})"
    if leaf.base == "uuid":
        return "pg_catalog.gen_random_uuid()"
    if column.name in constants:
        return literal(constants[column.name])
    if leaf.base in _FILLINGS:
        return _FILLINGS[leaf.base]
    if leaf.category == "S":
        return literal(name)
    # The name of a type may hold the signs that end or begin a comment.
    named = column.type.text.replace("*", " * ") if "*" in column.type.text else column.type.text
    return f"NULL /* {named} */"
