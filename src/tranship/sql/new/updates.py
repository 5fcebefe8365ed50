"""Statements that give rows of NEW's own the values of OLD, and that keep the rows as they were.

The rows travel as a JSON array of shipped texts, as in the data checks, so that NEW's input functions read
them as COPY would.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.sql.new.given_rows import value_of
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import given_column
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, literal

_PLACE = {"source": "int4", "page": "int8", "line": "int4", "item": "int4", "key": "text"}
"""The journal's columns for a row of OLD, with their types."""


class Update(Struct, frozen=True):
    """How the rows of one table are found, and which of their columns are set."""

    table: Table
    given: tuple[Column, ...]
    """Columns whose text travels, in the order ``c0, c1 …``: those of the key and those that are set."""
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


def keep_images(update: Update, journal: str) -> str:
    """Returns a statement that locks NEW's rows and journals them as they are.

    $1: the given rows, JSON objects with ``source``, ``page``, ``line``, ``item``, ``key`` and ``c0 …``. $2
    run, $3 position, $4 batch, $5 the savepoint that will change them. It returns the place in OLD of each
    row that is there. Of a row that the run has changed before, the first image stays.
    """
    key, held = _as_it_is(update.key.columns), _as_it_is(update.settable)
    names, places = ", ".join(_PLACE), ", ".join(f"g.{name}" for name in _PLACE)
    return f"""
        INSERT INTO {journal}.image (run, position, batch, {names}, row_key, held, xid)
        SELECT $2, $3, $4, {places}, {key}, {held}, $5
        FROM {_given(update)} JOIN {relation_to_read(update.table)} AS t ON {update.found}
        FOR UPDATE OF t
        ON CONFLICT (run, position, {names}) DO UPDATE SET xid = EXCLUDED.xid, batch = EXCLUDED.batch
        RETURNING {names}
    """


def set_values(update: Update) -> str:
    """Returns an UPDATE that gives NEW's rows the given values. $1: the given rows as JSON."""
    values = ", ".join(f"{ident(name)} = {update.value(name)}" for name in update.settable)
    return f"""
        UPDATE {relation_to_read(update.table)} AS t SET {values} FROM {_given(update)} WHERE {update.found}
    """


def _given(update: Update) -> str:
    """Returns the FROM item ``g`` over the given rows: their places in OLD, and each value as its column
    would store it.
    """
    definitions = [f"{name} pg_catalog.{kind}" for name, kind in _PLACE.items()]
    definitions += [given_column(n, c.type, c.collation) for n, c in enumerate(update.given)]
    columns = [f"r.{name}" for name in _PLACE]
    columns += [f"{value_of(n, c.type)} AS v{n}" for n, c in enumerate(update.given)]
    rows = f"pg_catalog.json_to_recordset($1::pg_catalog.json) AS r({', '.join(definitions)})"
    # MATERIALIZED, so that each value is read once.
    read = f"WITH read AS MATERIALIZED (SELECT {', '.join(columns)} FROM {rows})"
    return f"({read} SELECT * FROM read) AS g"


def _as_it_is(columns: Sequence[str]) -> str:
    """Returns SQL for the texts of some columns of ``t`` as one JSON object, as text."""
    names = ", ".join(literal(name) for name in columns)
    texts = ", ".join(f"CAST(t.{ident(name)} AS pg_catalog.text)" for name in columns)
    # Arrays and no arguments: a function takes no more than 100 of them.
    lists = ", ".join(f"pg_catalog.unnest(ARRAY[{one}]::pg_catalog.text[])" for one in (names, texts))
    made = "CAST(pg_catalog.json_object_agg(v.name, v.value) AS pg_catalog.text)"
    return f"(SELECT {made} FROM ROWS FROM ({lists}) AS v(name, value))"
