"""Entries that say which column an old one became, and leave to a pattern how its values are read."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tranship.model.catalog import Catalog, Table
from tranship.model.resolution import Action, Resolution
from tranship.planning.deciding.resolve.tables import TableEntries
from tranship.planning.types.conversion import convert


def renames_to_convert(
    own: TableEntries | None, after: Table | None, old: Catalog, new: Catalog
) -> Iterator[tuple[str, str]]:
    """Yields the old and new columns of each ``rename`` whose values need a conversion that such an entry
    does not choose.

    Where NEW has a column of the old name, too, a rename says that the old column does not fill that one,
    which no conversion would say: it is not among them.
    """
    if own is None or after is None:
        return
    for entry in own.entries:
        left, right = entry.old_column or "", entry.new_column or ""
        source, target = own.old.column(left), after.column(right)
        if not _renames(entry, left, right) or source is None or target is None or after.column(left):
            continue
        conversion = convert(
            source.type, target.type, old_version=old.server_version, new_version=new.server_version
        )
        if conversion.bare and not conversion.automatic:
            yield left, right


def without_rename(own: TableEntries, left: str, right: str) -> TableEntries:
    """Returns the entries of a flow without those that call one column renamed."""
    return replace(own, entries=tuple(one for one in own.entries if not _renames(one, left, right)))


def _renames(entry: Resolution, left: str, right: str) -> bool:
    return entry.action == Action.RENAME and (entry.old_column, entry.new_column) == (left, right)
