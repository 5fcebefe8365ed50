"""What the values of a run depend on beside the rows of its tables, in OLD and in NEW."""

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


class Computed(Struct, frozen=True):
    """What NEW computes with for the rows of a run: defaults, generated columns, and the functions that
    these, CHECKs, domains and index expressions call.
    """

    functions: tuple[str, ...] = ()
    """The bare names of the functions that are not built in, those that they call included."""
    facts: Mapping[str, str] = {}
    """Defaults and functions, and the search_path of batches: what each is, by a name for people."""


class Dependencies(Struct, frozen=True):
    """What a run found when it began; whoever resumes it must find the same."""

    reads: Reads = Reads()
    tables: Mapping[str, Versions] = {}
    """By name, those of ``reads``."""
    facts: Mapping[str, str] = {}
    """Columns, enum labels, functions and views: what each is, by a name for people."""
    server_started: str = ""
    """When OLD's server was started; empty: that was not recorded."""
    computed: Computed | None = None
    """What NEW computes with; None: that was not recorded."""
