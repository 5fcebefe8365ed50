"""What a query reaches, read from the plan that EXPLAIN (VERBOSE, FORMAT JSON) prints under an empty path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from tranship.model.names import TableName

Tree = None | bool | int | float | str | Sequence["Tree"] | Mapping[str, "Tree"]

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_CALL = re.compile(rf"({_NAME})\.({_NAME})\(")
"""A call with its schema: of a function that is not built in."""
_COLUMN = re.compile(rf"(?<![\w$\".])({_NAME})\.({_NAME}|\*)(?![\w$\".(])")
"""A column with the alias of its relation, as EXPLAIN (VERBOSE) prints it."""
_NAMES = frozenset({"Alias", "Relation Name", "Schema", "Node Type", "Index Name", "Subplan Name"})
"""Fields of a plan that hold bare names."""


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


def columns_in(tree: Tree, relation: TableName) -> frozenset[str]:
    """Returns the columns of a relation that a plan uses; ``*`` among them where it uses whole rows.

    What a scan hands to a node above it may be more than that node needs, so that it does not count.
    """
    aliases = {alias for node in _nodes(tree) if (alias := _alias_of(node, relation))}
    found: set[str] = set()
    for node in _nodes(tree):
        above = node.get("Parent Relationship") in ("Outer", "Inner", "Member")
        skipped = {"Output"} if above and _alias_of(node, relation) else set[str]()
        for field, value in node.items():
            if field not in skipped and field not in ("Plans", "Plan"):
                found.update(_columns_of(aliases, _texts(value)))
    return frozenset(found)


def _nodes(tree: Tree) -> Iterator[Mapping[str, Tree]]:
    if isinstance(tree, Mapping) and "Node Type" in tree:
        yield tree
    for part in _parts(tree):
        yield from _nodes(part)


def _alias_of(node: Mapping[str, Tree], relation: TableName) -> str:
    same = (node.get("Schema"), node.get("Relation Name")) == (relation.schema, relation.name)
    alias = node.get("Alias")
    return alias if same and isinstance(alias, str) else ""


def _columns_of(aliases: Set[str], texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for alias, column in _COLUMN.findall(_LITERAL.sub("''", text)):
            if _bare(alias) in aliases:
                yield _bare(column)


def calls_in(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yields schema and name of the functions that a plan calls and that are not built in."""
    for text in _texts(tree):
        for schema, name in _CALL.findall(_LITERAL.sub("''", text)):
            yield _bare(schema), _bare(name)


def expressions_in(tree: Tree) -> Iterator[str]:
    """Yields the texts of a plan that may be expressions.

    A function of one SQL statement stands there as what it calls.
    """
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for field, value in tree.items():
            if field not in _NAMES:
                yield from expressions_in(value)
    else:
        for part in _parts(tree):
            yield from expressions_in(part)


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
