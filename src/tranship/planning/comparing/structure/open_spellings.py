"""Expressions of a pair of tables that differ as text and may still mean the same: what a server should
spell.
"""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Catalog, Index, Table
from tranship.model.change import Matching
from tranship.model.names import TableName
from tranship.planning.comparing.structure.sides import TableSides, table_sides
from tranship.planning.comparing.structure.translation import translation_of


def open_spellings(
    old: Catalog, new: Catalog, matching: Matching
) -> tuple[tuple[TableName, tuple[str, ...]], ...]:
    """Returns the expressions to be spelled per new table, all in NEW's names.

    These are checks, defaults, generation expressions, and keys and predicates of unique indexes and
    exclusions that one side only has while the other has some of the same sort. A server spells them
    (``analysis/spellings.py``) for ``structure_notes``.
    """
    found: dict[TableName, list[str]] = {}
    for sides in table_sides(old, new, matching, translation_of(old, new, matching)):
        texts = list(_of_pair(sides))
        if texts:
            found.setdefault(sides.new.name, []).extend(texts)
    return tuple((name, tuple(sorted(set(texts)))) for name, texts in found.items())


def _of_pair(sides: TableSides) -> Iterator[str]:
    yield from _apart(
        {sides.old_expression(c.expression) for c in sides.old.checks},
        {sides.new_expression(c.expression) for c in sides.new.checks},
    )
    for before, after in sides.column_pairs:
        old_default, new_default = sides.defaults(before, after)
        yield from _apart({old_default}, {new_default})
        yield from _apart({sides.old_expression(before.generation)}, {sides.new_expression(after.generation)})
    mine, theirs = _index_texts(sides.old), _index_texts(sides.new)
    yield from _apart(
        {sides.old_expression(text) for text in mine}, {sides.new_expression(text) for text in theirs}
    )


def _apart(old: set[str | None], new: set[str | None]) -> set[str]:
    """Returns what only one side has, where both have something: a text without a rival is no question of
    spelling.
    """
    before, after = old - new - {None}, new - old - {None}
    return {text for text in before | after if text is not None} if before and after else set()


def _index_texts(table: Table) -> list[str | None]:
    return [
        text
        for index in table.indexes
        if _is_constraining(index)
        for text in (*_expressions(index), index.predicate)
    ]


def _is_constraining(index: Index) -> bool:
    return index.unique or index.constraint_kind == "x"


def _expressions(index: Index) -> list[str]:
    return [key for key, column in zip(index.keys, index.columns, strict=True) if column is None]
