"""What NEW is asked about rows before they are copied: read-only, on every version, as a role that may only SELECT.

Rows travel as JSON objects of shipped texts in the setting ``tranship.given`` (an array of blocks, a block an array of rows).
``json_to_recordset`` reads each string with its column's own input function and modifier, exactly as COPY does; domains check themselves.
A block that raises is asked again row by row, so one ``DO`` names every row that the server refuses, with the server's words.
Answers come back in the setting ``tranship.answer`` as JSON arrays ``[row number, kind, which, detail]``:

* ``error``: which = SQLSTATE, detail = [message, constraint, column]
* ``check``: which = position of the check, ``routing``: no partition takes the row, ``null``: which = a generated column
* ``existing``: which = position of the index, detail = key of the row in NEW
* ``parent``: which = position of the foreign key, detail = the key's text, null where MATCH FULL forbids a half NULL one
* ``key``: which = position of the key, detail = a 64-bit hash or the canonical key text
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.types import PgType
from tranship.sql.quote import ident, literal, relation

SAVEPOINT = "SAVEPOINT tranship_question"
TAKE_BACK = "ROLLBACK TO SAVEPOINT tranship_question; RELEASE SAVEPOINT tranship_question"
GIVE = (
    "SELECT pg_catalog.length(pg_catalog.set_config('tranship.given', $1, true)),"
    " pg_catalog.set_config('TimeZone', COALESCE($2, pg_catalog.current_setting('TimeZone')), true)"
)
"""$1 the blocks, $2 the time zone to read in, or NULL."""
ANSWER = "SELECT pg_catalog.current_setting('tranship.answer')"

_STOPPING = ("08", "25", "40", "53", "55", "57", "58", "XX")
"""Classes of SQLSTATE that say nothing about a row."""
_OUR_OWN = ("0A", "42")
"""Classes that a composed question raises by itself: it could not be asked."""


def guarded(query: str, *, conversion: bool = False) -> str:
    """A DO statement that answers ``query`` for every block, row by row where a block raises.

    ``query`` reads the plpgsql variable ``tranship_given`` (json array of rows) and returns one text column. With ``conversion`` errors
    of class 42 are the row's too: input of ``regclass`` raises them.
    """
    stopping = _STOPPING if conversion else _STOPPING + _OUR_OWN
    classes = ", ".join(literal(c) for c in stopping)
    reraise = f"IF pg_catalog.left(SQLSTATE, 2) IN ({classes}) THEN RAISE; END IF;"
    body = f"""
#variable_conflict use_column
DECLARE
  tranship_block pg_catalog.json; tranship_item pg_catalog.json; tranship_given pg_catalog.json;
  tranship_answers pg_catalog.text[] := '{{}}'; tranship_some pg_catalog.text[]; tranship_one pg_catalog.text;
  tranship_constraint pg_catalog.text; tranship_column pg_catalog.text; tranship_message pg_catalog.text;
