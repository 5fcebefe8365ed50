"""TS500 to TS502: NEW is not what a finished run says, or a certificate not what was made."""

from __future__ import annotations

from pathlib import Path

from tranship.errors.message import DiffersMessage
from tranship.model.names import TableName


class RowsMissing(DiffersMessage, frozen=True):
    code = "TS500"
    meaning = "NEW lacks rows that a finished run wrote"
    cure = "put them back, or roll the run back and run again"
    about = "{table}"
    message = (
        "{table}: a finished run wrote {rows:# row|# rows}, and NEW holds at most {found}: "
        "the table was emptied, rows were deleted, or it is UNLOGGED and its server crashed"
    )
    hint = "put the rows back, or roll the run back (tranship rollback CONFIG --live) and run again"
    table: TableName
    rows: int
    found: int


class TableReplaced(DiffersMessage, frozen=True):
    code = RowsMissing.code
    about = "{table}"
    message = (
        "{table}: a finished run wrote {rows:# row|# rows} into another relation of this name: "
        "the table was dropped and made again, or renamed"
    )
    hint = RowsMissing.hint
    table: TableName
    rows: int


class CertificateAltered(DiffersMessage, frozen=True):
    code = "TS501"
    meaning = "a certificate is not what was made"
    cure = "take the file that `verify` wrote, or verify again"
    about = "{path}"
    message = "{path}: {faults}"
    hint = "take the file that tranship verify wrote, or verify again"
    path: Path
    faults: str


class StructureChanged(DiffersMessage, frozen=True):
    code = "TS502"
    meaning = "triggers, indexes or constraints of the new database are not as they were before the run"
    cure = "nothing, if people changed them on purpose; `doctor --restore` enables what a run left off"
    about = "{run}"
    message = (
        "NEW's schema is not the one that run {run} was planned on: "
        "tables, triggers, indexes or constraints were changed since"
    )
    hint = "{analyze} compares the schemas"
    warning = True
    run: str
    analyze: str


class StillOff(DiffersMessage, frozen=True):
    code = StructureChanged.code
    message = "what a run switched off in NEW is still off: {what}"
    hint = "tranship doctor CONFIG --restore"
    warning = True
    what: tuple[str, ...]
