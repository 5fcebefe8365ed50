"""The lines of a verification, for a terminal."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import UNSET, UnsetType

from tranship.model.certificate import Certificate
from tranship.model.count import count_of
from tranship.model.difference import Difference, RowsBefore, SecondOpinion, differing
from tranship.model.resolution import Problem
from tranship.model.verification import AskedConstraint, ConstraintKind, Verification, VerifiedTable
from tranship.model.visible import printed
from tranship.report.time_spent import time_lines

MOST = 20
"""Rows of a table that differ and are named on the terminal."""


_EXCEPT = "except "
"""How the verdict about a table begins of which something is not compared."""
MOST_OF_A_REASON = 3
"""Tables that are named where the same keeps several from a second opinion."""


def shown(text: str) -> str:
    """Returns a text on one line, with escapes for the characters that are not shown."""
    return printed(text).replace("\n", "\\n").replace("\t", "\\t")


class TableLines:
    """The lines of one table after the other."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def of(self, table: VerifiedTable) -> Iterator[str]:
        """Yields what is known of one table; of the second run that moved rows of it and of each later one,
        with the run.
        """
        place = (table.label, table.new_table)
        yield from table_lines(table, run=table.run if place in self._told else "")
        self._told.add(place)


def table_lines(table: VerifiedTable, *, run: str = "") -> Iterator[str]:
    """Yields what is known of one table, and the first rows that differ. ``run``: it is named."""
    # The name of a flow may end with its new table, without the schema where that is the default one.
    arrow, ending = table.label.rpartition(" -> ")[1:]
    new = str(table.new_table)
    named = table.label == new or (bool(arrow) and f".{new}".endswith(f".{ending}"))
    into = "" if named else f" -> {table.new_table}"
    moved = f", moved by run {run}" if run else ""
    yield shown(f"{table.label}{into}{moved}: {verdict(table)}")
    yield from difference_lines(table.differences)
    if table.rows_changed_in_old:
        yield f"  OLD changed {count_of(table.rows_changed_in_old, 'row')} of these batches since the run"


def verdict(table: VerifiedTable) -> str:
    """Returns the verdict about a table in words."""
    why = f" ({table.verified_why})" if table.verified_why else ""
    match table.verified:
        case True:
            return f"verified, {count_of(table.rows, 'row')}{why}"
        case False:
            return f"DIFFERS: {table.verified_why}"
        case None:
            return f"not verified: {table.verified_why}"
        case words:
            return f"verified {words}, {count_of(table.rows, 'row')}{why}"


def difference_lines(differences: Sequence[Difference]) -> Iterator[str]:
    """Yields the first rows that differ, by their keys and columns, with values where they may be shown."""
    for one in differences[:MOST]:
        key = ", ".join(f"{name}={value}" for name, value in (one.key or {}).items())
        rows = f"{one.rows} rows" if one.rows > 1 else "a row"
        since = " (OLD was written to since: it may be another row)" if one.old_changed else ""
        yield shown(f"  {one.kind} in {one.table}: {key or rows}{_columns(one)}{since}")
    if len(differences) > MOST:
        yield f"  … and {len(differences) - MOST} more, in the result file"


def _columns(one: Difference) -> str:
    if not one.columns:
        return ""
    if not one.expected:
        return f": {', '.join(one.columns)}"
    values = zip(one.columns, one.expected, one.found, strict=True)
    return ": " + ", ".join(f"{name} {_value(due)} is {_value(found)}" for name, due, found in values)


def _value(text: str | None) -> str:
    return "NULL" if text is None else f"'{text}'"


def opinion_lines(tables: Sequence[Opined]) -> Iterator[str]:
    """Yields how many values were computed once more in Python, and which cannot be."""
    said = [table.second_opinion for table in tables if table.second_opinion is not UNSET]
    yield from _opinions("Second opinion", [one for one in said if not one.not_repeated])
    of_runs = [one for one in said if one.not_repeated]
    yield from _opinions("Second opinion of the run itself", of_runs)
    yield from _reasons("not repeated", _not_repeated(tables, "second_opinion"))


