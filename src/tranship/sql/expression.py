"""The union of expressions as SQL over one old row, alias ``old``: the one function that compiles it.

What comes out is, in a text COPY, something whose output NEW's input function reads; in a binary COPY a value of NEW's own type
(``planning/plan/build.py`` allows binary only where every expression is a portable Take).
"""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.expression import (
    CAST_TO_TEXT,
    Coalesce,
    Constant,
    Conversion,
    Lookup,
    MapValues,
    NewDefault,
    Rule,
    Sql,
    Take,
)
from tranship.model.names import Side
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.quote import ident, literal, relation, text_array

_STRINGS = frozenset({"text", "varchar", "name"})


class LookupContent(Struct, frozen=True):
    """What NEW's lookup table says for the distinct old keys of one batch."""

    position: int
    """Index of the mapping in ``TablePlan.columns``."""
    keys: tuple[tuple[str, ...], ...]
    """Old keys as :func:`key_text` renders them; only keys that were found."""
    values: tuple[str | None, ...]


Bindings = tuple[LookupContent, ...]


def compile_column(plan: TablePlan, position: int, old: Table) -> str:
    """SQL that computes the mapping at ``position`` of ``plan.columns`` from the row ``old``.

    A lookup reads the join that :func:`lookup_joins` adds. ``NewDefault`` has no SQL: asking for it is a programming error (ValueError).
    """
    mapping = plan.columns[position]
    match mapping.expression:
        case Take() as take:
            return _take(take, mapping.type, old, plan.zone)
        case Constant(value=value):
            return f"CAST({literal(value)} AS pg_catalog.text)"
        case MapValues() as mapped:
            return _map_values(mapped, old)
        case Lookup() as lookup:
            return _lookup(lookup, alias(position))
        case Coalesce(of=take, for_null=constant):
            shipped = f"CAST({_take(take, mapping.type, old, plan.zone)} AS pg_catalog.text)"
            return f"COALESCE({shipped}, {literal(constant.value)})"
        case Sql(text=text):
            return f"CAST((\n{text}\n) AS pg_catalog.text)"
        case NewDefault():
            raise ValueError(f"{mapping.column} is filled by the server")
        case _ as unreachable:
            assert_never(unreachable)


def compile_text(plan: TablePlan, position: int, old: Table) -> str:
    """The same as text: exactly what NEW's input function would be given."""
    expression = plan.columns[position].expression
    compiled = compile_column(plan, position, old)
    if isinstance(expression, Take | Coalesce):
        return f"CAST({compiled} AS pg_catalog.text)"
    return compiled


def shipped(plan: TablePlan) -> tuple[int, ...]:
    """Positions of the mappings that travel (all but NewDefault), in NEW's column order."""
    return tuple(n for n, m in enumerate(plan.columns) if not isinstance(m.expression, NewDefault))


def alias(position: int) -> str:
    """Alias of the join that serves the lookup at a position."""
    return f"lookup_{position}"


def key_text(column: str) -> str:
    """An old column as a lookup key's text, comparable between distinct keys and join."""
    return f'CAST(old.{ident(column)} AS pg_catalog.text) COLLATE pg_catalog."C"'


def lookup_joins(plan: TablePlan, old: Table, bindings: Bindings) -> str:
    """The LEFT JOINs that the plan's lookups need, each a line; NEW's content comes as arrays of just the batch's keys."""
    contents = {content.position: content for content in bindings}
    joins = []
    for position, mapping in enumerate(plan.columns):
        if isinstance(mapping.expression, Lookup):
            lookup = mapping.expression
            if lookup.side is Side.OLD:
                joins.append(_join_old(lookup, alias(position), old))
            else:
                joins.append(_join_content(lookup, alias(position), contents.get(position)))
    return "".join(f"\n{join}" for join in joins)


def gap(plan: TablePlan, position: int, old: Table) -> str | None:
    """A predicate that is true for rows whose value the mapping or lookup lacks and for which there is no default; None: there can be none."""
    match plan.columns[position].expression:
        case MapValues(otherwise=None) as mapped:
            value = f"old.{ident(mapped.column)}"
            known = (
                " OR ".join(_equals(value, _column(old, mapped.column).type, key) for key, _ in mapped.pairs)
                or "false"
            )
            return f"({value} IS NOT NULL AND ({known}) IS NOT TRUE)"
        case Lookup(otherwise=None) as lookup:
            given = " AND ".join(f"old.{ident(c)} IS NOT NULL" for c in lookup.columns)
            return f"({given} AND {alias(position)}.found IS NULL)"
        case _:
            return None


