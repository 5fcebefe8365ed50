"""Hashes of rows are combined by XOR, under which two equal rows cancel each other."""

from __future__ import annotations

from tranship.model.digest import HashForm
from tranship.sql import digest
from tranship.sql.new import digest as of_new
from tranship.sql.old import digest as of_old


def _row_sums(form: HashForm) -> str:
    halves = (f"COALESCE(pg_catalog.bit_xor({half}), 0)::pg_catalog.text" for half in digest._halves(form))
    first, second = halves
    return f"pg_catalog.count(*) AS rows, {first} AS first, {second} AS second"


def break_it() -> None:
    """In this process."""
    of_new.row_sums = _row_sums
    of_old.row_sums = _row_sums
