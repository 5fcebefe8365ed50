"""What the judgement of meaning looks at: both catalogs, what the data said, and one pair of columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import chain

from msgspec import Struct, field

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.evidence import ColumnFacts, Evidence, NumberFacts, Reference, RowsInNew
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.model.types import TypeKind
from tranship.planning.comparing.meaning.units import Unit, unit_of
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family
from tranship.planning.names.tokens import squashed, stems, words

AS_THEY_ARE = "if the values themselves are meant: action 'transform' with the same columns alone"
"""Stands in the evidence of a change of meaning that a bare conversion may answer."""


class Observed(Struct, frozen=True):
    """What the data said about columns whose meaning may change; a column that is missing was not asked."""

    references: Mapping[ColumnRef, Reference] = field(default_factory=dict)
    """The keys that the values of a column of OLD without a foreign key are."""
    values: Mapping[ColumnRef, ColumnFacts] = field(default_factory=dict)
    """Of OLD, and likewise ``numbers``."""
    values_there: Mapping[ColumnRef, ColumnFacts] = field(default_factory=dict)
    """Of NEW, and likewise ``numbers_there``."""
    numbers: Mapping[ColumnRef, NumberFacts] = field(default_factory=dict)
    numbers_there: Mapping[ColumnRef, NumberFacts] = field(default_factory=dict)
    left_rows: Mapping[TableName, RowsInNew] = field(default_factory=dict)
    """Rows of the old tables that have no counterpart."""
    in_new: Mapping[TableName, RowsInNew] = field(default_factory=dict)
    """Tables of NEW that hold rows already."""
    extension_rows: Mapping[TableName, RowsInNew] = field(default_factory=dict)
    """Rows of the user in OLD's tables that belong to an extension."""
    unanswered: frozenset[ColumnRef] = frozenset()
    """Columns of OLD that were to be asked about what they measure or list, and that could not be asked."""


def observed_in(evidence: Evidence) -> Observed:
    """The part of the evidence that classes depend on."""
    return Observed(
        references={reference.column: reference for reference in evidence.references},
        values={facts.column: facts for facts in evidence.columns},
        values_there={facts.column: facts for facts in evidence.there},
        numbers={facts.column: facts for facts in evidence.numbers},
        numbers_there={facts.column: facts for facts in evidence.numbers_there},
        left_rows={facts.table: facts for facts in evidence.left_rows},
        in_new={facts.table: facts for facts in evidence.in_new},
        extension_rows={facts.table: facts for facts in evidence.extension_rows},
        unanswered=frozenset(evidence.unanswered),
    )


class Landscape(Struct, frozen=True, dict=True):
    """Both catalogs and how their tables correspond, table renames and decisions applied."""

    old: Catalog
    new: Catalog
    counterparts: Mapping[TableName, TableName]
    asked: Mapping[TableName, TableName]
    """Table renames that are an open question: nothing is asked twice."""
    observed: Observed
    flows: Mapping[TableName, frozenset[TableName]] = field(default_factory=dict)
    """By old table the new ones that its flows fill, which may be several."""
    fillers: Mapping[ColumnRef, frozenset[ColumnRef]] = field(default_factory=dict)
    """By column of NEW the columns of OLD that are taken for the same."""
    adopting: frozenset[tuple[TableName, str]] = frozenset()
    """New table and name of each foreign key under which a person means NEW's own rows."""

    @cached_property
    def filled(self) -> frozenset[TableName]:
        """The tables of NEW that an old one fills, or may fill."""
        known = (self.counterparts.values(), self.asked.values(), *self.flows.values())
        return frozenset(chain.from_iterable(known))


class KeyOfParents(Struct, frozen=True):
    """A key of OLD that references hold, and the column of its table that NEW means instead."""

    table: TableName
    columns: tuple[str, ...]
    """The columns of the key."""
    held: tuple[str, ...]
    """The columns of the referring table that hold it, in the order of ``columns``."""
    instead: str


