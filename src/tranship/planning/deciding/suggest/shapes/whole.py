"""What the detectors of shapes look at: both databases with every pair of tables, and the shape that they
propose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files

from msgspec import Struct
from msgspec.json import decode

from tranship.model.catalog import Catalog, Column, ForeignKey, Table
from tranship.model.change import Change, ChangeClass, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Evidence
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Answers
from tranship.model.shape import NewKey
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.facts import Fact, without_values
from tranship.planning.matching.scope import quoted
from tranship.planning.names.tokens import squashed, stems

Entry = Mapping[str, object]
KEY_WORDS = frozenset(stems("id key"))
"""Words of a reference that do not say to what it leads."""
FIRST = "_first"
"""The key of a shape in the file under which the questions stand that come before it."""


class Shape(Struct, frozen=True):
    """A way to say what becomes of rows, as entries that a person may take over. It decides nothing."""

    question: str
    evidence: tuple[Fact, ...]
    entries: Mapping[str, tuple[Entry, ...]]
    """By key of the file."""
    table: TableName
    """The old table whose questions it would answer."""
    columns: tuple[str, ...] = ()
    """Of these the questions of which old columns; empty: what becomes of the table."""
    reads: tuple[TableName, ...] = ()
    """Further old tables whose rows its SQL reads, so that they are not left behind."""
    into: TableName | None = None
    """The new table, filled by another old one, into which the rows of the old table go as a whole."""
    first: tuple[str, ...] = ()
    """Old tables, and old keys with their tables, whose open questions have to be answered before it can be
    taken.
    """

    @property
    def fills(self) -> frozenset[tuple[str, str]]:
        """The new columns that its entries fill, each with its key of the file."""
        named = ((key, entry.get("new_column")) for key, own in self.entries.items() for entry in own)
        return frozenset((key, column) for key, column in named if isinstance(column, str))

    def leaves_behind(self, column: str | None) -> bool:
        """Returns whether its entries leave an old column behind."""
        own = (entry for entries in self.entries.values() for entry in entries)
        return any(e["action"] == "ignore" and e.get("old_column") == column for e in own)

    def facts(self, *, values: bool) -> tuple[str, ...]:
        """Returns the evidence in words, with or without the values of rows."""
        return tuple(str(fact) if values else without_values(fact) for fact in self.evidence)

    def body(self) -> dict[str, object]:
        """Returns what is written into the file."""
        return {
            "question": self.question,
            "_evidence": [str(fact) for fact in self.evidence],
            **({FIRST: list(self.first)} if self.first else {}),
            "resolutions": {key: list(entries) for key, entries in self.entries.items()},
        }


class PairOfTables(Struct, frozen=True):
    """One flow that was found, with the columns that only one side has."""

    pair: TablePair
    before: Table
    after: Table
    gone: tuple[Column, ...]
    """Old columns that feed nothing and that nothing is decided about."""
    come: tuple[Column, ...]
    """New columns that nothing fills."""
    key: str
    """The key of the file for its flow."""
    new: Catalog

    def into(self, table: Table, entries: Sequence[Entry]) -> Mapping[str, tuple[Entry, ...]]:
        """Returns entries under the key of the flow that leads from its old table to another new one."""
        return {f"{self.key} -> {table_key(table.name, self.new)}": tuple(entries)}

    def own(self, entries: Sequence[Entry]) -> Mapping[str, tuple[Entry, ...]]:
        """Returns entries under the key of its own flow."""
        return {self.key: tuple(entries)}

    def fed_by(self, old_column: str) -> str | None:
        """Returns the new column that an old one fills."""
        return next((one.new for one in self.pair.columns if one.old == old_column), None)


class Whole(Struct, frozen=True, dict=True):
    """Both databases."""

    old: Catalog
    new: Catalog
    evidence: Evidence
    pairs: tuple[PairOfTables, ...]
    only_old: tuple[Table, ...]
    """Old tables whose rows go nowhere."""
    unfilled: tuple[Table, ...]
    """New tables to which no rows go."""
    schema_pairs: tuple[tuple[str, str], ...] = ()
    """Schemas of OLD that correspond to schemas of NEW."""
    asked: frozenset[tuple[str, str | None]] = frozenset()
    """Flows, as changes name them, with the old columns about which a question is open."""
    pending: frozenset[TableName] = frozenset()
    """Old tables whose pair is proposed, and nobody has agreed yet."""
    new_keys: Mapping[TableName, Sequence[NewKey]] = {}
    """The new values of keys that are decided, by old table."""

    def is_common(self, name: str, after: TableName) -> bool:
        """Returns whether old tables have a column of this name whose rows go elsewhere than into one new
        table.

        ``created_at`` and ``user_id`` are in every second table: one more that has them is not of one kind
        for that.
        """
        return bool(self._homes.get(squashed(name), frozenset()) - {after})

    @cached_property
    def _homes(self) -> dict[str, set[TableName]]:
        """By name of an old column the new tables into which the rows go that have it."""
        found: dict[str, set[TableName]] = {}
        for one in self.pairs:
            for column in one.before.columns:
                found.setdefault(squashed(column.name), set()).add(one.after.name)
        return found

    def partner(self, old: TableName) -> PairOfTables | None:
        """Returns the flow from an old table that was found."""
        return next((one for one in self.pairs if one.pair.old == old and not one.pair.name), None)


def whole_of(
    sides: tuple[Catalog, Catalog],
    evidence: Evidence,
    pairs: Iterable[TablePair],
    left: tuple[Iterable[TableName], Iterable[TableName]],
    changes: Mapping[str, Sequence[Change]],
) -> Whole:
    """Returns what the detectors look at; ``left`` are the tables that only OLD and only NEW has, ``changes``
    those of each flow that nobody decided.
    """
    old, new = sides
    found = (_pair_of_tables(pair, old, new, changes.get(pair.flow, ())) for pair in pairs)
    return Whole(
        old,
        new,
        evidence,
        tuple(one for one in found if one is not None),
        _tables(old, left[0]),
        _tables(new, left[1]),
        asked=frozenset(
            (flow, change.old_column)
            for flow, own in changes.items()
            for change in own
            if change.cls is ChangeClass.BREAKING
        ),
    )


def new_keys_of(answers: Answers) -> dict[TableName, list[NewKey]]:
    """Returns the new values of keys that are decided, by old table."""
    found: dict[TableName, list[NewKey]] = {}
    for one in answers.decisions:
        if one.resolution.new_values is not None:
            found.setdefault(one.old_table, []).append(one.resolution.new_values)
    return found


def _tables(side: Catalog, names: Iterable[TableName]) -> tuple[Table, ...]:
    return tuple(table for name in names if (table := side.table(name)) is not None)


def _pair_of_tables(
    pair: TablePair, old: Catalog, new: Catalog, changes: Sequence[Change]
) -> PairOfTables | None:
    before, after = old.table(pair.old), new.table(pair.new)
    if before is None or after is None:
        return None
    gone, come = _left_behind(pair, changes), _unfilled(pair, changes)
    key = pair.name or table_key(pair.old, old)
    return PairOfTables(
        pair,
        before,
        after,
        tuple(column for column in before.columns if column.name in gone),
        tuple(column for column in after.columns if column.name in come and not column.generated),
        key,
        new,
    )


def _left_behind(pair: TablePair, changes: Sequence[Change]) -> set[str | None]:
    """Returns the old columns that have no place yet: a proposed rename is a question, too."""
    return {c.old_column for c in filter(_is_left_behind, changes)} | {one.old for one in pair.proposals}


def _unfilled(pair: TablePair, changes: Sequence[Change]) -> set[str | None]:
    """Returns the new columns that nothing fills yet."""
    return {c.new_column for c in filter(_is_added, changes)} | {one.new for one in pair.proposals}


def _is_left_behind(change: Change) -> bool:
    return change.kind is ChangeKind.COLUMN_REMOVED and change.cls is ChangeClass.BREAKING


def _is_added(change: Change) -> bool:
    return change.kind is ChangeKind.COLUMN_ADDED


def needed(table: Table) -> list[Column]:
    """Returns the columns that a row cannot do without and that the server does not fill."""
    return [c for c in table.columns if c.refuses_null and not c.filled_by_server]


def single_key(table: Table) -> str | None:
    """Returns the column of a primary key of one column."""
    key = table.primary_key
    return key.columns[0] if key is not None and len(key.columns) == 1 else None


def without_parent(whole: Whole, table: Table, column: str) -> list[Fact]:
    """Returns what is said of rows that refer to no parent, and that none would take along."""
    facts, reference = whole.evidence.of(table.name, column), table.column(column)
    said: list[Fact] = []
    if facts is not None and facts.nulls:
        of = " (a sample)" if facts.sampled else ""
        said.append(f"{rows(facts.nulls)}{of} of {table.name} without '{column}' would be left behind")
    elif facts is None and reference is not None and not reference.refuses_null:
        said.append(
            f"rows of {table.name} without '{column}' would be left behind: OLD was not asked for them"
        )
    if any(not key.validated for key in references(table) if column in key.columns):
        said.append(f"so would rows whose '{column}' OLD does not find: its foreign key is NOT VALID")
    return said


def keys_to(table: Table, target: TableName) -> list[ForeignKey]:
    """Returns the foreign keys of one column that lead to a table."""
    return [key for key in references(table) if key.target == target and len(key.columns) == 1]


def written(table: TableName) -> str:
    """Returns a table as it is written in SQL of the file: with its schema."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def computed(new_column: str, sql: str) -> Entry:
    """Returns the entry that fills a new column by an expression."""
    return {"action": "transform", "new_column": new_column, "transform_sql": sql}


def copied(old_column: str, new_column: str) -> Entry:
    """Returns the entry that fills a new column from an old one as it is."""
    return {"action": "transform", "old_column": old_column, "new_column": new_column}


@cache
def _expressions() -> dict[str, str]:
    return decode(files(__package__).joinpath("expressions.json").read_bytes(), type=dict[str, str])


def suggested_sql(name: str, **parts: str) -> str:
    """Returns SQL for a person's file, by its name in ``expressions.json``: tranship never runs it itself."""
    return _expressions()[name].format(**parts)


def rows(count: int, what: str = "row") -> str:
    """Returns a number of rows in words."""
    return f"{count} {what}{'' if count == 1 else 's'}"
