"""Which old table and column corresponds to which new one.

The order is decisions, equal names, renames that are proven. Everything else is proposed to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Matching, Pairing, TablePair, TableProposal, ToolTable
from tranship.model.names import ColumnRef, TableName
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.matching.behind_views import behind_views
from tranship.planning.matching.children import home_of_child
from tranship.planning.matching.columns import NO_DECISIONS, ColumnDecisions, said_columns, with_columns
from tranship.planning.matching.elsewhere import with_proven_elsewhere
from tranship.planning.matching.led_renames import with_led
from tranship.planning.matching.renames import RenameContext, naming_convention, table_renames
from tranship.planning.matching.scope import HOLDS_ROWS, Scope
from tranship.planning.matching.tool_tables import paired_tools, tool_tables


class NamedFlow(Struct, frozen=True):
    """A flow that a key of the resolutions file names, with what its entries say about columns."""

    old: TableName
    new: TableName
    name: str
    columns: tuple[tuple[str, str], ...] = ()
    """Old and new column: what a ``rename`` or ``transform`` pairs."""
    resolved_old: tuple[str, ...] = ()
    """Old columns that pair with nothing else in this flow."""
    resolved_new: tuple[str, ...] = ()
    """New columns that a ``default`` or an expression fills."""


class Decided(Struct, frozen=True):
    """What a person's decisions say about correspondence; tables by their old name."""

    tables: tuple[tuple[TableName, TableName], ...] = ()
    """Old and new table: what a ``rename_table`` pairs."""
    dropped: tuple[TableName, ...] = ()
    """Old tables that a ``drop_table`` leaves out."""
    columns: tuple[tuple[TableName, str, str], ...] = ()
    """Old table, old column, new column: what a ``rename`` or ``transform`` pairs.

    A column may feed several.
    """
    resolved_old: tuple[tuple[TableName, str], ...] = ()
    """Old columns that pair with nothing else any more: ignored, or moved away by a ``rename``."""
    resolved_new: tuple[tuple[TableName, str], ...] = ()
    """New columns (under the old table's name) that a ``default`` fills."""
    flows: tuple[NamedFlow, ...] = ()
    """By name. One whose tables are found to be a pair by name or decision says nothing new."""


NOTHING_DECIDED = Decided()


class _Tables(Struct):
    """The pairing of tables as it grows."""

    old: dict[TableName, Table]
    new: dict[TableName, Table]
    found: dict[TableName, TablePair]
    named: tuple[NamedFlow, ...] = ()
    """The flows that a person made beside the pairs that are found."""

    def pair(self, old: TableName, new: TableName, pairing: Pairing, evidence: tuple[str, ...] = ()) -> None:
        self.found[old] = TablePair(old=old, new=new, pairing=pairing, evidence=evidence)

    @property
    def names(self) -> dict[TableName, TableName]:
        return {name: pair.new for name, pair in self.found.items()}

    @property
    def renamed(self) -> dict[TableName, TableName]:
        """Returns the pairs of tables under two names."""
        return {a: b for a, b in self.names.items() if a != b}

    @property
    def kept(self) -> frozenset[TableName]:
        """Returns the names of tables that have the same name in both databases."""
        return frozenset(a for a, b in self.names.items() if a == b)

    def is_inside(self, name: TableName, scope: Scope) -> bool:
        """Returns whether an old table takes part, by its own name or by that of the table that it fills."""
        pair = self.found.get(name)
        return scope.includes(name) or (pair is not None and scope.includes_pair(name, pair.new))

    def filled(self) -> set[TableName]:
        """Returns the new tables that a pair or a flow fills."""
        return {pair.new for pair in self.found.values()} | {flow.new for flow in self.named}


