#!/usr/bin/env python3
"""Writes the table of error codes into the manual, docs/errors.md (`dev.py manual` runs it)."""

from __future__ import annotations

from pathlib import Path

from tranship.report.error_codes import manual_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"
MARK = "<!-- The table is generated: python3 dev.py manual -->\n"


def main() -> None:
    """Replaces everything below the mark."""
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{before}{mark}\n{manual_table()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
