"""Facts about data in words, for ``_evidence``."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.evidence import ColumnFacts, LookupFacts, Misfits

_SHOWN = 8


class Valued(Struct, frozen=True):
    """A fact that quotes values of rows: whole for the file, without them for a terminal."""

    plain: str
    values: str

    def __str__(self) -> str:
        return f"{self.plain}: {self.values}"


Fact = str | Valued


def without_values(fact: Fact) -> str:
    """The fact as a terminal may show it."""
    return fact.plain if isinstance(fact, Valued) else fact


def quoting(plain: str, values: Sequence[str], *, shown: int = _SHOWN) -> Valued:
    """A fact about values, the first of which are quoted."""
    more = len(values) - shown
    return Valued(
        plain, ", ".join(repr(value) for value in values[:shown]) + (f" and {more} more" if more > 0 else "")
    )


def told_column(facts: ColumnFacts | None, *, left_behind: bool = False) -> tuple[Fact, ...]:
    """What an old column holds."""
    if facts is None:
        return ()
    of = f"{facts.rows} rows" + (" (a sample)" if facts.sampled else "")
    told: list[Fact] = [
        f"OLD: {facts.filled} of {of} hold a value"
        + (" that would be left behind" if left_behind and facts.filled else "")
    ]
    if facts.values:
        shown = ", ".join(f"{counted.value!r} ({counted.rows})" for counted in facts.values[:_SHOWN])
        more = facts.distinct - min(len(facts.values), _SHOWN)
        told.append(
            Valued(f"{facts.distinct} distinct values", shown + (f" and {more} more" if more > 0 else ""))
        )
    elif facts.distinct:
        told.append(f"{facts.distinct} distinct values, the longest of {facts.longest} characters")
    return tuple(told)


def told_lookup(facts: LookupFacts) -> tuple[Fact, ...]:
    """How far a lookup covers."""
    question = facts.question
    keys = ", ".join(question.key_columns or (question.key_column,))
    where = f"{question.side.value.upper()}'s {question.table} ({keys} → {question.value_column})"
    told: list[Fact] = [question.why]
    if not facts.distinct:
        return (*told, f"{where}: OLD holds no value to look up")
    part = "" if facts.complete else " of those looked at"
    told.append(
        f"{where} covers {percent(facts.found, facts.distinct)} of {facts.distinct} distinct values{part}, {facts.rows_found} of {facts.rows} rows"
    )
    if facts.ambiguous:
        told.append(f"{facts.ambiguous} values stand there more than once with different results")
    if facts.missing:
        told.append(quoting(f"missing there ({len(facts.missing)})", facts.missing))
    return tuple(told)


def told_misfits(misfits: Misfits) -> tuple[str, ...]:
    """How many rows a bare transform would reject."""
    of = " of the sampled rows" if misfits.sampled else " rows"
    return (f"{misfits.rows}{of} are {misfits.what}: a bare transform rejects them",)


def percent(part: int, whole: int) -> str:
    """Rounded down, so that 100 % means all."""
    return f"{part * 100 // whole} %"
