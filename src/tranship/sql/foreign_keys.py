"""The condition of a foreign key, as the server's own check has it."""

from __future__ import annotations

from typing import NamedTuple

from tranship.model.catalog import ForeignKey
from tranship.sql.quote import ident

_EQUALS = "OPERATOR(pg_catalog.=)"


class Ends(NamedTuple):
    """The two tables of a foreign key as FROM items: what the server's own check of the key reads."""

    children: str
    parents: str


def equal(key: ForeignKey, position: int, parent: str, child: str) -> str:
    """Returns the condition that two values of the key's columns at a position are equal.

    Operator and collation are those of the constraint: a type of an extension has its own equality, which
    need not be on the search path, and two columns may have different collations. The server takes the
    parent's (RI_FKey_check and RI_Initial_Check in its source). ``parent`` and ``child`` are SQL.
    """
    operator = key.operators[position] if key.operators else _EQUALS
    collation = key.collations[position] if key.collations else None
    return f"{parent}{f' COLLATE {collation}' if collation is not None else ''} {operator} {child}"


def matches_parent(key: ForeignKey, child: str = "c") -> str:
    """Returns the condition that the parent row ``p`` is the one that the row of the alias ``child`` refers
    to, or, under a key with PERIOD, one of them: their periods overlap.
    """
    pairs = [
        (f"p.{ident(target)}", f"{child}.{ident(name)}")
        for name, target in zip(key.columns, key.target_columns, strict=True)
    ]
    whole = len(pairs) - 1 if key.period else len(pairs)
    same = [equal(key, n, *pair) for n, pair in enumerate(pairs[:whole])]
    overlapping = [f"{parent} OPERATOR(pg_catalog.&&) {own}" for parent, own in pairs[whole:]]
    return " AND ".join([*same, *overlapping])


def is_filled(key: ForeignKey, child: str = "c") -> str:
    """Returns the condition that no key column of the row of the alias ``child`` is NULL."""
    return " AND ".join(f"{child}.{ident(name)} IS NOT NULL" for name in key.columns)


def is_partly_filled(key: ForeignKey, child: str = "c") -> str:
    """Returns the condition that some key column of the row of the alias ``child`` is not NULL."""
    return " OR ".join(f"{child}.{ident(name)} IS NOT NULL" for name in key.columns)


def lacks_parent(key: ForeignKey, parents: str, child: str = "c") -> str:
    """Returns the condition that the row of the alias ``child`` breaks the key.

    MATCH FULL refuses a key of which only some columns are NULL; MATCH SIMPLE takes it without looking
    (PostgreSQL documentation, "CREATE TABLE"). ``parents`` is the FROM item of the parent table.
    """
    filled = is_filled(key, child)
    found = f"SELECT FROM {parents} AS p WHERE {matches_parent(key, child)}"
    if key.period:
        # The periods of several rows together have to cover the child's, as in RI_FKey_check.
        period = f"{child}.{ident(key.columns[-1])}"
        covered = f"pg_catalog.range_agg(p.{ident(key.target_columns[-1])})"
        found += f" HAVING {period} OPERATOR(pg_catalog.<@) {covered}"
    missing = f"({filled} AND NOT EXISTS ({found}))"
    if key.match_full and len(key.columns) > 1:
        return f"({missing} OR (({is_partly_filled(key, child)}) AND NOT ({filled})))"
    return missing
