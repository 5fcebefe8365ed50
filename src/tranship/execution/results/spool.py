"""Keeps the records of rejected rows on disk until their file is written, so that they need no memory."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec
from msgspec import UNSET, Raw, Struct

from tranship.execution.results.causes import group_of
from tranship.model.reasons import from_journal, journalled
from tranship.model.verdict import Reject, RejectRecord

_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of records that need no file."""
_LENGTH = 4
"""Bytes in which the length of a record, and that of its row, stands before it."""


_temporary_file = partial(tempfile.SpooledTemporaryFile, max_size=_IN_MEMORY)
"""Has no name and goes with the spool that holds it."""


class _Stored(Struct, array_like=True):
    """A record as the disk has it, but for the row, which stands behind it: it may be large."""

    table: str
    new_table: str
    key: bytes | None
    column: str | None
    constraint: str | None
    sqlstate: str
    reason: bytes
    flow: str | None
    item: int | None


class Spool:
    """Records of rejected rows in their order. Where the disk refuses them, they stay in memory."""

    def __init__(self) -> None:
        self._file = _temporary_file()
        self._in_file = 0
        self._rest: list[RejectRecord] = []

    def __len__(self) -> int:
        return self._in_file + len(self._rest)

    def add(self, record: RejectRecord) -> None:
        """Adds a record behind the others."""
        if self._rest:
            self._rest.append(record)
            return
        data, row = msgspec.msgpack.encode(_stored(record)), memoryview(record.row)
        place = self._file.tell()
        try:
            if len(row) > _IN_MEMORY:
                # The file would hold it in memory before it goes to the disk.
                self._file.rollover()
            for part in (data, row):
                self._file.write(len(part).to_bytes(_LENGTH, "big"))
                self._file.write(part)
            self._in_file += 1
        except OSError:
            # A run that has moved all rows must not fail because of a full temporary folder.
            self._file.seek(place)
            self._rest.append(record)

    def __iter__(self) -> Iterator[RejectRecord]:
        """Yields the records. None may be added meanwhile."""
        self._file.seek(0)
        for _ in range(self._in_file):
            stored = msgspec.msgpack.decode(self._read(), type=_Stored)
            # Whoever is given the record holds it alone.
            yield _record(stored, Raw(self._read()))
        yield from self._rest

    def _read(self) -> bytes:
        return self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))


def _stored(record: RejectRecord) -> _Stored:
    return _Stored(
        record.table,
        record.new_table,
        None if record.key is None else bytes(record.key),
        record.column,
        record.constraint,
        record.sqlstate,
        journalled(record.reason),
        None if record.flow is UNSET else record.flow,
        None if record.item is UNSET else record.item,
    )


def _record(stored: _Stored, row: Raw) -> RejectRecord:
    return RejectRecord(
        stored.table,
        stored.new_table,
        None if stored.key is None else Raw(stored.key),
        stored.column,
        stored.constraint,
        stored.sqlstate,
        from_journal(stored.reason),
        row,
        UNSET if stored.flow is None else stored.flow,
        UNSET if stored.item is None else stored.item,
    )


class FirstOfEachCause:
    """Lets through the first rejected rows of each cause of one table."""

    def __init__(self, most: int | None) -> None:
        """``most``: rows of a cause; None: all."""
        self._most = most
        self._taken: Counter[object] = Counter()

    def takes(self, reject: Reject) -> bool:
        """Returns whether a rejected row is among the first of its cause."""
        if self._most is None:
            return True
        group = group_of(reject)
        self._taken[group] += 1
        return self._taken[group] <= self._most

    def among(self, rejects: Iterable[Reject]) -> Iterator[Reject]:
        """Yields the first rejects of each cause."""
        return filter(self.takes, rejects)
