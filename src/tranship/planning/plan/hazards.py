"""What the types and constraints say could reject a row. Whether it does is for the rows to say (``execution/probe``).

A constraint that OLD holds in the same form over values that travel unchanged cannot be broken by a row that OLD accepted; everything
else is a hazard. A missed hazard is still caught when the batch is copied; a needless one costs a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, ForeignKey, Index, Key, Table
from tranship.model.expression import Coalesce, Constant, Lookup, Loss, MapValues, NewDefault, Rule, Sql, Take
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Hazard, HazardKind, TablePlan
from tranship.model.types import PgType
from tranship.planning.printed.may_raise import may_raise

_EXACT_NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC})
_UNPADDED = frozenset({"text", "varchar"})
_PLAIN_CATEGORIES = frozenset("NBDTGIVE")
"""Type categories whose text is ASCII or a label that the catalog already holds."""
_PASSING = re.compile(
    r"\b(?:current_\w+|session_user|localtime\w*|now\(|age\(|(?:clock|statement|transaction)_timestamp\(|timeofday\(|random\()",
    re.IGNORECASE,
)
"""What gives another value on another day, for another user or in another database: a row that OLD accepted may be refused today."""
_USER_FUNCTION = re.compile(r'[\w"]\.("[^"]+"|\w+)\(')


def hazards(
    plan: TablePlan, old: Catalog, new: Catalog, plans: Mapping[TableName, Sequence[TablePlan]]
) -> tuple[Hazard, ...]:
    """All hazards of one table plan in a fixed order. ``plans`` are all plans of the run by NEW's table name."""
    before, after = old.table(plan.old), new.table(plan.new)
    if before is None or after is None:
        return ()
    found: list[Hazard] = []
    for mapping in plan.columns:
        found += _column_hazards(mapping, before, after, new)
        if _outgrows_bytes(mapping, old, new) and not (
            _may_not_convert(mapping, new) or _may_not_compute(mapping, before)
        ):
            found.append(Hazard(HazardKind.CONVERSION, (mapping.column,)))
    if _re_encoded(old.encoding, new.encoding):
        found += [Hazard(HazardKind.ENCODING, (m.column,)) for m in plan.columns if _carries_text(m)]
    found += [
        Hazard(HazardKind.GENERATED, (c.name,))
        for c in after.columns
        if c.generated == "s" and not _generated_as_before(c, plan, before)
    ]
    found += _check_hazards(plan, before, after)
    if after.kind == "p" and not after.has_default_partition:
        found.append(Hazard(HazardKind.ROUTING, tuple(m.column for m in plan.columns)))
    alone = len(plans.get(plan.new, ())) == 1
    found += _index_hazards(plan, before, after, alone)
    found += [
        h
        for key in after.foreign_keys
        if (h := _foreign_key_hazard(key, plan, before, after, plans)) is not None
    ]
    return tuple(found)


def _column_hazards(mapping: ColumnMapping, before: Table, after: Table, new: Catalog) -> list[Hazard]:
    expression, column = mapping.expression, after.column(mapping.column)
    found = []
    if _may_not_convert(mapping, new) or _may_not_compute(mapping, before):
        found.append(Hazard(HazardKind.CONVERSION, (mapping.column,)))
    if isinstance(expression, MapValues | Lookup) and expression.otherwise is None:
        found.append(Hazard(HazardKind.GAP, (mapping.column,)))
    if column is not None and column.refuses_null and _may_be_null(mapping, column, before, new):
        found.append(Hazard(HazardKind.NOT_NULL, (mapping.column,)))
    return found


def _may_not_convert(mapping: ColumnMapping, new: Catalog) -> bool:
    match mapping.expression:
        case Take(conversion=conversion):
            return conversion.fallible or _checks_pass(mapping.type)
        case Coalesce(of=take):
            return take.conversion.fallible
        case Sql():
            return True
        case Lookup() as lookup:
            table = new.table(lookup.table)
            value = table.column(lookup.value) if table is not None else None
            return (
                value is None or value.type.leaf.base != mapping.type.leaf.base or bool(mapping.type.checks)
            )
        case _:
            return False


def _may_not_compute(mapping: ColumnMapping, before: Table) -> bool:
    """OLD computes the value when it is read."""
    match mapping.expression:
        case Take(column=name) | Coalesce(of=Take(column=name)):
            column = before.column(name)
            return column is not None and column.computed_when_read
        case _:
            return False


def _checks_pass(pg_type: PgType) -> bool:
    """A domain's check that OLD's rows passed once may refuse them now."""
    return any(_PASSING.search(c.expression) for c in pg_type.checks) or (
        pg_type.element is not None and _checks_pass(pg_type.element)
    )


