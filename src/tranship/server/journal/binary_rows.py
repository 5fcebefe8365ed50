"""Rows in the binary format of COPY, in pieces: a value of many megabytes is not copied before it is sent.

The driver makes one message of all rows that it is given, which takes several times their size.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""The signature, no flags, and no extension (PostgreSQL documentation, COPY, "Binary Format")."""
_TRAILER: Final = struct.pack("!h", -1)
_NULL: Final = struct.pack("!i", -1)
_PIECE = 256 * 1024
"""Bytes that are handed over together at most."""


def _number(form: str) -> Callable[[Any], bytes]:
    packed = struct.Struct(form)
    return lambda value: packed.pack(value)


TYPES: Final[Mapping[str, Callable[[Any], bytes]]] = MappingProxyType(
    {"int4": _number("!i"), "int8": _number("!q"), "text": str.encode, "bytea": bytes}
)
"""How a value of each type is sent; ``bytes`` of bytes is the same object."""


async def pieces(rows: Iterable[Sequence[object]], types: Sequence[str]) -> AsyncIterator[bytes | memoryview]:
    """Yields rows, whose columns have these types, for a COPY with FORMAT binary."""
    yield _HEADER
    encoders = [TYPES[name] for name in types]
    small = bytearray()
    for row in rows:
        small += struct.pack("!h", len(row))
        for value, encode in zip(row, encoders, strict=True):
            if value is None:
                small += _NULL
                continue
            data = encode(value)
            small += struct.pack("!i", len(data))
            if len(data) <= _PIECE:
                small += data
            else:
                yield bytes(small)
                small.clear()
                whole = memoryview(data)
                for first in range(0, len(data), _PIECE):
                    yield whole[first : first + _PIECE]
        if len(small) > _PIECE:
            yield bytes(small)
            small.clear()
    yield bytes(small) + _TRAILER
