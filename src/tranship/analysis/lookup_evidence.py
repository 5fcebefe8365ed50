"""Asks how far lookup tables cover the values of old columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.analysis.asker import Asker
from tranship.analysis.sampling import percent_read
from tranship.model.catalog import Catalog, Table
from tranship.model.evidence import ColumnFacts, LookupFacts, LookupQuestion, RowsOfOld, ValueCount
from tranship.model.names import Side
from tranship.planning.deciding.suggest.constants import constant
from tranship.sql import evidence as sql

_MISSING_LISTED = 200
"""Missing values that are kept, and for which INSERTs are made, at most."""
_COUNTS = ("distinct", "found", "rows", "rows_found", "ambiguous")

Counted = tuple[ColumnFacts, tuple[ValueCount, ...]]
"""The facts of a column, and its distinct values, as many as are looked up."""


async def lookup_facts(
    asker: Asker, catalogs: Mapping[Side, Catalog], question: LookupQuestion, counted: Counted
) -> LookupFacts | None:
    """Returns how far a lookup table covers one column's values; None where there is no answer."""
    side, rows_of = _looked_into(question)
    table = catalogs[side].table(rows_of.table)
    if table is None:
        return None
    facts, values = counted
    what = f"lookup of {question.old} in {rows_of.table}"
    text = sql.coverage(table, rows_of.key_column, rows_of.value_column)
    rows = await asker.ask(side, what, text, [value.value for value in values])
    if rows is None:
        return None
    # A key may stand in several rows with one result, which is not ambiguous.
    results = {str(row["value"]): int(str(row["results"])) for row in rows}
    found = [value for value in values if results.get(value.value, 0) > 0]
    missing = tuple(value.value for value in values if not results.get(value.value, 0))[:_MISSING_LISTED]
    return LookupFacts(
        question=question,
        distinct=len(values),
        found=len(found),
        rows=_rows(values),
        rows_found=_rows(found),
        ambiguous=sum(1 for value in found if results[value.value] > 1),
        missing=missing,
        complete=_are_complete(facts, values),
        inserts=_inserts(catalogs, question, table, missing),
    )


def _looked_into(question: LookupQuestion) -> tuple[Side, LookupQuestion | RowsOfOld]:
    """Returns whose table holds the rows in which the values are looked up, with its name and its columns."""
    return (question.side, question) if question.filled_by is None else (Side.OLD, question.filled_by)


async def composite_facts(asker: Asker, old: Catalog, question: LookupQuestion) -> LookupFacts | None:
    """Returns how far a table of OLD covers several columns that are one key; None where there is no
    answer.
    """
    table, owner = old.table(question.old.table), old.table(question.table)
    if table is None or owner is None:
        return None
    percent = percent_read(table)
    text = sql.composite_coverage(
        table, question.old_columns, owner, question.key_columns, question.value_column, percent
    )
    what = f"lookup of {', '.join(question.old_columns)} of {table.name} in {owner.name}"
    rows = await asker.ask(Side.OLD, what, text)
    if not rows:
        return None
    distinct, found, whole, rows_found, ambiguous = (int(str(rows[0][name])) for name in _COUNTS)
    return LookupFacts(question, distinct, found, whole, rows_found, ambiguous, complete=percent is None)


def _rows(values: Sequence[ValueCount]) -> int:
    return sum(value.rows for value in values)


def _are_complete(facts: ColumnFacts, values: Sequence[ValueCount]) -> bool:
    """Returns whether these are all values of the column: a longer one would be cut, and not be found for
    that.
    """
    return not facts.sampled and len(values) == facts.distinct and facts.longest <= sql.LONGEST_SHOWN


def _inserts(
    catalogs: Mapping[Side, Catalog], question: LookupQuestion, table: Table, missing: Sequence[str]
) -> tuple[str, ...]:
    """Returns statements that would add the missing values to a table of NEW; none for OLD, which is never
    written to, and none for rows that the run brings.
    """
    if question.side is not Side.NEW or question.filled_by is not None:
        return ()
    guesses = {column.name: constant(table, column, catalogs[Side.NEW], None) for column in table.columns}
    constants = {name: one.value for name, one in guesses.items() if one is not None}
    return sql.insert_missing(table, question.key_column, missing, constants)
