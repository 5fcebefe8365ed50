"""What is known of the columns that an entry names: it says which answers can be kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column
from tranship.model.change import Matching, Pairing
from tranship.model.expression import Conversion
from tranship.model.names import ColumnRef
from tranship.model.resolution import Answers, Resolution
from tranship.model.types import PgType
from tranship.planning.deciding.resolve.columns import Pair
from tranship.planning.deciding.resolve.flows import place_of
from tranship.planning.matching.new_keys import rekeyed_columns
from tranship.planning.matching.scope import Scope
from tranship.planning.types.judgement import SAME, no_conversion
from tranship.planning.types.values import castable


class Target(Struct, frozen=True):
    """What is known of the columns of an entry."""

    conversion: Conversion | None = None
    """How the old column's values become its own by themselves; None where the entry names no old column."""
    type: PgType | None = None
    """The type of the new column; None where the entry names none."""
    required: bool = False
    """Something has to fill it: it is NOT NULL, and NEW gives it no value."""
    paired: bool = False
    """It and the old column belong together already: a ``rename`` would say nothing that is asked."""
    source: ColumnRef | None = None
    """The first old column; None where the entry names none."""
    old_type: PgType | None = None
    """The type of the first old column; None where the entry names none."""

    @property
    def known(self) -> tuple[str, ...]:
        """The only values that it takes, as an enum has them; empty: they are not known."""
        return self.type.leaf.labels if self.type is not None else ()

    def takes(self, text: str) -> bool:
        """Returns whether a text may be a value of the column, as far as can be said without a server."""
        return self.type is None or castable(self.type, text) is not False


def targets(
    entries: Sequence[Resolution],
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    matching: Matching,
    answers: Answers,
) -> dict[str, Target]:
    """Returns what is known of the columns, by the paths of the entries that name one."""
    belonging = {
        (pair.old, pair.name, columns.old, columns.new)
        for pair in matching.pairs
        for columns in pair.columns
        if columns.pairing is not Pairing.DECIDED or columns.old == columns.new
    }
    following = rekeyed_columns(matching.pairs, answers, *sides)
    found: dict[str, Target] = {}
    for entry, pair, flow in _with_tables(entries, sides, scope, matching):
        source = _source(entry, pair)
        target = pair.new.column(entry.new_column or "")
        found[entry.path] = _of_source(source, pair)
        if target is None:
            continue
        followed = (pair.old.name, flow, target.name) in following
        paired = source is not None and (pair.old.name, flow, source.name, target.name) in belonging
        found[entry.path] = replace(
            found[entry.path],
            conversion=SAME if followed else _conversion(pair, source, target),
            type=target.type,
            required=target.not_null and not target.filled_by_server,
            paired=paired,
        )
    return found


def _of_source(source: Column | None, pair: Pair) -> Target:
    """Returns what is known where an entry names no new column."""
    if source is None:
        return Target()
    return Target(source=ColumnRef(pair.old.name, source.name), old_type=source.type)


def _source(entry: Resolution, pair: Pair) -> Column | None:
    return pair.old.column(entry.sources[0]) if entry.sources else None


def _with_tables(
    entries: Sequence[Resolution], sides: tuple[Catalog, Catalog], scope: Scope, matching: Matching
) -> Iterator[tuple[Resolution, Pair, str]]:
    """Yields the entries of flows with both tables, and the name of the flow."""
    new_tables = {(pair.old, pair.name): pair.new for pair in matching.pairs}
    places = {key: place_of(key, *sides) for key in {entry.table for entry in entries}}
    for entry in entries:
        place = places[entry.table]
        name = new_tables.get(place) if place is not None else None
        before = sides[0].table(place[0]) if place is not None else None
        after = sides[1].table(name) if name is not None else None
        if place is not None and before is not None and after is not None:
            yield entry, Pair(before, after, *sides, scope.schema_pairs), place[1]


def _conversion(pair: Pair, source: Column | None, target: Column) -> Conversion | None:
    if source is None:
        return None
    return no_conversion("NEW computes it") if target.generated else pair.conversion(source, target)
