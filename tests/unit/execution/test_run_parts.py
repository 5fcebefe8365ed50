"""Parts of the live run that need no server."""

from __future__ import annotations

import asyncpg
import pytest

from tranship.execution.resilience.server_errors import (
    failing_column,
    failing_line,
    is_rows_fault,
    is_transient,
)
from tranship.execution.resilience.writer_lock import lock_number
from tranship.execution.results.causes import reason_key
from tranship.execution.switches.sequences import Position, furthest
from tranship.model.database_objects import Sequence
from tranship.model.flow import FlowId
from tranship.model.locator import Locator, Whole
from tranship.model.names import TableName
from tranship.model.options import MigrateOptions, reject_bound
from tranship.model.progress import Batch
from tranship.model.verdict import Reject
from tranship.server.journal import name_from, name_text
from tranship.server.old_reader import tag_rows
from tranship.sql.ctid import parse, render

TABLE = TableName("public", "ord,er 9")
FLOW = FlowId(TABLE, TABLE)


def error(
    cls: type[asyncpg.PostgresError], state: str, context: str = "", column: str | None = None
) -> asyncpg.PostgresError:
    made = cls("refused")
    made.sqlstate, made.context, made.column_name = state, context, column
    return made


@pytest.mark.parametrize(
    ("context", "line", "column"),
    [
        ('COPY ord,er 9, line 17, column qty: "x"', 17, "qty"),
        ('COPY ord,er 9, Zeile 3, Spalte a: b: "x"', 3, "a: b"),
        ("SQL function f\nCOPY ord,er 9, line 2: null input", 2, None),
        ("COPY ord,er 9, line 5, column qty: null input", 5, "qty"),
        ("COPY other, line 5", None, None),
        ("", None, None),
    ],
)
def test_the_failing_line_is_found_in_any_language(
    context: str, line: int | None, column: str | None
) -> None:
    failed = error(asyncpg.DataError, "22P02", context)
    assert failing_line(failed, TABLE) == line
    assert failing_column(failed, TABLE, ("qty", "a", "a: b")) == column


def test_what_is_the_rows_fault_and_what_passes() -> None:
    assert is_rows_fault(error(asyncpg.DataError, "22003"))
    assert is_rows_fault(error(asyncpg.UniqueViolationError, "23505"))
    assert not is_rows_fault(error(asyncpg.DiskFullError, "53100"))
    assert not is_rows_fault(OSError())
    assert is_transient(error(asyncpg.DeadlockDetectedError, "40P01"))
    assert is_transient(ConnectionResetError())
    assert not is_transient(error(asyncpg.DiskFullError, "53100"))
    assert not is_transient(error(asyncpg.InsufficientPrivilegeError, "42501"))


def sequence(increment: int, minimum: int = -(2**63), maximum: int = 2**63 - 1) -> Sequence:
    return Sequence(TableName("public", "s"), "bigint", 1, increment, minimum, maximum, False)


@pytest.mark.parametrize(
    ("own", "others", "increment", "end"),
    [
        (Position(1, False), [Position(1, False)], 1, Position(1, False)),
        (Position(1, False), [Position(1, True)], 1, Position(1, True)),
        (Position(50, True), [Position(10, True), Position(40, True)], 1, Position(50, True)),
        (Position(1, False), [Position(10, True), Position(44, True)], 1, Position(44, True)),
        (Position(-1, False), [Position(-10, True), Position(-4, True)], -1, Position(-10, True)),
        (Position(-20, True), [Position(-10, True)], -5, Position(-20, True)),
    ],
)
def test_a_sequence_ends_at_the_furthest_in_its_own_direction(
    own: Position, others: list[Position], increment: int, end: Position
) -> None:
    assert furthest(own, others, sequence(increment)) == end


def test_a_position_outside_the_bounds_is_left_aside() -> None:
    assert furthest(
        Position(1, False), [Position(70_000, True), Position(9, True)], sequence(1, 1, 32_767)
    ) == Position(9, True)


def test_rejects_of_a_batch_are_those_inside_its_range() -> None:
    rejects = [Reject(Locator(source, (page, 1)), "22003", "x") for source in (0, 1) for page in range(4)]

    def in_batch(rejects: list[Reject], batch: Batch) -> list[Reject]:
        return [reject for reject in rejects if reject.row in batch]

    first, second = Batch(0, FLOW, Whole(0), 18).divided((2, 1), 9, 1)
    assert [r.row.address[0] for r in in_batch(rejects, first)] == [0, 1]
    assert [r.row.address[0] for r in in_batch(rejects, second)] == [2, 3]
    assert [r.row for r in in_batch(rejects, Batch(2, FLOW, Whole(1), 9))] == [
        Locator(1, (page, 1)) for page in range(4)
    ]


def test_a_stream_that_does_not_end_as_copy_ends_is_no_stream() -> None:
    assert tag_rows("COPY 12") == 12
    for tag in ("", "SELECT 12", "COPY", "COPY x"):
        with pytest.raises(ValueError):
            tag_rows(tag)


def test_bounds_of_rejects() -> None:
    assert reject_bound(MigrateOptions(), 10) is None
    assert reject_bound(MigrateOptions(max_rejects="0"), 10) == 0
    assert reject_bound(MigrateOptions(max_rejects="2.5%"), 1000) == 25


def test_names_and_places_survive_the_journal() -> None:
    name = TableName('we"ird.\n😀', "x\\y")
    assert name_text(name).isascii()
    assert name_from(name_text(name)) == name
    assert render(parse("(12,7)")) == "(12,7)"


def test_locks_and_words() -> None:
    assert 0 <= lock_number("a", "b") < 2**63
    assert lock_number("a", "b") != lock_number("b", "a")
    assert reason_key("23505", None, "mail") == "23505 mail"
