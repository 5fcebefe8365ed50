"""Tables that an existing resolutions file pairs: the data of such pairs is asked as that of found ones."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tranship.analysis.sides import Sides
from tranship.codec.resolutions import read_resolutions
from tranship.errors import UsageError
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.planning.deciding.resolve import decided_pairs
from tranship.planning.deciding.resolve.flows import with_queries
from tranship.planning.matching.scope import Scope

TablePairs = tuple[tuple[TableName, TableName], ...]


def read_decided_pairs(path: Path, sides: Sides) -> tuple[TablePairs, tuple[Problem, ...]]:
    """Returns the old and new tables that the ``rename_table`` entries of a file pair; none without a file.

    The file is only read. One that cannot be read is a warning: the comparison does not depend on it.
    """
    if not path.exists():
        return (), ()
    try:
        file = read_resolutions(path)
    except UsageError as error:
        return (), tuple(replace(one, warning=True) for one in error.problems)
    old = with_queries(file, sides.old, sides.new)
    return decided_pairs(file, (old, sides.new), sides.scope), ()


def with_pairs(scope: Scope, pairs: TablePairs) -> Scope:
    """Returns the scope in which tables are paired as if the configuration said so."""
    return replace(scope, mapping=(*scope.mapping, *pairs))