def _outgrows_bytes(mapping: ColumnMapping, old: Catalog, new: Catalog) -> bool:
    """NEW counts bytes where OLD counted characters: SQL_ASCII knows no others."""
    inner: PgType | None = mapping.type
    while inner is not None and inner.typname not in ("varchar", "bpchar"):
        inner = inner.element
    limited = inner is not None and bool(inner.modifiers)
    return (
        limited
        and new.counts_bytes
        and not old.counts_bytes
        and isinstance(mapping.expression, Take | Coalesce)
    )


def _may_be_null(mapping: ColumnMapping, column: Column, before: Table, new: Catalog) -> bool:
    def nullable(name: str) -> bool:
        found = before.column(name)
        return found is None or not found.refuses_null or found.null_before

    match mapping.expression:
        case Take(column=name):
            return nullable(name)
        case Coalesce(for_null=constant):
            return constant.value is None
        case MapValues() as mapped:
            missing = mapped.for_null is None or mapped.for_null.value is None
            results = [result for _, result in mapped.pairs] + (
                [mapped.otherwise.value] if mapped.otherwise is not None else []
            )
            return (missing and nullable(mapped.column)) or None in results
        case Constant(value=value):
            return value is None
        case NewDefault():
            return bool(column.generated) or not column.filled_by_server
        case _:
            return True


def _carries_text(mapping: ColumnMapping) -> bool:
    return (
        not isinstance(mapping.expression, NewDefault) and mapping.type.leaf.category not in _PLAIN_CATEGORIES
    )


def _re_encoded(old: str, new: str) -> bool:
    return new not in (old, "SQL_ASCII") and not (new == "UTF8" and old != "SQL_ASCII")


def _generated_as_before(column: Column, plan: TablePlan, before: Table) -> bool:
    """OLD computes the same from the same: what it accepted, NEW accepts. Every column that the expression could name has to travel as it is."""
    was, text = before.column(column.name), column.generation or ""
    if (
        was is None
        or was.generation != text
        or was.type.text != column.type.text
        or _USER_FUNCTION.search(text)
    ):
        return False
    return all(
        _unchanged(plan, m.column, m.column)
        for m in plan.columns
        if m.column != column.name and m.column in text
    )


def _check_hazards(plan: TablePlan, before: Table, after: Table) -> list[Hazard]:
    known = {c.expression for c in before.checks if c.validated and c.enforced}
    found = []
    for check in after.checks:
        if not check.enforced:
            continue
        kept = (
            check.expression in known
            and not _USER_FUNCTION.search(check.expression)
            and not _PASSING.search(check.expression)
        )
        if kept and all(_unchanged(plan, column, column) for column in check.columns):
            continue
        found.append(Hazard(HazardKind.CHECK, check.columns, check.name, new=check.expression not in known))
    return found


def _mapping(plan: TablePlan, column: str) -> ColumnMapping | None:
    return next((m for m in plan.columns if m.column == column), None)


def _unchanged(plan: TablePlan, new_column: str, old_column: str) -> bool:
    mapping = _mapping(plan, new_column)
    if mapping is None or not isinstance(mapping.expression, Take):
        return False
    return mapping.expression.column == old_column and mapping.expression.conversion.rule is Rule.SAME


def _origin(plan: TablePlan, before: Table, after: Table, column: str) -> str | None:
    """The old column that arrives in ``column`` with an equality that means the same; None: there is none."""
    mapping = _mapping(plan, column)
    if mapping is None or not isinstance(mapping.expression, Take):
        return None
    old, new = before.column(mapping.expression.column), after.column(column)
    if old is None or new is None or not _same_equality(_collation(old), _collation(new)):
        return None
    conversion = mapping.expression.conversion
    if conversion.rule not in (Rule.SAME, Rule.OLD_CAST) or conversion.loss is not Loss.NONE:
        return None
    one, other = old.type.leaf, mapping.type.leaf
    alike = conversion.rule is Rule.SAME and one.base == other.base
    same_equality = (
        _EXACT_NUMBERS.issuperset((one.family, other.family)) or {one.typname, other.typname} <= _UNPADDED
    )
    return old.name if alike or same_equality else None


def _collation(column: Column) -> str:
    return column.collation or column.type.collation or ""


def _same_equality(one: str, other: str) -> bool:
    """Under the server's own collations, and the default, only the same text is equal; a user's may take more for equal."""
    return one == other or all(
        not name or name.startswith(("pg_catalog.", '"pg_catalog".')) for name in (one, other)
    )


