"""Rows, pairs of rows, and rows by key, in little memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from tranship.execution.probe import lost_parents, row_list
from tranship.execution.probe.family_ties import Links, RowTexts
from tranship.execution.probe.lost_parents import KeyRows
from tranship.execution.probe.row_list import RowList
from tranship.model.locator import Locator

ROWS = 100_000


def row(number: int) -> Locator:
    return Locator(0, (1_000 + number // 100, 1 + number % 100))


def any_kind(number: int) -> Locator:
    source = number % 3
    if source == 2:
        return Locator(2, (f"{number:06x}", "6162"))
    return Locator(source, (number // 50, 1 + number % 50), number % 7 if source else 0)


def bytes_per_row(make: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        made = make()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made is not None
    return taken / ROWS


def test_rows_are_read_in_order_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_list, "_RUN", 100)
    monkeypatch.setattr(row_list, "_AT_ONCE", 7)
    rows = [any_kind(number) for number in range(3_000)]
    listed = RowList(random.Random(1).sample(rows * 2, len(rows) * 2))
    assert list(listed) == sorted(rows)
    assert len(listed) == len(rows)
    assert [one for some in listed.parts() for one in some] == sorted(rows)
    assert max(map(len, listed.parts())) == 7
    assert rows[5] in listed
    assert Locator(0, (9_999, 1)) not in listed
    listed.add(Locator(0, (0, 1)))
    assert next(iter(listed)) == Locator(0, (0, 1))
    assert not RowList()


def test_a_row_takes_eight_bytes() -> None:
    shuffled = random.Random(1).sample(range(ROWS), ROWS)

    def made() -> RowList:
        rows = RowList(map(row, shuffled))
        assert len(rows) == ROWS
        return rows

    assert bytes_per_row(made) < 12


def test_pairs_are_found_both_ways() -> None:
    chosen = random.Random(2)
    pairs = [(any_kind(chosen.randrange(500)), any_kind(chosen.randrange(500))) for _ in range(1_000)]
    links = Links(pairs)
    for one in map(any_kind, range(501)):
        assert sorted(links.children(one)) == sorted(child for child, parent in pairs if parent == one)
        assert sorted(links.parents(one)) == sorted(parent for child, parent in pairs if child == one)
    assert list(links.all_children()) == sorted({child for child, _ in pairs})


def test_a_pair_takes_48_bytes_at_most() -> None:
    def made() -> Links:
        links = Links((row(number), row(number // 2)) for number in range(ROWS))
        assert list(links.children(row(7))) == [row(14), row(15)]
        assert list(links.parents(row(7))) == [row(3)]
        return links

    assert bytes_per_row(made) < 52


def test_texts_of_rows_lie_in_a_file() -> None:
    texts = {any_kind(number): None if number % 9 == 0 else f"{number} \udcff" for number in range(1, 3_000)}
    stored = RowTexts()
    stored.put_all(texts)
    assert dict(stored) == texts
    assert list(stored) == sorted(texts)
    assert len(stored) == len(texts)
    assert any_kind(9) in stored
    assert any_kind(3_001) not in stored
    with pytest.raises(KeyError):
        stored[any_kind(3_001)]


@pytest.mark.parametrize("all_alike", [False, True])
def test_rows_are_found_by_key_whatever_the_hashes_are(
    monkeypatch: pytest.MonkeyPatch, all_alike: bool
) -> None:
    if all_alike:
        monkeypatch.setattr(lost_parents, "_hash", lambda _: 1)
    keys = KeyRows()
    for number in range(600):
        keys.add(f'["{number % 200} \udcff"]', any_kind(number))
    for number in range(200):
        found = sorted(keys.rows(f'["{number} \udcff"]'))
        assert found == sorted(map(any_kind, (number, number + 200, number + 400)))
    assert list(keys.rows("[]")) == []


def test_a_key_takes_40_bytes_at_most() -> None:
    def made() -> KeyRows:
        keys = KeyRows()
        for number in range(ROWS):
            keys.add(f'["a key of some length {number}"]', row(number))
        return keys

    # Four megabytes of the temporary file may lie in memory.
    assert bytes_per_row(made) < 40 + 4 * 2**20 * 1.2 / ROWS
