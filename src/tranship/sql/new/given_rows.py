"""The given rows as typed rows of one table of NEW, and what the table's columns, checks and foreign keys say
about them.

Each function that ends in ``_part`` returns a SELECT over the typed rows; :func:`rows_query` puts several of
them together, so that the rows are read and converted once. The answers are those of ``probe.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.types import PgType
from tranship.sql.foreign_keys import is_filled, lacks_parent
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import answer, given_column, recordset, through_text
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, literal, relation


class GivenRows(Struct, frozen=True):
    """The typed rows of a data check about one table of NEW, as a WITH clause, and how to refer to them."""

    table: Table
    given: tuple[Column, ...]
    """Columns whose shipped text travels, in the order ``c0, c1 …``."""
    computed: tuple[tuple[str, str, PgType], ...] = ()
    """Columns that a default fills: name, expression, type."""
    generated: tuple[Column, ...] = ()
    """Columns that NEW computes from the others when the row is stored."""
    replaced: MatchedKey | None = None
    """The rows replace those of the table under this key; None: they are added to it."""
    staying: tuple[str, ...] = ()
    """Columns in which a row keeps the value of the row that it replaces."""

    @property
    def number(self) -> str:
        """The quoted name of the row number: one that no column of the table has."""
        name = "tranship row"
        while self.table.column(name) is not None:
            name += "_"
        return ident(name)

    @property
    def source(self) -> str:
        """The FROM item over the typed rows, under the table's own name: constraint expressions may use
        it.
        """
        return f"tranship_rows AS {ident(self.table.name.name)}"

    @property
    def with_clause(self) -> str:
        """The WITH clause that makes ``tranship_rows``.

        Two steps, because generated columns are computed from the complete row, defaults included. Both are
        MATERIALIZED: inlined, every part would convert the rows again, and the planner could leave out a
        column that no part reads, together with the error that it should raise.
        """
        definitions = [given_column(n, c.type, c.collation) for n, c in enumerate(self.given)]
        typed = [f"r.i AS {self.number}"]
        typed += [f"{value_of(n, c.type)} AS {ident(c.name)}" for n, c in enumerate(self.given)]
        typed += [
            f"{_assigned(expression, pg_type)} AS {ident(name)}"
            for name, expression, pg_type in self.computed
        ]
        made = [f"{_assigned(c.generation or 'NULL', c.type)} AS {ident(c.name)}" for c in self.generated]
        alias = ident(self.table.name.name)
        given, steps = "tranship_typed", ""
        if self.replaced is not None:
            given = "tranship_read"
            kept = ", ".join(["g.*", *(f"e.{ident(name)}" for name in self.staying)])
            held = f"{relation_to_read(self.table)} AS e ON {self.replaced.matches('e', 'g')}"
            steps = f"""
            tranship_typed AS MATERIALIZED (SELECT {kept} FROM tranship_read AS g JOIN {held}),"""
        return f"""
            WITH {given} AS MATERIALIZED (
              SELECT {", ".join(typed)} FROM {recordset(definitions)}),{steps}
            tranship_rows AS MATERIALIZED (
              SELECT {", ".join([f"{alias}.*", *made])} FROM tranship_typed AS {alias})
        """


def rows_query(rows: GivenRows, parts: Sequence[str]) -> str:
    """Returns one query with the answers of several parts over the same typed rows; at least one part."""
    return rows.with_clause + "\nUNION ALL\n".join(parts)


def both(one: str | None, other: str | None) -> str | None:
    """Returns the condition that both of two conditions hold; None stands for no condition."""
    conditions = [f"({condition})" for condition in (one, other) if condition]
    return " AND ".join(conditions) or None


def whole_row(table: Table) -> str:
    """Returns SQL for a typed row as one value of its table, where all of its columns are typed."""
    columns = ", ".join(ident(column.name) for column in table.columns)
    return f"CAST(ROW({columns}) AS {relation(table.name)})"


def within(leaf: str | None, check: str) -> str:
    """Returns a check that only one partition declares, restricted to the rows that are routed there.

    ``leaf`` is the partition's constraint; None takes every row.
    """
    return f"({leaf or 'true'}) IS NOT TRUE OR ({check})"


def verdict_part(
    rows: GivenRows,
    checks: Sequence[str],
    leaves: Sequence[str],
    not_null: Sequence[str],
    computed: Sequence[str] = (),
) -> str:
    """Returns the first fault of each row that the row alone decides.

    The order is that of the server: it finds the partition, then tests NOT NULL, then the checks (ExecInsert
    and ExecConstraints in its source). ``rank`` and wording of a reject depend on the first fault.

    Args:
        rows: the typed rows.
        checks: CHECK expressions in the order in which the server evaluates them.
        leaves: constraints of all partitions; empty: the table is not partitioned, or takes every row.
        not_null: names of generated columns that refuse NULL.
        computed: expressions that are evaluated only for the error that they may raise.
    """
    whens = []
    if leaves:
        routed = " OR ".join(f"({leaf}) IS TRUE" for leaf in leaves)
        whens.append(f"WHEN ({routed}) IS NOT TRUE THEN pg_catalog.json_build_array('routing', 0)")
    for n, name in enumerate(not_null):
        whens.append(f"WHEN {ident(name)} IS NULL THEN pg_catalog.json_build_array('null', {n})")
    for n, check in enumerate(checks):
        # A CHECK that gives NULL is met (PostgreSQL documentation, "Check Constraints").
        whens.append(f"WHEN ({check}) IS FALSE THEN pg_catalog.json_build_array('check', {n})")
    # Reached only by rows without a fault; the branch itself gives none.
    whens += [f"WHEN ({expression}) IS NULL THEN CAST(NULL AS pg_catalog.json)" for expression in computed]
    return f"""
        SELECT {answer("q.i", "q.verdict -> 0", "q.verdict -> 1", "NULL")}
        FROM (SELECT {rows.number} AS i, CASE {" ".join(whens)} END AS verdict FROM {rows.source}) AS q
        WHERE q.verdict IS NOT NULL
    """


def rendered_part(rows: GivenRows, columns: Sequence[str], canonicals: Sequence[str], which: int = 0) -> str:
    """Returns the canonical key text over some columns, for every row in which none of them is NULL.

    ``canonicals`` are the SQL of the columns' canonical texts (``sql/canonical.py``), in the same order.
    """
    whole = f"CAST(pg_catalog.json_build_array({', '.join(canonicals)}) AS pg_catalog.text)"
    known = " AND ".join(f"{ident(c)} IS NOT NULL" for c in columns)
    return f"SELECT {answer(rows.number, literal('key'), str(which), whole)} FROM {rows.source} WHERE {known}"


def shown_part(rows: GivenRows, columns: Sequence[str], most: int) -> str:
    """Returns the texts of some columns of every row, each cut to ``most`` characters and one more."""
    texts = ", ".join(f"pg_catalog.left(CAST({ident(c)} AS pg_catalog.text), {most + 1})" for c in columns)
    whole = f"pg_catalog.array_to_json(ARRAY[{texts}]::pg_catalog.text[])"
    return f"SELECT {answer(rows.number, literal('shown'), '0', whole)} FROM {rows.source}"


def whole_text(columns: Sequence[str]) -> str:
    """Returns SQL for one text over some columns of a row, by which two rows are the same row or not.

    Text decides and not ``=``: 1.0 and 1.00, or 0 and -0, are different values to whoever reads them. Both
    texts have to be written by the same session, so that its settings do not matter.
    """
    texts = ", ".join(f"CAST({ident(name)} AS pg_catalog.text)" for name in columns)
    # An array and no call: a function takes no more than 100 arguments.
    whole = f"pg_catalog.array_to_json(ARRAY[{texts}]::pg_catalog.text[])"
    return f'CAST({whole} AS pg_catalog.text) COLLATE pg_catalog."C"'


class Reference(Struct, frozen=True):
    """A foreign key of NEW, as a data check."""

    constraint: ForeignKey
    target: str
    """FROM item of the parent table, with ``ONLY`` where that is what the constraint reads."""
    key: str
    """SQL of the child's key as text, over the alias ``g``."""
    faithful: bool
    """That text is canonical: two texts are equal exactly where the keys are."""


