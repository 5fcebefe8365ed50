"""The shapes of ``shapes.py``: the tables of both sides, what fills OLD's, and what plain pipes copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Copy:
    """One table as a pipe copies it."""

    table: str
    """Of NEW."""
    select: str
    """Without WHERE; gives NEW's types, so that the pipe is a binary one."""
    key: str = "id"
    """A number by which several pipes share the rows; empty: one pipe copies them all."""


@dataclass(frozen=True)
class Shape:
    """What is moved."""

    name: str
    about: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    fill: tuple[str, ...]
    """Statements with ``{rows}``: the scale."""
    copies: tuple[Copy, ...]
    proofs: tuple[str, ...] = ()
    """Queries that prove NEW's foreign keys after pipes that did not check them."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """The decisions, as in a resolutions file."""

    @property
    def tables(self) -> tuple[str, ...]:
        """NEW's tables."""
        return tuple(copy.table for copy in self.copies)

    @property
    def old_tables(self) -> tuple[str, ...]:
        """OLD's tables, which have the same names."""
        return self.tables


def _proof(child: str, column: str, parent: str) -> str:
    return (
        f"SELECT count(*) FROM {child} AS c WHERE c.{column} IS NOT NULL"
        f" AND NOT EXISTS (SELECT FROM {parent} AS p WHERE p.id = c.{column})"
    )


