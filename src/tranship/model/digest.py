"""Sums of row hashes: what proves that a batch of NEW holds what OLD's rows become."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class RowHash(StrEnum):
    """How a row is hashed, alike on both servers."""

    NATIVE = "native"
    """By the server's own hash functions, value by value; texts by the bytes of their encoding."""
    MD5 = "md5"
    """By the two halves of the MD5 of its text in UTF-8: where encodings or the native hashes differ."""


class HashForm(Struct, frozen=True):
    """How one side hashes a row."""

    how: RowHash
    encoding: str = "UTF8"
    """By MD5, the encoding whose bytes are hashed; SQL_ASCII: the bytes as they are."""


class Sums(Struct, frozen=True):
    """The number of rows and two sums of 64-bit row hashes.

    Sums do not depend on the order of rows, and unlike an XOR they tell two equal rows from none.
    """

    rows: int = 0
    first: int = 0
    second: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.rows + other.rows, self.first + other.first, self.second + other.second)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.rows - other.rows, self.first - other.first, self.second - other.second)
