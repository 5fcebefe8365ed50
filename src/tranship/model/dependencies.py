"""What the values that a plan reads depend on in OLD, beside the rows of its tables."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tranship.model.names import TableName


class Reads(Struct, frozen=True):
    """What the expressions of a plan reach, as OLD's planner says."""

    tables: tuple[TableName, ...] = ()
    """Tables that they read beside their own, and whose row versions can be compared."""
    unseen: tuple[str, ...] = ()
    """Functions whose own reads no plan shows, and relations without comparable versions."""
    functions: tuple[str, ...] = ()
    """Bare names of people's functions that they may call, also through one another."""
    expressions: bool = False
    """There is an expression at all."""


class Versions(Struct, frozen=True):
    """The row versions of one table in a snapshot."""

    rows: int
    digest: str


class Dependencies(Struct, frozen=True):
    """What a run found in OLD when it began; whoever resumes it must find the same."""

    reads: Reads = Reads()
    tables: Mapping[str, Versions] = {}
    """By name, those of ``reads``."""
    facts: Mapping[str, str] = {}
    """Columns, enum labels, functions and views: what each is, by a name for people."""
    server_started: str = ""
    """When OLD's server was started; empty: that was not recorded."""
