"""The compiler of the expression union (``model/expression.py``): SQL over one old row, whose alias is
``old``.

In a text COPY, the output of that SQL is what NEW's input function reads. In a binary COPY it is a value of
NEW's own type; ``planning/plan/shipping.py`` says where binary is safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.expression import (
    Coalesce,
    Constant,
    Conversion,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Rule,
    Sql,
    Take,
)
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.left_out import nulled
from tranship.sql.new_keys import new_key
from tranship.sql.quote import ident, literal, relation
from tranship.sql.survivors import own_or_survivor
from tranship.sql.types.moments import within_limits, without_largest, without_moments
from tranship.sql.types.numbers import money_text
from tranship.sql.types.strings import byte_text

_EXACT_STRINGS = frozenset({"text", "varchar", "name"})


def compile_column(plan: TablePlan, position: int, old: Table) -> str:
    """Returns SQL that computes the mapping at ``position`` of ``plan.columns`` from the row ``old``.

    A lookup reads the join that :class:`Joins` adds to the FROM clause.

    Raises:
        ValueError: the mapping is a ``NewDefault``, which has no SQL: a programming error.
    """
    mapping = plan.columns[position]
    match mapping.expression:
        case Take() as take:
            return _take(plan, take, mapping, old)
        case Constant(value=value):
            return f"CAST({literal(value)} AS pg_catalog.text)"
        case MapValues() as mapped:
            return _map_values(mapped, old)
        case Lookup() as lookup:
            return _read_by(mapping.type, _lookup(lookup, alias(position)))
        case Coalesce(of=take, for_null=constant):
            shipped = f"CAST({_take(plan, take, mapping, old)} AS pg_catalog.text)"
            return f"COALESCE({shipped}, {literal(constant.value)})"
        case Rekeyed() as rekeyed:
            return nulled(plan.shape, rekeyed.column, new_key(rekeyed, alias(position)), (mapping.column,))
        case Followed(of=of):
            own = _followed(plan, of, position, old)
            return f"CASE WHEN {alias(position)}.found THEN {alias(position)}.v ELSE {own} END"
        case Sql(text=text, own=own):
            # On lines of its own, so that a comment at its end does not swallow the parenthesis.
            value = f"(\n{text}\n)"
            if own:
                return f"CAST({value} AS {mapping.type.text})"
            return _read_by(mapping.type, f"CAST({value} AS pg_catalog.text)")
        case NewDefault():
            raise ValueError(f"{mapping.column} is filled by the server")
        case _ as unreachable:
            assert_never(unreachable)


def _followed(plan: TablePlan, of: Take | Rekeyed, position: int, old: Table) -> str:
    """Returns SQL for the value, as text, that a column has where its parent is not found in NEW."""
    match of:
        case Take() as take:
            return f"CAST({_take(plan, take, plan.columns[position], old)} AS pg_catalog.text)"
        case Rekeyed() as rekeyed:
            made = new_key(rekeyed, number_alias(position))
            return nulled(plan.shape, rekeyed.column, made, (plan.columns[position].column,))
        case _ as unreachable:
            assert_never(unreachable)


def compile_text(plan: TablePlan, position: int, old: Table) -> str:
    """Returns the mapping's SQL as text: exactly what NEW's input function is given in a text COPY.

    Every other expression is compiled to text already.
    """
    expression = plan.columns[position].expression
    compiled = compile_column(plan, position, old)
    if isinstance(expression, Take | Coalesce) or (isinstance(expression, Sql) and expression.own):
        return f"CAST({compiled} AS pg_catalog.text)"
    return compiled


def compile_value(plan: TablePlan, position: int, old: Table) -> str:
    """Returns the mapping's SQL as a value of NEW's type, for a plan whose rows travel in binary COPY."""
    mapping = plan.columns[position]
    match mapping.expression:
        case Constant(value=value):
            return _constant_of(mapping.type, value)
        case MapValues() as mapped:
            return _map_values(mapped, old, mapping.type)
        case Lookup() as lookup:
            return _lookup(lookup, alias(position), mapping.type)
        case _:
            return compile_column(plan, position, old)


def sent_text(column: Column, conversion: Conversion, new: PgType, zone: str) -> str:
    """Returns SQL over ``old`` for the text of a column that a conversion would send to NEW's input
    function.
    """
    value = f"old.{ident(column.name)}"
    return f"CAST({_convert(value, conversion, column.type.leaf, new.leaf, zone)} AS pg_catalog.text)"


def shipped(plan: TablePlan) -> tuple[int, ...]:
    """Returns the positions of the copied columns (all but NewDefault), in NEW's column order."""
    return tuple(n for n, m in enumerate(plan.columns) if not isinstance(m.expression, NewDefault))


