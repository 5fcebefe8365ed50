"""Facts about data in words, for ``_evidence`` in the resolutions file."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.count import count_of
from tranship.model.evidence import ChangedValues, ColumnFacts, LookupFacts, Misfits

# Values quoted in one line: as many as a person takes in at a glance.
_SHOWN = 8


class Valued(Struct, frozen=True):
    """A fact that quotes values of rows: whole for the file, without them for a terminal."""

    plain: str
    values: str

    def __str__(self) -> str:
        return f"{self.plain}: {self.values}"


Fact = str | Valued


def without_values(fact: Fact) -> str:
    """Returns the fact as a terminal may show it: values of rows belong to whoever may read them."""
    return fact.plain if isinstance(fact, Valued) else fact


def quoting(plain: str, values: Sequence[str], *, shown: int = _SHOWN) -> Valued:
    """Returns a fact about values, of which the first ``shown`` are quoted."""
    quoted = ", ".join(repr(value) for value in values[:shown])
    return Valued(plain, quoted + _and_more(len(values) - shown))


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def column_evidence(facts: ColumnFacts | None, *, left_behind: bool = False) -> tuple[Fact, ...]:
    """Returns what an old column holds, in words."""
    if facts is None:
        return ()
    of = count_of(facts.rows, "row") + (" (a sample)" if facts.sampled else "")
    hold = "holds" if facts.rows == 1 else "hold"
    lost = " that would be left behind" if left_behind and facts.filled else ""
    evidence: list[Fact] = [f"OLD: {facts.filled} of {of} {hold} a value{lost}"]
    if facts.values:
        shown = ", ".join(f"{counted.value!r} ({counted.rows})" for counted in facts.values[:_SHOWN])
        more = facts.distinct - min(len(facts.values), _SHOWN)
        evidence.append(Valued(count_of(facts.distinct, "distinct value"), shown + _and_more(more)))
    elif facts.distinct:
        longest = count_of(facts.longest, "character")
        evidence.append(f"{count_of(facts.distinct, 'distinct value')}, the longest of {longest}")
    return tuple(evidence)


def lookup_evidence(facts: LookupFacts) -> tuple[Fact, ...]:
    """Returns how far a lookup covers an old column, in words."""
    question = facts.question
    keys = ", ".join(question.key_columns or (question.key_column,))
    where = f"{question.side.value.upper()}'s {question.table} ({keys} → {question.value_column})"
    if question.filled_by is not None:
        where = f"{where}, which OLD's {question.filled_by.table} fills,"
    evidence: list[Fact] = [question.why]
    if not facts.distinct:
        return (*evidence, f"{where}: OLD holds no value to look up")
    part = "" if facts.complete else " of those looked at"
    covered = f"{percent(facts.found, facts.distinct)} of {count_of(facts.distinct, 'distinct value')}{part}"
    evidence.append(f"{where} covers {covered}, {facts.rows_found} of {count_of(facts.rows, 'row')}")
    if facts.ambiguous:
        evidence.append(f"{count_of(facts.ambiguous, 'value')} with different results in several rows there")
    if facts.missing:
        evidence.append(quoting(f"missing there ({len(facts.missing)})", facts.missing))
    return tuple(evidence)


def misfit_evidence(misfits: Misfits) -> tuple[str, ...]:
    """Returns how many rows a bare transform would reject, in words."""
    one = misfits.rows == 1
    rows = f"{misfits.rows} of the sampled rows" if misfits.sampled else count_of(misfits.rows, "row")
    said = f"{rows} {'is' if one else 'are'} {misfits.what}"
    return (f"{said}: a transform without SQL rejects {'it' if one else 'them'}",)


def changed_evidence(changed: ChangedValues) -> str:
    """Returns how many rows a bare transform would write with another value, in words."""
    if changed.rows == 1 and not changed.sampled:
        return f"1 row holds a value that a transform without SQL changes: {changed.loss}"
    rows = f"{changed.rows} of the sampled rows" if changed.sampled else f"{changed.rows} rows"
    return f"{rows} hold a value that a transform without SQL changes: {changed.loss}"


def percent(part: int, whole: int) -> str:
    """Returns a share in percent, rounded down, so that 100 % means all."""
    return f"{part * 100 // whole} %"
