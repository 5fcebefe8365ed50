"""The foreign keys of NEW by which rows refer to rows that a rollback deletes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.names import TableName
from tranship.model.references import partial_references, references
from tranship.sql.foreign_keys import Ends
from tranship.sql.new.transactions import named_to_read, relation_to_read, rows_of_partition


class Below(NamedTuple):
    """A foreign key, and the rows under it."""

    child: Table
    name: TableName
    """The table that declares the key, or a partition of it."""
    key: ForeignKey
    ends: Ends


def keys_below(catalog: Catalog) -> Iterator[Below]:
    """Yields every foreign key of NEW, also those that only some partitions of a table declare."""
    for child in catalog.tables:
        whole = references(child)
        for key in whole:
            ends = Ends(relation_to_read(child), named_to_read(catalog, key.target))
            yield Below(child, child.name, key, ends)
        for leaf, key in partial_references(child, whole):
            ends = Ends(rows_of_partition(child, leaf), named_to_read(catalog, key.target))
            yield Below(child, leaf.name, key, ends)
