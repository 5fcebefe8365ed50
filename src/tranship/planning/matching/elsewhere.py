"""What the tables in which a rename is proven say of the same rename in others: evidence, never a pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.change import Pairing, Proposal, TablePair

_PROVEN = (Pairing.LINEAGE, Pairing.RULE)
_MOST_NAMED = 3

_Rename = tuple[str, str, str, str]
"""The names and the types of an old and a new column."""


def with_proven_elsewhere(pairs: Sequence[TablePair], old: Catalog, new: Catalog) -> tuple[TablePair, ...]:
    """Returns the pairs of tables; a column that may be renamed is told where else the same rename of the
    same types is proven.
    """
    proven: dict[_Rename, list[TablePair]] = {}
    for pair in pairs:
        for rename in _proven(pair, old, new):
            proven.setdefault(rename, []).append(pair)
    if not proven:
        return tuple(pairs)
    return tuple(
        replace(pair, proposals=tuple(_told(pair, one, proven, old, new) for one in pair.proposals))
        for pair in pairs
    )


def _proven(pair: TablePair, old: Catalog, new: Catalog) -> Iterator[_Rename]:
    """Yields the renames of a pair of tables that a rule proves."""
    for columns in pair.columns:
        if columns.pairing in _PROVEN and columns.old != columns.new:
            rename = _rename(pair, columns.old, columns.new, old, new)
            if rename is not None:
                yield rename


def _rename(pair: TablePair, left: str, right: str, old: Catalog, new: Catalog) -> _Rename | None:
    before, after = old.table(pair.old), new.table(pair.new)
    source = before.column(left) if before is not None else None
    target = after.column(right) if after is not None else None
    if source is None or target is None:
        return None
    return left, right, source.type.text, target.type.text


def _told(
    pair: TablePair, one: Proposal, proven: dict[_Rename, list[TablePair]], old: Catalog, new: Catalog
) -> Proposal:
    rename = _rename(pair, one.old, one.new, old, new)
    where = [other.flow for other in proven.get(rename, ())] if rename is not None else []
    if not where:
        return one
    more = f" and {len(where) - _MOST_NAMED} more" if len(where) > _MOST_NAMED else ""
    why = f"the same rename of the same types is proven in {', '.join(where[:_MOST_NAMED])}{more}"
    return replace(one, evidence=(*one.evidence, why))
