"""Objects that a migration never touches (publications, text search, operators …), and properties of tables
that many tables differ in at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.model.database_objects import OtherObject
from tranship.planning.comparing.structure.sides import NOT_CREATED, STAYS, TableSides, plain_note
from tranship.planning.comparing.structure.translation import Translation
from tranship.planning.printed.tokens import canonical

_ACTIONS = {
    "event trigger": "Check that it lets the journal schema be made",
    "publication": "Its subscribers receive the moved rows",
    "subscription": "What it receives arrives beside the moved rows: disable it during the move",
}
# Tables in one line, and ways in which they differ: enough to recognize them, few enough to read.
_SHOWN = 8


def other_notes(old: Catalog, new: Catalog, translation: Translation, *, whole: bool) -> Iterator[Change]:
    """Yields notes by kind, schema and name; without ``whole`` only about what belongs to the database
    itself.
    """

    before = {_moved(other, translation): other for other in old.others if whole or not other.schema}
    after = {_place(other): other for other in new.others if whole or not other.schema}
    for place in sorted(before.keys() | after.keys()):
        yield from _note(before.get(place), after.get(place), translation)


def _place(other: OtherObject) -> tuple[str, str, str]:
    return other.kind, other.schema, canonical(other.name) or ""


def _moved(other: OtherObject, translation: Translation) -> tuple[str, str, str]:
    """Returns the place of an object of OLD as NEW would name it."""
    schema = translation.schemas.get(other.schema, other.schema)
    return other.kind, schema, translation.expression(other.name) or ""


def _note(
    before: OtherObject | None, after: OtherObject | None, translation: Translation
) -> Iterator[Change]:
    shown = after or before
    if shown is None:
        return
    words = f"{shown.kind.capitalize()} '{_name(shown)}'"
    if before is None:
        yield plain_note(
            _kind(shown, "added"), "", f"{words} only exists in new DB", _ACTIONS.get(shown.kind, STAYS)
        )
    elif after is None:
        yield plain_note(_kind(shown, "removed"), "", f"{words} only exists in old DB", NOT_CREATED)
    elif translation.expression(before.definition) != canonical(after.definition):
        text = f"{words} differs: old {before.definition or 'none'}, new {after.definition or 'none'}"
        yield plain_note(_kind(shown, "differs"), "", text, _ACTIONS.get(shown.kind, STAYS))


def _kind(other: OtherObject, how: str) -> ChangeKind:
    return ChangeKind(f"{other.kind.replace(' ', '_')}_{how}")


def _name(other: OtherObject) -> str:
    return f"{other.schema}.{other.name}" if other.schema else other.name


def shared_notes(pairs: Iterable[TableSides]) -> Iterator[Change]:
    """Yields one line each for properties that rarely differ in one table alone."""
    sides = list(pairs)
    for kind, words, of in _SHARED:
        differing = [s for s in sides if of(s.old) != of(s.new)]
        if differing:
            yield _shared(kind, words, of, differing)


def _shared(kind: ChangeKind, words: str, of: Callable[[Table], str], differing: list[TableSides]) -> Change:
    if len(differing) == 1:
        return differing[0].note(kind, f"{words}: {_way(differing[0], of)}", STAYS)
    names = ", ".join(str(sides.old.name) for sides in differing[:_SHOWN])
    more = " …" if len(differing) > _SHOWN else ""
    ways = sorted({_way(sides, of) for sides in differing})
    evidence = (*ways[:_SHOWN], "…") if len(ways) > _SHOWN else tuple(ways)
    return plain_note(kind, "", f"{words} for {len(differing)} tables: {names}{more}", STAYS, evidence)


def _way(sides: TableSides, of: Callable[[Table], str]) -> str:
    return f"old {of(sides.old) or 'default'}, new {of(sides.new) or 'default'}"


_SHARED: tuple[tuple[ChangeKind, str, Callable[[Table], str]], ...] = (
    (ChangeKind.OWNER_DIFFERS, "Owner differs", lambda table: table.owner),
    (
        ChangeKind.PRIVILEGES_DIFFER,
        "Privileges of others than the owner differ",
        lambda table: ", ".join(table.grants),
    ),
    (ChangeKind.TABLESPACE_DIFFERS, "Tablespace differs", lambda table: table.tablespace or ""),
    (ChangeKind.OPTIONS_DIFFER, "Storage parameters differ", lambda table: ", ".join(table.options)),
    (
        ChangeKind.REPLICA_IDENTITY_DIFFERS,
        "Replica identity differs",
        lambda table: table.replica_identity or "",
    ),
    (
        ChangeKind.ACCESS_METHOD_DIFFERS,
        "Access method differs",
        lambda table: "" if table.access_method == "heap" else table.access_method,
    ),
)
