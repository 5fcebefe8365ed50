"""Byte strings that lie in a temporary file, each by its place."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO

from tranship.errors import Stopped
from tranship.errors.codes.stops import TemporaryFolderFull

_IN_MEMORY = 4 * 1024 * 1024
"""Bytes that need no file."""
_BLOCK = 64 * 1024
"""Bytes that are written together."""
_LENGTH = 4
"""Bytes in which the length of an entry stands before it."""

_temporary_file = partial(tempfile.SpooledTemporaryFile, max_size=_IN_MEMORY)
"""Has no name and goes with what holds it."""


class Spill:
    """Entries that are added one behind the other and read by their places."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._written = 0
        self._block = bytearray()
        """What follows on the written bytes."""

    def add(self, entry: bytes) -> int:
        """Adds an entry and returns its place.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        place = self._written + len(self._block)
        self._block += len(entry).to_bytes(_LENGTH, "big") + entry
        if len(self._block) >= _BLOCK:
            self._write()
        return place

    def read(self, place: int) -> bytes:
        """Returns the entry at a place."""
        if self._file is None or place >= self._written:
            at = place - self._written
            length = int.from_bytes(self._block[at : at + _LENGTH], "big")
            return bytes(self._block[at + _LENGTH : at + _LENGTH + length])
        self._file.seek(place)
        return self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))

    def _write(self) -> None:
        with _room():
            if self._file is None:
                self._file = _temporary_file()
            self._file.seek(self._written)
            self._file.write(self._block)
            self._file.flush()
        self._written += len(self._block)
        self._block.clear()


@contextlib.contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Stopped(TemporaryFolderFull(str(error))) from error
