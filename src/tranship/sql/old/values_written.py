"""Compares what two plans of one flow compute from the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.old.row_source import row_sources, without


def unlike(
    plan: TablePlan,
    then: str,
    now: str,
    excluded: Sequence[Locator],
    unseen: tuple[int, Sequence[int]] | None,
) -> str:
    """Returns a query for the pairs of texts ``then`` and ``now`` that differ, with the number of their rows.

    Args:
        plan: whose rows are read.
        then: SQL of a text over ``old``, likewise ``now``.
        excluded: rows that are left out.
        unseen: leaves out row versions of this transaction (64 bits), of later ones and of those listed;
            None: none.
    """
    seen = seen_by(*unseen) if unseen is not None else ()
    reads = []
    for number, rows in row_sources(plan):
        kept = (*seen, *without(rows, [row for row in excluded if row.source == number]))
        texts = f'{then} COLLATE pg_catalog."C" AS t, {now} COLLATE pg_catalog."C" AS n'
        # OFFSET keeps the comparison out of the WHERE of the read: there it could come before the conditions
        # that leave rows out, and an expression may raise for just these.
        reads.append(f"(SELECT {texts} {rows.read(kept)} OFFSET 0)")
    return f"""
        SELECT r.t, r.n, pg_catalog.count(*) AS rows FROM ({" UNION ALL ".join(reads)}) AS r
        WHERE r.t IS DISTINCT FROM r.n GROUP BY r.t, r.n
    """


def seen_by(first: int, open_ones: Sequence[int]) -> tuple[str, ...]:
    """Returns the conditions of row versions that a snapshot shows, by its xmax and the transactions that
    were open. xmin has 32 bits.
    """
    # age() compares 32-bit numbers modulo 2^32, as xmin is stored.
    before = f"pg_catalog.age(old.xmin) > pg_catalog.age('{first % 2**32}'::pg_catalog.xid)"
    if not open_ones:
        return (before,)
    listed = ",".join(str(xid % 2**32) for xid in open_ones)
    return before, f"old.xmin::pg_catalog.text <> ALL ('{{{listed}}}'::pg_catalog.text[])"
