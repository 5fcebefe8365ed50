"""Which columns of NEW follow new values of keys (``new_key``): an entry without a conversion of its own only
says which old column fills them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.change import ColumnPair, Pairing, TablePair
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Decision
from tranship.planning.deciding.resolve.tables import TableEntries
from tranship.planning.deciding.resolve.words import action_of, is_open
from tranship.planning.matching.new_keys import rekeyed_columns

Place = tuple[TableName, str]
"""Old table and name of the flow."""


def following(
    entries: Sequence[TableEntries], pairs: Sequence[TablePair], old: Catalog, new: Catalog
) -> Mapping[Place, frozenset[str]]:
    """Returns by flow the columns of NEW that hold a key which gets new values, or refer to one."""
    by_place = {one.place: one for one in entries}
    answers = Answers(tuple(decision for one in entries for decision in _new_keys(one)))
    if not answers.decisions:
        return {}
    completed = [_with_entries(pair, by_place.get((pair.old, pair.name))) for pair in pairs]
    found: dict[Place, frozenset[str]] = {}
    for table, flow, column in rekeyed_columns(completed, answers, old, new):
        found[table, flow] = found.get((table, flow), frozenset()) | {column}
    return found


def _new_keys(one: TableEntries) -> list[Decision]:
    asked = (entry for entry in one.entries if action_of(entry) is Action.NEW_KEY and not is_open(entry))
    return [Decision(Action.NEW_KEY, one.old.name, one.new, entry, flow=one.flow) for entry in asked]


def _with_entries(pair: TablePair, one: TableEntries | None) -> TablePair:
    """Returns a pair of tables with the pairs of columns that entries without a conversion name."""
    said = [
        ColumnPair(entry.sources[0], entry.new_column, Pairing.DECIDED)
        for entry in (one.entries if one is not None else ())
        if action_of(entry) in (Action.RENAME, Action.TRANSFORM)
        and entry.new_column is not None
        and len(entry.sources) == 1
    ]
    filled = {columns.new for columns in said}
    return replace(pair, columns=(*(one for one in pair.columns if one.new not in filled), *said))
