"""New constraints that want a text written in one way: a CHECK or a unique index over ``lower(x)``, a unique
column that ignores case. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.change import TablePair
from tranship.model.names import ColumnRef
from tranship.model.shape_evidence import WrittenQuestion
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family

_CASTS = re.compile(r"::(?:text|character varying|bpchar|citext|public\.citext)(?:\(\d+\))?")
_CALL = re.compile(
    r"\s*(?:lower|upper|initcap|btrim|ltrim|rtrim|trim)\s*\(\s*(?:BOTH FROM\s+)?", re.IGNORECASE
)


class OneWay(Struct, frozen=True):
    """One column that NEW wants written in one way."""

    old_column: str
    new_column: str
    calls: tuple[str, ...]
    """The functions, the outermost first."""
    why: str
    unique: bool
    """Equal values are refused."""
    demanded: bool
    """A CHECK refuses what is written in another way."""

    def question(self, before: Table) -> WrittenQuestion:
        """Returns what to ask the data: with blanks at the ends put aside, too."""
        calls = self.calls if any("trim" in call for call in self.calls) else (*self.calls, "trim")
        sql = f"old.{quoted(self.old_column)}"
        for call in reversed(calls):
            sql = f"{call}({sql})"
        return WrittenQuestion(ColumnRef(before.name, self.old_column), sql)


def one_ways(pair: TablePair, before: Table, after: Table) -> Iterator[OneWay]:
    """Yields the texts of one pair of tables that NEW wants written in one way, each column once."""
    for columns in pair.columns:
        old, new = before.column(columns.old), after.column(columns.new)
        if old is not None and new is not None and _are_texts(old, new):
            yield from _of_column(old, new, after)


def _are_texts(old: Column, new: Column) -> bool:
    return family(old.type) == family(new.type) == "text" and old.type.leaf.typname != "citext"


def _of_column(old: Column, new: Column, after: Table) -> Iterator[OneWay]:
    """Yields what NEW's constraints say of one column, at most once: a CHECK, an index, or the type."""
    check, index = _by_check(after, new.name), _by_index(after, new.name)
    once = any(key.columns == (new.name,) for key in after.keys)
    if check is not None:
        calls, why = check
        yield OneWay(old.name, new.name, calls, why, once or index is not None, demanded=True)
    elif index is not None:
        yield OneWay(old.name, new.name, *index, unique=True, demanded=False)
    elif once and new.type.leaf.typname == "citext":
        why = f"NEW's '{new.name}' is unique and ignores case"
        yield OneWay(old.name, new.name, ("lower",), why, unique=True, demanded=False)


def _by_check(after: Table, name: str) -> tuple[tuple[str, ...], str] | None:
    checks = (check for check in after.checks if check.enforced and name in check.columns)
    said = ((_checked(check.expression, name), check) for check in checks)
    found = ((calls, f"NEW checks {check.expression} ({check.name})") for calls, check in said if calls)
    return next(found, None)


def _by_index(after: Table, name: str) -> tuple[tuple[str, ...], str] | None:
    indexes = (i for i in after.indexes if i.unique and i.columns == (None,) and i.predicate is None)
    said = ((_calls(index.keys[0], name), index) for index in indexes)
    found = ((calls, f"NEW has a unique index on {i.keys[0]} ({i.name})") for calls, i in said if calls)
    return next(found, None)


def _checked(expression: str, name: str) -> tuple[str, ...]:
    """Returns the functions f of a CHECK that says ``name = f(name)``."""
    plain = _bare(expression)
    left, equals, right = plain.partition(" = ")
    if not equals:
        return ()
    column = quoted(name)
    sides = [_bare(left), _bare(right)]
    if column not in sides:
        return ()
    sides.remove(column)
    return _calls(sides[0], name)


def _bare(text: str) -> str:
    """Returns an expression without casts between texts and without parentheses around the whole."""
    plain = _CASTS.sub("", text).strip()
    while plain.startswith("(") and plain.endswith(")") and _closes_at_end(plain):
        plain = plain[1:-1].strip()
    return plain


def _closes_at_end(text: str) -> bool:
    """Returns whether the first parenthesis closes with the last character."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth:
            return place == len(text) - 1
    return False


def _calls(expression: str, name: str) -> tuple[str, ...]:
    """Returns the functions around a column, the outermost first; none where there is anything else."""
    plain, calls = _bare(expression), list[str]()
    while (match := _CALL.match(plain)) and plain.endswith(")"):
        word = match[0].strip().split("(")[0].strip().lower()
        calls.append("trim" if word == "btrim" else word)
        plain = _bare(plain[match.end() : -1])
    return tuple(calls) if calls and plain == quoted(name) else ()