def alias(position: int) -> str:
    """Returns the alias of the join that serves the lookup at a position."""
    return f"lookup_{position}"


def number_alias(position: int) -> str:
    """Returns the alias of the join with the numbers of a key for a column that is led, too."""
    return f"number_{position}"


def lookup_values(lookup: Lookup, kept: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns SQL over ``old`` for each part of the key that is looked up.

    ``kept`` are the conditions of the rows that are read. A person's expression is computed under them alone,
    since it may raise for other rows and the planner may join before it leaves those out.
    """
    if lookup.key_sql:
        # On lines of its own, so that a comment at its end does not swallow the parenthesis.
        values = tuple(f"(\n{text}\n)" for text in lookup.key_sql)
        given = f"CASE WHEN {' AND '.join(kept)} THEN " if kept else ""
        return tuple(f"({given}{value} END)" for value in values) if kept else values
    return tuple(f"old.{ident(column)}" for column in lookup.columns)


def gap(plan: TablePlan, position: int, old: Table) -> str | None:
    """Returns a predicate for rows whose value the mapping or lookup lacks, or None where every row gets a
    value.

    With a default (``otherwise``) every row gets one, and NULL is never missing: it has a rule of its own
    (``for_null``).
    """
    match plan.columns[position].expression:
        case MapValues(otherwise=None) as mapped:
            value = f"old.{ident(mapped.column)}"
            known = (
                " OR ".join(_equals(value, _column(old, mapped.column).type, key) for key, _ in mapped.pairs)
                or "false"
            )
            return f"({value} IS NOT NULL AND ({known}) IS NOT TRUE)"
        case Lookup(otherwise=None) as lookup:
            given = " AND ".join(f"{value} IS NOT NULL" for value in lookup_values(lookup))
            return f"({given} AND {alias(position)}.found IS NULL)"
        case _:
            return None


def gap_value(mapping: ColumnMapping) -> str:
    """Returns SQL for the value that a mapping or lookup lacks, as text; a key of several columns is printed
    as a row.
    """
    match mapping.expression:
        case MapValues(column=column):
            return f"CAST(old.{ident(column)} AS pg_catalog.text)"
        case Lookup() as lookup:
            values = lookup_values(lookup)
            whole = values[0] if len(values) == 1 else f"ROW({', '.join(values)})"
            return f"CAST({whole} AS pg_catalog.text)"
        case _:
            return "NULL"


def type_name(pg_type: PgType) -> str:
    """Returns a type's qualified name without modifier, for a CAST: ``character`` alone would mean
    ``character(1)``.
    """
    return relation(pg_type.name) if pg_type.name is not None else pg_type.base


def _column(old: Table, name: str) -> Column:
    column = old.column(name)
    if column is None:
        raise ValueError(f"{old.name} has no column {name}")
    return column


def _take(plan: TablePlan, take: Take, mapping: ColumnMapping, old: Table) -> str:
    own = own_or_survivor(f"old.{ident(take.column)}", take.led)
    value = nulled(plan.shape, take.column, own, (mapping.column,))
    before = _column(old, take.column).type.leaf
    return _convert(value, take.conversion, before, mapping.type.leaf, plan.zone)


def _convert(value: str, conversion: Conversion, old: PgType, new: PgType, zone: str | None) -> str:
    match conversion.rule:
        case Rule.SAME if conversion.fallible and old.holds(Family.INTERVAL):
            return without_largest(f"CAST({value} AS pg_catalog.text)")
        case Rule.SAME:
            return value
        case Rule.OLD_CAST:
            return f"CAST({byte_text(value) if old.typname == 'char' else value} AS {new.text})"
        case Rule.NEW_INPUT:
            return _for_input(value, old, new)
        case Rule.ROUND:
            return _rounded(value, old)
        case Rule.ZONE:
            return _zoned(value, old, new, zone or "UTC")
        case _ as unreachable:
            assert_never(unreachable)


def _for_input(value: str, old: PgType, new: PgType) -> str:
    """Returns what is shipped for NEW's input function: mostly the value itself, which COPY prints by its
    output function.

    A few types have a cast to text that differs from their output (boolean: ``true`` and ``t``), and the
    specification says cast; so have arrays of them.
    """
    written = _written_for(value, old, new)
    if written is not None:
        return written
    if _cast_to_text(old):
        return f"CAST({value} AS pg_catalog.text)"
    if old.kind is TypeKind.ARRAY and old.element is not None and _cast_to_text(old.element.leaf):
        return f"CAST({value} AS pg_catalog.text[])"
    return value


def _written_for(value: str, old: PgType, new: PgType) -> str | None:
    """Returns the text to ship where the value's own one would be read as something else, or as nothing; None
    for all other pairs.
    """
    if new.family is Family.MONEY and old.family in (Family.MONEY, Family.INTEGER, Family.NUMERIC):
        return money_text(value, new)
    if old.family is new.family and new.family in (Family.TIMESTAMP, Family.INTERVAL) and new.modifiers:
        return within_limits(value, new.family)
    if old.holds(Family.STRING) and new.reads_moments:
        return without_moments(f"CAST({value} AS pg_catalog.text)")
    return _as_input_repeats(value, old.typname, new.typname)


def _read_by(new: PgType, text: str) -> str:
    """Returns SQL for a text of OLD as NEW's type may read it."""
    return without_moments(text) if new.reads_moments else text


def _as_input_repeats(value: str, old: str, new: str) -> str | None:
    """Returns the text to ship for type pairs whose cast and whose input function disagree; None for all
    other pairs.

    Accepted values are rewritten so that NEW's input gives the cast's result; others are sent in a form that
    it rejects.
    """
    text = f"CAST({value} AS pg_catalog.text)"
    match old, new:
        case "char", _:
            return byte_text(value)
        # Printed, money has a currency symbol and separators.
        case "money", "numeric":
            return f"CAST({value} AS pg_catalog.numeric)"
        # The cast takes the EUI-64 form of a MAC address (ff:fe in the middle) and drops those two bytes; the
        # input function of macaddr reads no eight bytes at all.
        case "macaddr8", "macaddr":
            short = f"pg_catalog.left({text}, 8) || pg_catalog.right({text}, 9)"
            return f"CASE WHEN pg_catalog.substr({text}, 10, 5) = 'ff:fe' THEN {short} ELSE {text} END"
        # The input function of oid wraps negative numbers around.
        case (("int2" | "int8"), "oid"):
            return f"CASE WHEN {value} < 0 THEN {text} || ' is out of range' ELSE {text} END"
        case (("text" | "varchar" | "bpchar" | "name"), "oid"):
            return f"CASE WHEN {text} LIKE '%-%' THEN {text} || ' is out of range' ELSE {text} END"
        case _:
            return None


def _cast_to_text(old: PgType) -> bool:
    row = old.builtin
    return row is not None and row.cast_differs


def _rounded(value: str, old: PgType) -> str:
    """Returns a number rounded to an integer, as text, by the rule of the server's own cast.

    numeric rounds half away from zero, float half to even (PostgreSQL documentation, "Numeric Types"). NaN
    and infinities ship as they print, so that NEW's input refuses them, and so does what no bigint holds. A
    cast of a float to numeric would keep 15 digits of it only.
    """
    if old.family is Family.NUMERIC:
        return f"CAST(pg_catalog.round({value}, 0) AS pg_catalog.text)"
    wide = f"CAST({value} AS pg_catalog.float8)"
    whole = f"CAST(CAST({wide} AS pg_catalog.int8) AS pg_catalog.text)"
    special = f"{value} IN ('Infinity', '-Infinity', 'NaN')"
    # Beyond: digits without an exponent, which NEW calls out of range and not malformed.
    beyond = f"CAST(CAST({wide} AS pg_catalog.numeric) AS pg_catalog.text)"
    within = f"{wide} >= -9223372036854775808 AND {wide} < 9223372036854775808"
    return (
        f"CASE WHEN {special} THEN CAST({value} AS pg_catalog.text) WHEN {within} THEN {whole}"
        f" ELSE {beyond} END"
    )


def _zoned(value: str, old: PgType, new: PgType, zone: str) -> str:
    """Returns a time converted through a time zone by OLD, as text.

    Near the limits of the types OLD's own conversion could overflow, which would end the whole read:
    timestamp and date reach further than timestamptz (PostgreSQL documentation, "Date/Time Types"). A
    wall-clock time there is shipped unshifted with the name of the zone, and NEW judges it. A timestamptz
    there is shipped in a form that NEW refuses.
    """
    text = f"CAST({value} AS pg_catalog.text)"
    if old.typname == "timestamptz":
        local = f"pg_catalog.timezone({literal(zone)}, {value})"
        shifted = local if new.typname == "timestamp" else f"CAST({local} AS {new.text})"
        beyond = f"{text} || ' is out of range'"
    else:
        shifted = f"pg_catalog.timezone({literal(zone)}, CAST({value} AS pg_catalog.timestamp))"
        beyond = f"{text} || ' ' || {literal(zone)}"
    # A margin inside the limits of timestamptz (4714-11-24 BC and the end of 294276): no zone is a day away
    # from UTC.
    near = f"pg_catalog.isfinite({value}) AND ({value} < '4714-11-26 BC' OR {value} > '294275-12-30')"
    return f"CASE WHEN {near} THEN {beyond} ELSE CAST({shifted} AS pg_catalog.text) END"


def _equals(value: str, old: PgType, key: str) -> str:
    """Returns the condition that a value equals a mapping's key by the ``=`` of its own type.

    Strings are compared by bytes, whatever their collation. So are types without an equality, by their text.
    """
    leaf = old.leaf
    if (
        leaf.name is None
        or leaf.equality is None
        or (leaf.name.schema == "pg_catalog" and leaf.name.name in _EXACT_STRINGS)
    ):
        return f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C" = {literal(key)}'
    own = value if old.kind is not TypeKind.DOMAIN else f"CAST({value} AS {type_name(leaf)})"
    return f"{own} {leaf.equality} CAST({literal(key)} AS {type_name(leaf)})"


def _constant_of(new: PgType, text: str | None) -> str:
    return f"CAST({literal(text)} AS {new.text})"


def _map_values(mapped: MapValues, old: Table, new: PgType | None = None) -> str:
    """Returns SQL for what a value becomes: as text, or as a value of the given type."""
    value = f"old.{ident(mapped.column)}"
    old_type = _column(old, mapped.column).type
    for_null = mapped.for_null.value if mapped.for_null is not None else None
    otherwise = mapped.otherwise.value if mapped.otherwise is not None else None
    made = literal if new is None else partial(_constant_of, new)
    null = f"CAST({literal(for_null)} AS pg_catalog.text)" if new is None else made(for_null)
    cases = [f"WHEN {value} IS NULL THEN {null}"]
    cases += [f"WHEN {_equals(value, old_type, key)} THEN {made(result)}" for key, result in mapped.pairs]
    return f"CASE {' '.join(cases)} ELSE {made(otherwise)} END"


def _lookup(lookup: Lookup, name: str, new: PgType | None = None) -> str:
    """Returns SQL for what is found, as text, or as a value of the given type."""
    type_ = "pg_catalog.text" if new is None else new.text
    missing = " OR ".join(f"{value} IS NULL" for value in lookup_values(lookup))
    for_null = lookup.for_null.value if lookup.for_null is not None else None
    otherwise = lookup.otherwise.value if lookup.otherwise is not None else None
    found = f"WHEN {name}.found THEN CAST({name}.v AS {type_})"
    null = f"WHEN {missing} THEN CAST({literal(for_null)} AS {type_})"
    return f"CASE {null} {found} ELSE CAST({literal(otherwise)} AS {type_}) END"
