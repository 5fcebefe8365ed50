"""The foreign keys of a partitioned table that only its partitions declare.

Before version 11 PostgreSQL let a partitioned table have no foreign key, so that each partition declared it
for itself (PostgreSQL 10 documentation, "Partitioned Tables", Limitations).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from msgspec.structs import replace

from tranship.model.catalog import ForeignKey, Partition, Table


def references(table: Table) -> tuple[ForeignKey, ...]:
    """Returns the foreign keys that each row has to satisfy: the table's own, and those that all its
    partitions declare alike, under the name that the first partition gives them.
    """
    if not table.partitions:
        return table.foreign_keys
    each = [{_meaning(key): key for key in leaf.foreign_keys} for leaf in table.partitions]
    named = {key.name for key in table.foreign_keys}
    shared = [
        replace(key, validated=all(keys[meaning].validated for keys in each))
        for meaning, key in each[0].items()
        # Two keys of one name could not be told apart; such a key is met when the rows are written.
        if key.name not in named and all(meaning in keys for keys in each)
    ]
    return (*table.foreign_keys, *shared)


def partial_references(table: Table, whole: Iterable[ForeignKey]) -> Iterator[tuple[Partition, ForeignKey]]:
    """Yields the partitions' foreign keys that are not among those of the ``whole`` table."""
    known = set(map(_meaning, whole))
    for leaf in table.partitions:
        for key in leaf.foreign_keys:
            if _meaning(key) not in known:
                yield leaf, key


def _meaning(key: ForeignKey) -> Hashable:
    columns = frozenset(zip(key.columns, key.target_columns, strict=True))
    return key.target, columns, key.match_full, key.period, key.enforced
