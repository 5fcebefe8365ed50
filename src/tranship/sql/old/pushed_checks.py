"""CHECKs of NEW as predicates over the rows of OLD, so that only rows that may break one are sent to NEW.

A CHECK is translated only where every part of it means the same on both servers: comparisons of built-in
numbers, dates, timestamps, booleans and floats, equality and length of texts, lists, and what AND, OR and NOT
make of them. NEW still judges the rows for which OLD finds a CHECK false, so a translation has to be on the
safe side only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tranship.model.catalog import Column, Table
from tranship.model.plan import TablePlan
from tranship.sql.canonical import taken_on_old
from tranship.sql.quote import literal
from tranship.sql.types.values import deterministic

_NUMBER, _FLOAT, _TEXT, _BOOLEAN = "number", "float", "text", "boolean"
_DATE, _TIMESTAMP, _TIMESTAMPTZ = "date", "timestamp", "timestamptz"
_STRING = "string literal"
_BY_TYPNAME = {
    "int2": _NUMBER,
    "int4": _NUMBER,
    "int8": _NUMBER,
    "numeric": _NUMBER,
    "float4": _FLOAT,
    "float8": _FLOAT,
    "text": _TEXT,
    "varchar": _TEXT,
    "bool": _BOOLEAN,
    "date": _DATE,
    "timestamp": _TIMESTAMP,
    "timestamptz": _TIMESTAMPTZ,
}
_CASTS = {
    "smallint": (_NUMBER, "int2"),
    "integer": (_NUMBER, "int4"),
    "bigint": (_NUMBER, "int8"),
    "numeric": (_NUMBER, "numeric"),
    "real": (_FLOAT, "float4"),
    "double precision": (_FLOAT, "float8"),
    "text": (_TEXT, "text"),
    "character varying": (_TEXT, "text"),
    "date": (_DATE, "date"),
    "timestamp without time zone": (_TIMESTAMP, "timestamp"),
    "timestamp with time zone": (_TIMESTAMPTZ, "timestamptz"),
}
"""Types as casts in a printed CHECK name them: what they hold, and their name in the catalog."""
_ORDERED = frozenset({_NUMBER, _FLOAT, _BOOLEAN, _DATE, _TIMESTAMP, _TIMESTAMPTZ})
_LENGTHS = frozenset({"length", "char_length", "character_length"})
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<cast>::(?:double\ precision|character\ varying|timestamp\ with(?:out)?\ time\ zone|[a-z]+)(?:\[\])?)
    | (?P<word>[a-z_][a-z0-9_$]*)
    | (?P<keyword>[A-Z]+)
    | (?P<operator><=|>=|<>|[=<>])
    | (?P<mark>[(),\[\]])
    )""",
    re.VERBOSE,
)


class _Unknown(Exception):
    """A part whose meaning on OLD is not certain."""


class _Term(NamedTuple):
    """A part of a CHECK as OLD computes it."""

    sql: str
    kind: str
    fixed: bool = False
    """A constant."""


def breaking(plan: TablePlan, old: Table, new: Table, expression: str) -> str | None:
    """Returns a predicate of OLD that is true for every row that may break a CHECK of NEW; None: OLD cannot
    tell for some row.
    """
    try:
        return f"({_Parser(plan, old, new, expression).condition()} IS FALSE)"
    except _Unknown:
        return None


