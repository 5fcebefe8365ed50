"""Keys: the id of one thing stored as a name, or as the id of another. Pure."""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.model.change import ColumnPair
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.meaning.scene import Landscape
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_ID_WORDS = ("id",)


def keys_misread(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> tuple[str, ...]:
    """Why the values would mean something else in NEW; empty where they mean the same."""
    declared = _targets(before, pair.old)
    targets = declared or _looks_like(before, pair.old, landscape)
    if not targets:
        return ()
    told = tuple(_told(before.name, pair.old, target, bool(declared)) for target in sorted(targets))
    kept = {known.get(target) for target in targets for known in (landscape.counterparts, landscape.asked)}
    new_targets = _targets(after, pair.new)
    if new_targets and not (new_targets & kept):
        shown = ", ".join(str(t) for t in sorted(new_targets))
        return (
            *told,
            f"in NEW {after.name}.{pair.new} refers to {shown}: the ids of one table would be taken for those of another",
        )
    if not new_targets and _becomes_text(pair, before, after):
        return (
            *told,
            f"in NEW {after.name}.{pair.new} is text and refers to nothing: ids would be stored as names",
        )
    return ()


def _told(table: TableName, column: str, target: TableName, declared: bool) -> str:
    word = "is a foreign key to" if declared else "looks like a key of"
    return f"in OLD {table}.{column} {word} {target}"


def _targets(table: Table, column: str) -> set[TableName]:
    return {key.target for key in table.foreign_keys if column in key.columns}


def _becomes_text(pair: ColumnPair, before: Table, after: Table) -> bool:
    old, new = before.column(pair.old), after.column(pair.new)
    return old is not None and new is not None and family(old.type) != "text" and family(new.type) == "text"


def _looks_like(before: Table, column: str, landscape: Landscape) -> set[TableName]:
    """By the data and by its name (where the two disagree, either may be meant); never a primary key itself."""
    primary = before.primary_key
    if primary is not None and column in primary.columns:
        return set()
    measured = landscape.observed.references.get(ColumnRef(before.name, column))
    return ({measured} if measured is not None else set()) | _named_after(before, column, landscape)


def _named_after(before: Table, column: str, landscape: Landscape) -> set[TableName]:
    words = stems(column)
    declared = before.column(column)
    if declared is None or len(words) < 2 or words[-1] not in _ID_WORDS:
        return set()
    owners = [
        t
        for t in landscape.old.tables
        if stems(t.name.name) == words[:-1] and _keyed_by(t, family(declared.type))
    ]
    here = [t for t in owners if t.name.schema == before.name.schema] or owners
    return {here[0].name} if len(here) == 1 else set()


def _keyed_by(table: Table, key_family: str) -> bool:
    primary = table.primary_key
    if primary is None or len(primary.columns) != 1:
        return False
    column = table.column(primary.columns[0])
    return column is not None and family(column.type) == key_family != "text"