def _opinions(title: str, said: Sequence[SecondOpinion]) -> Iterator[str]:
    """Yields how many values were computed, and which cannot be."""
    if any(one.rows or one.apart for one in said):
        cells, rows = sum(one.cells for one in said), sum(one.rows for one in said)
        asked = f"{count_of(cells, 'value', write=grouped)} of {count_of(rows, 'row', write=grouped)}"
        compared = f"{asked} were computed again in Python and compared"
        yield f"{title}: {compared if cells else 'no value could be computed again in Python'}"
        yield from _reasons("not computed", dict.fromkeys(what for one in said for what in one.apart))


def _not_repeated(tables: Sequence[Opined], what: str) -> Iterator[str]:
    """Yields the tables of which something was not repeated, each with the reason."""
    for table in tables:
        said = getattr(table, what)
        if said is not UNSET and said.not_repeated:
            yield f"{table.new_table}: {said.not_repeated}"


def _reasons(title: str, apart: Iterable[str]) -> Iterator[str]:
    """Yields what something was not done for, once for each reason."""
    by_reason: dict[str, dict[str, None]] = {}
    for what in apart:
        name, _, reason = what.partition(": ")
        name, reason = (name, reason) if reason else ("", "")
        # Several flows may fill one table.
        by_reason.setdefault(reason if name else "", {}).setdefault(name or what)
    for reason, named in by_reason.items():
        names = list(named)
        most = MOST_OF_A_REASON if reason else MOST
        more = f" and {len(names) - most} more" if len(names) > most else ""
        why = f": {reason}" if reason else ""
        yield shown(f"  {title}: {', '.join(names[:most])}{more}{why}")


def constraint_lines(asked: Sequence[AskedConstraint]) -> Iterator[str]:
    """Yields how many constraints were asked, and those that rows break or that could not be asked."""
    if asked:
        met = sum(one.rows == 0 for one in asked)
        yield f"Constraints and sequences checked: {met} of {len(asked)} hold for every row"
    for one in asked:
        if one.rows is None:
            yield shown(f"  could not be asked: {one.kind} {one.name} of {one.table}")
        elif one.rows and one.kind is ConstraintKind.SEQUENCE:
            yield shown(
                f"  BROKEN: the sequence of {one.table}.{one.name} is behind the values of the column"
            )
        elif one.tolerated and one.rows:
            breaking = f"{count_of(one.rows, 'row', write=grouped)} {'breaks' if one.rows == 1 else 'break'}"
            yield shown(f"  tolerated: {breaking} {one.kind} {one.name} of {one.table}")
        elif one.rows:
            broken_by = count_of(one.rows, "row", write=grouped)
            yield shown(f"  BROKEN: {one.kind} {one.name} of {one.table}, by {broken_by}")


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Yields warnings, each with what to do about it."""
    for one in problems:
        yield shown(f"⚠ {one.code} {one.message}")
        if one.hint:
            yield shown(f"  hint: {one.hint}")


def before_lines(tables: Sequence[Opined]) -> Iterator[str]:
    """Yields what was found of rows that NEW held before the runs."""
    found = [one.rows_before for one in tables if one.rows_before is not UNSET]
    counts = {
        "compared with OLD's by key": sum(one.compared for one in found),
        "kept by decision, not compared": sum(one.kept for one in found),
        "not compared": sum(one.not_compared for one in found),
    }
    words = ", ".join(f"{grouped(number)} {what}" for what, number in counts.items() if number)
    if words:
        yield f"Rows that NEW held before: {words}"
    yield from _reasons("not compared", dict.fromkeys(what for one in found for what in one.apart))
    yield from _reasons("not compared again", _not_repeated(tables, "rows_before"))


def lines_beyond(result: Verification) -> Iterator[str]:
    """Yields what a verification says beside its tables."""
    yield from before_lines(result.tables)
    yield from opinion_lines(result.tables)
    yield from constraint_lines(result.constraints)
    yield from problem_lines(result.problems)
    yield from map(shown, time_lines(result.profile or ()))


def last_line(result: Verification) -> str:
    """Returns the last line of a verification: broken constraints first, else what `coverage` says."""
    broken = broken_words(result.constraints)
    said = coverage(result.tables)
    return f"DIFFERS: {broken}; {said}" if broken else said


def broken_words(asked: Sequence[AskedConstraint]) -> str:
    """Returns how many constraints of NEW are broken and how many sequences are behind; empty: none."""
    broken = [one.kind is ConstraintKind.SEQUENCE for one in asked if one.broken]
    behind, others = sum(broken), len(broken) - sum(broken)
    words = []
    if others:
        words.append(f"{count_of(others, 'constraint')} of NEW {'is' if others == 1 else 'are'} broken")
    if behind:
        what = (
            "is behind the values of its column" if behind == 1 else "are behind the values of their columns"
        )
        words.append(f"{count_of(behind, 'sequence')} of NEW {what}")
    return ", ".join(words)


class Opined(Protocol):
    """What a result says of one table."""

    @property
    def new_table(self) -> str:
        """NEW's table."""

    @property
    def second_opinion(self) -> SecondOpinion | UnsetType:
        """What was computed once more in Python."""

    @property
    def rows_before(self) -> RowsBefore | UnsetType:
        """What was found of rows that NEW held before the run."""


