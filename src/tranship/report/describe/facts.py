"""Words what the data says about a column, for the lines below its change. It gives counts alone: no row
value enters a report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tranship.model.change import Change
from tranship.model.count import count_of
from tranship.model.evidence import Breaks, ChangedValues, ColumnFacts, Demand, Evidence, Misfits

NO_EVIDENCE = Evidence()


class ColumnWords(Struct, frozen=True):
    """The facts by old table and column, under the names that changes use."""

    facts: Mapping[tuple[str, str], ColumnFacts]
    misfits: Mapping[tuple[str, str, str], Misfits]
    changed: Mapping[tuple[str, str, str], Sequence[ChangedValues]]
    breaks: Mapping[Demand, Breaks]

    def of(self, change: Change) -> tuple[str, ...]:
        """Returns the lines for one change; none where nothing is known."""
        return (*self._broken(change), *self._filled(change), *self._changed(change), *self._misfits(change))

    def at_stake(self, change: Change) -> tuple[str, ...]:
        """Returns the lines about rows that would be rejected, or changed: changes in which they differ are
        never said together.
        """
        return (*self._broken(change), *self._changed(change), *self._misfits(change))

    def _broken(self, change: Change) -> Iterator[str]:
        broken = self.breaks.get(change.demand) if change.demand is not None else None
        if broken is not None:
            verb = "breaks" if broken.rows == 1 else "break"
            yield f"{_rows(broken.rows)} of OLD {verb} it{_sampled(broken.sampled)}"

    def _filled(self, change: Change) -> Iterator[str]:
        facts = self.facts.get((change.table, change.old_column)) if change.old_column is not None else None
        if facts is not None and change.requires_manual:
            hold = "holds" if facts.rows == 1 else "hold"
            words = f"{facts.filled} of {_rows(facts.rows)} {hold} a value, {facts.distinct} distinct"
            longest = f", the longest {count_of(facts.longest, 'character')}" if facts.longest else ""
            yield words + longest + _sampled(facts.sampled)

    def _changed(self, change: Change) -> Iterator[str]:
        if change.old_column is None or not change.requires_manual:
            return
        for one in self.changed.get((change.table, change.old_column, change.new_column or ""), ()):
            yield f"{_rows(one.rows)} of OLD would change: {one.loss}{_sampled(one.sampled)}"

    def _misfits(self, change: Change) -> Iterator[str]:
        if change.old_column is None or not change.requires_manual:
            return
        misfits = self.misfits.get((change.table, change.old_column, change.new_column or ""))
        if misfits is not None:
            yield f"{_rows(misfits.rows)} of OLD would be refused: {misfits.what}{_sampled(misfits.sampled)}"


def column_facts(evidence: Evidence) -> ColumnWords:
    """Returns the evidence in the form in which the report looks it up."""
    changed: dict[tuple[str, str, str], list[ChangedValues]] = {}
    for one in evidence.changed:
        changed.setdefault((str(one.old.table), one.old.column, one.new.column), []).append(one)
    return ColumnWords(
        {(str(f.column.table), f.column.column): f for f in evidence.columns},
        {(str(m.old.table), m.old.column, m.new.column): m for m in evidence.misfits},
        changed,
        {b.demand: b for b in evidence.breaks},
    )


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _sampled(sampled: bool) -> str:
    return " (in a sample)" if sampled else ""
