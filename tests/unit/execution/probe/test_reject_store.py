"""Rejects in little memory are the same rejects, in row order."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest

from tranship.errors import Stopped
from tranship.execution.probe import spill
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.reject_store import Grounds, Rejects, RowSet
from tranship.execution.probe.row_numbers import RowNumbers
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.reasons import MappingGap, NullRefused, ServerSaid
from tranship.model.verdict import Reject

FLOW = FlowId(TableName("public", "a"), TableName("public", "a"))


def kinds(number: int) -> Locator:
    """Rows of every kind, of several sources."""
    source = number % 3
    if source == 2:
        return Locator(2, (f"{number:06x}", "6162"))
    return Locator(source, (number // 50, 1 + number % 50), number % 7 if source else 0)


def made(rows: Iterator[Locator] | list[Locator]) -> dict[Locator, Reject]:
    """A reject for each of some rows."""
    whys = [NullRefused("a", "t"), MappingGap("x"), ServerSaid("no", "ü\x00")]
    rejects = {}
    for number, row in enumerate(rows):
        reason = MappingGap(f"value {number}") if number % 5 == 0 else whys[number % 3]
        rejects[row] = Reject(row, "22023", reason, "a" if number % 2 else None, None, number % 3)
    return rejects


def test_rows_keep_their_order_however_they_came() -> None:
    rows = [kinds(number) for number in range(30_000)]
    rows += [Locator(0, (7, 3), 2**40), Locator(70_000, (1, 1))]
    for seed in range(3):
        shuffled = random.Random(seed).sample(rows, len(rows))
        numbers = RowNumbers()
        for place, row in enumerate(shuffled):
            assert numbers.get(row) is None
            numbers.put(row, place)
        assert list(numbers) == sorted((row, place) for place, row in enumerate(shuffled))
        assert [numbers.get(row) for row in shuffled] == list(range(len(rows)))
        assert numbers.get(Locator(1, (7, 4_000))) is None


def test_what_is_entered_while_rows_are_read_is_no_silent_gap() -> None:
    numbers = RowNumbers()
    numbers.put(Locator(0, (1, 1)), 1)
    with pytest.raises(RuntimeError):
        for row, _ in numbers:
            numbers.put(Locator(0, (2, row.source + 1)), 1)


def test_rejects_are_what_was_entered() -> None:
    rejects = made([kinds(number) for number in range(20_000)])
    store = Rejects(Grounds())
    for reject in random.Random(1).sample(list(rejects.values()), len(rejects)):
        assert store.add(reject)
    assert len(store) == len(rejects)
    assert list(store) == sorted(rejects)
    assert dict(store.items()) == rejects
    assert list(store.values()) == [rejects[row] for row in sorted(rejects)]
    assert all(store[row] == reject for row, reject in rejects.items())
    assert Locator(0, (10_000, 1)) not in store


def test_the_first_reject_of_a_row_stands_and_a_copy_is_its_own() -> None:
    book, row, other = Book(), Locator(0, (1, 1)), Locator(0, (1, 2))
    first = Reject(row, "23502", NullRefused("a", "t"), column="a")
    assert book.add(FLOW, first)
    copy = book.copy()
    assert not book.add(FLOW, Reject(row, "22023", MappingGap("x")))
    assert book.add(FLOW, Reject(other, "22023", MappingGap("x")))
    assert copy.add(FLOW, Reject(other, "22023", MappingGap("y")))
    assert book.rejected(FLOW)[row] == first
    assert [copy.rejected(FLOW)[other].reason, book.rejected(FLOW)[other].reason] == [
        MappingGap("y"),
        MappingGap("x"),
    ]


def test_a_set_of_rows_is_what_it_stands_for() -> None:
    rows = [Locator(0, (1, line)) for line in range(1, 6)]
    store = Rejects(Grounds())
    for reject in made(rows[:3]).values():
        store.add(reject)
    both = RowSet(store, frozenset(rows[2:4]))
    assert set(both) == set(rows[:4])
    assert len(both) == 4
    assert rows[3] in both
    assert rows[4] not in both
    assert both - {rows[0]} == set(rows[1:4])
    assert set(rows) - both == {rows[4]}
    assert bool(RowSet(Rejects(Grounds()))) is False


def test_a_value_that_is_no_text_is_kept_escaped_as_the_journal_does() -> None:
    store, row = Rejects(Grounds()), Locator(0, (1, 1))
    store.add(Reject(row, "22023", MappingGap("a\udcff")))
    assert store[row].reason == MappingGap("a\\udcff")


def test_a_full_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(spill, "_temporary_file", Full)
    store = Rejects(Grounds())
    with pytest.raises(Stopped) as stopped:
        for number in range(10_000):
            store.add(Reject(Locator(0, (number, 1)), "22023", MappingGap(f"value {number}")))
    assert [one.code for one in stopped.value.problems] == ["TS402"]


def test_a_reject_takes_little_memory() -> None:
    store, many = Rejects(Grounds()), 200_000
    tracemalloc.start()
    try:
        for number in range(many):
            row = Locator(0, (number // 50, 1 + number % 50))
            store.add(Reject(row, "22023", MappingGap(f"a value as people write it, {number}")))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    file = 4 * 1024 * 1024
    assert taken < 32 * many + file
