"""Which functions of users may read tables, as far as their sources tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from tranship.model.catalog_codes import RelationKind
from tranship.model.database_objects import ReadingFunction
from tranship.server.catalog.rows import FunctionSourceRow, PartitionRow, RelationRow

_VIEWS = (RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW)
_WORD = re.compile(r"\w+")


def reading_functions(
    rows: Sequence[FunctionSourceRow], relations: Sequence[RelationRow], nodes: Sequence[PartitionRow]
) -> tuple[ReadingFunction, ...]:
    """Returns the functions that may read a table, by name, those that call one included.

    A body that is a string is not parsed: every table whose name stands in it counts as read. Dynamic SQL,
    a view and a language other than SQL and PL/pgSQL may read any table. ``nodes`` are partitions.
    """
    views = {row.name for row in relations if row.kind in _VIEWS}
    tables = {row.name for row in relations} | {node.name for node in nodes}
    known = {row.printed: _alone(row, tables - views, views) for row in rows}
    called = _calls(rows)
    while (more := _with_called(known, called)) != known:
        known = more
    return tuple(one for _, one in sorted(known.items()) if one.tables or one.anything)


def _alone(row: FunctionSourceRow, tables: Collection[str], views: Collection[str]) -> ReadingFunction:
    """Returns what a function may read by itself."""
    read = set(row.relations) | _named(row.source, tables)
    return ReadingFunction(row.printed, tuple(sorted(read)), _may_read_anything(row, views))


def _with_called(
    known: Mapping[str, ReadingFunction], called: Mapping[str, Sequence[str]]
) -> dict[str, ReadingFunction]:
    """Returns each function with what those that it calls may read, one call deeper."""
    deeper = {}
    for name, one in known.items():
        others = [known[other] for other in called[name]]
        tables = set(one.tables).union(*(other.tables for other in others))
        anything = one.anything or any(other.anything for other in others)
        deeper[name] = ReadingFunction(name, tuple(sorted(tables)), anything)
    return deeper


def _calls(rows: Sequence[FunctionSourceRow]) -> dict[str, list[str]]:
    """Returns per function those that its source names, in any schema."""
    printed: dict[str, list[str]] = {}
    for row in rows:
        printed.setdefault(row.name, []).append(row.printed)
    named = {row.printed: _named(row.source, printed.keys()) | set(row.functions) for row in rows}
    return {one: [p for name in sorted(names) for p in printed.get(name, ())] for one, names in named.items()}


def _may_read_anything(row: FunctionSourceRow, views: Collection[str]) -> bool:
    return not row.readable or bool(_named(row.source, ("execute",))) or bool(_named(row.source, views))


def _named(source: str, names: Collection[str]) -> set[str]:
    """Returns the names that stand in a source, in any case; one that is no single word anywhere in it."""
    text = source.lower()
    words = set(_WORD.findall(text))
    return {n for n in names if (n.lower() in words if _WORD.fullmatch(n) else n.lower() in text)}
