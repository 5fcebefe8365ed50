"""A pair of tables, and a pair of their columns, with the facts about their data."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.change import ColumnPair, Pairing, TablePair
from tranship.model.evidence import ColumnFacts, Evidence, LookupFacts
from tranship.model.expression import Conversion
from tranship.model.names import ColumnRef
from tranship.planning.comparing.landscape import fillers
from tranship.planning.comparing.meaning import (
    Concern,
    Landscape,
    Observed,
    another_key_meant,
    concern_of,
)
from tranship.planning.deciding.suggest.drafts import Field
from tranship.planning.deciding.suggest.formats import format_guesses
from tranship.planning.deciding.suggest.guesses import Guess
from tranship.planning.types.conversion import convert


class TablePairContext(Struct, frozen=True):
    """A pair of tables with the facts about their data."""

    before: Table
    after: Table
    old: Catalog
    new: Catalog
    evidence: Evidence
    schemas: tuple[tuple[str, str], ...] = ()
    ambiguous: Mapping[tuple[str, str], str] = {}
    """Proposed renames of which another column could be meant as well, with that one; empty text: or none."""
    observed: Observed = Observed()
    unfilled: tuple[Table, ...] = ()
    """Tables of NEW to which no rows go."""
    partners: tuple[TablePair, ...] = ()
    """All pairs of tables."""
    joining: tuple[Table, ...] = ()
    """Old tables whose rows are suggested to go into the new one, too."""
    columns: tuple[ColumnPair, ...] = ()
    """The columns of this pair that belong together."""

    def facts(self, left: str) -> ColumnFacts | None:
        """The facts of an old column."""
        return self.evidence.of(self.before.name, left)

    def lookups(self, left: str, right: str) -> tuple[LookupFacts, ...]:
        """The lookups asked for a pair of columns, the one that covers most first."""
        refs = ColumnRef(self.before.name, left), ColumnRef(self.after.name, right)
        asked = [
            facts
            for facts in self.evidence.lookups
            if (facts.question.old, facts.question.new) == refs and not facts.question.key_columns
        ]
        return tuple(sorted(asked, key=lambda facts: (not facts.covers, facts.ambiguous, -facts.found)))

    def convert(self, source: Column, target: Column) -> Conversion:
        """The judgement of the two types."""
        versions = self.old.server_version, self.new.server_version
        return convert(
            source.type, target.type, old_version=versions[0], new_version=versions[1], schemas=self.schemas
        )

    def concern(self, left: str, right: str) -> Concern | None:
        """Why the two may not mean the same, keys apart."""
        return concern_of(self.before, self.after, (left, right), self.observed, self.old.timezone)

    def another_key(self, left: str, right: str) -> Concern | None:
        """Returns why a reference holds a key of OLD where NEW means another one; ``over`` is that key."""
        pairs = {one.old: one.new for one in self.partners}
        known = Landscape(self.old, self.new, pairs, {}, self.observed, fillers=fillers(self.partners))
        pair = ColumnPair(left, right, Pairing.NAME)
        concern = another_key_meant(pair, self.before, self.after, known)
        return concern if concern is not None and concern.over is not None else None

    def formats(self, left: str, right: str) -> list[Guess]:
        """Expressions that read the old values as the new type would not."""
        source, target = self.before.column(left), self.after.column(right)
        if source is None or target is None or target.generated:
            return []
        return format_guesses(source, target, self.facts(left), self.new.datestyle)


class ColumnPairContext(Struct, frozen=True):
    """One old and one new column with what is known about both."""

    tables: TablePairContext
    source: Column
    target: Column
    conversion: Conversion

    @property
    def names(self) -> dict[str, Field]:
        """The two columns as fields of an entry."""
        return {"old_column": self.source.name, "new_column": self.target.name}

    @property
    def refs(self) -> tuple[ColumnRef, ColumnRef]:
        """The two columns with their tables."""
        tables = self.tables
        return ColumnRef(tables.before.name, self.source.name), ColumnRef(tables.after.name, self.target.name)

    @property
    def facts(self) -> ColumnFacts | None:
        """What the data said of the old column."""
        return self.tables.facts(self.source.name)
