"""What the types and constraints say could reject a row.

Whether it does is for the rows to say (``execution/probe``).

A constraint that OLD holds in the same form over values that arrive unchanged cannot be broken by a row that
OLD accepted; everything else is a hazard. A missed hazard is still caught when the batch is copied; a
needless one costs a scan of the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import MOMENT_WORDS
from tranship.model.catalog import Catalog, Check, Column, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import (
    Coalesce,
    Constant,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Sql,
    Take,
)
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Hazard, HazardKind, TablePlan
from tranship.model.references import references
from tranship.model.shape import ITEM_NUMBERS, KeyKind
from tranship.model.types import PgType
from tranship.planning.plan.index_hazards import USER_FUNCTION, index_hazards
from tranship.planning.plan.row_size import may_outgrow_page
from tranship.planning.plan.unchanged import all_unchanged, equal_origin, mapping_of, surely_taken
from tranship.planning.plan.zones import depends_on_zone, domain_depends_on_zone
from tranship.planning.printed.names import reads_whole_row

_PLAIN_CATEGORIES = frozenset("NBDTGIVE")
"""Type categories (``pg_type.typcategory``) whose text is ASCII, or a label that the catalog already holds.
"""
_PASSING = re.compile(
    r"\b(?:current_\w+|session_user|localtime\w*|now\(|age\(|(?:clock|statement|transaction)_timestamp\("
    rf"|timeofday\(|random\(|'(?:{'|'.join(MOMENT_WORDS)})\b)",
    re.IGNORECASE,
)
"""What gives another value on another day, for another user or in another database.

