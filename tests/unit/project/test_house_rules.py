"""What CONTRIBUTING.md says about the code, held by a machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from support import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 450, 60
"""A little above what is aimed at (400 and 50), so that nobody splits a sentence in half."""
SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT INTO|UPDATE\b.+\bSET|DELETE FROM|CREATE TABLE|ALTER TABLE|LOCK TABLE)\b",
    re.DOTALL,
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_size() -> None:
    wrong = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST_FILE:
            wrong.append(f"{_name(path)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > LONGEST_FUNCTION:
                    wrong.append(f"{_name(path)}: {node.name} has {size} lines")
    assert wrong == []


def _foreign_sql(path: Path) -> list[int]:
    """Lines with strings that look like SQL; docstrings are none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    }
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                words = " ".join(str(part.value) for part in values if isinstance(part, ast.Constant))
            case ast.Constant(value=str(words)) if id(node) not in docstrings:
                pass
            case _:
                continue
        if SQL.search(words):
            lines.append(node.lineno)
    return lines


def test_sql_is_written_in_sql_alone() -> None:
    elsewhere = [path for path in SOURCES if "sql" not in path.relative_to(ROOT / "src/tranship").parts]
    found = {_name(path): lines for path in elsewhere if (lines := _foreign_sql(path))}
    assert found == {}


def test_queries_say_what_a_row_is() -> None:
    queries = sorted((ROOT / "src/tranship/sql/queries").glob("*.sql"))
    assert queries
    bare = [path.name for path in queries if not path.read_text(encoding="utf-8").startswith("--")]
    assert bare == []
