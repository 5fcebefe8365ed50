"""Objects that the moving never touches (publications, text search, operators …), and what many tables at once may differ in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Change
from tranship.model.database_objects import OtherObject
from tranship.planning.comparing.structure.sides import STAYS, TableSides, Translation, plain_note
from tranship.planning.printed.tokens import canonical

_ALONE = "Not created: tranship moves rows, not definitions"
_ACTIONS = {
    "event trigger": "Check that it lets the journal schema be made",
    "publication": "Its subscribers receive the moved rows",
    "subscription": "What it receives arrives beside the moved rows: disable it during the move",
}
_SHOWN = 8


def other_notes(old: Catalog, new: Catalog, translation: Translation, *, whole: bool) -> Iterator[Change]:
    """By kind, schema and name; not *whole*: only what belongs to the database itself."""

    def key(other: OtherObject, *, own: bool) -> tuple[str, str, str]:
        if own:
            return other.kind, other.schema, canonical(other.name) or ""
        return (
            other.kind,
            translation.schemas.get(other.schema, other.schema),
            translation.expression(other.name) or "",
        )

    before = {key(other, own=False): other for other in old.others if whole or not other.schema}
    after = {key(other, own=True): other for other in new.others if whole or not other.schema}
    for place in sorted(before.keys() | after.keys()):
        yield from _note(before.get(place), after.get(place), translation)


def _note(
    before: OtherObject | None, after: OtherObject | None, translation: Translation
) -> Iterator[Change]:
    shown = after or before
    if shown is None:
        return
    kind, words = shown.kind.replace(" ", "_"), f"{shown.kind.capitalize()} '{_name(shown)}'"
    if before is None:
        yield plain_note(
            f"{kind}_added", "", f"{words} only exists in new DB", _ACTIONS.get(shown.kind, STAYS)
        )
    elif after is None:
        yield plain_note(f"{kind}_removed", "", f"{words} only exists in old DB", _ALONE)
    elif translation.expression(before.definition) != canonical(after.definition):
        text = f"{words} differs: old {before.definition or 'none'}, new {after.definition or 'none'}"
        yield plain_note(f"{kind}_differs", "", text, _ACTIONS.get(shown.kind, STAYS))


def _name(other: OtherObject) -> str:
    return f"{other.schema}.{other.name}" if other.schema else other.name


def shared_notes(pairs: Iterable[TableSides]) -> Iterator[Change]:
    """What rarely differs in one table alone, in one line each."""
    sides = list(pairs)
    for kind, words, of in _SHARED:
        differing = [s for s in sides if of(s.old) != of(s.new)]
        if differing:
            yield _shared(kind, words, of, differing)


def _shared(kind: str, words: str, of: Callable[[Table], str], differing: list[TableSides]) -> Change:
    first = differing[0]
    if len(differing) == 1:
        return first.note(
            kind, f"{words}: old {of(first.old) or 'default'}, new {of(first.new) or 'default'}", STAYS
        )
    names = ", ".join(str(s.old.name) for s in differing[:_SHOWN]) + (" …" if len(differing) > _SHOWN else "")
    ways = sorted({f"old {of(s.old) or 'default'}, new {of(s.new) or 'default'}" for s in differing})
    return plain_note(
        kind,
        "",
        f"{words} for {len(differing)} tables: {names}",
        STAYS,
        (*ways[:_SHOWN], *(("…",) if len(ways) > _SHOWN else ())),
    )


_SHARED: tuple[tuple[str, str, Callable[[Table], str]], ...] = (
    ("owner_differs", "Owner differs", lambda table: table.owner),
    (
        "privileges_differ",
        "Privileges of others than the owner differ",
        lambda table: ", ".join(table.grants),
    ),
    ("tablespace_differs", "Tablespace differs", lambda table: table.tablespace or ""),
    ("options_differ", "Storage parameters differ", lambda table: ", ".join(table.options)),
    ("replica_identity_differs", "Replica identity differs", lambda table: table.replica_identity or ""),
    (
        "access_method_differs",
        "Access method differs",
        lambda table: "" if table.access_method == "heap" else table.access_method,
    ),
)
