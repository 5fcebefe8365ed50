"""The plan: what fills every column of NEW, and who said so.

The order and the hazards have files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.errors.codes.scope import ParentNotFilled, ReadInOldZone
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Comparison, Matching, TablePair
from tranship.model.expression import NewDefault, Rekeyed, Take
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, LeftOut, Origin, Plan, Source, TablePlan
from tranship.model.references import references
from tranship.model.resolution import Action, Answers, Decision, Problem
from tranship.planning.matching.new_keys import Place, rekeyed_columns
from tranship.planning.matching.repointed import repointings
from tranship.planning.plan.chance_parents import chance_parents, computed_references
from tranship.planning.plan.children import with_children
from tranship.planning.plan.flow_shapes import shape_of
from tranship.planning.plan.hazards import hazards
from tranship.planning.plan.led_children import led_problems, with_led_children
from tranship.planning.plan.mappings import Sides, TableDecisions, column_mappings
from tranship.planning.plan.new_key_references import lost_references
from tranship.planning.plan.one_part_each import one_part_each
from tranship.planning.plan.order import order
from tranship.planning.plan.sequences import sequence_pairs
from tranship.planning.plan.shipping import why_text, with_owned_lookups
from tranship.planning.plan.survivors import with_survivors
from tranship.planning.plan.tolerated import intolerable
from tranship.planning.plan.undeclared import undeclared
from tranship.planning.plan.unfollowed import unfollowed
from tranship.planning.plan.within import with_lookups_within
from tranship.planning.plan.zones import (
    computed_in_zone,
    converts_through_zone,
    deciding_settings,
    reads_without_zone,
)


def build(
    old: Catalog,
    new: Catalog,
    comparison: Comparison,
    answers: Answers,
    configured: Sequence[TableName] | None = None,
) -> tuple[Plan, tuple[Problem, ...]]:
    """Returns the plan for all paired tables that no decision leaves out, and what keeps it from running.

    ``configured`` are the old tables in the configured order, None where the order is to be computed. The
    comparison must have been made with the same answers and must hold no open breaking change.

    Raises:
        ValueError: the comparison does not belong to these catalogs.
    """
    dropped = {d.old_table: d.resolution for d in answers.decisions if d.action is Action.DROP_TABLE}
    flows, circular = with_children(flow_plans(old, new, comparison.matching, answers), old, new)
    led, unknown = with_lookups_within(with_led_children(flows, old, new), old, new)
    tables = _with_hazards(led, old, new)
    groups, problems = order(tables, new, configured)
    problems = (*problems, *unknown, *led_problems(flows, groups, old, new))
    problems = (*problems, *chance_parents(tables, old, new), *lost_references(tables, new))
    problems = (*problems, *computed_references(tables, new))
    problems = (*problems, *unfollowed(tables, old, new), *undeclared(tables, old, new))
    problems = (*problems, *one_part_each(tables, new))
    plan = Plan(
        groups=groups,
        left_out=_left_out(comparison, {name: one.because for name, one in dropped.items()}),
        sequences=sequence_pairs(old, new, tables),
        warnings=tuple(p for p in problems if p.warning)
        + _left_out_parents(tables, new)
        + _foreign_zones(tables, new),
        old_fingerprint=old.fingerprint,
        new_fingerprint=new.fingerprint,
    )
    return plan, (*circular, *intolerable(tables, old, new), *(p for p in problems if not p.warning))


def flow_plans(old: Catalog, new: Catalog, matching: Matching, answers: Answers) -> list[TablePlan]:
    """Returns the plan of each flow, without hazards: those depend on the plans of all.

    Raises:
        ValueError: the matching does not belong to these catalogs.
    """
    dropped = {d.old_table for d in answers.decisions if d.action is Action.DROP_TABLE}
    sides = Sides(old, new, matching.schema_pairs)
    pairs = [pair for pair in matching.pairs if pair.old not in dropped]
    rekeyed = rekeyed_columns(pairs, answers, old, new)
    plans = [_table_plan(pair, sides, answers.of_flow(pair.old, pair.name), rekeyed) for pair in pairs]
    repointing = repointings(pairs, answers, old, new)
    return [with_survivors(plan, repointing.get((plan.old, plan.name))) for plan in plans]


def at_moment(plan: Plan, moment: str) -> Plan:
    """Returns the plan with what stands in its SQL for ``run.started``."""
    if not moment:
        return plan
    groups = (
        replace(group, tables=tuple(replace(table, moment=moment) for table in group.tables))
        for group in plan.groups
    )
    return replace(plan, groups=tuple(groups))


def _left_out(comparison: Comparison, dropped: dict[TableName, str]) -> tuple[LeftOut, ...]:
    """Returns the tables that stay behind, by a decision or as the records of a migration tool."""
    tools = {
        one.old: f"records of {one.tool}" for one in comparison.matching.tool_tables if one.old is not None
    }
    return tuple(LeftOut(name, because) for name, because in sorted({**tools, **dropped}.items()))


def _with_hazards(tables: Sequence[TablePlan], old: Catalog, new: Catalog) -> list[TablePlan]:
    by_new: dict[TableName, list[TablePlan]] = {}
    for table in tables:
        by_new.setdefault(table.new, []).append(table)
    return [replace(table, hazards=hazards(table, old, new, by_new)) for table in tables]


def _table_plan(
    pair: TablePair, sides: Sides, decisions: Sequence[Decision], rekeyed: Mapping[Place, Rekeyed]
) -> TablePlan:
    """Returns the plan of one pair of tables, without hazards: those depend on the plans of all tables."""
    before, after = sides.old.table(pair.old), sides.new.table(pair.new)
    if before is None or after is None:
        raise ValueError(f"{pair.old} → {pair.new} is not in the catalogs")
    decided = TableDecisions(pair, before, tuple(decisions))
    columns = with_owned_lookups(_columns(decided, after, sides, rekeyed), sides.old, sides.new)
    copies_columns = any(not isinstance(mapping.expression, NewDefault) for mapping in columns)
    why = why_text(columns, before)
    input_zone = sides.old.timezone if reads_without_zone(columns, before) else None
    shape = shape_of(decisions, sides.old)
    through_zone = input_zone is not None or converts_through_zone(columns)
    return TablePlan(
        old=pair.old,
        new=pair.new,
        columns=columns,
        key=before.order_key,
        sources=_sources(before),
        binary=copies_columns and not why,
        why_text=why,
        ignored=decided.ignored,
        zone=sides.old.timezone if through_zone else None,
        input_zone=input_zone,
        settings=deciding_settings(columns, before, shape, sides.old, sides.new),
        serial=any(_is_numbered(mapping, after) for mapping in columns),
        inserts_defaults=bool(columns) and not copies_columns,
        name=pair.name,
        shape=shape,
        adopting=_named_constraints(decisions, Action.ADOPT),
        tolerating=_named_constraints(decisions, Action.TOLERATE),
    )


def _columns(
    decided: TableDecisions, after: Table, sides: Sides, rekeyed: Mapping[Place, Rekeyed]
) -> tuple[ColumnMapping, ...]:
    """Returns what fills each column of NEW, new keys and references to them included."""
    pair, before = decided.pair, decided.before
    if before.kind is RelationKind.QUERY and not before.columns:
        # Of a SELECT that nobody has asked the server about no column is known.
        return ()
    return tuple(
        _with_new_key(mapping, rekeyed.get((pair.old, pair.name, mapping.column)))
        for mapping in column_mappings(after.columns, decided, sides)
    )


def _with_new_key(mapping: ColumnMapping, rekeyed: Rekeyed | None) -> ColumnMapping:
    """Returns a mapping with the new value of a key; a column that is converted otherwise keeps its
    decision.
    """
    if rekeyed is None or not isinstance(mapping.expression, Take):
        return mapping
    return replace(mapping, expression=rekeyed, origin=Origin.DECIDED)


def _named_constraints(decisions: Sequence[Decision], action: Action) -> tuple[str, ...]:
    """Returns the constraints of NEW about which an action decides, each once."""
    names = {d.resolution.constraint for d in decisions if d.action is action}
    return tuple(sorted(name for name in names if name is not None))


def _sources(before: Table) -> tuple[Source, ...]:
    """Returns the relations that hold the rows: the table itself, or the partitions of a partitioned one."""
    if before.kind is RelationKind.QUERY:
        # Its SELECT stands in the shape; it is one source, and no heap.
        return (Source(relation=before.name, root=before.name, pageable=False),)
    if before.kind != RelationKind.PARTITIONED_TABLE:
        # Pages are addressed by ctid ranges, which only the heap promises.
        heap = before.kind == RelationKind.TABLE and before.access_method in ("heap", "")
        return (Source(relation=before.name, root=before.name, oid=before.oid, pageable=heap),)
    return tuple(
        Source(
            relation=leaf.name,
            root=before.name,
            oid=leaf.oid,
            through_root=not leaf.selectable,
            pageable=leaf.kind == RelationKind.TABLE,
        )
        for leaf in before.partitions
    )


def _is_numbered(mapping: ColumnMapping, after: Table) -> bool:
    column = after.column(mapping.column)
    return isinstance(mapping.expression, NewDefault) and column is not None and column.sequence is not None


def _left_out_parents(tables: Sequence[TablePlan], new: Catalog) -> tuple[Problem, ...]:
    """Returns a warning for each foreign key into a table that this run does not fill."""
    filled = {plan.new for plan in tables}
    reasons: list[Problem] = []
    for plan in tables:
        after = new.table(plan.new)
        keys = references(after) if after is not None else ()
        reasons += [
            ParentNotFilled(plan.old, key.name, plan.new, key.target).problem()
            for key in keys
            if key.enforced and key.target not in filled
        ]
    return tuple(reasons)


def _foreign_zones(tables: Sequence[TablePlan], new: Catalog) -> tuple[Problem, ...]:
    """Returns a warning for each table whose defaults or CHECKs NEW computes in OLD's zone instead of its
    own.
    """
    reasons: list[Problem] = []
    for plan in tables:
        after = new.table(plan.new)
        if after is None or plan.input_zone is None or plan.input_zone == new.timezone:
            continue
        computed = computed_in_zone(plan.columns, after)
        if computed:
            what = ", ".join(computed)
            reasons.append(ReadInOldZone(plan.new, plan.input_zone, new.timezone, what).problem())
    return tuple(reasons)
