"""New values of keys, as OLD computes them from the old ones; a reference to a key gives the same value."""

from __future__ import annotations

from typing import assert_never

from tranship.model.expression import Rekeyed
from tranship.model.shape import KeyKind, Numbering
from tranship.sql.left_out import parent_left_out
from tranship.sql.quote import ident, literal, relation
from tranship.sql.survivors import own_or_survivor

_VERSION_8, _VARIANT = "128", "128"
"""The bits of version 8 in byte 6 and of the variant in byte 8 of a UUID (RFC 9562, sections 4.1 and 5.8)."""


def new_key(rekeyed: Rekeyed, alias: str) -> str:
    """Returns SQL over ``old`` for the new value, as text for NEW's input; NULL stays NULL.

    A number is read from the join :func:`numbers`, which has the alias.
    """
    value = _old_key(rekeyed)
    match rekeyed.key.kind:
        case KeyKind.OFFSET:
            moved = f"CAST({value} AS pg_catalog.numeric) + {rekeyed.key.offset}"
            return f"CAST({moved} AS pg_catalog.text)"
        case KeyKind.UUID:
            made = f"CAST({_uuid(rekeyed, value)} AS pg_catalog.text)"
            return f"CASE WHEN {value} IS NOT NULL THEN {made} END"
        case KeyKind.NUMBER:
            return _number(rekeyed, value, alias)
        case _:
            assert_never(rekeyed.key.kind)


def numbers(rekeyed: Rekeyed, alias: str) -> str:
    """Returns the join with the numbers of all keys, from 1 in OLD key order."""
    numbering = rekeyed.numbering
    if numbering is None:
        raise ValueError(f"{rekeyed.table}.{rekeyed.key.column} is not numbered")
    terms = [f"old.{ident(c)}" + (' COLLATE pg_catalog."C"' if text else "") for c, text in numbering.order]
    order = ", ".join([*terms, "old.tableoid", "old.ctid"])
    counted = f"pg_catalog.row_number() OVER (ORDER BY {order}) AS n"
    keys = f"SELECT old.{ident(rekeyed.key.column)} AS k, {counted} {_numbered_rows(rekeyed, numbering)}"
    operator = rekeyed.equality or "OPERATOR(pg_catalog.=)"
    return f"LEFT JOIN ({keys}) AS {alias} ON {alias}.k {operator} {_old_key(rekeyed)}"


def sorted_keys(rekeyed: Rekeyed) -> str:
    """Returns a query for all numbered keys in OLD key order; the key is whole numbers, and they stand for
    the order.
    """
    numbering = rekeyed.numbering
    if numbering is None:
        raise ValueError(f"{rekeyed.table}.{rekeyed.key.column} is not numbered")
    key = f"old.{ident(rekeyed.key.column)}"
    keys = f"SELECT {key} AS k {_numbered_rows(rekeyed, numbering)}"
    return f"SELECT r.k FROM ({keys}) AS r WHERE r.k IS NOT NULL ORDER BY r.k"


def numbered_count(rekeyed: Rekeyed) -> str:
    """Returns a query for the number of rows that are numbered."""
    if rekeyed.numbering is None:
        raise ValueError(f"{rekeyed.table}.{rekeyed.key.column} is not numbered")
    return f"SELECT pg_catalog.count(*) {_numbered_rows(rekeyed, rekeyed.numbering)}"


def key_text(rekeyed: Rekeyed) -> str:
    """Returns SQL over ``old`` for the old key to which a column refers, as text."""
    return f'CAST({_old_key(rekeyed)} AS pg_catalog.text) COLLATE pg_catalog."C"'


def _numbered_rows(rekeyed: Rekeyed, numbering: Numbering) -> str:
    """Returns FROM and WHERE of the rows that are numbered."""
    conditions = [f"(\n{numbering.where}\n)"] if numbering.where else []
    conditions += [f"NOT {parent_left_out(parent)}" for parent in numbering.left_with]
    taken = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"FROM {'' if numbering.partitioned else 'ONLY '}{relation(rekeyed.table)} AS old{taken}"


def _number(rekeyed: Rekeyed, value: str, alias: str) -> str:
    """Returns a number as text. A reference to nothing becomes a text that is no number, and is refused."""
    made = f"CAST({rekeyed.start - 1} + {alias}.n AS pg_catalog.text)"
    nothing = f"'no row has the key ' || CAST({value} AS pg_catalog.text)"
    return f"CASE WHEN {alias}.n IS NOT NULL THEN {made} WHEN {value} IS NOT NULL THEN {nothing} END"


def _old_key(rekeyed: Rekeyed) -> str:
    """Returns SQL for the old key to which a column refers, as a value of the key's own type."""
    taken = own_or_survivor(f"old.{ident(rekeyed.column)}", rekeyed.led)
    given = f"CAST({taken} AS {rekeyed.key_type})"
    if not rekeyed.equality:
        return given
    own = f"tranship_key.{ident(rekeyed.key.column)}"
    holders = f"{relation(rekeyed.table)} AS tranship_key WHERE {own} {rekeyed.equality} {given}"
    # A reference to nothing keeps its own text, and is an orphan in NEW as it was in OLD.
    return f"COALESCE((SELECT {own} FROM {holders} LIMIT 1), {given})"


def _uuid(rekeyed: Rekeyed, value: str) -> str:
    """Returns SQL for the UUID of a key: the first 16 bytes of a SHA-256, with version and variant set."""
    names = (rekeyed.key.namespace, rekeyed.table.schema, rekeyed.table.name)
    texts = ", ".join(f"CAST({literal(name)} AS pg_catalog.text)" for name in names)
    row = f"CAST(ROW({texts}, {value}) AS pg_catalog.text)"
    hashed = f"pg_catalog.sha256(pg_catalog.convert_to({row}, 'UTF8'))"
    first = f"pg_catalog.substr({hashed}, 1, 16)"
    version = f"(pg_catalog.get_byte({hashed}, 6) & 15) | {_VERSION_8}"
    variant = f"(pg_catalog.get_byte({hashed}, 8) & 63) | {_VARIANT}"
    marked = f"pg_catalog.set_byte(pg_catalog.set_byte({first}, 6, {version}), 8, {variant})"
    return f"CAST(pg_catalog.encode({marked}, 'hex') AS pg_catalog.uuid)"
