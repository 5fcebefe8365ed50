"""The query that counts, before anything is decided, what a conversion would change."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.sql.evidence import read_from
from tranship.sql.types.family import Change


def changing(table: Table, found: Sequence[Change], percent: float | None) -> str:
    """Returns a query for the numbers of rows whose value is changed in each of some ways: ``n0``, ``n1`` …

    The predicates are over the row ``old``, of a sample of so much of the table's pages, or of all of them.
    """
    counts = ", ".join(
        f"pg_catalog.count(*) FILTER (WHERE {predicate}) AS n{n}" for n, (_, predicate) in enumerate(found)
    )
    return f"SELECT {counts} FROM {read_from(table, percent, 'old')}"