def gap_value(mapping: ColumnMapping) -> str:
    """The missing value as text (composite keys as a row)."""
    match mapping.expression:
        case MapValues(column=column):
            return f"CAST(old.{ident(column)} AS pg_catalog.text)"
        case Lookup(columns=(column,)):
            return f"CAST(old.{ident(column)} AS pg_catalog.text)"
        case Lookup(columns=columns):
            return "CAST(ROW(" + ", ".join(f"old.{ident(c)}" for c in columns) + ") AS pg_catalog.text)"
        case _:
            return "NULL"


def type_name(pg_type: PgType) -> str:
    """A type's name without modifier, safe in a CAST: ``character`` alone would mean ``character(1)``."""
    return relation(pg_type.name) if pg_type.name is not None else pg_type.base


def _column(old: Table, name: str) -> Column:
    column = old.column(name)
    if column is None:
        raise ValueError(f"{old.name} has no column {name}")
    return column


def _take(take: Take, new: PgType, old: Table, zone: str | None) -> str:
    value = f"old.{ident(take.column)}"
    return _convert(value, take.conversion, _column(old, take.column).type.leaf, new.leaf, zone)


def _convert(value: str, conversion: Conversion, old: PgType, new: PgType, zone: str | None) -> str:
    match conversion.rule:
        case Rule.SAME:
            return value
        case Rule.OLD_CAST:
            return f"CAST({value} AS {new.text})"
        case Rule.NEW_INPUT:
            told = _told(value, old.base, new.base)
            if told is not None:
                return told
            if _cast_to_text(old):
                return f"CAST({value} AS pg_catalog.text)"
            if old.kind is TypeKind.ARRAY and old.element is not None and _cast_to_text(old.element.leaf):
                return f"CAST({value} AS pg_catalog.text[])"
            return value
        case Rule.ROUND:
            return _rounded(value, old)
        case Rule.ZONE:
            return _zoned(value, old, new, zone or "UTC")
        case _ as unreachable:
            assert_never(unreachable)


def _told(value: str, old: str, new: str) -> str | None:
    """Pairs whose cast NEW's input would not repeat: what the cast takes is shipped so that NEW reads the same, the rest so that it refuses."""
    text = f"CAST({value} AS pg_catalog.text)"
    match old, new:
        case "money", "numeric":
            return f"CAST({value} AS pg_catalog.numeric)"
        case "macaddr8", "macaddr":
            short = f"pg_catalog.left({text}, 8) || pg_catalog.right({text}, 9)"
            return f"CASE WHEN pg_catalog.substr({text}, 10, 5) = 'ff:fe' THEN {short} ELSE {text} END"
        case (("smallint" | "bigint"), "oid"):
            return f"CASE WHEN {value} < 0 THEN {text} || ' is out of range' ELSE {text} END"
        case _:
            return None


def _cast_to_text(old: PgType) -> bool:
    return old.name is not None and old.name.schema == "pg_catalog" and old.name.name in CAST_TO_TEXT


def _rounded(value: str, old: PgType) -> str:
    """As the server's own casts: float rounds half to even, numeric half away from zero; what has no integer ships as it prints."""
    if old.base == "numeric":
        return f"CAST(pg_catalog.round({value}, 0) AS pg_catalog.text)"
    whole = f"CAST(CAST(pg_catalog.round(CAST({value} AS pg_catalog.float8)) AS pg_catalog.numeric) AS pg_catalog.text)"
    return f"CASE WHEN {value} IN ('Infinity', '-Infinity', 'NaN') THEN CAST({value} AS pg_catalog.text) ELSE {whole} END"