BEGIN
  FOR tranship_block IN SELECT b.value FROM pg_catalog.json_array_elements(pg_catalog.current_setting('tranship.given')::pg_catalog.json) AS b LOOP
    BEGIN
      tranship_given := tranship_block;
      tranship_some := ARRAY({query});
      tranship_answers := pg_catalog.array_cat(tranship_answers, tranship_some);
    EXCEPTION WHEN OTHERS THEN
      {reraise}
      FOR tranship_item IN SELECT b.value FROM pg_catalog.json_array_elements(tranship_block) AS b LOOP
        BEGIN
          tranship_given := pg_catalog.json_build_array(tranship_item);
          FOR tranship_one IN {query} LOOP
            tranship_answers := pg_catalog.array_append(tranship_answers, tranship_one);
          END LOOP;
        EXCEPTION WHEN OTHERS THEN
          {reraise}
          GET STACKED DIAGNOSTICS tranship_message = MESSAGE_TEXT, tranship_constraint = CONSTRAINT_NAME, tranship_column = COLUMN_NAME;
          tranship_answers := pg_catalog.array_append(tranship_answers, pg_catalog.json_build_array((tranship_item ->> 'i')::pg_catalog.int4,
            'error', SQLSTATE, pg_catalog.json_build_array(tranship_message, tranship_constraint, tranship_column))::pg_catalog.text);
        END;
      END LOOP;
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer', '[' || pg_catalog.array_to_string(tranship_answers, ',') || ']', true);
END
"""
    return f"DO LANGUAGE plpgsql {literal(body)}"


def conversion_query(pg_type: PgType) -> str:
    """Reads every given value ``c0`` as the type and returns nothing: whatever is refused raises."""
    refused = ""
    if _through_text(pg_type):
        refused = f" OR (r.c0 IS NOT NULL AND CAST(r.c0 AS {pg_type.text}) IS NULL)"
    return f"SELECT ''::pg_catalog.text FROM {_recordset([_definition(0, pg_type, None)])} WHERE r.i < 0{refused}"


class GivenRows(Struct, frozen=True):
    """The typed rows of a question about one table of NEW, as a WITH clause, and how to speak of them."""

    table: Table
    given: tuple[Column, ...]
    """Columns whose shipped text travels, in the order ``c0, c1 …``."""
    computed: tuple[tuple[str, str, PgType], ...] = ()
    """Columns that a default fills: name, expression, type."""
    generated: tuple[Column, ...] = ()

    @property
    def number(self) -> str:
        """The row number's name, which no column has."""
        name = "tranship row"
        while self.table.column(name) is not None:
            name += "_"
        return ident(name)

    @property
    def source(self) -> str:
        """``FROM`` item over the typed rows, under the table's own name: constraint texts may use it."""
        return f"tranship_rows AS {ident(self.table.name.name)}"

    @property
    def with_clause(self) -> str:
        """Two materialized steps: what is given (with defaults), then what is generated from it."""
        definitions = [_definition(n, c.type, c.collation) for n, c in enumerate(self.given)]
        typed = [f"r.i AS {self.number}"]
        typed += [f"{_value(n, c.type)} AS {ident(c.name)}" for n, c in enumerate(self.given)]
        typed += [
            f"{_assigned(expression, pg_type)} AS {ident(name)}"
            for name, expression, pg_type in self.computed
        ]
        made = [f"{_assigned(c.generation or 'NULL', c.type)} AS {ident(c.name)}" for c in self.generated]
        alias = ident(self.table.name.name)
        return (
            f"WITH tranship_typed AS MATERIALIZED (SELECT {', '.join(typed)} FROM {_recordset(definitions)}),\n"
            f"tranship_rows AS MATERIALIZED (SELECT {', '.join([f'{alias}.*', *made])} FROM tranship_typed AS {alias})\n"
        )


class UniqueIndex(Struct, frozen=True):
    """A unique or exclusion index of NEW as ``ask_index_keys.sql`` describes it."""

    name: str
    constraint: str
    expressions: tuple[str, ...]
    columns: tuple[str | None, ...]
    """Per key the plain column it is; None: an expression."""
    operators: tuple[str, ...]
    collations: tuple[str | None, ...]
    """Per key the collation it compares under; None: not collatable."""
    predicate: str | None
    nulls_not_distinct: bool
    exclusion: bool
    canonical: tuple[str | None, ...]
    """Per key its canonical text over the expression, None where its equality has none."""
    hashable: bool
    """At least one operator lets the server hash or merge: a self-join is not quadratic."""
    range: int | None = None
    """Key whose built-in range type is compared with ``&&`` while all others are compared with ``=``: overlaps form islands."""
    leaf: bool = False
    """Only one partition declares it; the predicate says which rows are meant."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Its keys for people."""
        return tuple(
            column or expression for column, expression in zip(self.columns, self.expressions, strict=True)
        )

    @property
    def faithful(self) -> bool:
        """Equality can be told by canonical texts alone."""
        return not self.exclusion and all(c is not None for c in self.canonical)