A row that OLD accepted under such a check may be refused today.
"""


class _Context(Struct, frozen=True):
    """One table plan with the tables, catalogs and plans that its hazards depend on."""

    plan: TablePlan
    before: Table
    after: Table
    old: Catalog
    new: Catalog
    plans: Mapping[TableName, Sequence[TablePlan]]


def hazards(
    plan: TablePlan, old: Catalog, new: Catalog, plans: Mapping[TableName, Sequence[TablePlan]]
) -> tuple[Hazard, ...]:
    """Returns all hazards of one table plan.

    ``plans`` are all plans of the run by NEW's table name. The order is fixed: values, constraints of a
    single row, constraints between rows, and foreign keys last.
    """
    before, after = old.table(plan.old), new.table(plan.new)
    if before is None or after is None:
        return ()
    context = _Context(plan, before, after, old, new, plans)
    alone = len(plans.get(plan.new, ())) == 1
    return (
        *_column_hazards(context),
        *_encoding_hazards(context),
        *_generated_hazards(context),
        *_check_hazards(context),
        *_period_hazards(context),
        *_routing_hazards(context),
        *_size_hazards(context),
        *index_hazards(plan, before, after, alone=alone),
        *_foreign_key_hazards(context),
    )


def _column_hazards(context: _Context) -> Iterator[Hazard]:
    for mapping in context.plan.columns:
        fails = _may_not_convert(mapping, context.new) or _may_not_compute(mapping, context.before)
        if fails:
            yield Hazard(HazardKind.CONVERSION, (mapping.column,))
        if _may_find_nothing(mapping):
            yield Hazard(HazardKind.GAP, (mapping.column,))
        column = context.after.column(mapping.column)
        if column is not None and column.refuses_null and _may_be_null(mapping, column, context):
            yield Hazard(HazardKind.NOT_NULL, (mapping.column,))
        if not fails and _outgrows_bytes(mapping, context.old, context.new):
            yield Hazard(HazardKind.CONVERSION, (mapping.column,))


def _may_find_nothing(mapping: ColumnMapping) -> bool:
    """Returns whether a value may have no entry, or the SQL that says what is looked up may raise."""
    match mapping.expression:
        case MapValues(otherwise=otherwise):
            return otherwise is None
        case Lookup(otherwise=otherwise, key_sql=key_sql):
            return otherwise is None or bool(key_sql)
        case _:
            return False


def _may_not_convert(mapping: ColumnMapping, new: Catalog) -> bool:
    match mapping.expression:
        case Take(conversion=conversion):
            return conversion.fallible or _has_passing_check(mapping.type)
        case Coalesce(of=take):
            return take.conversion.fallible
        case Sql():
            return True
        case Rekeyed(key=key):
            # A UUID always fits; what an offset gives may be out of range.
            return key.kind is not KeyKind.UUID
        case Lookup(table=table, value=value):
            return _taken_from_new_may_not_fit(new.table(table), value, mapping.type)
        case Followed(of=of, parent=parent, value=value):
            own = _may_not_convert(replace(mapping, expression=of), new)
            return own or _taken_from_new_may_not_fit(new.table(parent.new), value, mapping.type)
        case _:
            return False


def _taken_from_new_may_not_fit(table: Table | None, column: str, type_: PgType) -> bool:
    """Returns whether a value of another table of NEW has another type than the column, or a domain check to
    pass.
    """
    value = table.column(column) if table is not None else None
    return value is None or value.type.leaf.base != type_.leaf.base or bool(type_.checks)


def _may_not_compute(mapping: ColumnMapping, before: Table) -> bool:
    """Returns whether OLD computes the value when it is read, which may raise (virtual generated columns)."""
    match mapping.expression:
        case Take(column=name) | Coalesce(of=Take(column=name)) | Followed(of=Take(column=name)):
            column = before.column(name)
            return column is not None and column.computed_when_read
        case _:
            return False


def _has_passing_check(pg_type: PgType) -> bool:
    """Returns whether a domain's check that OLD's rows passed once may refuse them now."""
    passing = any(_PASSING.search(check.expression) for check in pg_type.checks)
    passing = passing or domain_depends_on_zone(pg_type)
    return passing or (pg_type.element is not None and _has_passing_check(pg_type.element))


def _outgrows_bytes(mapping: ColumnMapping, old: Catalog, new: Catalog) -> bool:
    """Returns whether NEW counts bytes where OLD counted characters: a database in SQL_ASCII knows no
    characters.
    """
    if old.counts_bytes or not new.counts_bytes or not isinstance(mapping.expression, Take | Coalesce):
        return False
    inner: PgType | None = mapping.type
    while inner is not None and inner.typname not in ("varchar", "bpchar"):
        inner = inner.element
    return inner is not None and bool(inner.modifiers)


def _may_be_null(mapping: ColumnMapping, column: Column, context: _Context) -> bool:
    """Returns whether the expression may give NULL, for a new column that refuses it."""
    before, lost = context.before, context.plan.shape.null_with
    match mapping.expression:
        case (
            Take(column=name)
            | Rekeyed(column=name, equality="")
            | Followed(of=Take(column=name))
            | Followed(of=Rekeyed(column=name, equality=""))
        ):
            return _may_hold_null(before, name) or any(
                parent.nullifies(name, (mapping.column,)) for parent in lost
            )
        case Coalesce(for_null=constant):
            return constant.value is None
        case MapValues() as mapped:
            return _mapped_may_be_null(mapped, before)
        case Constant(value=value):
            return value is None
        case NewDefault():
            return bool(column.generated) or not column.filled_by_server
        case Sql(text=text):
            return context.plan.shape.items is None or text.strip() not in ITEM_NUMBERS
        case _:
            return True


def _may_hold_null(table: Table, name: str) -> bool:
    """Returns whether a column may hold NULL: a NOT NULL that was added as NOT VALID lets older ones be."""
    found = table.column(name)
    return found is None or not found.refuses_null or found.null_before


def _mapped_may_be_null(mapped: MapValues, before: Table) -> bool:
    results = [result for _, result in mapped.pairs]
    results += [mapped.otherwise.value] if mapped.otherwise is not None else []
    # NULL is never looked up: without a value of its own it stays NULL.
    stays_null = mapped.for_null is None or mapped.for_null.value is None
    return None in results or (stays_null and _may_hold_null(before, mapped.column))


def _encoding_hazards(context: _Context) -> Iterator[Hazard]:
    if not _may_lack_characters(context.old.encoding, context.new.encoding):
        return
    for mapping in context.plan.columns:
        copied = not isinstance(mapping.expression, NewDefault)
        if copied and mapping.type.leaf.category not in _PLAIN_CATEGORIES:
            yield Hazard(HazardKind.ENCODING, (mapping.column,))


def _may_lack_characters(old: str, new: str) -> bool:
    """Returns whether a text of OLD may have no form in NEW's encoding.

    SQL_ASCII takes every byte, and UTF8 has every character; but bytes of a SQL_ASCII database may be no
    UTF8.
    """
    takes_everything = new in (old, "SQL_ASCII")
    has_everything = new == "UTF8" and old != "SQL_ASCII"
    return not takes_everything and not has_everything


def _generated_hazards(context: _Context) -> Iterator[Hazard]:
    for column in context.after.columns:
        # A virtual one is computed when it is read: writing the row does not raise.
        if column.generated == "s" and not _is_generated_as_before(column, context):
            yield Hazard(HazardKind.GENERATED, (column.name,))


def _is_generated_as_before(column: Column, context: _Context) -> bool:
    """Returns whether OLD computes the same from the same, so that NEW accepts what OLD accepted.

    Every column that the expression could name has to arrive unchanged.
    """
    before, text = context.before.column(column.name), column.generation or ""
    if before is None or before.generation != text or before.type.text != column.type.text:
        return False
    others = [mapping.column for mapping in context.plan.columns if mapping.column != column.name]
    read = [name for name in others if name in text]
    return not USER_FUNCTION.search(text) and all_unchanged(context.plan, read)


def _check_hazards(context: _Context) -> Iterator[Hazard]:
    known = {check.expression for check in context.before.checks if check.validated and check.enforced}
    for check in context.after.checks:
        held = check.expression in known
        kept = (
            held and depends_on_row_alone(check, context.after) and all_unchanged(context.plan, check.columns)
        )
        if check.enforced and not kept and check.name not in context.plan.tolerating:
            yield Hazard(HazardKind.CHECK, check.columns, check.name, new=not held)


def _period_hazards(context: _Context) -> Iterator[Hazard]:
    """Yields the keys WITHOUT OVERLAPS, which refuse an empty period, but for those that OLD has, too."""
    held = {key.columns[-1] for key in context.before.keys if key.without_overlaps}
    for key in context.after.keys:
        period = key.columns[-1:]
        if key.without_overlaps and not (held.issuperset(period) and all_unchanged(context.plan, period)):
            yield Hazard(HazardKind.CHECK, period, key.name)


def depends_on_row_alone(check: Check, table: Table) -> bool:
    """Returns whether a check gives the same for the same values today, in NEW, in any zone and whoever asks.
    As one value a row of NEW is another one where its table has other columns.
    """
    text = check.expression
    passing = USER_FUNCTION.search(text) or _PASSING.search(text) or depends_on_zone(text, table)
    return not (passing or reads_whole_row(text))


def _routing_hazards(context: _Context) -> Iterator[Hazard]:
    if context.after.kind == RelationKind.PARTITIONED_TABLE and not context.after.has_default_partition:
        # The partition key may be an expression over any column.
        yield Hazard(HazardKind.ROUTING, tuple(mapping.column for mapping in context.plan.columns))


def _size_hazards(context: _Context) -> Iterator[Hazard]:
    if may_outgrow_page(context.plan, context.before, context.after):
        yield Hazard(HazardKind.ROW_SIZE)


def _foreign_key_hazards(context: _Context) -> Iterator[Hazard]:
    """Yields every foreign key that a row may use, also one that OLD holds, since a parent may be rejected,
    and one whose columns NEW alone fills.
    """
    for key in references(context.after):
        filled = [_may_be_filled(context, name) for name in key.columns]
        # MATCH SIMPLE does not look at a key of which one column is NULL.
        used = any(filled) if key.match_full else all(filled)
        if key.enforced and used:
            new = not _is_held_by_old(key, context)
            yield Hazard(HazardKind.FOREIGN_KEY, key.columns, key.name, new=new)


def _may_be_filled(context: _Context, name: str) -> bool:
    """Returns whether a column of NEW may hold a value: copied, by a default, or generated."""
    mapping, column = mapping_of(context.plan, name), context.after.column(name)
    if mapping is None or column is None:
        return False
    return not isinstance(mapping.expression, NewDefault) or column.filled_by_server


def _is_held_by_old(key: ForeignKey, context: _Context) -> bool:
    """Returns whether OLD holds the same foreign key and both ends arrive as they were.

    Then only a rejected parent can break it.
    """
    origins = tuple(equal_origin(context.plan, context.before, context.after, c) for c in key.columns)
    parents = context.plans.get(key.target, ())
    # A row that a filter leaves out, or that makes no item, is nobody's parent.
    ends = {
        (parent.old, tuple(surely_taken(parent, c) for c in key.target_columns))
        for parent in parents
        if parent.shape.one_row_each
    }
    for held in references(context.before):
        proven = held.validated and held.enforced and (held.match_full or not key.match_full)
        if proven and held.columns == origins and (held.target, held.target_columns) in ends:
            return True
    return False