def match(
    old: Catalog,
    new: Catalog,
    scope: Scope,
    decided: Decided = NOTHING_DECIDED,
    *,
    background: Background = NOTHING_KNOWN,
) -> Matching:
    """Returns the pairs of tables in scope with the pairs of their columns, and what is left without a
    counterpart.

    Partitions are storage of their root; views, materialized and foreign tables correspond to nothing.
    """
    tables = _Tables(_movable(old), _movable(new), {})
    tools = _without_tools(tables, old, new, scope, decided)
    # Decisions before names, so that a renamed table leaves its name free; children last, since they follow
    # their parent.
    _pair_decided(tables, scope, decided)
    _pair_by_name(tables, scope, decided)
    _pair_children(tables, decided)
    tables.named = _named_flows(tables, decided)
    context = _rename_context(tables, background)
    proposals = _pair_renamed(tables, _held_by_name(old, new, scope), decided, context, scope)
    proposals = (*proposals, *_behind_views(tables, proposals, new, scope, decided))
    # Once more: a parent may just have been found under another name.
    _pair_children(tables, decided)
    _leave_to_named(tables)
    # Only tables under another name: for the others a lookup by their own name answers the same, and the
    # rules walk through these pairs for every table.
    context = structs.replace(context, table_pairs=tables.renamed, kept_tables=tables.kept)
    inside = [name for name in sorted(tables.old) if tables.is_inside(name, scope)]
    driving = {flow.old for flow in tables.named}
    moved = tables.found.keys() | driving
    return Matching(
        pairs=with_proven_elsewhere(_pairs_with_columns(tables, inside, decided, context, old), old, new),
        only_old=tuple(name for name in inside if name not in moved and name not in decided.dropped),
        only_new=_only_new(tables, scope, decided),
        proposals=tuple(p for p in proposals if scope.includes(p.old) and p.old not in driving),
        out_of_scope=len(tables.old) - len(inside),
        schema_pairs=scope.schema_pairs,
        configured=scope.tables,
        tool_tables=tools,
    )


def loose_columns(
    old: Catalog, new: Catalog, scope: Scope
) -> tuple[tuple[ColumnRef, ...], tuple[ColumnRef, ...]]:
    """Returns the columns of OLD and of NEW that may have been renamed, so that statistics of their values
    are useful.

    First come, of tables paired by name or by the configuration, the columns whose name the other side does
    not have, where each side has such columns. Then come all columns of tables without a counterpart, where
    both sides have such tables.
    """
    tables = _Tables(_movable(old), _movable(new), {})
    _without_tools(tables, old, new, scope, NOTHING_DECIDED)
    _pair_decided(tables, scope, NOTHING_DECIDED)
    _pair_by_name(tables, scope, NOTHING_DECIDED)
    paired = [
        (tables.old[a], tables.new[b]) for a, b in sorted(tables.names.items()) if tables.is_inside(a, scope)
    ]
    loose_old, loose_new = list[ColumnRef](), list[ColumnRef]()
    for before, after in paired:
        lost, fresh = _names_of_one(before, after), _names_of_one(after, before)
        if lost and fresh:
            loose_old += lost
            loose_new += fresh
    lost_tables, fresh_tables = _tables_of_one(tables, scope)
    if lost_tables and fresh_tables:
        loose_old += _columns_of(lost_tables)
        loose_new += _columns_of(fresh_tables)
    return tuple(loose_old), tuple(loose_new)


def _names_of_one(table: Table, other: Table) -> list[ColumnRef]:
    """Returns the columns of a table that its counterpart does not have."""
    names = {column.name for column in other.columns}
    return [ColumnRef(table.name, column.name) for column in table.columns if column.name not in names]


def _tables_of_one(tables: _Tables, scope: Scope) -> tuple[list[Table], list[Table]]:
    """Returns the tables of OLD in scope and those of NEW that have no counterpart so far, by name."""
    taken = {pair.new for pair in tables.found.values()}
    lost = [name for name in sorted(tables.old) if name not in tables.found and scope.includes(name)]
    return [tables.old[name] for name in lost], [t for n, t in sorted(tables.new.items()) if n not in taken]


def _columns_of(tables: Sequence[Table]) -> list[ColumnRef]:
    return [ColumnRef(table.name, column.name) for table in tables for column in table.columns]


def _movable(catalog: Catalog) -> dict[TableName, Table]:
    return {t.name: t for t in catalog.tables if t.kind in HOLDS_ROWS and t.extension is None}