def both(one: str | None, other: str | None) -> str | None:
    """Two conditions of NEW's as one; None: no condition."""
    conditions = [f"({condition})" for condition in (one, other) if condition]
    return " AND ".join(conditions) or None


def within(leaf: str | None, check: str) -> str:
    """A check that only one partition declares: it binds the rows that go there."""
    return f"({leaf or 'true'}) IS NOT TRUE OR ({check})"


def verdict_part(
    rows: GivenRows,
    checks: Sequence[str],
    leaves: Sequence[str],
    not_null: Sequence[str],
    computed: Sequence[str] = (),
) -> str:
    """The first fault of each row that constraints of the row itself find: routing, generated NOT NULL, then checks in their order.

    ``computed`` are expressions that are read for the error alone that they may raise.
    """
    whens = []
    if leaves:
        whens.append(
            f"WHEN ({' OR '.join(f'({leaf}) IS TRUE' for leaf in leaves)}) IS NOT TRUE THEN pg_catalog.json_build_array('routing', 0)"
        )
    whens += [
        f"WHEN {ident(name)} IS NULL THEN pg_catalog.json_build_array('null', {n})"
        for n, name in enumerate(not_null)
    ]
    whens += [
        f"WHEN ({check}) IS FALSE THEN pg_catalog.json_build_array('check', {n})"
        for n, check in enumerate(checks)
    ]
    whens += [f"WHEN ({expression}) IS NULL THEN CAST(NULL AS pg_catalog.json)" for expression in computed]
    inner = f"SELECT {rows.number} AS i, CASE {' '.join(whens)} END AS verdict FROM {rows.source}"
    answer = _answer("q.i", "q.verdict -> 0", "q.verdict -> 1", "NULL")
    return f"SELECT {answer} FROM ({inner}) AS q WHERE q.verdict IS NOT NULL"


def existing_part(rows: GivenRows, index: UniqueIndex, which: int, key: Sequence[str]) -> str:
    """Rows whose place a row of NEW holds already, with the key of that row."""
    shown = ", ".join(f"{literal(name)}, {ident(name)}" for name in key)
    held = f"SELECT {_keys(index)}, CAST(pg_catalog.json_build_object({shown}) AS pg_catalog.text) AS held FROM {_heap(rows.table)}"
    asked = f"SELECT {rows.number} AS i, {_keys(index)} FROM {rows.source}"
    on = " AND ".join(_meets(index, n, "g", "e") for n in range(len(index.expressions)))
    answer = _answer("q.i", "'existing'", str(which), "q.held")
    matched = f"SELECT g.i, pg_catalog.min(e.held) AS held FROM ({asked}{_where(index)}) AS g JOIN ({held}{_where(index)}) AS e ON {on} GROUP BY g.i"
    return f"SELECT {answer} FROM ({matched}) AS q"


def collision_query(rows: GivenRows, index: UniqueIndex) -> str:
    """Pairs of given rows that exclude each other under the index's own operators: ``[lower number, "pair", higher number]``."""
    asked = f"SELECT {rows.number} AS i, {_keys(index)} FROM {rows.source}{_where(index)}"
    on = " AND ".join(_meets(index, n, "a", "b") for n in range(len(index.expressions)))
    steps, read = "", f"({asked})"
    if index.range is not None:
        steps, read = f", {_islands(asked, index, index.range)}", "tranship_islands"
        on += " AND a.island OPERATOR(pg_catalog.=) b.island"
    pair = _answer("a.i", literal("pair"), "b.i", "NULL")
    return f"{rows.with_clause}{steps}\nSELECT {pair} FROM {read} AS a JOIN {read} AS b ON {on} AND a.i < b.i"


