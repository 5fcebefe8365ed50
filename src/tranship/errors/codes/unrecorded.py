"""TS390, too: NEW holds rows that no run on record wrote, and no key of NEW tells them from OLD's rows."""

from __future__ import annotations

from tranship.errors.codes.runs import FilledBefore
from tranship.errors.message import RefusalMessage
from tranship.model.names import TableName


class ThereTwice(RefusalMessage, frozen=True):
    code = FilledBefore.code
    about = "{old}"
    message = (
        "{new} holds {rows:# row|# rows} that no run on record wrote, and no key of it keeps OLD's rows from "
        "coming twice: {twice:# row|# rows} of {old} would, since NEW has {columns} of them already (of "
        "{asked:# row|# rows} compared)"
    )
    hint = (
        "if an earlier run wrote them (purge forgets its runs), empty the table, or add the action existing "
        "with this key; to write them a second time on purpose: --again"
    )
    old: TableName
    new: TableName
    rows: int
    asked: int
    twice: int
    columns: tuple[str, ...]


class UnrecordedRows(RefusalMessage, frozen=True):
    code = ThereTwice.code
    warning = True
    about = "{old}"
    message = (
        "{new} holds {rows:# row|# rows} that no run on record wrote, and no key of it keeps OLD's rows from "
        "coming twice: rows of {old} that are among them would"
    )
    hint = "if an earlier run wrote them (purge forgets its runs), empty the table first; else all is well"
    old: TableName
    new: TableName
    rows: int
