"""The certificate of a verification: what was moved, by whose decision, and that NEW holds it.

The file consists of these types, written by the codec: field names are its JSON keys.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from tranship.model.difference import RowsBefore, SecondOpinion
from tranship.model.verdict import DatabaseInfo, RejectCause
from tranship.model.verification import AskedConstraint


class CertifiedRun(Struct, frozen=True, forbid_unknown_fields=True):
    """One run whose rows were verified."""

    id: str
    tool_version: str
    started: str
    finished: str
    old_identity: str
    """System identifier and database OID of OLD's database; likewise ``new_identity``."""
    new_identity: str
    snapshot: str
    """OLD's snapshot, which all rows were read in; of a ``mixed`` run the last one."""
    plan_hash: str
    os_user: str
    """Who began the run; likewise ``role``, which logged in to NEW."""
    role: str
    resolutions: str | None
    """Name of the file with the decisions, likewise its SHA-256; None: nothing was decided by hand."""
    resolutions_sha256: str | None
    left_out: dict[str, int]
    """Rows of OLD's tables that the decisions leave out."""
    mixed: bool | UnsetType = UNSET
    """Some tables were read in another snapshot than others, as a person allowed; absent: none was."""
    references: tuple[str, ...] | UnsetType = UNSET
    """Warnings about columns that keep OLD's keys while the rows got other ones; absent: there were none."""


class CertifiedTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The rows that one run brought into one table."""

    run: str
    table: str
    new_table: str
    flow: str
    read: int
    """Rows of OLD."""
    left_out: int
    """Those of which no row was made."""
    made: int
    """Rows that were made of the others."""
    written: int
    rejected: int
    rejected_by_reason: dict[str, int]
    already_there: int
    """Rows that NEW held before, equal; likewise kept, updated and merged."""
    kept: int
    updated: int
    merged: int
    columns: int
    """Columns that were compared."""
    cells: int
    """Values that were compared and are equal."""
    apart: str
    """What nobody can say of the other columns; empty: all were compared."""
    how: str
    """How the rows were compared where it was not by their transactions; empty: by these."""
    hashing: str
    sums: tuple[str, str]
    """The two sums over the hashes of all rows, alike on both sides."""
    second_opinion: SecondOpinion | UnsetType = UNSET
    """What was computed once more in Python, all equal; absent in certificates of earlier versions."""
    rows_before: RowsBefore | UnsetType = UNSET
    """What is found of rows that NEW held before; absent where it held none of them."""
    causes: tuple[RejectCause, ...] | UnsetType = UNSET
    """Why rows are rejected, without values of rows, consequences of other rejects last; absent in
    certificates of earlier versions, and where nothing is rejected.
    """


class Certificate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole certificate."""

    format_version: int = 1
    tool_version: str
    made: str
    """When the comparison ended."""
    old: str
    """OLD as the configuration names it."""
    new: DatabaseInfo
    runs: tuple[CertifiedRun, ...]
    tables: tuple[CertifiedTable, ...]
    constraints: tuple[AskedConstraint, ...]
    cells: int
    sha256: str = ""
    """Over the document without this key: its members sorted by name, without blanks, in UTF-8."""
