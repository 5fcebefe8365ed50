"""What holds for a whole database: encoding, collation, zone, extensions, large objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tranship.model.catalog import Catalog
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.planning.comparing.structure.sides import NOT_CREATED, STAYS, plain_note


def database_notes(old: Catalog, new: Catalog, others: Iterable[Change]) -> list[Change]:
    """Returns the notes in a fixed order of kinds, with those of ``others.py``; by name within a kind."""
    return [
        *_settings(old, new),
        *_extensions(old, new),
        *others,
        *_large_objects(old),
    ]


def _settings(old: Catalog, new: Catalog) -> Iterator[Change]:
    compared = (
        (
            ChangeKind.ENCODING_DIFFERS,
            "encoding",
            old.encoding,
            new.encoding,
            "Text is converted; a value that NEW's encoding lacks rejects its row",
        ),
        (
            ChangeKind.COLLATION_DIFFERS,
            "collation",
            old.collation,
            new.collation,
            "Order and case may differ in indexes and comparisons; the values are the same",
        ),
        (
            ChangeKind.TIMEZONE_DIFFERS,
            "timezone",
            old.timezone,
            new.timezone,
            "Conversions between timestamps with and without zone use OLD's zone",
        ),
        (
            ChangeKind.DATESTYLE_DIFFERS,
            "datestyle",
            old.datestyle,
            new.datestyle,
            "Text is read as a date in NEW's order",
        ),
    )
    for kind, word, before, after, action in compared:
        if before != after:
            yield plain_note(kind, "", f"Database {word} differs: old {before}, new {after}", action)


def _extensions(old: Catalog, new: Catalog) -> Iterator[Change]:
    before, after = {e.name: e.version for e in old.extensions}, {e.name: e.version for e in new.extensions}
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield plain_note(
                ChangeKind.EXTENSION_ADDED, "", f"Extension '{name}' only exists in new DB", STAYS
            )
        elif name not in after:
            yield plain_note(
                ChangeKind.EXTENSION_REMOVED, "", f"Extension '{name}' only exists in old DB", NOT_CREATED
            )
        elif before[name] != after[name]:
            yield plain_note(
                ChangeKind.EXTENSION_DIFFERS,
                "",
                f"Extension '{name}' differs: old version {before[name]}, new version {after[name]}",
                STAYS,
            )


def _large_objects(old: Catalog) -> Iterator[Change]:
    if old.large_objects:
        text = f"{old.large_objects} large object{'s' if old.large_objects != 1 else ''} in old DB"
        yield plain_note(
            ChangeKind.LARGE_OBJECTS,
            "",
            text,
            "Not moved: columns of type oid keep numbers that NEW may not know",
        )
