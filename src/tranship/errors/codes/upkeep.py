"""TS135, TS377, TS380 and TS385: what an interrupted run left in NEW, and what people changed of it."""

from __future__ import annotations

from tranship.errors.message import RefusalMessage, UsageMessage
from tranship.model.names import TableName


class NothingOff(UsageMessage, frozen=True):
    code = "TS135"
    meaning = "nothing of this name is switched off"
    cure = "write it as `tranship doctor CONFIG` lists it"
    message = "nothing is switched off that is called {what!r}"
    hint = "write it as tranship doctor CONFIG lists it: {there}"
    what: str
    there: tuple[str, ...]


class NothingOffAtAll(NothingOff, frozen=True):
    message = "nothing is switched off in NEW, {what!r} neither"
    hint = ""
    there: tuple[str, ...] = ()


class TableRenamed(RefusalMessage, frozen=True):
    code = "TS380"
    meaning = "a table whose rows would be rolled back has another name or another place now"
    cure = "give it its name and its place back, with the statement that the message names"
    about = "{table}"
    message = "{table}, into which the run wrote, is called {present} now"
    hint = "give it its name back for the rollback: {statement}"
    table: TableName
    present: TableName
    statement: str


class TableAttached(RefusalMessage, frozen=True):
    code = TableRenamed.code
    about = "{table}"
    message = "{table}, into which the run wrote, is a partition of {above} now"
    hint = "detach it for the rollback: {statement}"
    table: TableName
    above: TableName
    statement: str


class RowsElsewhere(RefusalMessage, frozen=True):
    code = TableRenamed.code
    about = "{table}"
    message = "{rows:# row|# rows} of {table} that the run wrote {rows:is|are} in {present} now"
    hint = (
        "for the rollback, attach {present} as a partition again or give it its name back; or drop it, "
        "if its rows may go"
    )
    table: TableName
    rows: int
    present: TableName


class UndoUnreadable(RefusalMessage, frozen=True):
    code = "TS385"
    meaning = "the journal holds SQL that tranship did not write; it is not executed"
    cure = "restore by hand what is off, then say so: `doctor --accept`"
    about = "{what}"
    message = "the journal's entry for {what} is none that tranship wrote, and is not executed: {sql}"
    hint = "see what of it is off, restore that by hand, then: {accept}"
    what: str
    sql: str
    accept: str
    """The command that lets it be as it is."""


class CannotRestore(RefusalMessage, frozen=True):
    code = "TS377"
    meaning = "what an interrupted run left switched off cannot be restored"
    cure = (
        "remove the cause; or restore it by hand in whatever form, which is found by name or by definition; "
        "or say that it stays as it is: `doctor --accept`"
    )
    about = "{what}"
    message = "{what} cannot be restored: {said}"
    hint = (
        "remove the cause and run the same command again; or restore it by hand: {sql}; "
        "or let it be as it is: {accept}"
    )
    what: str
    said: str
    sql: str
    accept: str
    """The command that lets it be as it is."""