class _Parser:
    """Reads a CHECK as ``pg_get_expr`` prints it, and writes it for OLD."""

    def __init__(self, plan: TablePlan, old: Table, new: Table, expression: str) -> None:
        self._plan, self._old, self._new = plan, old, new
        self._tokens = _tokens(expression)
        self._at = 0

    def condition(self) -> str:
        """Returns the whole expression.

        Raises:
            _Unknown: some part of it may mean something else on OLD.
        """
        found = self._any_of()
        if self._at < len(self._tokens) or found.kind != _BOOLEAN:
            raise _Unknown
        return found.sql

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _Unknown
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise _Unknown

    def _any_of(self) -> _Term:
        return self._joined("OR", self._all_of)

    def _all_of(self) -> _Term:
        return self._joined("AND", self._negated)

    def _joined(self, word: str, part: Callable[[], _Term]) -> _Term:
        terms = [part()]
        while self._takes(word):
            terms.append(part())
        if len(terms) == 1:
            return terms[0]
        return _Term(f"({f' {word} '.join(_boolean(term) for term in terms)})", _BOOLEAN)

    def _negated(self) -> _Term:
        if self._takes("NOT"):
            return _Term(f"(NOT {_boolean(self._negated())})", _BOOLEAN)
        return self._comparison()

    def _comparison(self) -> _Term:
        left = self._value()
        if self._takes("IS"):
            negated = " NOT" if self._takes("NOT") else ""
            self._expect("NULL")
            return _Term(f"({left.sql} IS{negated} NULL)", _BOOLEAN)
        kind, operator = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind != "operator":
            return left
        self._at += 1
        for word in ("ANY", "ALL"):
            if self._takes(word):
                return self._listed(left, operator, word)
        return _compared(left, operator, self._value())

    def _listed(self, left: _Term, operator: str, word: str) -> _Term:
        """Returns a comparison with the values of a list."""
        self._expect("(")
        wrapped = self._takes("(")
        self._expect("ARRAY")
        self._expect("[")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._expect("]")
        if wrapped:
            self._expect(")")
            if self._tokens[self._at : self._at + 1] != [("cast", "text[]")]:
                raise _Unknown
            self._at += 1
        self._expect(")")
        joiner = " OR " if word == "ANY" else " AND "
        return _Term(f"({joiner.join(_compared(left, operator, value).sql for value in values)})", _BOOLEAN)

    def _value(self) -> _Term:
        term = self._primary()
        while self._at < len(self._tokens) and self._tokens[self._at][0] == "cast":
            term = _cast(term, self._next()[1])
        return term

    def _primary(self) -> _Term:
        kind, text = self._next()
        match kind, text:
            case "mark", "(":
                inner = self._any_of()
                self._expect(")")
                return inner
            case "number", _:
                return _Term(text, _NUMBER, fixed=True)
            case "string", _:
                return _Term(text[1:-1].replace("''", "'"), _STRING, fixed=True)
            case "word", "true" | "false":
                return _Term(text, _BOOLEAN, fixed=True)
            case "word", _ if text in _LENGTHS and self._peek() == "(":
                return self._length()
            case "word", _:
                return self._column(text)
            case "quoted", _:
                return self._column(text[1:-1].replace('""', '"'))
        raise _Unknown

    def _length(self) -> _Term:
        self._expect("(")
        value = self._value()
        self._expect(")")
        if value.kind != _TEXT:
            raise _Unknown
        return _Term(f"pg_catalog.length({value.sql})", _NUMBER)

    def _column(self, name: str) -> _Term:
        declared = self._new.column(name)
        taken = taken_on_old(self._plan, name, self._old)
        if declared is None or taken is None or not _plain(declared):
            raise _Unknown
        kind = _BY_TYPNAME.get(taken.type.typname)
        if kind is None or kind != _BY_TYPNAME.get(declared.type.leaf.typname):
            raise _Unknown
        value = f"CAST({taken.value} AS pg_catalog.text)" if kind == _TEXT else taken.value
        return _Term(value, kind)


def _plain(column: Column) -> bool:
    """Returns whether a column of NEW compares its values as every server does."""
    return deterministic(column.collation or column.type.collation) and column.generation is None


def _boolean(term: _Term) -> str:
    if term.kind != _BOOLEAN:
        raise _Unknown
    return term.sql


def _cast(term: _Term, name: str) -> _Term:
    """Returns a cast that cannot fail: of a constant, of a text to text, of a number to numeric."""
    kind, typname = _CASTS.get(name, ("", ""))
    written = f"CAST({term.sql} AS pg_catalog.{typname})"
    if term.kind == _STRING and kind:
        return _Term(f"CAST({literal(term.sql)} AS pg_catalog.{typname})", kind, fixed=True)
    if term.fixed and term.kind == _NUMBER and kind in (_NUMBER, _FLOAT):
        return _Term(written, kind, fixed=True)
    if term.kind == kind == _TEXT or (term.kind == kind == _NUMBER and typname == "numeric"):
        return _Term(written, kind, term.fixed)
    raise _Unknown


def _compared(left: _Term, operator: str, right: _Term) -> _Term:
    """Returns a comparison of two parts of one kind; texts have an order only under a collation."""
    ordered = left.kind in _ORDERED or operator in ("=", "<>")
    if left.kind != right.kind or left.kind == _STRING or not ordered:
        raise _Unknown
    exact = ' COLLATE pg_catalog."C"' if left.kind == _TEXT else ""
    return _Term(f"({left.sql} OPERATOR(pg_catalog.{operator}) {right.sql}{exact})", _BOOLEAN)


def _tokens(expression: str) -> list[tuple[str, str]]:
    """Returns the parts of a printed expression, each with its kind; keywords and plain names as they are."""
    found, at = [], 0
    text = expression.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _Unknown
        part = match[match.lastgroup]
        if match.lastgroup == "cast":
            part = part.removeprefix("::").strip()
        found.append((match.lastgroup, part))
        at = match.end()
    return found