def _zoned(value: str, old: PgType, new: PgType, zone: str) -> str:
    """Through the zone by OLD, as text; what lies within a day of a type's limit is shipped so that NEW judges or refuses it.

    timestamp and date reach further than a shifted timestamptz (PostgreSQL documentation, "Date/Time Types"), and OLD's own cast would
    end the whole read. NEW's sessions of such a table use the same zone, so that wall-clock text means the same there.
    """
    text = f"CAST({value} AS pg_catalog.text)"
    if old.base == "timestamp with time zone":
        local = f"pg_catalog.timezone({literal(zone)}, {value})"
        shifted = local if new.base == "timestamp without time zone" else f"CAST({local} AS {new.text})"
        beyond = f"{text} || ' is out of range'"
    else:
        shifted = f"pg_catalog.timezone({literal(zone)}, CAST({value} AS pg_catalog.timestamp))"
        beyond = text
    near = f"pg_catalog.isfinite({value}) AND ({value} < '4714-11-26 BC' OR {value} > '294275-12-30')"
    return f"CASE WHEN {near} THEN {beyond} ELSE CAST({shifted} AS pg_catalog.text) END"


def _equals(value: str, old: PgType, key: str) -> str:
    """The value equals the key by its own type's ``=``; plain strings exactly, whatever their collation."""
    leaf = old.leaf
    if (
        leaf.name is None
        or leaf.equality is None
        or (leaf.name.schema == "pg_catalog" and leaf.name.name in _STRINGS)
    ):
        return f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C" = {literal(key)}'
    own = value if old.kind is not TypeKind.DOMAIN else f"CAST({value} AS {type_name(leaf)})"
    return f"{own} {leaf.equality} CAST({literal(key)} AS {type_name(leaf)})"


def _map_values(mapped: MapValues, old: Table) -> str:
    value = f"old.{ident(mapped.column)}"
    old_type = _column(old, mapped.column).type
    for_null = mapped.for_null.value if mapped.for_null is not None else None
    otherwise = mapped.otherwise.value if mapped.otherwise is not None else None
    cases = [f"WHEN {value} IS NULL THEN CAST({literal(for_null)} AS pg_catalog.text)"]
    cases += [f"WHEN {_equals(value, old_type, key)} THEN {literal(result)}" for key, result in mapped.pairs]
    return f"CASE {' '.join(cases)} ELSE {literal(otherwise)} END"


def _lookup(lookup: Lookup, name: str) -> str:
    missing = " OR ".join(f"old.{ident(c)} IS NULL" for c in lookup.columns)
    for_null = lookup.for_null.value if lookup.for_null is not None else None
    otherwise = lookup.otherwise.value if lookup.otherwise is not None else None
    found = f"WHEN {name}.found THEN {name}.v"
    return f"CASE WHEN {missing} THEN CAST({literal(for_null)} AS pg_catalog.text) {found} ELSE {literal(otherwise)} END"


def _join_old(lookup: Lookup, name: str, old: Table) -> str:
    keys = ", ".join(f"l.{ident(key)} AS k{n}" for n, key in enumerate(lookup.keys))
    on = " AND ".join(
        f"{name}.k{n} {_join_equality(old, c)} old.{ident(c)}" for n, c in enumerate(lookup.columns)
    )
    value = f"CAST(l.{ident(lookup.value)} AS pg_catalog.text) AS v"
    return f"LEFT JOIN (SELECT DISTINCT {keys}, {value}, true AS found FROM {relation(lookup.table)} AS l) AS {name} ON {on}"


def _join_equality(old: Table, column: str) -> str:
    leaf = _column(old, column).type.leaf
    user_made = leaf.name is not None and leaf.name.schema != "pg_catalog" and leaf.kind is TypeKind.BASE
    return leaf.equality if user_made and leaf.equality is not None else "OPERATOR(pg_catalog.=)"


def _join_content(lookup: Lookup, name: str, content: LookupContent | None) -> str:
    keys = content.keys if content is not None else ()
    values = content.values if content is not None else ()
    arrays = [text_array(key[n] for key in keys) for n in range(len(lookup.keys))]
    columns = ", ".join(f"k{n}" for n in range(len(lookup.keys)))
    lists = ", ".join(f"pg_catalog.unnest({array})" for array in [*arrays, text_array(values)])
    unnested = f"ROWS FROM ({lists}) AS u({columns}, v)"
    on = " AND ".join(f"{name}.k{n} = {key_text(c)}" for n, c in enumerate(lookup.columns))
    return f"LEFT JOIN (SELECT {columns}, v, true AS found FROM {unnested}) AS {name} ON {on}"
