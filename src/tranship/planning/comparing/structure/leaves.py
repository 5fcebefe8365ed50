"""Constraints of single partitions of NEW beyond those of their root, where OLD did not promise them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Check, ForeignKey, Key, Partition
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.model.names import ColumnRef
from tranship.planning.comparing.structure.constraints import foreign_key_words
from tranship.planning.comparing.structure.sides import REJECTS, TableSides, listed


def leaf_notes(sides: TableSides) -> list[Change]:
    """Returns the notes by partition: in each keys, then foreign keys, then checks."""
    known, found = _promises(sides), dict[str, list[tuple[str, Partition]]]()
    for leaf in sides.new.partitions:
        for meaning, text in _of_leaf(sides, leaf, known):
            found.setdefault(meaning, []).append((text, leaf))
    return [_note(sides, meaning, alike) for meaning, alike in found.items()]


def _of_leaf(sides: TableSides, leaf: Partition, known: frozenset[object]) -> Iterator[tuple[str, str]]:
    """Yields each constraint in words, without its name, of which each partition has its own, and with it."""
    for key in leaf.keys:
        if _key(key, key.columns) not in known:
            kind = "PRIMARY KEY" if key.primary else "UNIQUE"
            yield f"{kind} {listed(key.columns)}", f"{kind} '{key.name}' {listed(key.columns)}"
    for reference in leaf.foreign_keys:
        meaning = reference.target, frozenset(zip(reference.columns, reference.target_columns, strict=True))
        if reference.enforced and meaning not in known:
            text = foreign_key_words(reference)
            yield text.replace(f" '{reference.name}'", "", 1), text
    for check in leaf.checks:
        if check.enforced and sides.new_expression(check.expression) not in known:
            on = f"on {listed(check.columns)}: {check.expression}"
            yield f"CHECK {on}", f"CHECK '{check.name}' {on}"


def _note(sides: TableSides, meaning: str, alike: Sequence[tuple[str, Partition]]) -> Change:
    """Returns the note about constraints that say the same of one or more partitions."""
    (text, first), *others = alike
    where = f"partition '{first.name}'"
    if others:
        text, where = meaning, f"{len(alike)} partitions, '{first.name}' to '{others[-1][1].name}'"
    return sides.note(ChangeKind.NEW_CONSTRAINT, f"New {text} of {where}", REJECTS)


def _promises(sides: TableSides) -> frozenset[object]:
    """Returns every constraint of the whole old table by its meaning, in NEW's names."""
    meanings: list[object] = [
        _key(key, columns) for key in sides.old.keys if (columns := sides.renamed(key.columns)) is not None
    ]
    meanings += [_reference(sides, key) for key in sides.old.foreign_keys if key.validated and key.enforced]
    meanings += [_check(sides, check) for check in sides.old.checks if check.validated and check.enforced]
    return frozenset(meanings)


def _key(key: Key, columns: tuple[str, ...]) -> object:
    return frozenset(columns), key.nulls_not_distinct


def _reference(sides: TableSides, key: ForeignKey) -> object:
    columns = sides.renamed(key.columns)
    if columns is None:
        return None
    targets = [
        sides.translation.column(ColumnRef(key.target, column)).column for column in key.target_columns
    ]
    return sides.translation.table(key.target), frozenset(zip(columns, targets, strict=True))


def _check(sides: TableSides, check: Check) -> object:
    return sides.old_expression(check.expression)
