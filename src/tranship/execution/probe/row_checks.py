"""The CHECKs that a row of NEW must satisfy, as they are asked about rows that no table holds yet."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.planning.printed.names import reads_whole_row, with_whole_row
from tranship.sql.new.given_rows import whole_row, within
from tranship.sql.quote import ident


class RowCheck(Struct, frozen=True):
    """A CHECK that a row must satisfy."""

    name: str
    relation: str
    """The table or the partition that declares it."""
    columns: tuple[str, ...]
    expression: str
    of_period: bool = False
    """It is no CHECK: the server refuses an empty period in a key WITHOUT OVERLAPS."""


def row_checks(after: Table, names: Collection[str | None]) -> list[RowCheck]:
    """Returns those CHECKs and periods of keys of a table that have these names, and the CHECKs of its
    partitions, by name.
    """
    checks = [
        RowCheck(c.name, after.name.name, c.columns, with_whole_row(c.expression, whole_row(after)))
        for c in after.checks
        if c.name in names
    ]
    checks += [
        RowCheck(key.name, after.name.name, key.columns[-1:], _not_empty(key.columns[-1]), of_period=True)
        for key in after.keys
        if key.without_overlaps and key.name in names
    ]
    for leaf in after.partitions:
        checks += [
            RowCheck(c.name, leaf.name.name, c.columns, within(leaf.constraint, c.expression))
            for c in leaf.checks
            if c.enforced
        ]
    return sorted(checks, key=lambda check: check.name)


def _not_empty(column: str) -> str:
    return f"NOT pg_catalog.isempty({ident(column)})"


def why_unasked(check: RowCheck, after: Table) -> str:
    """Returns what about a row that lies nowhere a CHECK cannot be asked of; empty: nothing."""
    if any(after.column(name) is None for name in check.columns):
        return "it reads where the row lies"
    # Its columns may stand in another order than the table's.
    return "it reads the row of a partition as one value" if reads_whole_row(check.expression) else ""
