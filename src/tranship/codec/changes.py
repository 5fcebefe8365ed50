"""The changes file: what `analyze` has read, so that `resolve generate` and `resolve validate` need no
connection.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct

from tranship import __version__
from tranship.codec.files import read_text, write_json
from tranship.codec.kinds import other_kind
from tranship.errors import UsageError
from tranship.errors.codes.usage import (
    ChangesKeyTwice,
    ForeignChangesFile,
    NoChangesFile,
    NotJson,
    OtherInPlaceOfChanges,
)
from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Evidence
from tranship.model.options import command_line, naming_by, pattern_words
from tranship.model.statistics import Statistics

CHANGES_FORMAT = 1


class SideInfo(Struct, frozen=True):
    """One database as `analyze` has read it."""

    database: str
    server_version: int
    fingerprint: str
    catalog: Catalog
    configured: bool = False
    """The configuration names the schemas of this side."""
    statistics: Statistics = Statistics()
    """What ANALYZE has stored about columns that may have been renamed."""


class ChangeRecord(Struct, frozen=True):
    """A `Change` as the changes file writes it."""

    type: ChangeClass
    kind: ChangeKind
    table: str
    description: str
    old_column: str | None = None
    new_column: str | None = None
    new_table: str | None = None
    auto_action: str | None = None
    requires_manual: bool = False
    evidence: tuple[str, ...] = ()
    conversion: str | None = None

    @classmethod
    def of(cls, change: Change) -> ChangeRecord:
        """Returns the record of a change."""
        shared = {
            name: getattr(change, name) for name in change.__struct_fields__ if name not in ("cls", "demand")
        }
        return cls(type=change.cls, requires_manual=change.requires_manual, **shared)


class ChangesFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``[P_]migration_changes.json``: all that `generate` and `validate` need without a connection."""

    format_version: int
    tool_version: str
    old: SideInfo
    new: SideInfo
    summary: dict[str, int]
    """``total``, ``safe``, ``transformable``, ``breaking``."""
    changes: tuple[ChangeRecord, ...]
    notes: tuple[ChangeRecord, ...] = ()
    tables: tuple[str, ...] | None = None
    """``tables`` of the configuration."""
    table_mapping: tuple[tuple[str, str], ...] = ()
    databases: tuple[str, ...] = ()
    """The words that named both databases on the command line, for the next command."""
    only: tuple[str, ...] = ()
    """Patterns of ``--table``."""
    never: tuple[str, ...] = ()
    """Patterns of ``--exclude-table``."""
    journal_schema: str = "_tranship"
    shared_ancestor: bool = False
    """Both databases descend from one cluster, so equal column numbers prove a rename."""
    evidence: Evidence = Evidence()
    """What the data says about open changes, for the suggestions."""


class _Header(Struct):
    format_version: object = None
    tool_version: object = None


def write_changes(path: Path, changes: ChangesFile) -> None:
    """Writes the changes file, with mode 0600, because it may hold values of rows.

    Raises:
        UsageError: it cannot be written.
    """
    write_json(path, changes)


def read_changes(path: Path) -> ChangesFile:
    """Returns a changes file that this version of the tool has written.

    Raises:
        UsageError: it is unreadable, no JSON, or of another tool or version.
    """
    named = naming_by(str(path))
    # A file of another name is written by no options.
    naming = named if "--changes-file" not in named else ()
    text = read_text(path, command_line("tranship", "analyze", "CONFIG", *naming))
    try:
        # msgspec keeps the last of two equal keys, so the standard library looks first.
        root = json.loads(text, object_pairs_hook=_once)
        other = other_kind(root, "a changes file")
        if other is not None:
            raise UsageError(OtherInPlaceOfChanges(path, *other))
        header = msgspec.json.decode(text, type=_Header)
        # The header is read first: a file of another version would fail at some field that its writer did not
        # know.
        if header.format_version != CHANGES_FORMAT or header.tool_version != __version__:
            raise _foreign(path, "another tool or version wrote it")
        return msgspec.json.decode(text, type=ChangesFile)
    except json.JSONDecodeError as error:
        raise UsageError(NotJson(path, error.lineno, f"not JSON: {error.msg}", "run analyze again")) from None
    except _Twice as error:
        raise UsageError(ChangesKeyTwice(path, str(error))) from None
    except msgspec.ValidationError as error:
        raise _foreign(path, str(error)) from None
    # A file nested so deeply that a parser gives up.
    except (RecursionError, msgspec.DecodeError, ValueError):
        raise UsageError(NoChangesFile(path)) from None


def _foreign(path: Path, reason: str) -> UsageError:
    return UsageError(ForeignChangesFile(path, reason))


class _Twice(Exception):
    pass


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(json.dumps(name, ensure_ascii=False))
            seen.add(name)
    return made


class _Words(Struct, frozen=True):
    databases: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def read_words(path: Path) -> tuple[str, ...]:
    """Returns the words of the command line with which a changes file was made: its databases, and the
    options that choose tables. Empty where the file does not say it.
    """
    try:
        found = msgspec.json.decode(read_text(path), type=_Words)
    except msgspec.MsgspecError:
        return ()
    return (*found.databases, *pattern_words(found.only, found.never))
