"""Definitions of indexes and foreign keys as the server prints them, read back into facts.

The grammar accepts what ``pg_get_indexdef_worker`` and ``pg_get_constraintdef_worker`` print (PostgreSQL
source, ``ruleutils.c``) and nothing else: keywords in capitals, names in small letters or in quotes. A
definition that holds an expression, a predicate or anything unknown raises `NotPlain`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.model.undo import IndexKey, IndexShape

T = TypeVar("T")
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"]|"")+")|(?P<text>'(?:[^']|'')*')"""
    r"""|(?P<word>[A-Z]+)(?![a-z0-9_$])|(?P<name>[a-z_][a-z0-9_$]*)|(?P<sign>[(),.=;]))"""
)
_ACTIONS = {("CASCADE",): "c", ("RESTRICT",): "r", ("SET", "NULL"): "n", ("SET", "DEFAULT"): "d"}


class NotPlain(ValueError):
    """A definition holds what no plain index, key or statement of ours holds."""


class Reader:
    """Reads the tokens of one printed text from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise NotPlain(text)
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def end(self) -> None:
        """Raises NotPlain unless everything is read."""
        if self._at < len(self._tokens):
            raise NotPlain(self._tokens[self._at][1])

    def take(self, *words: str) -> bool:
        """Reads these keywords or signs where they come next; whether they did."""
        ahead = [
            text for kind, text in self._tokens[self._at : self._at + len(words)] if kind in ("word", "sign")
        ]
        if ahead != list(words):
            return False
        self._at += len(words)
        return True

    def need(self, *words: str) -> None:
        """Reads these keywords or signs, or raises NotPlain."""
        if not self.take(*words):
            raise NotPlain(" ".join(words))

    def name(self) -> str:
        """Reads one name, unquoted."""
        kind, text = self._next()
        if kind == "quoted":
            return text[1:-1].replace('""', '"')
        if kind == "name":
            return text
        raise NotPlain(text)

    def text(self) -> str:
        """Reads one string literal, unquoted."""
        kind, text = self._next()
        if kind != "text":
            raise NotPlain(text)
        return text[1:-1].replace("''", "'")

    def relation(self) -> TableName:
        """Reads a name with its schema."""
        schema = self.name()
        self.need(".")
        return TableName(schema, self.name())

    def catalogued(self) -> tuple[str, str]:
        """Reads a name that may have a schema; an empty one where it has none."""
        first = self.name()
        return (first, self.name()) if self.take(".") else ("", first)

    def listed(self, one: Callable[[], T]) -> tuple[T, ...]:
        """Reads a list in parentheses."""
        self.need("(")
        found = [one()]
        while self.take(","):
            found.append(one())
        self.need(")")
        return tuple(found)

    @property
    def at_name(self) -> bool:
        """A name comes next."""
        return self._at < len(self._tokens) and self._tokens[self._at][0] in ("name", "quoted")

    def at(self, sign: str) -> bool:
        """This sign comes next."""
        return self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise NotPlain("the end")
        self._at += 1
        return self._tokens[self._at - 1]


def read_index(reader: Reader) -> tuple[str, TableName, IndexShape]:
    """Reads ``CREATE INDEX …`` up to its last storage parameter: the index's name, its table, and its shape.

    Raises:
        NotPlain: it is unique, partial, or over expressions.
    """
    reader.need("CREATE", "INDEX")
    name = reader.name()
    reader.need("ON")
    table = reader.relation()
    reader.need("USING")
    method = reader.name()
    keys = reader.listed(lambda: _index_key(reader))
    include = reader.listed(reader.name) if reader.take("INCLUDE") else ()
    options = reader.listed(lambda: _option(reader)) if reader.take("WITH") else ()
    return name, table, IndexShape(method, keys, include, options)


def index_shape(definition: str) -> IndexShape | None:
    """Returns the shape of an index by its ``pg_get_indexdef``; None where it is no plain one."""
    try:
        reader = Reader(definition)
        _, _, shape = read_index(reader)
        reader.end()
    except NotPlain:
        return None
    return shape


def read_foreign_key(reader: Reader, name: str) -> ForeignKey:
    """Reads ``FOREIGN KEY … REFERENCES …`` to its end.

    Raises:
        NotPlain: it is none.
    """
    reader.need("FOREIGN", "KEY")
    columns, period = _key_columns(reader)
    reader.need("REFERENCES")
    target = reader.relation()
    target_columns, _ = _key_columns(reader)
    match_full = reader.take("MATCH", "FULL")
    on_update = _action(reader) if reader.take("ON", "UPDATE") else "a"
    on_delete = _action(reader) if reader.take("ON", "DELETE") else "a"
    # ON DELETE SET NULL (a, b) and SET DEFAULT (a, b): PostgreSQL 15.
    set_columns = reader.listed(reader.name) if on_delete in ("n", "d") and reader.at("(") else ()
    return ForeignKey(
        name=name,
        columns=columns,
        target=target,
        target_columns=target_columns,
        match_full=match_full,
        on_update=on_update,
        on_delete=on_delete,
        deferrable=reader.take("DEFERRABLE"),
        initially_deferred=reader.take("INITIALLY", "DEFERRED"),
        enforced=not reader.take("NOT", "ENFORCED"),
        validated=not reader.take("NOT", "VALID"),
        period=period,
        set_columns=set_columns,
    )


def _index_key(reader: Reader) -> IndexKey:
    column = reader.name()
    collation = reader.catalogued() if reader.take("COLLATE") else None
    operator_class = reader.catalogued() if reader.at_name else None
    descending = reader.take("DESC")
    if not reader.take("NULLS"):
        return IndexKey(column, collation, operator_class, descending)
    first = reader.take("FIRST")
    if not first:
        reader.need("LAST")
    return IndexKey(column, collation, operator_class, descending, first)


def _option(reader: Reader) -> tuple[str, str]:
    name = reader.name()
    reader.need("=")
    return name, (reader.name() if reader.at_name else reader.text())


def _key_columns(reader: Reader) -> tuple[tuple[str, ...], bool]:
    """The columns of one side of a key, and whether the last one is a period."""
    periods: list[bool] = []

    def one() -> str:
        periods.append(reader.take("PERIOD"))
        return reader.name()

    columns = reader.listed(one)
    if any(periods[:-1]):
        raise NotPlain("PERIOD")
    return columns, periods[-1]


def _action(reader: Reader) -> str:
    for words, letter in _ACTIONS.items():
        if reader.take(*words):
            return letter
    reader.need("NO", "ACTION")
    return "a"
