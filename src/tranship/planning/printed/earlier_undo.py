"""The statements that journals of format 1 hold to restore what is off, read back into facts.

Such a journal holds SQL, which is never executed. A statement that is exactly one of the five that tranship
0.1.0 wrote becomes facts, from which the SQL is composed anew. Anything else stays unreadable.
"""

from __future__ import annotations

from collections.abc import Callable

from tranship.model.catalog import Index
from tranship.model.names import TableName
from tranship.model.undo import (
    CommentDropped,
    IndexDropped,
    KeyDropped,
    KeyUnvalidated,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
)
from tranship.planning.printed.definitions import NotPlain, Reader, read_foreign_key, read_index

_STATES = {("ENABLE",): "O", ("DISABLE",): "D", ("ENABLE", "REPLICA"): "R", ("ENABLE", "ALWAYS"): "A"}


def earlier_undo(what: str, sql: str, index: tuple[TableName, Index] | None) -> SwitchedOff:
    """Returns the facts behind one entry of a journal of format 1.

    Args:
        what: what is off, in words.
        sql: the statement that the journal holds.
        index: the table and the catalog facts of an index, where the entry is about one.
    """
    readings: tuple[Callable[[Reader], SwitchedOff], ...] = (_trigger, _foreign_key, _validity, _comment)
    if index is not None:
        readings = (lambda reader: _index(reader, *index),)
    for reading in readings:
        try:
            reader = Reader(sql)
            found = reading(reader)
            reader.end()
        except NotPlain:
            continue
        # The words are shown to a person, so they have to be those of the same thing.
        if str(found) == what:
            return found
    return Unreadable(what, sql)


def _trigger(reader: Reader) -> SwitchedOff:
    reader.need("ALTER", "TABLE", "ONLY")
    table = reader.relation()
    words = next((words for words in reversed(_STATES) if reader.take(*words, "TRIGGER")), None)
    if words is None:
        raise NotPlain("TRIGGER")
    return TriggerDisabled(table, reader.name(), _STATES[words])


def _foreign_key(reader: Reader) -> SwitchedOff:
    reader.need("ALTER", "TABLE")
    table = reader.relation()
    reader.need("ADD", "CONSTRAINT")
    key = read_foreign_key(reader, reader.name())
    # Only keys of partitioned tables were added whole; others NOT VALID, with an entry that validates them.
    return KeyDropped(table, key, partitioned=key.validated)


def _validity(reader: Reader) -> SwitchedOff:
    reader.need("ALTER", "TABLE")
    table = reader.relation()
    reader.need("VALIDATE", "CONSTRAINT")
    return KeyUnvalidated(table, reader.name())


def _comment(reader: Reader) -> SwitchedOff:
    reader.need("COMMENT", "ON", "CONSTRAINT")
    key = reader.name()
    reader.need("ON")
    table = reader.relation()
    reader.need("IS")
    return CommentDropped(table, key, reader.text())


def _index(reader: Reader, table: TableName, index: Index) -> SwitchedOff:
    reader.need("SET", "LOCAL")
    _setting(reader, "search_path")
    if reader.text():
        raise NotPlain("search_path")
    reader.need(";", "SET", "LOCAL")
    _setting(reader, "default_tablespace")
    tablespace = reader.name() if reader.at_name else None
    if tablespace is None and reader.text():
        raise NotPlain("default_tablespace")
    reader.need(";")
    name, on, shape = read_index(reader)
    comment = None
    if reader.take(";", "COMMENT", "ON", "INDEX"):
        if reader.relation() != TableName(on.schema, name):
            raise NotPlain(name)
        reader.need("IS")
        comment = reader.text()
    if (on, name) != (table, index.name):
        raise NotPlain(name)
    return IndexDropped(table, index, shape, table.schema, tablespace, comment)


def _setting(reader: Reader, name: str) -> None:
    if reader.name() != name:
        raise NotPlain(name)
    reader.need("=")
