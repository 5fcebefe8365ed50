"""What a person decides."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tranship.model.names import TableName


class Action(StrEnum):
    """The actions of a resolution."""

    RENAME = "rename"
    TRANSFORM = "transform"
    DEFAULT = "default"
    IGNORE = "ignore"
    RENAME_TABLE = "rename_table"
    DROP_TABLE = "drop_table"


JsonText = str
"""A scalar of the resolutions file as text for a server's input function, digits kept: ``9007199254740993``, ``true``, ``1.10``."""


class LookupTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a lookup finds its values."""

    table: str
    value_column: str
    key_column: str | None = None
    key_columns: tuple[str, ...] = ()
    schema: str | None = None
    database: Literal["new", "old"] = "new"

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns, however they were written."""
        return self.key_columns or ((self.key_column,) if self.key_column is not None else ())


class Resolution(Struct, frozen=True):
    """One entry of the resolutions file after reading; ``path`` is where it stands (``$.resolutions.users[0]``)."""

    table: str
    """The key it stands under, as written."""
    path: str
    action: str
    """As written: a placeholder or an unknown word is found by ``planning/deciding/resolve``."""
    old_column: str | None = None
    old_columns: tuple[str, ...] = ()
    new_column: str | None = None
    value_mapping: tuple[tuple[str, JsonText | None], ...] | None = None
    lookup_table: LookupTable | None = None
    transform_sql: str | None = None
    default_value: JsonText | UnsetType | None = UNSET
    """UNSET: absent. None: JSON null."""
    null_value: JsonText | UnsetType | None = UNSET
    new_table: str | None = None
    new_schema: str | None = None
    description: str = ""
    because: str = ""
    line: int = 0
    source: str = ""
    """The entry as JSON text, digits and comments kept, for writing it again."""


class ResolutionFile(Struct, frozen=True):
    """All entries of a file in file order, with the fingerprints it was generated against (empty: written by hand)."""

    entries: tuple[Resolution, ...]
    old_fingerprint: str = ""
    new_fingerprint: str = ""
    problems: tuple[Problem, ...] = ()
    """What reading found wrong (unknown fields, wrong shapes); such entries are not among ``entries``."""
    remarks: tuple[tuple[str, str], ...] = ()
    """Comments that belong to no entry: keys and their JSON, for writing them again."""


class Decision(Struct, frozen=True):
    """A checked resolution, tied to real tables and columns."""

    action: Action
    old_table: TableName
    new_table: TableName | None
    resolution: Resolution


class Answers(Struct, frozen=True, dict=True):
    """The decisions that the plan is built from."""

    decisions: tuple[Decision, ...] = ()

    def for_table(self, old: TableName) -> tuple[Decision, ...]:
        """The decisions under one old table."""
        return self._by_table.get(old, ())

    @cached_property
    def _by_table(self) -> dict[TableName, tuple[Decision, ...]]:
        found: dict[TableName, tuple[Decision, ...]] = {}
        for decision in self.decisions:
            found[decision.old_table] = (*found.get(decision.old_table, ()), decision)
        return found


class Problem(Struct, frozen=True):
    """Something that keeps a run from starting, or that a person should know. A value, never an exception."""

    code: str
    """``TS203``."""
    object: str
    message: str
    hint: str = ""
    warning: bool = False
    """Told, but no refusal."""