_NARROW = "CREATE TABLE narrow (id integer PRIMARY KEY, a integer, b integer)"
_MIXED = (
    "CREATE TABLE mixed (id bigint PRIMARY KEY, name text, at timestamp, price numeric(10,2), ok boolean,"
    " note varchar(40))"
)
UNCHANGED = Shape(
    "unchanged",
    "unchanged tables with primary keys: 2 narrow rows and 1 mixed row for each of the scale",
    (_NARROW, _MIXED),
    (_NARROW, _MIXED),
    (
        "INSERT INTO narrow SELECT n, n % 1000, n % 77 FROM generate_series(1, 2 * {rows}) n",
        "INSERT INTO mixed SELECT n, 'name ' || n, timestamp '2020-01-01' + n * interval '1 second',"
        " (n % 10000) / 10.0, n % 3 = 0, md5(n::text) FROM generate_series(1, {rows}) n",
    ),
    (Copy("narrow", "SELECT * FROM narrow"), Copy("mixed", "SELECT * FROM mixed")),
)
_STATES = {"new": 1, "paid": 2, "sent": 3, "done": 4}
_STATE = " ".join(f"WHEN '{state}' THEN {number}" for state, number in _STATES.items())
REAL = Shape(
    "real",
    "a real shape: renames, int to bigint, a status mapping, timestamp to timestamptz, three foreign keys,"
    " a new CHECK; 1 order and 3 items for each of the scale",
    (
        "CREATE TABLE customers (id integer PRIMARY KEY, mail text NOT NULL, fullname varchar(80),"
        " created timestamp)",
        "CREATE TABLE products (id integer PRIMARY KEY, sku varchar(20) NOT NULL, price numeric(10,2))",
        "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers,"
        " status text NOT NULL, placed timestamp NOT NULL, total numeric(12,2))",
        "CREATE TABLE items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders,"
        " product_id integer NOT NULL REFERENCES products, qty integer NOT NULL, price numeric(10,2))",
    ),
    (
        "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name text, created timestamptz)",
        "CREATE TABLE products (id bigint PRIMARY KEY, sku text NOT NULL, price numeric(10,2))",
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers,"
        " state smallint NOT NULL, placed timestamptz NOT NULL, total numeric(12,2))",
        "CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders,"
        " product_id bigint NOT NULL REFERENCES products,"
        " qty integer NOT NULL CONSTRAINT qty_positive CHECK (qty > 0), price numeric(10,2))",
    ),
    (
        "INSERT INTO customers SELECT n, 'c' || n || '@example.org', 'Customer ' || n,"
        " timestamp '2019-01-01' + n * interval '1 minute' FROM generate_series(1, {rows} / 10) n",
        "INSERT INTO products SELECT n, 'sku-' || n, (n % 1000) / 10.0"
        " FROM generate_series(1, {rows} / 100) n",
        "INSERT INTO orders SELECT n, 1 + n % ({rows} / 10), (ARRAY['new','paid','sent','done'])[1 + n % 4],"
        " timestamp '2020-01-01' + n * interval '1 second', (n % 10000) / 10.0"
        " FROM generate_series(1, {rows}) n",
        "INSERT INTO items SELECT n, 1 + n % {rows}, 1 + n % ({rows} / 100), 1 + n % 9, (n % 1000) / 10.0"
        " FROM generate_series(1, 3 * {rows}) n",
    ),
    (
        Copy("customers", "SELECT id::int8, mail, fullname::text, created AT TIME ZONE 'UTC' FROM customers"),
        Copy("products", "SELECT id::int8, sku::text, price FROM products", key=""),
        Copy(
            "orders",
            f"SELECT id::int8, customer_id::int8, (CASE status {_STATE} END)::int2,"
            " placed AT TIME ZONE 'UTC', total FROM orders",
        ),
        Copy("items", "SELECT id::int8, order_id::int8, product_id::int8, qty, price FROM items"),
    ),
    (
        _proof("orders", "customer_id", "customers"),
        _proof("items", "order_id", "orders"),
        _proof("items", "product_id", "products"),
    ),
    {
        "for_all": [
            {
                "tables": "*",
                "when": "timestamp -> timestamptz",
                "action": "transform",
                "transform_sql": "old.{old_column} AT TIME ZONE 'UTC'",
            }
        ],
        "resolutions": {
            "customers": [
                {"action": "rename", "old_column": "mail", "new_column": "email"},
                {"action": "rename", "old_column": "fullname", "new_column": "name"},
            ],
            "orders": [
                {
                    "action": "transform",
                    "old_column": "status",
                    "new_column": "state",
                    "value_mapping": _STATES,
                }
            ],
        },
    },
)
_WIDE = "CREATE TABLE wide (id bigint PRIMARY KEY, body text, doc jsonb)"
WIDE = Shape(
    "wide",
    "texts of 8 KB and documents of 4 KB, both in TOAST tables; a row for each 20 of the scale",
    (_WIDE,),
    (_WIDE,),
    (
        "INSERT INTO wide SELECT n, string_agg(md5(n::text || i), ''),"
        " jsonb_object_agg('k' || i, md5(i::text || n)) FROM generate_series(1, {rows} / 20) n,"
        " generate_series(1, 256) i GROUP BY n",
    ),
    (Copy("wide", "SELECT * FROM wide"),),
)
_UUIDS = "CREATE TABLE uuids (id uuid PRIMARY KEY, parent uuid, name text)"
UUIDS = Shape(
    "uuids",
    "keys that are random UUIDs",
    (_UUIDS,),
    (_UUIDS,),
    (
        "INSERT INTO uuids SELECT gen_random_uuid(), gen_random_uuid(), 'n' || n"
        " FROM generate_series(1, {rows}) n",
    ),
    (Copy("uuids", "SELECT * FROM uuids", key="get_byte(uuid_send(id), 0)"),),
)
_MANY = tuple(f"CREATE TABLE t{n} (id integer PRIMARY KEY, a integer, b text)" for n in range(200))
MANY = Shape(
    "many",
    "200 tables of 20 rows",
    _MANY,
    _MANY,
    tuple(f"INSERT INTO t{n} SELECT i, i, 'x' FROM generate_series(1, 20) i" for n in range(200)),
    tuple(Copy(f"t{n}", f"SELECT * FROM t{n}", key="") for n in range(200)),
)
SHORT = (UNCHANGED, REAL)
FULL = (WIDE, UUIDS, MANY)
