"""The journal's named statements: each is there, is used, and names nothing but its own schema."""

from __future__ import annotations

import re

import pytest

from support import ROOT
from tranship.sql.new.journal import TABLES, JournalSql, sections

SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "tranship").rglob("*.py")]
USED = {
    name for text in SOURCES for name in re.findall(r'(?:\bsql|JournalSql\(schema\))\(\s*"(\w+)"', text)
} | {name for text in SOURCES for name in re.findall(r'name = "(\w+undo\w*)" if .* else "', text)}


def test_every_statement_is_used_and_every_use_has_one() -> None:
    chosen = {"insert_undo_1", "undo_there_1", "insert_undo", "undo_there"}
    assert USED | chosen >= sections().keys()
    assert sections().keys() >= USED - {"insert"}


@pytest.mark.parametrize("format", TABLES)
def test_each_is_text_for_each_format(format: int) -> None:
    sql = JournalSql('j"{journal}', format)
    for name in sections():
        assert not re.search(r"(?<!\")\{\w+\}", sql(name)), name
    assert all('"j""{journal}"' in statement for statement in sql.forget_run)
