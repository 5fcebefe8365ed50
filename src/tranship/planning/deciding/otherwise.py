"""Texts that NEW's type takes, and that may have meant something else: codes with leading zeros, dates that
are not written year first, times with an offset that the type drops.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tranship.model.types import PgType
from tranship.planning.names.families import family

_LEADING_ZERO: Final = re.compile(r"\s*[+-]?0[0-9]+\s*")
_ISO: Final = re.compile(r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?")
_OFFSET: Final = re.compile(r".*[0-9]:[0-9]{2}(:[0-9.]+)?\s*([+-][0-9].*|[A-Za-z]{1,5})\s*")
_BARE = "timestamp without time zone"
_DATES: Final = ("date", _BARE, "timestamp with time zone")


def reads_as_another(old: PgType, new: PgType) -> Callable[[str], bool] | None:
    """Returns what tells whether a text of the old type may mean something else than what NEW's type makes of
    it; None where no text does.
    """
    if family(old) != "text":
        return None
    if family(new) in ("integer", "decimal"):
        return lambda text: _LEADING_ZERO.fullmatch(text) is not None
    if new.leaf.base not in _DATES:
        return None
    drops_offset = new.leaf.base == _BARE
    return lambda text: (
        bool(text.strip())
        and (_ISO.fullmatch(text) is None or (drops_offset and _OFFSET.fullmatch(text) is not None))
    )


def says_another(rows: int, new: PgType) -> str:
    """Returns, in words, what so many rows hold."""
    one = rows == 1
    if family(new) in ("integer", "decimal"):
        hold = "row holds a leading zero" if one else "rows hold leading zeros"
        return f"{rows} {hold}, which a number drops: it may be a code"
    hold = "row holds a text that is no ISO date" if one else "rows hold texts that are no ISO dates"
    read = "read by NEW's DateStyle, so that day and month may change places"
    also = ", or one with a time zone, which the type drops" if new.leaf.base == _BARE else ""
    return f"{rows} {hold}{also}: {read}"