def parent_part(rows: GivenRows, reference: Reference, which: int) -> str:
    """Returns the rows whose parent NEW does not hold now, with the key's text."""
    key, detail = reference.constraint, reference.key
    if key.match_full and len(key.columns) > 1:
        detail = f"CASE WHEN {is_filled(key, 'g')} THEN {detail} END"
    missing = lacks_parent(key, reference.target, "g")
    return f"""
        SELECT {answer("q.i", literal("parent"), str(which), "q.k")}
        FROM (SELECT {rows.number} AS i, {detail} AS k FROM tranship_rows AS g WHERE {missing}) AS q
    """


def held_part(rows: GivenRows, target: str, same: str) -> str:
    """Returns the row of NEW that each given row finds under its key, as text: its relation and place there.

    ``same`` is the condition that the row ``p`` of ``target`` has the key of the given row ``g``.
    """
    place = "CAST(p.tableoid AS pg_catalog.text) || ' ' || CAST(p.ctid AS pg_catalog.text)"
    return f"""
        SELECT {answer(f"g.{rows.number}", literal("held"), "0", place)}
        FROM tranship_rows AS g JOIN {target} AS p ON {same}
    """


def differing_part(rows: GivenRows, key: Sequence[tuple[str, str]]) -> str:
    """Returns the given rows under whose key the table holds a row with another text in one of the given
    columns.

    ``key`` holds the key's columns, each with its equality operator.
    """
    alias = ident(rows.table.name.name)
    same = " AND ".join(f"e.{ident(name)} {operator} {alias}.{ident(name)}" for name, operator in key)
    unlike = " OR ".join(
        f'CAST(e.{ident(c.name)} AS pg_catalog.text) COLLATE pg_catalog."C" IS DISTINCT FROM'
        f" CAST({alias}.{ident(c.name)} AS pg_catalog.text)"
        for c in rows.given
    )
    held = f"SELECT FROM {relation_to_read(rows.table)} AS e WHERE {same} AND ({unlike})"
    return f"""
        SELECT {answer(f"{alias}.{rows.number}", literal("differs"), "0", "NULL")}
        FROM {rows.source} WHERE EXISTS ({held})
    """


