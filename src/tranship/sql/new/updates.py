"""Statements that give rows of NEW's own the values of OLD, and that keep the rows as they were.

The rows come from one of two places. A table of the session holds those of a whole batch, which COPY has
filled. A JSON array of shipped texts, as in the data checks, holds some of them: where the role may not make
temporary tables, and while the rows that NEW refuses are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.sql.new.given_rows import value_of
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import given_column
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, literal, relation
from tranship.sql.row_id import IdKind, place_columns

_PLACE = {"source": "int4", "page": "int8", "line": "int4", "item": "int4", "key": "text"}
"""The journal's columns for a row of OLD, with their types."""
_NAMES = ", ".join(_PLACE)
STAGED = TableName("pg_temp", "tranship_update")
"""The session's table with the rows of one batch."""
MAY_STAGE = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')"
DROP_STAGED = f"DROP TABLE {relation(STAGED)}"


class Update(Struct, frozen=True):
    """How the rows of one table are found, and which of their columns are set."""

    table: Table
    given: tuple[Column, ...]
    """Columns whose value travels, in the order ``c0, c1 …``: those of the key and those that are set."""
    key: MatchedKey
    settable: tuple[str, ...]

    @property
    def found(self) -> str:
        """The condition that ``t`` is the row of NEW under the key of the given row ``g``."""
        pairs = zip(self.key.columns, self.key.operators, strict=True)
        return " AND ".join(f"t.{ident(name)} {operator} {self.value(name)}" for name, operator in pairs)

    def value(self, name: str) -> str:
        """Returns SQL for the given value of a column."""
        return f"g.v{next(n for n, column in enumerate(self.given) if column.name == name)}"

    @property
    def staged_columns(self) -> tuple[str, ...]:
        """The columns of the session's table, in the order in which OLD sends them."""
        return ("id", *(f"v{n}" for n in range(len(self.given))))


def stage(update: Update) -> str:
    """Returns a statement that makes the session's table for the rows of a batch."""
    columns = ["id pg_catalog.text"]
    for n, column in enumerate(update.given):
        collation = f" COLLATE {column.collation}" if column.collation else ""
        columns.append(f"v{n} {column.type.text}{collation}")
    # Without a schema: CREATE TEMPORARY has none.
    return f"CREATE TEMPORARY TABLE {ident(STAGED.name)} ({', '.join(columns)})"


def staged_rows(update: Update, plan: TablePlan, source: int) -> str:
    """Returns the FROM item ``g`` over the session's table: places in OLD and values."""
    shape = plan.shape
    kind = IdKind.KEY if shape.query is not None else IdKind.ITEM if shape.items is not None else IdKind.ROW
    places = {"source": str(source), **place_columns("s.id", kind)}
    columns = [f"CAST({places[name]} AS pg_catalog.{type_}) AS {name}" for name, type_ in _PLACE.items()]
    columns += [f"s.v{n}" for n in range(len(update.given))]
    return f"(SELECT {', '.join(columns)} FROM {relation(STAGED)} AS s) AS g"


def json_rows(update: Update, parameter: int) -> str:
    """Returns the same FROM item over a parameter: JSON objects with ``source``, ``page``, ``line``,
    ``item``, ``key`` and ``c0 …``, each value as its column would store it.
    """
    definitions = [f"{name} pg_catalog.{kind}" for name, kind in _PLACE.items()]
    definitions += [given_column(n, c.type, c.collation) for n, c in enumerate(update.given)]
    columns = [f"r.{name}" for name in _PLACE]
    columns += [f"{value_of(n, c.type)} AS v{n}" for n, c in enumerate(update.given)]
    given = f"CAST(${parameter} AS pg_catalog.json)"
    rows = f"pg_catalog.json_to_recordset({given}) AS r({', '.join(definitions)})"
    # MATERIALIZED, so that each value is read once.
    read = f"WITH read AS MATERIALIZED (SELECT {', '.join(columns)} FROM {rows})"
    return f"({read} SELECT * FROM read) AS g"


def images_near(journal: str, given: str) -> str:
    """Returns a query for whether the run may have changed one of the rows before. $1 run, $2 position.

    It looks at the pages of OLD between which the rows lie, so that most batches cost one look.
    """
    ends = "pg_catalog.min(g.page) AS lo, pg_catalog.max(g.page) AS hi"
    between = f"(SELECT g.source, {ends} FROM {given} GROUP BY g.source) AS b"
    near = "i.run = $1 AND i.position = $2 AND i.source = b.source AND i.page BETWEEN b.lo AND b.hi"
    return f"SELECT EXISTS (SELECT FROM {between} JOIN {journal}.image AS i ON {near})"


def keep_images(update: Update, journal: str, given: str, *, changed_before: bool) -> str:
    """Returns a statement that locks NEW's rows and journals them as they are.

    $1 run, $2 position, $3 batch, $4 the savepoint that will change them. Its tag counts the rows that are
    there. ``changed_before``: the run may have changed some before; their first image stays.
    """
    key, held = _as_it_is(update.key.columns), _as_it_is(update.settable)
    places = ", ".join(f"g.{name}" for name in _PLACE)
    again = f"ON CONFLICT (run, position, {_NAMES}) DO UPDATE SET xid = EXCLUDED.xid, batch = EXCLUDED.batch"
    # In the order of the journal's index, into which rows in any order would go twice as slowly.
    return f"""
        INSERT INTO {journal}.image (run, position, batch, {_NAMES}, row_key, held, xid)
        SELECT $1, $2, $3, {places}, {key}, {held}, $4
        FROM {given} JOIN {relation_to_read(update.table)} AS t ON {update.found}
        ORDER BY {places}
        FOR UPDATE OF t
        {again if changed_before else ""}
    """


def without_image(journal: str, given: str) -> str:
    """Returns a query for the places in OLD of the given rows that have no image of a savepoint.

    $1 run, $2 position, $3 the savepoint.
    """
    same = " AND ".join(f"i.{name} = g.{name}" for name in _PLACE)
    images = f"{journal}.image AS i WHERE i.run = $1 AND i.position = $2 AND i.xid = $3 AND {same}"
    names = ", ".join(f"g.{name}" for name in _PLACE)
    return f"SELECT {names} FROM {given} WHERE NOT EXISTS (SELECT FROM {images})"


def as_texts(update: Update, given: str) -> str:
    """Returns a query for the given rows as :func:`json_rows` takes them."""
    texts = (f"CAST(g.v{n} AS pg_catalog.text) AS c{n}" for n in range(len(update.given)))
    columns = ", ".join([*(f"g.{name}" for name in _PLACE), *texts])
    return f"SELECT {columns} FROM {given} ORDER BY {_NAMES}"


def set_values(update: Update, given: str) -> str:
    """Returns an UPDATE that gives NEW's rows the given values."""
    values = ", ".join(f"{ident(name)} = {update.value(name)}" for name in update.settable)
    return f"UPDATE {relation_to_read(update.table)} AS t SET {values} FROM {given} WHERE {update.found}"


def _as_it_is(columns: Sequence[str]) -> str:
    """Returns SQL for the texts of some columns of ``t`` as one JSON object, as text."""
    names = ", ".join(literal(name) for name in columns)
    texts = ", ".join(f"CAST(t.{ident(name)} AS pg_catalog.text)" for name in columns)
    # Of arrays: a function takes no more than 100 arguments.
    lists = (f"CAST(ARRAY[{one}] AS pg_catalog.text[])" for one in (names, texts))
    return f"CAST(pg_catalog.json_object({', '.join(lists)}) AS pg_catalog.text)"
