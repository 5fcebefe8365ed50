"""Patterns of a command line that choose old tables: ``-t 'sales.*' -T '*_log'``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.errors.codes.scope import EverythingExcluded, NothingMatches
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.planning.matching.scope import Scope, matches, moved_tables, nearest_hint, unreadable


def narrowed(
    scope: Scope, old: Catalog, only: Sequence[str], never: Sequence[str], problems: Sequence[Problem]
) -> tuple[Scope, tuple[Problem, ...]]:
    """Returns the scope without the old tables that the patterns leave out, and every problem.

    Args:
        scope: what the configuration selects.
        old: OLD's catalog.
        only: only tables that match one of these patterns take part; empty: all.
        never: tables that match one of these take no part.
        problems: those of the scope; one about reading a table that is left out is none any more.
    """
    if not (*only, *never):
        return scope, tuple(problems)
    moved = moved_tables(old, scope)
    names = [*(table.name for table in moved), *scope.of_new]
    chosen = tuple(name for name in names if _chosen(name, only, never))
    pointless = {unreadable(table, old) for table in moved if table.name not in chosen}
    found = [problem for problem in problems if problem not in pointless]
    found += _without_match(names, (*only, *never), old.database)
    if not chosen and not found:
        found.append(EverythingExcluded(old.database).problem())
    tables = None if scope.tables is None else _among(scope.tables, chosen)
    of_new = _among(scope.of_new, chosen)
    return replace(scope, tables=tables, of_new=of_new, only=chosen, never=tuple(never)), tuple(found)


def _among(names: Sequence[TableName], chosen: Sequence[TableName]) -> tuple[TableName, ...]:
    return tuple(name for name in names if name in chosen)


def _without_match(names: Sequence[TableName], patterns: Sequence[str], database: str) -> Iterator[Problem]:
    """Yields a problem for each pattern that matches nothing: it is probably misspelt."""
    for pattern in patterns:
        if not any(matches(name, pattern) for name in names):
            near = nearest_hint(pattern, [*(name.name for name in names), *map(str, names)])
            yield NothingMatches(pattern, database, f"{near} " if near else "").problem()


def _chosen(name: TableName, only: Sequence[str], never: Sequence[str]) -> bool:
    wanted = not only or any(matches(name, pattern) for pattern in only)
    return wanted and not any(matches(name, pattern) for pattern in never)
