"""Rows that OLD calls deleted and that NEW could no longer tell from the others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tranship.errors.codes.shapes import ComesAlive
from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column
from tranship.model.count import count_of
from tranship.model.evidence import ColumnFacts
from tranship.model.expression import Constant, NewDefault
from tranship.model.flow import FlowId
from tranship.model.names import ColumnRef
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Action, Answers, Problem, Resolution
from tranship.planning.deciding.resolve.mentions import names
from tranship.planning.deciding.resolve.words import sql_texts
from tranship.planning.deciding.suggest.flows import marked_rows, marks_deleted, says_deleted


class MarkLeft(Struct, frozen=True):
    """A column that marks deleted rows, and that a decision leaves behind."""

    flow: FlowId
    ref: ColumnRef
    column: Column
    filtered: bool
    """A filter that does not name the column takes some of the flow's rows: perhaps none of the marked."""


def marks_left(plan: Plan, answers: Answers, old: Catalog, new: Catalog) -> tuple[MarkLeft, ...]:
    """Returns these columns of the flows in which no SQL names them, and no column of NEW says the same."""
    entries: dict[tuple[object, str], list[Resolution]] = {}
    for decision in answers.decisions:
        entries.setdefault((decision.old_table, decision.flow), []).append(decision.resolution)
    return tuple(
        mark
        for table in plan.tables
        if not _says_so_itself(table, new)
        for mark in _of_flow(table, entries.get((table.old, table.flow.name), []), old)
    )


def _says_so_itself(table: TablePlan, new: Catalog) -> bool:
    """Returns whether the flow fills a column of NEW that marks deleted rows, too."""
    after = new.table(table.new)
    same_for_all = NewDefault | Constant
    filled = {one.column for one in table.columns if not isinstance(one.expression, same_for_all)}
    columns = after.columns if after is not None else ()
    return any(says_deleted(column) for column in columns if column.name in filled)


def _of_flow(table: TablePlan, entries: list[Resolution], old: Catalog) -> Iterator[MarkLeft]:
    before = old.table(table.old)
    texts = [text for entry in entries for _, text in sql_texts(entry)]
    filtered = any(entry.action == Action.FILTER for entry in entries)
    for name in table.ignored if before is not None else ():
        column = before.column(name) if before is not None else None
        if column is not None and _marks(column) and not any(names(text, name) for text in texts):
            yield MarkLeft(table.flow, ColumnRef(table.old, name), column, filtered)


def _marks(column: Column) -> bool:
    return marks_deleted(column) or (says_deleted(column) and column.type.leaf.family is Family.STRING)


def come_alive(marks: tuple[MarkLeft, ...], known: Mapping[ColumnRef, ColumnFacts]) -> Iterator[Problem]:
    """Yields a warning for each of these columns that marks rows, or of which nobody knows that it marks
    none.
    """
    for mark in marks:
        facts = known.get(mark.ref)
        marked = marked_rows(mark.column, facts) if facts is not None else None
        if marked != 0 or (facts is not None and facts.sampled):
            yield ComesAlive(mark.flow, _rows(mark, facts, marked), mark.ref.column).problem()


def _rows(mark: MarkLeft, facts: ColumnFacts | None, marked: int | None) -> str:
    if facts is None or marked is None:
        return "rows (nobody counted them)"
    if facts.sampled:
        return f"{'' if marked else 'perhaps '}rows ({marked} of {facts.rows} in a sample)"
    return f"up to {count_of(marked, 'row')}" if mark.filtered else count_of(marked, "row")