def _islands(asked: str, index: UniqueIndex, at: int) -> str:
    """Rows numbered by the unbroken stretch of ranges they lie in: only rows of one stretch can overlap, so few are compared."""
    key = f"k{at}"
    others = [f"k{n}" for n in range(len(index.expressions)) if n != at]
    part = f"PARTITION BY {', '.join(others)} " if others else ""
    order = f"{part}ORDER BY pg_catalog.lower({key}) NULLS FIRST, i"
    known = " AND ".join([*(f"{k} IS NOT NULL" for k in others), f"NOT pg_catalog.isempty({key})"])
    joined = (
        f"pg_catalog.bool_or(pg_catalog.upper_inf({key})) OVER before OR (pg_catalog.lower_inf({key}) AND pg_catalog.count(*) OVER before > 0)"
        f" OR pg_catalog.lower({key}) <= pg_catalog.max(pg_catalog.upper({key})) OVER before"
    )
    return (
        f"tranship_starts AS (SELECT q.*, CASE WHEN {joined} THEN 0 ELSE 1 END AS starts FROM ({asked}) AS q WHERE {known}"
        f" WINDOW before AS ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),\n"
        f"tranship_islands AS MATERIALIZED (SELECT q.*, pg_catalog.sum(q.starts) OVER ({order}) AS island FROM tranship_starts AS q)"
    )


def key_part(rows: GivenRows, index: UniqueIndex, which: int, *, hashed: bool) -> str:
    """The key of every row that the index covers: a hash of its canonical text, or the text itself."""
    texts = ", ".join(c for c in index.canonical if c is not None)
    whole = f"CAST(pg_catalog.json_build_array({texts}) AS pg_catalog.text)"
    shown = f"CAST(pg_catalog.hashtextextended({whole}, 0) AS pg_catalog.text)" if hashed else whole
    known = [] if index.nulls_not_distinct else [f"({e}) IS NOT NULL" for e in index.expressions]
    conditions = known + ([f"({index.predicate})"] if index.predicate else [])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {_answer(rows.number, literal('key'), str(which), shown)} FROM {rows.source}{where}"


def rendered_part(rows: GivenRows, columns: Sequence[str], canonicals: Sequence[str], which: int = 0) -> str:
    """The canonical key of some columns of every row in which none of them is NULL."""
    whole = f"CAST(pg_catalog.json_build_array({', '.join(canonicals)}) AS pg_catalog.text)"
    known = " AND ".join(f"{ident(c)} IS NOT NULL" for c in columns)
    return (
        f"SELECT {_answer(rows.number, literal('key'), str(which), whole)} FROM {rows.source} WHERE {known}"
    )


class Reference(Struct, frozen=True):
    """A foreign key as a question: pairs of (child column, parent column, equality operator)."""

    target: str
    """FROM item of the parent table, ``ONLY`` where that is what the constraint reads; empty: it may not be read."""
    columns: tuple[tuple[str, str, str], ...]
    match_full: bool
    key: str
    """Text of the child's key over the alias ``g``."""
    faithful: bool
    """That text is canonical: equal exactly where the keys are."""


def parent_part(rows: GivenRows, reference: Reference, which: int) -> str:
    """Rows whose parent NEW does not hold now."""
    names = [ident(child) for child, _, _ in reference.columns]
    known = " AND ".join(f"g.{name} IS NOT NULL" for name in names)
    same = " AND ".join(
        f"p.{ident(parent)} {operator} g.{ident(child)}" for child, parent, operator in reference.columns
    )
    missing = f"{known} AND NOT EXISTS (SELECT FROM {reference.target} AS p WHERE {same})"
    detail = reference.key
    if reference.match_full and len(names) > 1:
        some = " OR ".join(f"g.{name} IS NOT NULL" for name in names)
        detail = f"CASE WHEN {known} THEN {detail} END"
        missing = f"({some}) AND NOT ({known}) OR ({missing})"
    inner = f"SELECT {rows.number} AS i, {detail} AS k FROM tranship_rows AS g WHERE {missing}"
    return f"SELECT {_answer('q.i', literal('parent'), str(which), 'q.k')} FROM ({inner}) AS q"