class Concern(Struct, frozen=True):
    """Why the values would mean something else in NEW, and what would translate them."""

    evidence: tuple[str, ...]
    """Evidence in words, without values of rows."""
    sql: str | None = None
    """An expression over the old row, as ``transform_sql`` takes it."""
    keys: bool = False
    """Ids would be taken for names or for other ids: a rename is no answer."""
    bare: bool = False
    """Beside ``keys``: the values may mean what they say, so that a bare conversion is one of the answers."""
    unasked: bool = False
    """Nothing is known: the data could not be asked."""
    guess: bool = False
    """Only a word of a name speaks for ``sql``."""
    opposite: bool = False
    """The new name asks the opposite of the old one: the bare value is never an answer."""
    over: KeyOfParents | None = None
    """The key of OLD that the values are, where NEW means another one."""


class PairContext(Struct, frozen=True, dict=True):
    """One old and one new column that are taken for the same."""

    before: Table
    after: Table
    old: Column
    new: Column
    observed: Observed = Observed()
    zone: str = "UTC"
    """OLD's database time zone."""

    @property
    def value(self) -> str:
        """The old value in an expression."""
        return f"old.{quoted(self.old.name)}"

    @cached_property
    def families(self) -> tuple[str, str]:
        """Of the old and the new type."""
        return family(self.old.type), family(self.new.type)

    @cached_property
    def old_words(self) -> frozenset[str]:
        """The words of the old name, as written and spelled out."""
        return _words_of(self.old.name, self.new.name)

    @cached_property
    def new_words(self) -> frozenset[str]:
        """The words of the new name."""
        return _words_of(self.new.name, self.old.name)

    @cached_property
    def units(self) -> tuple[Unit | None, Unit | None]:
        """Returns the units that the two columns say; of names that differ by their separators alone, one."""
        left, right = unit_of(self.old), unit_of(self.new)
        if self.old.name != self.new.name and squashed(self.old.name) == squashed(self.new.name):
            return left or right, right or left
        return left, right

    @cached_property
    def is_key(self) -> bool:
        """A part of a primary or foreign key on either side: an identifier, no measure."""
        return _in_key(self.before, self.old.name) or _in_key(self.after, self.new.name)

    @property
    def held(self) -> ColumnFacts | None:
        """The values of the old column."""
        return self.observed.values.get(ColumnRef(self.before.name, self.old.name))

    @property
    def held_there(self) -> ColumnFacts | None:
        """The values that the new column holds already."""
        return self.observed.values_there.get(ColumnRef(self.after.name, self.new.name))

    @property
    def numbers(self) -> NumberFacts | None:
        """The magnitudes of the old column."""
        return self.observed.numbers.get(ColumnRef(self.before.name, self.old.name))

    @property
    def numbers_there(self) -> NumberFacts | None:
        """The magnitudes that the new column holds already."""
        return self.observed.numbers_there.get(ColumnRef(self.after.name, self.new.name))

    @property
    def checks(self) -> tuple[str, ...]:
        """The conditions that NEW puts on the new column alone and OLD does not put on the old one."""
        known = set(_conditions(self.before, self.old))
        return tuple(
            expression for expression in _conditions(self.after, self.new) if expression not in known
        )


def _words_of(name: str, other: str) -> frozenset[str]:
    """As written and spelled out; a glued name has the words of the same name with separators."""
    names = (name, other) if squashed(name) == squashed(other) else (name,)
    return frozenset(word for one in names for word in (*words(one), *stems(one)))


def _in_key(table: Table, column: str) -> bool:
    primary = table.primary_key
    return (primary is not None and column in primary.columns) or any(
        column in key.columns for key in references(table)
    )


def _conditions(table: Table, column: Column) -> tuple[str, ...]:
    found = [check.expression for check in table.checks if check.columns == (column.name,) and check.enforced]
    inner = column.type
    while inner.kind is TypeKind.DOMAIN and inner.element is not None:
        found += [check.expression for check in inner.checks]
        inner = inner.element
    return tuple(found)
