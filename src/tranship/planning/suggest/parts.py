"""Splits, merges and constants: what a name or a type makes plausible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.model.catalog import Column, Table
from tranship.model.types import TypeKind
from tranship.planning.renames.families import family
from tranship.planning.renames.tokens import squashed
from tranship.planning.scope import quoted
from tranship.planning.suggest.mappings import allowed_values

_FIRST = frozenset({"firstname", "forename", "givenname", "fname"})
_LAST = frozenset({"lastname", "surname", "familyname", "lname"})
_WHOLE = frozenset({"name", "fullname", "displayname", "customername", "personname", "contactname"})
_ZERO = {"integer": "0", "decimal": "0", "text": "", "boolean": "false", "json": "{}"}


def merges(removed: Sequence[Column], added: Sequence[Column]) -> Mapping[str, tuple[tuple[str, ...], str]]:
    """New whole-name columns by name, each with the old parts and the expression that joins them."""
    first, last = _called(removed, _FIRST), _called(removed, _LAST)
    whole = _called(added, _WHOLE)
    if first is None or last is None or whole is None or any(squashed(column.name) in _FIRST | _LAST for column in added):
        return {}
    sql = f"concat_ws(' ', old.{quoted(first)}, old.{quoted(last)})"
    return {whole: ((first, last), sql)}


def splits(removed: Sequence[Column], added: Sequence[Column]) -> Mapping[str, tuple[tuple[str, ...], str]]:
    """New part-name columns by name, each with the old whole and the expression that cuts it."""
    whole = _called(removed, _WHOLE)
    first, last = _called(added, _FIRST), _called(added, _LAST)
    if whole is None or first is None or last is None or any(squashed(column.name) in _FIRST | _LAST for column in removed):
        return {}
    value = f"old.{quoted(whole)}"
    rest = f"CASE WHEN strpos({value}, ' ') > 0 THEN substr({value}, strpos({value}, ' ') + 1) ELSE '' END"
    return {first: ((whole,), f"split_part({value}, ' ', 1)"), last: ((whole,), rest)}


def constant(table: Table, column: Column) -> str | None:
    """The most plausible constant for a new column that refuses NULL; None where nothing is plausible."""
    tied = [key.columns for key in table.foreign_keys] + [key.columns for key in table.keys]
    if any(column.name in columns for columns in tied):
        return None
    allowed = allowed_values(table, column)
    leaf = column.type.leaf
    if allowed and leaf.base != "boolean":
        return allowed[0]
    if leaf.kind is TypeKind.ARRAY:
        return "{}"
    return _ZERO.get(family(column.type))


def _called(columns: Sequence[Column], names: frozenset[str]) -> str | None:
    found = [column.name for column in columns if squashed(column.name) in names and family(column.type) == "text"]
    return found[0] if len(found) == 1 else None