def rows_query(rows: GivenRows, parts: Sequence[str]) -> str:
    """Several parts over the same typed rows; at least one."""
    return rows.with_clause + "\nUNION ALL\n".join(parts)


def relation_to_read(table: Table) -> str:
    """NEW's table as its constraints see it: partitions included, inheritance children not."""
    return f"ONLY {relation(table.name)}" if table.kind != "p" else relation(table.name)


def held_rows(table: Table, most: int) -> str:
    """How many rows NEW's table holds, counted up to ``most``."""
    return f"SELECT pg_catalog.count(*) FROM (SELECT FROM {relation_to_read(table)} LIMIT {most}) AS r"


def held_keys(table: Table, index: UniqueIndex) -> str:
    """The canonical keys under which NEW holds rows."""
    texts = ", ".join(c for c in index.canonical if c is not None)
    known = [] if index.nulls_not_distinct else [f"({e}) IS NOT NULL" for e in index.expressions]
    conditions = known + ([f"({index.predicate})"] if index.predicate else [])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT CAST(pg_catalog.json_build_array({texts}) AS pg_catalog.text) FROM {_heap(table)}{where}"


def character_query(encoding: str) -> str:
    """Converts each given character ``c0`` (as the hex of its UTF-8 bytes) to NEW's encoding: what that lacks raises."""
    converted = f"pg_catalog.convert(pg_catalog.decode(r.c0, 'hex'), 'UTF8', {literal(encoding)})"
    return f"SELECT ''::pg_catalog.text FROM {_recordset(['c0 pg_catalog.text'])} WHERE {converted} IS NULL"


def _answer(row: str, kind: str, which: str, detail: str) -> str:
    return f"CAST(pg_catalog.json_build_array({row}, {kind}, {which}, {detail}) AS pg_catalog.text)"


def _recordset(definitions: Sequence[str]) -> str:
    return (
        f"pg_catalog.json_to_recordset(tranship_given) AS r({', '.join(['i pg_catalog.int4', *definitions])})"
    )


def _through_text(pg_type: PgType) -> bool:
    """A JSON string given to a json column is a JSON string, not its content: these are read as text first."""
    return pg_type.leaf.base in ("json", "jsonb")


def _definition(number: int, pg_type: PgType, collation: str | None) -> str:
    if _through_text(pg_type):
        return f"c{number} pg_catalog.text"
    return f"c{number} {pg_type.text}" + (f" COLLATE {collation}" if collation else "")


def _assigned(expression: str, pg_type: PgType) -> str:
    """An expression as a column takes it: a cast written in SQL would cut a string to its length, an assignment refuses it."""
    if pg_type.leaf.base not in ("character varying", "character") or not pg_type.leaf.modifiers:
        return f"CAST(({expression}) AS {pg_type.text})"
    given = f"pg_catalog.json_build_array(pg_catalog.json_build_object('v', CAST(({expression}) AS pg_catalog.text)))"
    return f"(SELECT assigned.v FROM pg_catalog.json_to_recordset({given}) AS assigned(v {pg_type.text}))"


def _value(number: int, pg_type: PgType) -> str:
    return f"CAST(r.c{number} AS {pg_type.text})" if _through_text(pg_type) else f"r.c{number}"


def _heap(table: Table) -> str:
    return f"{relation_to_read(table)} AS {ident(table.name.name)}"


def _keys(index: UniqueIndex) -> str:
    collations = [f" COLLATE {c}" if c else "" for c in index.collations]
    return ", ".join(
        f"({e}){c} AS k{n}" for n, (e, c) in enumerate(zip(index.expressions, collations, strict=True))
    )


def _where(index: UniqueIndex) -> str:
    return f" WHERE ({index.predicate})" if index.predicate else ""


def _meets(index: UniqueIndex, n: int, one: str, other: str) -> str:
    same = f"{one}.k{n} {index.operators[n]} {other}.k{n}"
    return f"({same} OR ({one}.k{n} IS NULL AND {other}.k{n} IS NULL))" if index.nulls_not_distinct else same
