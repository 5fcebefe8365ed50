"""Views, materialized views and foreign tables, and names that are a table on one side alone."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Change, Pairing, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.planning.comparing.structure.attachments import view_notes
from tranship.planning.comparing.structure.sides import MAY_DIFFER, STAYS, TableSides, plain_note
from tranship.planning.comparing.structure.translation import Translation
from tranship.planning.printed.tokens import canonical

_WORDS = {
    RelationKind.VIEW: "view",
    RelationKind.MATERIALIZED_VIEW: "materialized view",
    RelationKind.FOREIGN_TABLE: "foreign table",
    RelationKind.TABLE: "table",
    RelationKind.PARTITIONED_TABLE: "table",
}
_KINDS = {
    RelationKind.VIEW: "view",
    RelationKind.MATERIALIZED_VIEW: "materialized_view",
    RelationKind.FOREIGN_TABLE: "foreign_table",
}
_SHOWN = tuple(_KINDS)


def relation_notes(old: Catalog, new: Catalog, translation: Translation) -> list[Change]:
    """Returns notes about relations whose rows are never moved, by name."""
    counterparts = {table.name: new.table(translation.table(table.name)) for table in old.tables}
    paired = {table.name for table in counterparts.values() if table is not None}
    notes = [note for table in old.tables for note in _of_old(table, counterparts[table.name], translation)]
    return notes + [
        _only_new(table) for table in new.tables if table.name not in paired and table.kind in _SHOWN
    ]


def _of_old(before: Table, after: Table | None, translation: Translation) -> Iterator[Change]:
    words = _WORDS[before.kind]
    if after is None:
        if before.kind in _SHOWN:
            text = f"{words.capitalize()} '{before.name}' only exists in old DB"
            yield plain_note(
                ChangeKind(f"{_KINDS[before.kind]}_removed"),
                str(before.name),
                text,
                "Not moved: it holds no rows of its own",
            )
        return
    if words != _WORDS[after.kind]:
        text = f"'{before.name}' is a {words} in old DB and a {_WORDS[after.kind]} in new DB"
        unread = "Not moved: no rows are read from it; what NEW holds stays"
        yield plain_note(
            ChangeKind.RELATION_KIND_DIFFERS,
            str(before.name),
            text,
            unread if before.kind in _SHOWN else f"No row is written to a {_WORDS[after.kind]}",
        )
        return
    if before.kind in _SHOWN:
        yield from _not_moved(before, after, translation)


def _not_moved(before: Table, after: Table, translation: Translation) -> Iterator[Change]:
    """Yields notes about a relation of the same kind on both sides that holds no rows of its own."""
    words, kind, name = _WORDS[before.kind], _KINDS[before.kind], str(before.name)
    if before.kind == RelationKind.MATERIALIZED_VIEW:
        text = f"Materialized view '{before.name}' is not moved and shows NEW's old content afterwards"
        action = f"REFRESH MATERIALIZED VIEW {after.name} after the move"
        yield plain_note(ChangeKind.MATERIALIZED_VIEW_STALE, name, text, action)
    else:
        text = f"{words.capitalize()} '{before.name}' is not moved"
        yield plain_note(ChangeKind(f"{kind}_not_moved"), name, text, STAYS)
    same = translation.expression(before.definition) == canonical(after.definition)
    if not same or _columns(before) != _columns(after):
        text = f"{words.capitalize()} '{before.name}' differs"
        yield plain_note(ChangeKind(f"{kind}_differs"), name, text, STAYS, (MAY_DIFFER,))
    pair = TablePair(before.name, after.name, Pairing.NAME)
    yield from view_notes(TableSides(before, after, pair, translation))


def _columns(table: Table) -> tuple[tuple[str, str], ...]:
    return tuple((column.name, column.type.text) for column in table.columns)


def _only_new(table: Table) -> Change:
    action = (
        f"REFRESH MATERIALIZED VIEW {table.name} after the move"
        if table.kind == RelationKind.MATERIALIZED_VIEW
        else STAYS
    )
    return plain_note(
        ChangeKind(f"{_KINDS[table.kind]}_added"),
        str(table.name),
        f"{_WORDS[table.kind].capitalize()} '{table.name}' only exists in new DB",
        action,
    )