def _index_hazards(plan: TablePlan, before: Table, after: Table, alone: bool) -> list[Hazard]:
    found = []
    for index in after.indexes:
        exclusion = bool(index.exclusion_operators)
        if not index.valid:
            continue
        if not (index.unique or exclusion):
            if _new_and_may_raise(index, plan, before):
                found.append(Hazard(HazardKind.INDEX, constraint=index.name))
            continue
        columns = (
            tuple(c for c in index.columns if c is not None)
            if None not in index.columns
            else tuple(m.column for m in plan.columns)
        )
        if any(_numbered(after, c, plan) for c in index.columns if c is not None):
            continue
        name = index.constraint or index.name
        found.append(Hazard(HazardKind.EXISTING, columns, name))
        if exclusion:
            if not (alone and _same_exclusion(index, plan, before)):
                found.append(Hazard(HazardKind.EXCLUDE, columns, name))
        elif not (alone and any(_implies(key, index, plan, before, after) for key in before.keys)):
            found.append(Hazard(HazardKind.UNIQUE, columns, name))
    return found


def _new_and_may_raise(index: Index, plan: TablePlan, before: Table) -> bool:
    """OLD's rows passed through the same expressions where it has the same index over columns that travel as they are."""
    texts = [key for key, column in zip(index.keys, index.columns, strict=False) if column is None]
    texts += [index.predicate] if index.predicate is not None else []
    if not any(may_raise(text) for text in texts):
        return False
    held = any(i.valid and (i.keys, i.predicate) == (index.keys, index.predicate) for i in before.indexes)
    read = [m.column for m in plan.columns if any(m.column in text for text in texts)]
    return (
        not held
        or any(_USER_FUNCTION.search(text) for text in texts)
        or not all(_unchanged(plan, c, c) for c in read)
    )


def _numbered(after: Table, column: str, plan: TablePlan) -> bool:
    """NEW numbers the column itself, so the key cannot collide within the run."""
    mapping, declared = _mapping(plan, column), after.column(column)
    return (
        mapping is not None
        and declared is not None
        and isinstance(mapping.expression, NewDefault)
        and declared.sequence is not None
    )


def _same_exclusion(index: Index, plan: TablePlan, before: Table) -> bool:
    twins = [
        i
        for i in before.indexes
        if i.exclusion_operators and i.keys == index.keys and i.predicate == index.predicate
    ]
    same = [i for i in twins if i.exclusion_operators == index.exclusion_operators]
    return bool(same) and all(c is not None and _unchanged(plan, c, c) for c in index.columns)


def _implies(key: Key, index: Index, plan: TablePlan, before: Table, after: Table) -> bool:
    """OLD's key already makes the rows distinct under NEW's index: its columns all arrive, equal as before, among the index's."""
    if key.deferrable and not key.constraint:
        return False
    origins = {_origin(plan, before, after, c) for c in index.columns if c is not None}
    if not set(key.columns) <= origins or not _collations_kept(index, after):
        return False
    if index.nulls_not_distinct and not key.nulls_not_distinct:
        return all((c := before.column(name)) is not None and c.refuses_null for name in key.columns)
    return True


def _collations_kept(index: Index, after: Table) -> bool:
    """The index compares its columns as the columns themselves are compared."""
    own = [after.column(name) if name is not None else None for name in index.columns]
    pairs = zip(own, index.collations, strict=False)
    return all(
        not collation or (column is not None and _same_equality(_collation(column), collation))
        for column, collation in pairs
    )


def _foreign_key_hazard(
    key: ForeignKey,
    plan: TablePlan,
    before: Table,
    after: Table,
    plans: Mapping[TableName, Sequence[TablePlan]],
) -> Hazard | None:
    if not key.enforced:
        return None
    filled = [m for c in key.columns if (m := _mapping(plan, c)) is not None]
    if all(isinstance(m.expression, NewDefault) for m in filled):
        return None
    return Hazard(
        HazardKind.FOREIGN_KEY, key.columns, key.name, new=not _held_by_old(key, plan, before, after, plans)
    )


def _held_by_old(
    key: ForeignKey,
    plan: TablePlan,
    before: Table,
    after: Table,
    plans: Mapping[TableName, Sequence[TablePlan]],
) -> bool:
    """OLD holds the same foreign key, and both ends travel unchanged: only a rejected parent can break it."""
    parents = plans.get(key.target, ())
    origins = tuple(_origin(plan, before, after, c) for c in key.columns)
    for old_key in before.foreign_keys:
        if (
            not (old_key.validated and old_key.enforced)
            or old_key.columns != origins
            or (key.match_full and not old_key.match_full)
        ):
            continue
        for parent in parents:
            ends = tuple(_taken(parent, c) for c in key.target_columns)
            if parent.old == old_key.target and ends == old_key.target_columns:
                return True
    return False


def _taken(plan: TablePlan, column: str) -> str | None:
    mapping = _mapping(plan, column)
    if mapping is None or not isinstance(mapping.expression, Take):
        return None
    conversion = mapping.expression.conversion
    return (
        mapping.expression.column
        if conversion.rule in (Rule.SAME, Rule.OLD_CAST) and not conversion.fallible
        else None
    )
