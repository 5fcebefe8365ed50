"""The pairs of tables that there are once people agree to what is proposed."""

from __future__ import annotations

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.change import Matching, TablePair
from tranship.model.resolution import ResolutionFile
from tranship.model.statistics import Background
from tranship.planning.deciding.resolve.words import is_open
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import Scope


def granted_pairs(
    file: ResolutionFile,
    found: tuple[Matching, Decided],
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    background: Background,
) -> tuple[TablePair, ...]:
    """Returns the pairs with those of proposed renames of tables, about which the same file asks; none where
    nothing is open in its ``for_all``.
    """
    if not any(is_open(pattern.entry) for pattern in file.for_all):
        return ()
    matching, decided = found
    proposed = tuple((one.old, one.new) for one in matching.proposals if one.old in matching.only_old)
    if not proposed:
        return matching.pairs
    agreed = replace(decided, tables=(*decided.tables, *proposed))
    return match(*sides, scope, agreed, background=background).pairs
