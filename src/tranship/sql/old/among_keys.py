"""Rows of OLD that have one of some keys."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.sql.quote import ident, text_array


def among_keys(columns: Sequence[str], kinds: Sequence[str], keys: Sequence[Sequence[str]]) -> str:
    """Returns the condition that a row ``old`` has one of the keys.

    Args:
        columns: of OLD.
        kinds: the types in which their values are compared.
        keys: their values as texts, none of them NULL.
    """
    lists = (
        f"pg_catalog.unnest(CAST({text_array(key[n] for key in keys)} AS {kind}[]))"
        for n, kind in enumerate(kinds)
    )
    names = ", ".join(f"old.{ident(name)}" for name in columns)
    return f"({names}) IN (SELECT * FROM ROWS FROM ({', '.join(lists)}) AS u)"
