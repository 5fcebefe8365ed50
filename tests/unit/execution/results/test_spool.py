"""Records of rejected rows come back as they went in, whatever the disk does."""

from __future__ import annotations

import pytest
from msgspec import UNSET, Raw
from msgspec.structs import replace

from tranship.execution.results import spool
from tranship.execution.results.spool import FirstOfEachCause, Spool
from tranship.model.locator import Locator
from tranship.model.reasons import CheckViolated, MappingGap, ServerSaid
from tranship.model.verdict import Reject, RejectRecord

RECORDS = [
    RejectRecord("a", "b", Raw(b'{"id": 1}'), "c", None, "22023", MappingGap("é\u2028"), Raw(b'{"c": 1.10}')),
    RejectRecord("a", "b", None, None, "k", "23514", CheckViolated("k", "b"), Raw(b"{}"), "flow", 2),
    RejectRecord("a", "b", None, None, None, "22P02", ServerSaid("x", None), Raw(b"{}"), UNSET, UNSET),
]


def filled(records: list[RejectRecord]) -> Spool:
    made = Spool()
    for record in records:
        made.add(record)
    return made


def plain(record: RejectRecord) -> tuple[object, ...]:
    raw = (record.key, record.row)
    others = (record.table, record.new_table, record.column, record.constraint, record.sqlstate)
    return (*others, record.reason, record.flow, record.item, *(r and bytes(r) for r in raw))


def test_records_come_back_in_order() -> None:
    many = RECORDS * 1000
    kept = filled(many)
    assert len(kept) == 3000
    for _ in range(2):
        assert list(map(plain, kept)) == list(map(plain, many))
    assert list(Spool()) == []


def test_large_rows_go_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_IN_MEMORY", 100)
    large = [replace(RECORDS[n % 3], row=Raw(b'{"c": "%s"}' % (b"x" * n))) for n in range(0, 300, 20)]
    kept = filled(large)
    assert kept._file._rolled  # type: ignore[attr-defined]
    assert list(map(plain, kept)) == list(map(plain, large))


def test_a_full_disk_loses_nothing() -> None:
    kept = filled(RECORDS[:1])
    whole = kept._file.write

    def full(data: bytes) -> int:
        # A part is written, as by a disk that fills up.
        whole(data[:3])
        raise OSError(28, "No space left on device")

    kept._file.write = full  # type: ignore[method-assign]
    for record in RECORDS[1:]:
        kept.add(record)
    assert len(kept) == 3
    assert list(map(plain, kept)) == list(map(plain, RECORDS))


def test_the_first_of_each_cause() -> None:
    rejects = [
        Reject(Locator(0, (0, n)), "23514", CheckViolated("even" if n % 2 else "odd", "t"), None, str(n % 2))
        for n in range(20)
    ]
    assert [one.row.address[1] for one in FirstOfEachCause(3).among(rejects)] == [0, 1, 2, 3, 4, 5]
    assert list(FirstOfEachCause(None).among(rejects)) == rejects
