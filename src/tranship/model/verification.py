"""What ``tranship verify`` is asked and what it answers. The result file consists of these types, written by
the codec: field names are its JSON keys.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tranship.model.difference import Difference, RowsBefore, SecondOpinion
from tranship.model.resolution import Problem
from tranship.model.verdict import DatabaseInfo, TimeSpent


class VerifyOptions(Struct, frozen=True, kw_only=True):
    """Options of ``verify``; paths are relative to the working directory."""

    run: str | None = None
    """The run whose rows are verified; None: those of every run."""
    new_in_use: bool = False
    """Others write to NEW: rows that they added or changed are told and do not count as wrong."""
    prefix: str | None = None
    results_dir: str = "results"
    show_values: bool = False
    """The result may hold values of rows."""
    profile: bool = False
    """The result says where the time went."""
    arguments: tuple[str, ...] = ()
    """The command line as given, for the result file."""
    invocation: str = "tranship"
    databases: tuple[str, ...] = ()
    """The words that name the two databases on the command line, for the next command."""


class VerifiedTable(Struct, frozen=True):
    """What is known of the rows that one run brought into one table."""

    run: str
    table: str
    """OLD's table."""
    new_table: str
    rows: int
    """Rows that the run wrote, by its journal."""
    verified: bool | str | None
    """True: equal. A text: equal but for what it says. False: NEW differs. None: nothing is proven."""
    verified_why: str = ""
    """Why no more is known, or how the rows were compared where it was not by their transactions."""
    cells: int = 0
    """Values of NEW that are compared, or would be if all were well."""
    cells_verified: int = 0
    """Values of NEW that are what OLD's rows became."""
    differences: tuple[Difference, ...] = ()
    """Rows of NEW that are not what OLD's rows became."""
    rows_changed_in_old: int = 0
    """Rows of batches that differ which OLD changed or deleted since the run: no difference by itself."""
    second_opinion: SecondOpinion | UnsetType = UNSET
    """What was computed once more in Python; absent where rows differ otherwise, or nobody did it."""
    rows_before: RowsBefore | UnsetType = UNSET
    """What is found of rows that NEW held before the run; absent where it held none of them."""
    flow: str | UnsetType = UNSET
    """What a person calls the flow; absent for a plain pair of tables."""
    rejected: int = 0
    """Rows that the run rejected: NEW lacks them, and they are not compared."""
    not_asked: tuple[str, ...] = ()
    """Checks that were not possible before the run, in words for people."""

    @property
    def label(self) -> str:
        """What people see: the flow's name, and the old table's where the flow has none."""
        return self.flow or self.table


class ConstraintKind(StrEnum):
    """What was asked of NEW's rows."""

    FOREIGN_KEY = "foreign key"
    CHECK = "check"
    UNIQUE = "unique"
    EXCLUSION = "exclusion"
    DOMAIN = "domain"
    """A check of the domain, or of a part of the type, of a column."""
    NOT_NULL = "not null"
    SEQUENCE = "sequence"
    """The next number of a column's sequence is behind the values of the column."""


class AskedConstraint(Struct, frozen=True):
    """One constraint of NEW, and the rows that break it, asked and not believed."""

    table: str
    kind: ConstraintKind
    name: str
    """Of the constraint, else of the index or the column."""
    rows: int | None
    """Rows that break it; None: it could not be asked."""
    tolerated: bool = False
    """A decision of the runs keeps such rows, which is not taken for an error."""

    @property
    def broken(self) -> bool:
        """Whether rows break it and no decision keeps them."""
        return bool(self.rows) and not self.tolerated


class Verification(Struct, frozen=True, kw_only=True):
    """The result file of a verification."""

    format_version: int = 1
    tool_version: str
    status: Literal["verified", "differs", "not verified"]
    exit_status: int
    started: str
    finished: str
    runs: tuple[str, ...]
    """The runs whose rows were compared, oldest first."""
    tables: tuple[VerifiedTable, ...]
    constraints: tuple[AskedConstraint, ...] = ()
    """What the constraints of these tables forbid, and the rows that do so all the same."""
    problems: tuple[Problem, ...] = ()
    new: DatabaseInfo | None = None
    resume: str | UnsetType = UNSET
    """The command that resumes a run that is not finished, whose rows cannot be compared before."""
    rolling_back: str | UnsetType = UNSET
    """The run whose rollback was interrupted: some of its rows are gone."""
    at_work: str | UnsetType = UNSET
    """The run that a process is at work on, or on its rollback: nothing is resumed before it has ended."""
    mixed: bool | UnsetType = UNSET
    """A run read its tables in more than one snapshot of OLD, as a person allowed; absent: none did."""
    old_read: bool = False
    """OLD was read: it says which rows differ, and rows were computed once more from it."""
    arguments: tuple[str, ...] = ()
    profile: tuple[TimeSpent, ...] | UnsetType = UNSET
    """Where the time went; absent unless it was asked for."""