def _without_tools(
    tables: _Tables, old: Catalog, new: Catalog, scope: Scope, decided: Decided
) -> tuple[ToolTable, ...]:
    """Takes the tables of migration tools out of both sides, and returns them.

    A table that the configuration or a decision names is moved as it says.
    """
    said = {*(scope.tables or ()), *decided.dropped, *dict((*scope.mapping, *decided.tables))}
    said |= {flow.old for flow in decided.flows}
    wanted = {b for _, b in (*scope.mapping, *decided.tables)} | {flow.new for flow in decided.flows}
    schemas = dict(scope.schema_pairs)
    wanted |= {TableName(schemas.get(name.schema, name.schema), name.name) for name in said}
    gone_old = {n: t for n, t in tool_tables(old, tables.old.values()).items() if n not in said}
    gone_new = {n: t for n, t in tool_tables(new, tables.new.values()).items() if n not in wanted}
    for name in gone_old:
        del tables.old[name]
    for name in gone_new:
        del tables.new[name]
    return paired_tools(gone_old, gone_new, schemas)


def _pair_decided(tables: _Tables, scope: Scope, decided: Decided) -> None:
    """Pairs what a person said, in the configuration or in the resolutions; a resolution overrides the
    configuration.
    """
    configured = [(pair, "table_mapping") for pair in scope.mapping]
    answered = [(pair, "decided") for pair in decided.tables]
    for (before, after), why in (*configured, *answered):
        if before in tables.old and after in tables.new and before not in decided.dropped:
            tables.pair(before, after, Pairing.DECIDED, (why,))


def _pair_by_name(tables: _Tables, scope: Scope, decided: Decided) -> None:
    schemas = dict(scope.schema_pairs)
    for name in sorted(tables.old):
        twin = TableName(schemas.get(name.schema, name.schema), name.name)
        if name not in tables.found and name not in decided.dropped and twin in tables.new:
            tables.pair(name, twin, Pairing.NAME)


def _only_new(tables: _Tables, scope: Scope, decided: Decided) -> tuple[TableName, ...]:
    """Returns the new tables without a counterpart: none when the configuration or the command line names
    tables, since all are then.
    """
    if scope.tables is not None or scope.only is not None:
        return ()
    taken = tables.filled() | set(_twins(decided.dropped, tables, scope))
    return tuple(name for name in sorted(tables.new) if name not in taken)


def _twins(dropped: Sequence[TableName], tables: _Tables, scope: Scope) -> list[TableName]:
    """Returns new tables of the same name as a table that a decision leaves out: they are neither new nor
    free.
    """
    schemas = dict(scope.schema_pairs)
    twins = (TableName(schemas.get(name.schema, name.schema), name.name) for name in dropped)
    return [twin for twin in twins if twin in tables.new]


def _pair_children(tables: _Tables, decided: Decided) -> None:
    """Pairs inheritance children without a counterpart with the new table of their nearest ancestor."""
    for name, table in sorted(tables.old.items()):
        if name not in tables.found and name not in decided.dropped:
            home = home_of_child(table, tables.old, tables.new, tables.names)
            if home is not None:
                tables.pair(name, home[0], Pairing.PARENT, (home[1],))


def _held_by_name(old: Catalog, new: Catalog, scope: Scope) -> set[TableName]:
    """Returns the tables of either side whose name the other side gives to something without rows of its own.

    A table whose name is now that of a view was replaced by it, not renamed.
    """
    schemas = dict(scope.schema_pairs)
    held = set[TableName]()
    for table in old.tables:
        schema = schemas.get(table.name.schema, table.name.schema)
        twin = new.table(TableName(schema, table.name.name))
        if twin is not None and (table.kind in HOLDS_ROWS) != (twin.kind in HOLDS_ROWS):
            held |= {table.name, twin.name}
    return held


def _rename_context(tables: _Tables, background: Background) -> RenameContext:
    return RenameContext(
        table_pairs=tables.names,
        convention=naming_convention(list(tables.old.values()), list(tables.new.values())),
        shared_ancestor=background.shared_ancestor,
        old_statistics=background.old_statistics,
        new_statistics=background.new_statistics,
    )


