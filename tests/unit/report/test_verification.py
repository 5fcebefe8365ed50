"""What a verification says of tables of which nothing was written."""

from __future__ import annotations

from msgspec.structs import replace

from tranship.model.difference import Difference, DifferenceKind, RowsBefore, SecondOpinion
from tranship.model.verification import VerifiedTable
from tranship.report.verification import TableLines, before_lines, coverage, opinion_lines, table_lines


def table(**changes: object) -> VerifiedTable:
    return replace(VerifiedTable("r", "public.a", "public.a", 0, True), **changes)


def test_where_nothing_was_written_no_zero_stands_for_a_proof() -> None:
    held = table(rows_before=RowsBefore(12), second_opinion=SecondOpinion())
    assert list(before_lines([held])) == ["Rows that NEW held before: 12 compared with OLD's by key"]
    assert list(opinion_lines([held])) == []
    assert coverage([held]) == "Verified: no row was written, so there is no cell to compare"
    assert coverage([held, table(rows=2, cells=4, cells_verified=4)]) == "Verified 4 of 4 cells"
    assert coverage([table(verified=None, verified_why="the run is not finished")]) == (
        "Not verified: the run is not finished; verified 0 of 0 cells"
    )


def test_values_that_python_cannot_compute_are_named_without_rows() -> None:
    apart = table(second_opinion=SecondOpinion(apart=("public.a.b: no reader",)))
    assert list(opinion_lines([apart])) == [
        "Second opinion: no value could be computed again in Python",
        "  not computed: public.a.b: no reader",
    ]


def test_a_table_that_several_flows_fill_is_named_once() -> None:
    apart = table(second_opinion=SecondOpinion(not_repeated="the run is over"))
    told = list(
        opinion_lines([apart, apart, table(new_table="public.b", second_opinion=apart.second_opinion)])
    )
    assert told == ["  not repeated: public.a, public.b: the run is over"]


def test_a_later_run_of_a_table_is_named() -> None:
    lines = TableLines()
    told = [*lines.of(table(rows=2)), *lines.of(table(run="b", rows=1)), *lines.of(table(table="c", rows=1))]
    assert told == [
        "public.a: verified, 2 rows",
        "public.a, moved by run b: verified, 1 row",
        "c -> public.a: verified, 1 row",
    ]


def test_a_table_of_one_name_is_named_once() -> None:
    assert list(table_lines(table(rows=2))) == ["public.a: verified, 2 rows"]
    assert list(table_lines(table(new_table="public.b", rows=1))) == ["public.a -> public.b: verified, 1 row"]
    named = table(flow="public.a -> public.tag", new_table="public.tag", rows=1)
    assert list(table_lines(named)) == ["public.a -> public.tag: verified, 1 row"]
    short = table(flow="a -> tag", new_table="public.tag", rows=1)
    assert list(table_lines(short)) == ["a -> tag: verified, 1 row"]
    other = table(flow="a -> stage", new_table="public.tag", rows=1)
    assert list(table_lines(other)) == ["a -> stage -> public.tag: verified, 1 row"]


def test_what_is_not_compared_is_named_once_behind_one_word() -> None:
    rest = {"rows": 1, "cells": 2, "cells_verified": 2}
    one = table(verified="except public.a.id (identity)", **rest)
    other = table(new_table="public.b", verified="except public.b.id (identity), public.b.at", **rest)
    said = "Verified 6 of 6 cells; except public.a.id (identity), public.b.id (identity), public.b.at"
    assert coverage([one, replace(one, run="s"), other]) == said


def test_the_last_line_counts_rows_of_all_tables_by_kind_and_says_why_cells_are_missing() -> None:
    changed = Difference("public.a", DifferenceKind.CHANGED, rows=3)
    added = Difference("public.b", DifferenceKind.ADDED, rows=1000)
    gone = Difference("public.b", DifferenceKind.MISSING)
    one = table(verified=False, rows=4, cells=8, differences=(changed,))
    other = table(verified=False, rows=2, cells=2, differences=(added, gone))
    equal = table(rows=1, cells=2, cells_verified=2)
    assert coverage([one, other, equal]) == (
        "DIFFERS: 3 rows in NEW differ, 1 is gone from NEW, 1 000 rows were added to NEW; verified 2 of 12 "
        "cells (none is counted of a table in which rows differ)"
    )
    lacking = table(verified=False)
    assert coverage([lacking, equal]) == "DIFFERS: NEW lacks rows; verified 2 of 2 cells"
