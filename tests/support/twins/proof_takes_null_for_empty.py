"""NULL and the empty text have the same hash."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.sql.new import digest as of_new
from tranship.sql.old import digest as of_old


def _row_text(texts: Sequence[str]) -> str:
    filled = ", ".join(f"COALESCE({text}, '')" for text in texts)
    return f"CAST(ROW({filled}) AS pg_catalog.text)"


def break_it() -> None:
    """In this process."""
    of_new.row_text = _row_text
    of_old.row_text = _row_text