def _pair_renamed(
    tables: _Tables, held: set[TableName], decided: Decided, context: RenameContext, scope: Scope
) -> tuple[TableProposal, ...]:
    """Pairs tables whose rename is proven. Returns the proposals for the rest."""
    # A pair is a pair, whatever else has its name by now.
    held_old, held_new = held - tables.names.keys(), held - set(tables.names.values())
    before = [t for name, t in sorted(tables.old.items()) if name not in held_old | set(decided.dropped)]
    after = [t for name, t in sorted(tables.new.items()) if name not in held_new]
    renames = table_renames(before, after, context=context)
    for pair in renames.automatic:
        if pair.old not in tables.found:
            tables.pair(pair.old, pair.new, pair.pairing, pair.evidence)
    proposals = [p for p in renames.proposals if p.old not in tables.found]
    context = structs.replace(context, table_pairs=tables.names)
    return with_led(before, after, proposals, context, dict(scope.schema_pairs))


def _behind_views(
    tables: _Tables, known: Sequence[TableProposal], new: Catalog, scope: Scope, decided: Decided
) -> list[TableProposal]:
    """Returns what stands behind views of NEW, of the tables that neither have a pair nor a proposal."""
    asked = {proposal.old for proposal in known} | set(decided.dropped) | tables.found.keys()
    lost = [table for name, table in sorted(tables.old.items()) if name not in asked]
    free = tables.new.keys() - tables.filled() - {proposal.new for proposal in known}
    return behind_views(lost, new, free, dict(scope.schema_pairs))


def _decisions_by_table(decided: Decided) -> dict[TableName, ColumnDecisions]:
    found: dict[TableName, ColumnDecisions] = {}
    for table, old, new in decided.columns:
        found.setdefault(table, ColumnDecisions([], set(), set())).pairs.append((old, new))
    for table, column in decided.resolved_old:
        found.setdefault(table, ColumnDecisions([], set(), set())).resolved_old.add(column)
    for table, column in decided.resolved_new:
        found.setdefault(table, ColumnDecisions([], set(), set())).resolved_new.add(column)
    return found


def _pairs_with_columns(
    tables: _Tables, inside: Sequence[TableName], decided: Decided, context: RenameContext, old: Catalog
) -> tuple[TablePair, ...]:
    """Returns the pairs that were found, and those that a person made beside them, with their columns."""
    decisions = _decisions_by_table(decided)
    found = (tables.found[name] for name in inside if name in tables.found)
    pairs = [
        with_columns(
            pair,
            (tables.old[pair.old], tables.new[pair.new]),
            decisions.get(pair.old, NO_DECISIONS),
            structs.replace(context, same_table=_same_table(pair, tables.found)),
        )
        for pair in found
    ]
    named = [_named_pair(flow, tables, old) for flow in tables.named]
    return tuple(sorted((*pairs, *named), key=lambda pair: (pair.old, pair.name)))


def _same_table(pair: TablePair, found: Mapping[TableName, TablePair]) -> bool:
    """Returns whether two tables are known to be one table, not only paired by a person under two names.

    An inheritance child is what the tables above it are.
    """
    if pair.pairing is Pairing.PARENT:
        above = (one for one in found.values() if one.new == pair.new and one.pairing is not Pairing.PARENT)
        return all(_same_table(one, found) for one in above)
    return pair.pairing is not Pairing.DECIDED or pair.old.name == pair.new.name


def _named_flows(tables: _Tables, decided: Decided) -> tuple[NamedFlow, ...]:
    """Returns the flows that a person made beside the pairs that hold by name or by decision.

    A rename that a rule would prove later is no such pair: rules read statistics, which change, and a flow
    keeps its name.
    """
    return tuple(flow for flow in decided.flows if tables.names.get(flow.old) != flow.new)


def _leave_to_named(tables: _Tables) -> None:
    """Takes out the pairs of a rule that a person has named as a flow: they are made once."""
    for flow in tables.named:
        if tables.names.get(flow.old) == flow.new:
            del tables.found[flow.old]


def _named_pair(flow: NamedFlow, tables: _Tables, old: Catalog) -> TablePair:
    """Returns a flow as a pair of tables. Its columns are paired by name and by decision, never by a rule:
    what else one of several flows takes is for a person to say.
    """
    before, after = old.table(flow.old), tables.new[flow.new]
    if before is None:
        raise ValueError(f"{flow.old} is not in the catalog")
    decided = ColumnDecisions(list(flow.columns), set(flow.resolved_old), set(flow.resolved_new))
    return TablePair(
        old=flow.old,
        new=flow.new,
        pairing=Pairing.DECIDED,
        columns=said_columns(before, after, decided),
        evidence=("decided",),
        name=flow.name,
    )