class Counted(Protocol):
    """What a result says of one table."""

    @property
    def new_table(self) -> str:
        """NEW's table."""

    @property
    def verified(self) -> bool | str | None:
        """Whether its rows are equal, as `VerifiedTable` has it."""

    @property
    def verified_why(self) -> str:
        """Why no more is known."""

    @property
    def cells(self) -> int:
        """Values that are compared."""

    @property
    def cells_verified(self) -> int:
        """Those that are equal."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Rows that differ."""


def coverage(tables: Sequence[Counted]) -> str:
    """Returns the last line: how many values of NEW are what OLD's rows became, and what nobody can say."""
    cells = sum(table.cells for table in tables)
    covered = f"{grouped(sum(table.cells_verified for table in tables))} of {grouped(cells)} cells"
    if any(table.verified is False for table in tables):
        return f"DIFFERS: {_rows_that_differ(tables)}; verified {covered}{_not_counted(tables)}"
    why = dict.fromkeys(table.verified_why for table in tables if table.verified is None)
    if why:
        return shown(f"Not verified: {'; '.join(why)}; verified {covered}")
    if not cells:
        return "Verified: no row was written, so there is no cell to compare"
    return shown(f"Verified {covered}{_apart(tables)}")


def certified(found: Certificate) -> str:
    """Returns how many values a certificate is about, and what nobody can say, in the words of a run."""
    cells = grouped(found.cells)
    apart = ((table.new_table, table.apart) for table in found.tables if table.apart)
    return shown(f"Verified {cells} of {cells} cells{_excepted(apart)}")


def _apart(tables: Sequence[Counted]) -> str:
    """Returns what of verified tables is not compared, as the end of the last line."""
    return _excepted((one.new_table, one.verified) for one in tables if isinstance(one.verified, str))


def _excepted(said: Iterable[tuple[str, str]]) -> str:
    # Several runs, or several old tables, may have filled one table: what is named of it is named once.
    apart = [words.removeprefix(_EXCEPT) for _, words in dict.fromkeys(said)]
    return f"; {_EXCEPT}{', '.join(apart)}" if apart else ""


def _rows_that_differ(tables: Sequence[Counted]) -> str:
    """Returns how many rows of all tables differ, counted by kind."""
    found = [one for table in tables for one in table.differences]
    return differing(found, of_table=False, write=grouped) or "NEW lacks rows"


def _not_counted(tables: Sequence[Counted]) -> str:
    """Returns why rows that do not differ are no verified ones, if that keeps any from being counted."""
    apart = any(table.cells and (table.verified is False or table.differences) for table in tables)
    return " (none is counted of a table in which rows differ)" if apart else ""


def moment(text: str) -> str:
    """Returns a time that a document holds (ISO 8601) as people write it: ``2026-11-30 14:27:37 UTC``."""
    return f"{datetime.datetime.fromisoformat(text).astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def grouped(number: int) -> str:
    """Returns a number with its digits in groups of three."""
    return f"{number:,}".replace(",", " ")