def held_rows(table: Table, most: int) -> str:
    """Returns a query for the number of rows that NEW's table holds, counted up to ``most``."""
    return f"SELECT pg_catalog.count(*) FROM (SELECT FROM {relation_to_read(table)} AS t LIMIT {most}) AS r"


def any_held(tables: Mapping[int, Table]) -> str:
    """Returns a query for the numbers, as ``n``, of those tables of NEW that hold a row."""
    return " UNION ALL ".join(
        f"SELECT {number} AS n WHERE EXISTS (SELECT FROM {relation_to_read(table)} AS t)"
        for number, table in tables.items()
    )


def value_of(number: int, pg_type: PgType) -> str:
    """Returns SQL for the given value ``c<number>`` of a recordset ``r``, as its column would store it."""
    return f"CAST(r.c{number} AS {pg_type.text})" if through_text(pg_type) else f"r.c{number}"


def _assigned(expression: str, pg_type: PgType) -> str:
    """Returns an expression as a column of the type would store it.

    A cast written in SQL truncates a string to varchar(n) or char(n) without an error; an assignment to a
    column refuses it (PostgreSQL documentation, "Character Types"). json_to_recordset reads the value as an
    assignment does.
    """
    if pg_type.leaf.typname not in ("varchar", "bpchar") or not pg_type.leaf.modifiers:
        return f"CAST(({expression}) AS {pg_type.text})"
    text = f"CAST(({expression}) AS pg_catalog.text)"
    given = f"pg_catalog.json_build_array(pg_catalog.json_build_object('v', {text}))"
    return f"(SELECT assigned.v FROM pg_catalog.json_to_recordset({given}) AS assigned(v {pg_type.text}))"
