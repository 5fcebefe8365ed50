"""What a query reaches, read from the plan that EXPLAIN (VERBOSE, FORMAT JSON) prints under an empty path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from tranship.model.names import TableName

Tree = None | bool | int | float | str | Sequence["Tree"] | Mapping[str, "Tree"]

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_CALL = re.compile(rf"({_NAME})\.({_NAME})\(")
"""A call with its schema: of a function that is not built in."""
_CURRENT_TIME = re.compile(
    r"\b(?:now|statement_timestamp|transaction_timestamp)\(\)"
    r"|\bCURRENT_(?:DATE|TIME|TIMESTAMP)\b|\bLOCALTIME(?:STAMP)?\b"
)
"""What is stable within a transaction and another value in the next (PostgreSQL documentation, "Date/Time
Functions and Operators").
"""


def read_plan(text: str) -> Tree:
    """Returns the plan that EXPLAIN printed as JSON."""
    tree: Tree = json.loads(text)
    return tree


def relations_in(tree: Tree) -> Iterator[TableName]:
    """Yields the relations that a plan scans."""
    if isinstance(tree, Mapping):
        schema, name = tree.get("Schema"), tree.get("Relation Name")
        if isinstance(schema, str) and isinstance(name, str):
            yield TableName(schema, name)
    for part in _parts(tree):
        yield from relations_in(part)


def calls_in(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yields schema and name of the functions that a plan calls and that are not built in."""
    for text in _texts(tree):
        for schema, name in _CALL.findall(_LITERAL.sub("''", text)):
            yield _bare(schema), _bare(name)


def reads_current_time(tree: Tree) -> bool:
    """Returns whether a plan computes with the current time."""
    return any(_CURRENT_TIME.search(_QUOTED.sub("", _LITERAL.sub("", text))) for text in _texts(tree))


def _texts(tree: Tree) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    for part in _parts(tree):
        yield from _texts(part)


def _parts(tree: Tree) -> Sequence[Tree]:
    if isinstance(tree, Mapping):
        return list(tree.values())
    return tree if isinstance(tree, Sequence) and not isinstance(tree, str) else ()


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
