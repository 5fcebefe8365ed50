"""A guess: an expression that may translate old columns into a new one.

It is tried on the data before anybody is asked to believe it.
"""

from __future__ import annotations

import re

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.model.evidence import Evidence, TrialFacts, TrialQuestion
from tranship.model.names import TableName
from tranship.planning.deciding.suggest.facts import Fact, percent, quoting
from tranship.planning.matching.scope import quoted

BLANKS_AROUND = r"^\s+|\s+$"
"""The regular expression of blanks before and behind a text."""


class Guess(Struct, frozen=True):
    """One expression with the condition that tells for which rows it is right."""

    sources: tuple[str, ...]
    target: str
    sql: str
    fits: str
    """A condition over the old row that never raises an error."""
    shown: str
    """The old value as a person wants to see it; NULL means that there is nothing to translate."""
    evidence: tuple[Fact, ...] = ()
    provable: bool = True
    """Whether there is one reading only: where every row fits, nothing is left to decide."""
    fitting: str = "fit exactly"
    """What is known of a row that fits, after a number of rows."""
    as_utc: str = ""
    """The same expression for times that were written in UTC, where the zone of OLD's database decides which
    moments are meant; else empty.
    """

    def question(self, table: TableName) -> TrialQuestion:
        """Returns what to ask the data."""
        return TrialQuestion(table, self.sql, self.fits, self.shown)

    def holds(self, table: TableName, evidence: Evidence) -> bool:
        """Returns whether the data prove it: every row was tried and fits."""
        tried = evidence.tried(self.question(table))
        return self.provable and tried is not None and tried.holds


def trial_evidence(guess: Guess, tried: TrialFacts | None) -> tuple[Fact, ...]:
    """Returns what came of trying a guess, in words."""
    if tried is None:
        return ("not tried on the data: look at a few rows before you agree",)
    if tried.failed:
        refused = "tried on the data: some rows look right and are refused by the server"
        return (refused, *_misfits(tried))
    if not tried.rows:
        return ("OLD holds no value to try it on",)
    of = "of the sampled rows" if tried.sampled else "rows"
    fitted = (
        f"tried on {tried.rows} {of}: {tried.fitting} ({percent(tried.fitting, tried.rows)}) {guess.fitting}"
    )
    return (fitted, *_misfits(tried))


def _misfits(tried: TrialFacts) -> tuple[Fact, ...]:
    misfits = tried.rows - tried.fitting
    said = f"{misfits} do not{'' if not tried.failed else ' fit'}: look at them before you agree"
    return (quoting(said, tried.examples),) if misfits else ()


def reference(column: Column) -> str:
    """Returns the old column as it is written in an expression."""
    return f"old.{quoted(column.name)}"


def text_literal(text: str) -> str:
    """Returns a string constant of SQL."""
    return "'" + text.replace("'", "''") + "'"


def share(pattern: str, values: tuple[str, ...]) -> float:
    """Returns the share of the values that a pattern fits, 0 to 1."""
    return sum(1 for value in values if re.fullmatch(pattern, value)) / len(values) if values else 0.0


def matches(value: str, pattern: str) -> str:
    """Returns the condition that a text fits a pattern as a whole."""
    return f"{value} ~ {text_literal(f'^(?:{pattern})$')}"


def of_one_form(form: str, sql: str, value: str, written: str) -> str:
    """Returns an expression that is text, and that is computed for values of one form only.

    Of another value it gives a text that no date, number or code is: NEW refuses the row and names the value.
    ``form`` is a condition, ``written`` says in words what is expected.
    """
    return f"CASE WHEN {form} THEN {sql} ELSE {text_literal(f'not {written}: ')} || {value} END"
