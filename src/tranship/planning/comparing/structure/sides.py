"""A pair of tables seen together, and the notes that are written about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from msgspec import Struct

from tranship.model.catalog import Catalog, Column, Index, Table
from tranship.model.change import Change, ChangeClass, Matching, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Demand
from tranship.model.names import TableName
from tranship.planning.comparing.structure.translation import Translation
from tranship.planning.printed.tokens import canonical, tokens

MAY_DIFFER = "compared as text: the two servers may only print it differently"
REJECTS = "Rows that break it are rejected"
STAYS = "Nothing to do: NEW stays as it is"
NOT_CREATED = "Not created: tranship moves rows, not definitions"

Item = TypeVar("Item")


Spellings = Mapping[tuple[TableName, str], str]
"""New table and expression in NEW's names → the same expression as a server spells it
(``analysis/spellings.py``).
"""

NO_SPELLINGS: Spellings = {}


class TableSides(Struct, frozen=True, dict=True):
    """An old and a new table that correspond."""

    old: Table
    new: Table
    pair: TablePair
    translation: Translation
    spellings: Spellings = NO_SPELLINGS

    @cached_property
    def columns(self) -> dict[str, str]:
        """Old column → new column."""
        return self.translation.columns.get(self.pair.old, {})

    @cached_property
    def column_pairs(self) -> tuple[tuple[Column, Column], ...]:
        """Columns that correspond, in NEW's order."""
        found = ((self.old.column(pair.old), self.new.column(pair.new)) for pair in self.pair.columns)
        return tuple((before, after) for before, after in found if before is not None and after is not None)

    @cached_property
    def fed(self) -> frozenset[str]:
        """New columns that an old one fills."""
        return frozenset(pair.new for pair in self.pair.columns)

    def renamed(self, columns: Iterable[str]) -> tuple[str, ...] | None:
        """Returns old columns by their new names; None when one of them has no counterpart."""
        found = [self.columns.get(column) for column in columns]
        return None if None in found else tuple(column for column in found if column is not None)

    def old_expression(self, text: str | None) -> str | None:
        """Returns an expression of the old table in NEW's names, as a server spells it if one was asked."""
        return self._spelled(self.translation.expression(text, self.pair.old))

    def new_expression(self, text: str | None) -> str | None:
        """Returns an expression of the new table, as a server spells it where one was asked."""
        return self._spelled(canonical(text))

    def defaults(self, before: Column, after: Column) -> tuple[str | None, str | None]:
        """Returns both defaults as values of NEW's column: ``0`` and ``0.00`` are one in a numeric(5,2)."""
        old = self.translation.expression(before.default, self.pair.old)
        return self._stored(old, after), self._stored(canonical(after.default), after)

    def _stored(self, text: str | None, column: Column) -> str | None:
        return None if text is None else self._spelled(f"CAST({text} AS {column.type.text})")

    def _spelled(self, text: str | None) -> str | None:
        return text if text is None else self.spellings.get((self.new.name, text), text)

    def spelling_evidence(self, *texts: str | None) -> tuple[str, ...]:
        """Returns the evidence that a difference may be one of spelling: nothing where a server spelled all
        texts.
        """
        compared = all(text is None or text in self.spelled for text in texts)
        return () if compared else (MAY_DIFFER,)

    @cached_property
    def spelled(self) -> frozenset[str]:
        """The expressions of this table that a server spelled."""
        return frozenset(answer for (table, _), answer in self.spellings.items() if table == self.new.name)

    def note(
        self,
        kind: ChangeKind,
        description: str,
        action: str,
        *,
        columns: tuple[str | None, str | None] = (None, None),
        evidence: tuple[str, ...] = (),
        demand: Demand | None = None,
    ) -> Change:
        """Returns a note about this pair; ``columns`` are the old and the new one that it is about."""
        return Change(
            cls=ChangeClass.SAFE,
            kind=kind,
            table=str(self.old.name),
            new_table=str(self.new.name),
            description=description,
            auto_action=action,
            old_column=columns[0],
            new_column=columns[1],
            evidence=evidence,
            demand=demand,
        )


def table_sides(
    old: Catalog,
    new: Catalog,
    matching: Matching,
    translation: Translation,
    spellings: Spellings = NO_SPELLINGS,
) -> Iterator[TableSides]:
    """Yields each pair of tables, in the order of the matching."""
    for pair in matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        if before is not None and after is not None:
            yield TableSides(before, after, pair, translation, spellings)


def body(index: Index) -> str:
    """Returns an index's definition from the access method on: without its name and its table."""
    found = tokens(index.definition)
    return "".join(found[found.index("USING") + 2 :]) if "USING" in found else index.definition


def plain_note(
    kind: ChangeKind, table: str, description: str, action: str, evidence: tuple[str, ...] = ()
) -> Change:
    """Returns a note about an object that is no pair of tables; ``table`` is empty for what the whole
    database has.
    """
    return Change(
        cls=ChangeClass.SAFE,
        kind=kind,
        table=table,
        description=description,
        auto_action=action,
        evidence=evidence,
    )


def leftovers(
    old: Sequence[Item],
    new: Sequence[Item],
    old_meaning: Callable[[Item], object],
    new_meaning: Callable[[Item], object],
) -> tuple[list[Item], list[Item]]:
    """Returns the items of each side without a counterpart of the same meaning, in order.

    An item whose meaning is None has no counterpart.
    """
    gone = _without(old, old_meaning, Counter(map(new_meaning, new)))
    added = _without(new, new_meaning, Counter(map(old_meaning, old)))
    return gone, added


def _without(items: Sequence[Item], meaning: Callable[[Item], object], other: Counter[object]) -> list[Item]:
    """Returns the items beyond the number of the same meaning on the other side."""
    left: list[Item] = []
    for item in items:
        value = meaning(item)
        if value is not None and other[value] > 0:
            other[value] -= 1
        else:
            left.append(item)
    return left


def listed(names: Iterable[str]) -> str:
    """Returns column names in parentheses."""
    return "(" + ", ".join(names) + ")"
