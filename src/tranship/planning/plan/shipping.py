"""How the values of a table plan travel: as values in binary COPY, or as text for NEW's input functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Constant, Lookup, MapValues, NewDefault, Rule, Sql, Take
from tranship.model.plan import ColumnMapping, Hazard, HazardKind, TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.planning.printed.may_raise import may_raise

_INTEGERS = ("int2", "int4", "int8")
_SAME = frozenset({*_INTEGERS, "bool", "date", "float4", "float8", "timestamp", "timestamptz", "uuid"})
"""Types of which every server takes what another one prints. Texts are not among them: encodings differ."""
_ALIKE = frozenset({*_INTEGERS, "bool", "uuid"})
"""Those whose values have one text, whatever the settings of a session are."""
_TEXTS = ("text", "varchar")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")

_MAY_RAISE = re.compile(
    r"~|\b(?:select|like|ilike|similar|table|values|with|at|to_tsvector)\b", re.IGNORECASE
)
"""What raises in a person's expression and not in one that the server has printed of an index: a subquery of
several rows, a pattern that is no constant, a zone that no server knows (``AT TIME ZONE``, which is printed
as a function), and the words of a text of a megabyte.
"""


def takes(new: PgType, given: str, *, one_encoding: bool) -> bool:
    """Returns whether a column takes every value of a built-in type of OLD as it is.

    ``given`` is the type's name in the catalog. A value that OLD holds in a built-in type is a value of the
    same type in NEW, as long as NEW's column restricts it no further. ``one_encoding`` says that the same is
    true of texts.
    """
    if new.kind is not TypeKind.BASE or new.modifiers:
        return False
    if new.typname in _TEXTS:
        return one_encoding and given in _TEXTS
    if new.typname not in _SAME:
        return False
    if new.typname in _INTEGERS and given in _INTEGERS:
        return _INTEGERS.index(given) <= _INTEGERS.index(new.typname)
    return new.typname == given


def with_own_types(
    plan: TablePlan, before: Table, given: Mapping[str, str], *, one_encoding: bool
) -> TablePlan:
    """Returns the plan with what OLD says of the types of a person's expressions, by NEW's columns.

    ``one_encoding``: OLD and NEW have the same one, which has rules (SQL_ASCII has none).
    """
    items = plan.shape.items
    late = items is not None and items.late
    late = late or any(column.computed_when_read for column in before.columns)
    columns = tuple(
        _owned(mapping, late=late)
        if takes(mapping.type, given.get(mapping.column, ""), one_encoding=one_encoding)
        else mapping
        for mapping in plan.columns
    )
    why, converted = why_text(columns, before), tuple(_doubted(plan.hazards, columns))
    typed = replace(plan, columns=columns, hazards=converted)
    return replace(typed, binary=_copies(columns) and not why, why_text=why)


def _doubted(hazards: Sequence[Hazard], columns: Sequence[ColumnMapping]) -> Iterator[Hazard]:
    """Yields the hazards without the conversion of values that cannot raise and that NEW cannot refuse."""
    certain = {m.column for m in columns if isinstance(m.expression, Sql) and m.expression.total}
    for hazard in hazards:
        if hazard.kind is not HazardKind.CONVERSION or not certain.issuperset(hazard.columns):
            yield hazard


def _owned(mapping: ColumnMapping, *, late: bool) -> ColumnMapping:
    """Returns a mapping whose values are of NEW's own type. ``late``: what the expression names may raise as
    it is read.
    """
    if not isinstance(mapping.expression, Sql):
        return mapping
    text = mapping.expression.text
    total = not (late or _MAY_RAISE.search(text) or may_raise(text))
    return replace(mapping, expression=replace(mapping.expression, own=True, total=total))


def with_owned_lookups(
    columns: Sequence[ColumnMapping], old: Catalog, new: Catalog
) -> tuple[ColumnMapping, ...]:
    """Returns the mappings of a plan whose lookups know whether they find values of the column's own type."""
    return tuple(
        replace(mapping, expression=replace(mapping.expression, own=True))
        if isinstance(mapping.expression, Lookup)
        and _finds_values(mapping.expression, mapping.type, new if mapping.expression.reads_new else old)
        else mapping
        for mapping in columns
    )


def _finds_values(lookup: Lookup, new: PgType, side: Catalog) -> bool:
    table = side.table(lookup.table)
    value = table.column(lookup.value) if table is not None else None
    if value is None or value.type.builtin is None or value.type.typname not in _ALIKE:
        return False
    constants = [one.value for one in (lookup.otherwise, lookup.for_null) if one is not None]
    known = {*constants} <= {None} or _are_values(constants, new)
    return known and takes(new, value.type.typname, one_encoding=False)


def why_text(columns: Sequence[ColumnMapping], before: Table) -> str:
    """Returns the first reason against binary COPY.

    It is empty when binary COPY is safe: every value has the same bytes on both servers.
    """
    return next(filter(None, (_why_text(mapping, before) for mapping in columns)), "")


def _copies(columns: Sequence[ColumnMapping]) -> bool:
    return any(not isinstance(mapping.expression, NewDefault) for mapping in columns)


def _why_text(mapping: ColumnMapping, before: Table) -> str:
    match mapping.expression:
        case Take() as take:
            return _why_no_bytes(mapping, take, before)
        case NewDefault() | Sql(own=True) | Lookup(own=True):
            return ""
        case MapValues() as mapped if _are_values(_results(mapped), mapping.type):
            return ""
        case Constant(value=value) if _are_values([value], mapping.type):
            return ""
        case _:
            return f"{mapping.column}: computed as text"


def _why_no_bytes(mapping: ColumnMapping, take: Take, before: Table) -> str:
    """Returns why a converted column does not travel as bytes."""
    declared = before.column(take.column)
    if take.conversion.rule not in (Rule.SAME, Rule.OLD_CAST):
        return f"{mapping.column}: read by NEW's input function"
    if take.conversion.fallible:
        return f"{mapping.column}: NEW's {mapping.type.text} does not hold every value of OLD's"
    if not mapping.type.portable or declared is None or not declared.type.portable:
        return f"{mapping.column}: {mapping.type.text} is not the same bytes on every server"
    return ""


def _results(mapped: MapValues) -> list[str | None]:
    others = (constant.value for constant in (mapped.otherwise, mapped.for_null) if constant is not None)
    return [*(result for _, result in mapped.pairs), *others]


def _are_values(texts: Sequence[str | None], new: PgType) -> bool:
    """Returns whether OLD certainly reads texts of a type as NEW does: whole numbers that fit, truth values,
    and texts themselves.
    """
    row = new.builtin
    if new.kind is not TypeKind.BASE or row is None or new.modifiers:
        return False
    given = [text for text in texts if text is not None]
    match row.name:
        case "int2" | "int4" | "int8":
            return all(_WHOLE.fullmatch(text) and int(text).bit_length() <= row.bits for text in given)
        case "bool":
            return {*given} <= {"true", "false"}
        case "text":
            return all(map(str.isascii, given))
        case _:
            return False
