"""NULL and the empty text have the same hash."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.digest import HashForm
from tranship.sql.digest import Value, hashed
from tranship.sql.new import digest as of_new
from tranship.sql.old import digest as of_old


def _hashed(values: Sequence[Value], form: HashForm) -> str:
    return hashed([Value(f"COALESCE({value.text}, '')", None) for value in values], form)


def break_it() -> None:
    """In this process."""
    of_new.hashed = _hashed
    of_old.hashed = _hashed
