"""The plan: what fills every column of NEW, and who said so. Pure; the order and the hazards have rooms of their own."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace

from tranship.errors.codes.scope import ParentNotFilled
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.change import ColumnPair, Comparison, Pairing, TablePair
from tranship.model.expression import (
    Coalesce,
    Constant,
    Conversion,
    Expression,
    Lookup,
    MapValues,
    NewDefault,
    Rule,
    Sql,
    Take,
)
from tranship.model.names import Side, TableName
from tranship.model.plan import ColumnMapping, LeftOut, Origin, Plan, SequencePair, Source, TablePlan
from tranship.model.resolution import Action, Answers, Decision, LookupTable, Problem, Resolution
from tranship.model.types import PgType
from tranship.planning.matching.scope import default_schema
from tranship.planning.plan.hazards import hazards
from tranship.planning.plan.order import order
from tranship.planning.types.conversion import convert

_SCHEMA_DEFAULT = "USE_SCHEMA_DEFAULT"


class _Sides(Struct, frozen=True):
    old: Catalog
    new: Catalog
    schemas: tuple[tuple[str, str], ...]

    def conversion(self, before: PgType, after: PgType) -> Conversion:
        return convert(
            before,
            after,
            old_version=self.old.server_version,
            new_version=self.new.server_version,
            schemas=self.schemas,
        )


def build(
    old: Catalog,
    new: Catalog,
    comparison: Comparison,
    answers: Answers,
    configured: Sequence[TableName] | None = None,
) -> tuple[Plan, tuple[Problem, ...]]:
    """The plan for all paired tables that no decision leaves out.

    ``configured`` are the old tables in the configured order, None where the order is to be computed. The comparison must have been made
    with the same answers and must hold no open breaking change. Returns the plan and what keeps it from running.
    """
    dropped = {d.old_table: d.resolution for d in answers.decisions if d.action is Action.DROP_TABLE}
    pairs = [p for p in comparison.matching.pairs if p.old not in dropped]
    sides = _Sides(old, new, comparison.matching.schema_pairs)
    tables = [_table_plan(pair, sides, answers.for_table(pair.old)) for pair in pairs]
    by_new: dict[TableName, list[TablePlan]] = {}
    for table in tables:
        by_new.setdefault(table.new, []).append(table)
    tables = [replace(table, hazards=hazards(table, old, new, by_new)) for table in tables]
    groups, problems = order(tables, new, configured)
    plan = Plan(
        groups=groups,
        left_out=tuple(LeftOut(name, resolution.because) for name, resolution in sorted(dropped.items())),
        sequences=_sequences(old, new, tables),
        warnings=tuple(p for p in problems if p.warning) + _left_out_parents(tables, new),
        old_fingerprint=old.fingerprint,
        new_fingerprint=new.fingerprint,
    )
    return plan, tuple(p for p in problems if not p.warning)


def _table_plan(pair: TablePair, sides: _Sides, decisions: Sequence[Decision]) -> TablePlan:
    before, after = sides.old.table(pair.old), sides.new.table(pair.new)
    if before is None or after is None:
        raise ValueError(f"{pair.old} → {pair.new} is not in the catalogs")
    ignored = tuple(
        d.resolution.old_column
        for d in decisions
        if d.action is Action.IGNORE and d.resolution.old_column is not None
    )
    columns = tuple(
        _column_mapping(column, pair, before, sides, decisions, ignored) for column in after.columns
    )
    travels = any(not isinstance(m.expression, NewDefault) for m in columns)
    why_text = _why_text(columns, before)
    return TablePlan(
        old=pair.old,
        new=pair.new,
        columns=columns,
        key=before.order_key,
        sources=_sources(before),
        binary=travels and not why_text,
        why_text=why_text,
        ignored=ignored,
        zone=sides.old.timezone if any(_needs_zone(m, before) for m in columns) else None,
        serial=any(_is_numbered(m, after) for m in columns),
        inserts_defaults=bool(columns) and not travels,
    )


def _column_mapping(
    column: Column,
    pair: TablePair,
    before: Table,
    sides: _Sides,
    decisions: Sequence[Decision],
    ignored: tuple[str, ...],
) -> ColumnMapping:
    decided = next((d for d in decisions if d.resolution.new_column == column.name), None)
    if decided is not None:
        expression = _decided(decided.resolution, column, before, sides)
        origin = Origin.SERVER if isinstance(expression, NewDefault) else Origin.DECIDED
        because = decided.resolution.because or decided.resolution.description
        return ColumnMapping(
            column=column.name, type=column.type, expression=expression, origin=origin, because=because
        )
    paired = next((p for p in pair.columns if p.new == column.name and p.old not in ignored), None)
    if paired is None or column.generated:
        return ColumnMapping(
            column=column.name, type=column.type, expression=NewDefault(), origin=Origin.SERVER
        )
    return ColumnMapping(
        column=column.name,
        type=column.type,
        expression=_take(paired.old, column, before, sides),
        origin=_origin(paired),
        because="; ".join(paired.evidence),
    )


def _origin(pair: ColumnPair) -> Origin:
    if pair.pairing is Pairing.NAME:
        return Origin.SAME_NAME
    return Origin.DECIDED if pair.pairing is Pairing.DECIDED else Origin.RULE


def _take(name: str, column: Column, before: Table, sides: _Sides) -> Take:
    declared = before.column(name)
    if declared is None:
        raise ValueError(f"{before.name} has no column {name}")
    return Take(name, sides.conversion(declared.type, column.type))


def _decided(entry: Resolution, column: Column, before: Table, sides: _Sides) -> Expression:
    if entry.action == Action.DEFAULT:
        given = entry.default_value
        return NewDefault() if given == _SCHEMA_DEFAULT else Constant(None if given is UNSET else given)
    if entry.transform_sql is not None:
        return Sql(entry.transform_sql)
    otherwise = None if entry.default_value is UNSET else Constant(entry.default_value)
    for_null = _for_null(entry, column)
    if entry.value_mapping is not None and entry.old_column is not None:
        return MapValues(entry.old_column, entry.value_mapping, otherwise, for_null)
    if entry.lookup_table is not None:
        return _lookup(entry, entry.lookup_table, otherwise, for_null, sides)
    if entry.old_column is None:
        raise ValueError(f"{entry.path} names no old column")
    take = _take(entry.old_column, column, before, sides)
    return take if entry.null_value is UNSET else Coalesce(take, Constant(entry.null_value))


def _for_null(entry: Resolution, column: Column) -> Constant | None:
    """NULL is never looked up: it stays NULL where NEW allows it, else takes the default; ``null_value`` overrides."""
    if entry.null_value is not UNSET:
        return Constant(entry.null_value)
    if column.refuses_null and entry.default_value is not UNSET:
        return Constant(entry.default_value)
    return None


def _lookup(
    entry: Resolution,
    lookup: LookupTable,
    otherwise: Constant | None,
    for_null: Constant | None,
    sides: _Sides,
) -> Lookup:
    side = Side(lookup.database)
    schema = lookup.schema or default_schema(sides.old if side is Side.OLD else sides.new)
    columns = entry.old_columns or ((entry.old_column,) if entry.old_column is not None else ())
    return Lookup(
        columns, TableName(schema, lookup.table), lookup.keys, lookup.value_column, side, otherwise, for_null
    )


def _sources(before: Table) -> tuple[Source, ...]:
    if before.kind != "p":
        heap = before.kind == "r" and before.access_method in ("heap", "")
        return (Source(relation=before.name, root=before.name, oid=before.oid, pageable=heap),)
    return tuple(
        Source(
            relation=leaf.name,
            root=before.name,
            oid=leaf.oid,
            through_root=not leaf.selectable,
            pageable=leaf.kind == "r",
        )
        for leaf in before.partitions
    )


def _why_text(columns: Sequence[ColumnMapping], before: Table) -> str:
    """The first reason against binary COPY; empty: binary is safe (every shipped value has the same bytes on both servers)."""
    for mapping in columns:
        expression = mapping.expression
        if isinstance(expression, NewDefault):
            continue
        if not isinstance(expression, Take):
            return f"{mapping.column}: computed as text"
        declared = before.column(expression.column)
        if expression.conversion.rule not in (Rule.SAME, Rule.OLD_CAST):
            return f"{mapping.column}: read by NEW's input function"
        if expression.conversion.fallible:
            return f"{mapping.column}: NEW's {mapping.type.text} does not hold every value of OLD's"
        if not mapping.type.portable or declared is None or not declared.type.portable:
            return f"{mapping.column}: {mapping.type.text} is not the same bytes on every server"
    return ""


def _needs_zone(mapping: ColumnMapping, before: Table) -> bool:
    expression = mapping.expression
    if isinstance(expression, Take | Coalesce):
        take = expression.of if isinstance(expression, Coalesce) else expression
        if take.conversion.rule is Rule.ZONE:
            return True
        declared = before.column(take.column)
        return (
            take.conversion.rule is Rule.NEW_INPUT
            and _zoned(mapping)
            and declared is not None
            and declared.type.leaf.category == "S"
        )
    return isinstance(expression, MapValues | Lookup | Sql | Constant) and _zoned(mapping)


def _zoned(mapping: ColumnMapping) -> bool:
    return "with time zone" in mapping.type.leaf.text


def _is_numbered(mapping: ColumnMapping, after: Table) -> bool:
    column = after.column(mapping.column)
    return isinstance(mapping.expression, NewDefault) and column is not None and column.sequence is not None


def _sequences(old: Catalog, new: Catalog, tables: Sequence[TablePlan]) -> tuple[SequencePair, ...]:
    """Sequences of NEW paired with OLD's through the column they number, else by name (product specification, settled questions)."""
    fillers: dict[TableName, TablePlan] = {plan.new: plan for plan in reversed(tables)}
    old_names = {s.name for s in old.sequences}
    pairs: list[SequencePair] = []
    for sequence in new.sequences:
        owners = [ref for ref in sequence.used_by if ref.table in fillers]
        if not owners and sequence.used_by:
            continue
        if not owners:
            twin = sequence.name if sequence.name in old_names else None
            if twin is not None:
                pairs.append(SequencePair(new=sequence.name, old=twin))
            continue
        for ref in owners:
            plan = fillers[ref.table]
            old_sequence = _old_sequence(plan, ref.column, old) or (
                sequence.name if sequence.name in old_names else None
            )
            pairs.append(
                SequencePair(new=sequence.name, old=old_sequence, table=ref.table, column=ref.column)
            )
    return tuple(pairs)


def _old_sequence(plan: TablePlan, column: str, old: Catalog) -> TableName | None:
    before = old.table(plan.old)
    mapping = next((m for m in plan.columns if m.column == column), None)
    if before is None or mapping is None or not isinstance(mapping.expression, Take):
        return None
    declared = before.column(mapping.expression.column)
    return declared.sequence if declared is not None else None


def _left_out_parents(tables: Sequence[TablePlan], new: Catalog) -> tuple[Problem, ...]:
    """Foreign keys into a table that this run does not fill: said before the run."""
    filled = {plan.new for plan in tables}
    told: list[Problem] = []
    for plan in tables:
        after = new.table(plan.new)
        keys = after.foreign_keys if after is not None else ()
        told += [
            ParentNotFilled(plan.old, key.name, plan.new, key.target).problem()
            for key in keys
            if key.enforced and key.target not in filled
        ]
    return tuple(told)
