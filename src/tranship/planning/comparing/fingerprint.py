"""The fingerprint of a catalog: equal as long as the definitions are."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column, ForeignKey, Partition, Table

_HASH_PARTITION = re.compile(r"satisfies_hash_partition\('\d+'::oid")


def fingerprinted(catalog: Catalog) -> Catalog:
    """Returns the catalog with its own fingerprint."""
    return replace(catalog, fingerprint=fingerprint(catalog))


def fingerprint(catalog: Catalog) -> str:
    """Returns the SHA-256 over the definitions in scope, in hexadecimal.

    It is independent of OIDs, sizes, estimates, comments, owners, the reader's role and privileges, the
    server's version, and of the order of reading: none of these changes what a migration has to do.
    """
    digest = sha256()
    head = (
        catalog.encoding,
        catalog.collation,
        tuple(sorted(catalog.schemas)),
        tuple(sorted((extension.name, extension.schema) for extension in catalog.extensions)),
        tuple(sorted(catalog.casts)),
        sorted(catalog.routines, key=lambda routine: (routine.name, routine.kind, routine.arguments)),
        [replace(type_, comment=None) for type_ in sorted(catalog.types, key=lambda type_: type_.name)],
        [
            replace(sequence, privileges=(), owned=True)
            for sequence in sorted(catalog.sequences, key=lambda sequence: sequence.name)
        ],
    )
    encoder = msgspec.json.Encoder()
    digest.update(encoder.encode(head))
    for table in sorted(catalog.tables, key=lambda table: table.name):
        digest.update(encoder.encode(definition(table)))
    return digest.hexdigest()


def definition(table: Table) -> Table:
    """Returns the table without what is not its definition."""
    return Table(
        name=table.name,
        kind=table.kind,
        columns=tuple(_column(column) for column in table.columns),
        keys=tuple(sorted(table.keys, key=lambda key: key.name)),
        foreign_keys=tuple(_foreign_key(key) for key in sorted(table.foreign_keys, key=lambda key: key.name)),
        checks=tuple(sorted(table.checks, key=lambda check: check.name)),
        indexes=tuple(sorted(table.indexes, key=lambda index: index.name)),
        triggers=tuple(sorted(table.triggers, key=lambda trigger: trigger.name)),
        rules=tuple(sorted(table.rules, key=lambda rule: rule.name)),
        policies=tuple(sorted(table.policies, key=lambda policy: policy.name)),
        row_security=table.row_security,
        force_row_security=table.force_row_security,
        persistence=table.persistence,
        partition_key=table.partition_key,
        partition_of=table.partition_of,
        partitions=tuple(sorted((_partition(leaf) for leaf in table.partitions), key=lambda leaf: leaf.name)),
        has_default_partition=table.has_default_partition,
        parents=table.parents,
        children=tuple(sorted(table.children)),
        access_method=table.access_method,
        of_type=table.of_type,
        extension=table.extension,
        definition=table.definition,
    )


def _column(column: Column) -> Column:
    return replace(column, attnum=0, comment=None, storage="")


def portable_bound(constraint: str | None) -> str | None:
    """Returns a partition's constraint without the OID of its parent, which a hash partition names."""
    return None if constraint is None else _HASH_PARTITION.sub("satisfies_hash_partition(", constraint)


def _partition(leaf: Partition) -> Partition:
    keys = tuple(_foreign_key(key) for key in leaf.foreign_keys)
    bound = portable_bound(leaf.constraint)
    return replace(leaf, constraint=bound, selectable=True, oid=0, foreign_keys=keys)


def _foreign_key(key: ForeignKey) -> ForeignKey:
    return replace(key, operators=(), collations=())
