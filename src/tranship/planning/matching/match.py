"""Who corresponds to whom: tables first, then their columns. Decisions, equal names, then what proves itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from tranship.model.catalog import Catalog, Table
from tranship.model.change import ColumnPair, Matching, Pairing, Proposal, TablePair, TableProposal
from tranship.model.names import ColumnRef, TableName
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.matching.renames import RenameContext, column_renames, naming_convention, table_renames
from tranship.planning.matching.scope import HOLDS_ROWS, Scope


class Decided(Struct, frozen=True):
    """What a person's decisions say about correspondence; tables by their old name."""

    tables: tuple[tuple[TableName, TableName], ...] = ()
    """``rename_table``."""
    dropped: tuple[TableName, ...] = ()
    """``drop_table``."""
    columns: tuple[tuple[TableName, str, str], ...] = ()
    """Old table, old column, new column: what a ``rename`` or ``transform`` pairs. A column may feed several."""
    settled_old: tuple[tuple[TableName, str], ...] = ()
    """Old columns that pair with nothing else any more: ignored, or moved away by a ``rename``."""
    settled_new: tuple[tuple[TableName, str], ...] = ()
    """New columns (under the old table's name) that a ``default`` fills."""


NOTHING_DECIDED = Decided()


class _Columns(Struct):
    """What is decided about the columns of one table."""

    pairs: list[tuple[str, str]]
    settled_old: set[str]
    settled_new: set[str]


_NO_COLUMNS = _Columns([], set(), set())


class _Tables(Struct):
    """The pairing of tables as it grows."""

    old: dict[TableName, Table]
    new: dict[TableName, Table]
    found: dict[TableName, TablePair]

    def pair(self, old: TableName, new: TableName, pairing: Pairing, evidence: tuple[str, ...] = ()) -> None:
        self.found[old] = TablePair(old=old, new=new, pairing=pairing, evidence=evidence)

    @property
    def names(self) -> dict[TableName, TableName]:
        return {name: pair.new for name, pair in self.found.items()}


def match(
    old: Catalog,
    new: Catalog,
    scope: Scope,
    decided: Decided = NOTHING_DECIDED,
    *,
    background: Background = NOTHING_KNOWN,
) -> Matching:
    """Pair tables and columns in scope.

    Partitions are storage of their root; views, materialized and foreign tables correspond to nothing.
    """
    tables = _Tables(_movable(old), _movable(new), {})
    _pair_decided(tables, scope, decided)
    _pair_by_name(tables, scope, decided)
    _pair_children(tables, decided)
    convention = naming_convention(list(tables.old.values()), list(tables.new.values()))
    context = RenameContext(
        table_pairs=tables.names,
        convention=convention,
        shared_ancestor=background.shared_ancestor,
        old_statistics=background.old_statistics,
        new_statistics=background.new_statistics,
    )
    proposals = _pair_renamed(tables, _held_by_name(old, new, scope), decided, context)
    _pair_children(tables, decided)
    # A table under its own name needs no telling, and the rules walk through what they are told for every table.
    context = structs.replace(context, table_pairs={a: b for a, b in tables.names.items() if a != b})
    inside = [name for name in sorted(tables.old) if scope.includes(name)]
    decisions = _by_table(decided)
    pairs = tuple(
        _with_columns(tables.found[n], tables, decisions.get(n, _NO_COLUMNS), context)
        for n in inside
        if n in tables.found
    )
    taken = {pair.new for pair in tables.found.values()} | set(_twins(decided.dropped, tables, scope))
    only_new = (
        () if scope.tables is not None else tuple(name for name in sorted(tables.new) if name not in taken)
    )
    return Matching(
        pairs=pairs,
        only_old=tuple(n for n in inside if n not in tables.found and n not in decided.dropped),
        only_new=only_new,
        proposals=tuple(p for p in proposals if scope.includes(p.old)),
        out_of_scope=len(tables.old) - len(inside),
        schema_pairs=scope.schema_pairs,
        configured=scope.tables,
    )


def loose_columns(
    old: Catalog, new: Catalog, scope: Scope
) -> tuple[tuple[ColumnRef, ...], tuple[ColumnRef, ...]]:
    """The columns of OLD and of NEW that may have got another name, so that what their values look like matters.

    Of tables that have their counterpart by name or by the configuration, those whose name the other side lacks, where it lacks some on
    both; after them all columns of tables without a counterpart, where both sides have such tables.
    """
    tables = _Tables(_movable(old), _movable(new), {})
    _pair_decided(tables, scope, NOTHING_DECIDED)
    _pair_by_name(tables, scope, NOTHING_DECIDED)
    found: tuple[list[ColumnRef], list[ColumnRef]] = ([], [])
    for name, pair in sorted(tables.found.items()):
        before, after = tables.old[name], tables.new[pair.new]
        left, right = {c.name for c in before.columns}, {c.name for c in after.columns}
        if scope.includes(name) and left - right and right - left:
            found[0].extend(ColumnRef(name, c.name) for c in before.columns if c.name not in right)
            found[1].extend(ColumnRef(pair.new, c.name) for c in after.columns if c.name not in left)
    taken = {pair.new for pair in tables.found.values()}
    lost = [t for name, t in sorted(tables.old.items()) if name not in tables.found and scope.includes(name)]
    fresh = [t for name, t in sorted(tables.new.items()) if name not in taken]
    if lost and fresh:
        for side, loose in zip(found, (lost, fresh), strict=True):
            side.extend(ColumnRef(t.name, c.name) for t in loose for c in t.columns)
    return tuple(found[0]), tuple(found[1])


def _movable(catalog: Catalog) -> dict[TableName, Table]:
    return {t.name: t for t in catalog.tables if t.kind in HOLDS_ROWS and t.extension is None}


def _pair_decided(tables: _Tables, scope: Scope, decided: Decided) -> None:
    """A person's word, in the configuration or in the resolutions."""
    for (before, after), why in [
        *((m, "table_mapping") for m in scope.mapping),
        *((t, "decided") for t in decided.tables),
    ]:
        if before in tables.old and after in tables.new and before not in decided.dropped:
            tables.pair(before, after, Pairing.DECIDED, (why,))


def _pair_by_name(tables: _Tables, scope: Scope, decided: Decided) -> None:
    schemas = dict(scope.schema_pairs)
    for name in sorted(tables.old):
        twin = TableName(schemas.get(name.schema, name.schema), name.name)
        if name not in tables.found and name not in decided.dropped and twin in tables.new:
            tables.pair(name, twin, Pairing.NAME)


def _twins(dropped: Sequence[TableName], tables: _Tables, scope: Scope) -> list[TableName]:
    """New tables of the same name as a table that a decision leaves out: neither new nor free."""
    schemas = dict(scope.schema_pairs)
    return [
        twin for n in dropped if (twin := TableName(schemas.get(n.schema, n.schema), n.name)) in tables.new
    ]


def _pair_children(tables: _Tables, decided: Decided) -> None:
    """An inheritance child without a counterpart flows into the nearest ancestor's counterpart when that is partitioned."""
    for name, table in sorted(tables.old.items()):
        if name in tables.found or name in decided.dropped:
            continue
        ancestor = _paired_ancestor(table, tables)
        if ancestor is not None and tables.new[tables.found[ancestor].new].kind == "p":
            told = f"inherits from {ancestor}, whose counterpart is partitioned"
            tables.pair(name, tables.found[ancestor].new, Pairing.PARENT, (told,))


def _paired_ancestor(table: Table, tables: _Tables) -> TableName | None:
    waiting, seen = list(table.parents), set[TableName]()
    while waiting:
        name = waiting.pop(0)
        if name in tables.found:
            return name
        if name in tables.old and name not in seen:
            seen.add(name)
            waiting += tables.old[name].parents
    return None


def _held_by_name(old: Catalog, new: Catalog, scope: Scope) -> set[TableName]:
    """Tables of either side whose name the other side gives to something that holds no rows (a view …): they were not renamed."""
    schemas = dict(scope.schema_pairs)
    twins = (
        (t, new.table(TableName(schemas.get(t.name.schema, t.name.schema), t.name.name))) for t in old.tables
    )
    return {
        name
        for a, b in twins
        if b is not None and (a.kind in HOLDS_ROWS) != (b.kind in HOLDS_ROWS)
        for name in (a.name, b.name)
    }


def _pair_renamed(
    tables: _Tables, held: set[TableName], decided: Decided, context: RenameContext
) -> tuple[TableProposal, ...]:
    """Tables under another name: those that prove themselves are paired, the rest are proposed."""
    before = [
        t
        for name, t in sorted(tables.old.items())
        if name not in decided.dropped and (name not in held or name in tables.found)
    ]
    taken = set(tables.names.values())
    after = [t for name, t in sorted(tables.new.items()) if name not in held or name in taken]
    renames = table_renames(before, after, context=context)
    for pair in renames.automatic:
        if pair.old not in tables.found:
            tables.pair(pair.old, pair.new, pair.pairing, pair.evidence)
    return tuple(p for p in renames.proposals if p.old not in tables.found)


def _by_table(decided: Decided) -> dict[TableName, _Columns]:
    found: dict[TableName, _Columns] = {}
    for table, old, new in decided.columns:
        found.setdefault(table, _Columns([], set(), set())).pairs.append((old, new))
    for table, column in decided.settled_old:
        found.setdefault(table, _Columns([], set(), set())).settled_old.add(column)
    for table, column in decided.settled_new:
        found.setdefault(table, _Columns([], set(), set())).settled_new.add(column)
    return found


def _with_columns(pair: TablePair, tables: _Tables, decided: _Columns, context: RenameContext) -> TablePair:
    old, new = tables.old[pair.old], tables.new[pair.new]
    settled_old, settled_new = decided.settled_old, decided.settled_new
    chosen = [
        ColumnPair(a, b, Pairing.DECIDED, ("decided",))
        for a, b in decided.pairs
        if old.column(a) is not None and new.column(b) is not None
    ]
    taken_new = {p.new for p in chosen} | settled_new
    named = [
        ColumnPair(c.name, c.name, Pairing.NAME)
        for c in new.columns
        if c.name not in taken_new and c.name not in settled_old and old.column(c.name) is not None
    ]
    kept = [(p.old, p.new) for p in (*chosen, *named)]
    renames = column_renames(old, new, kept=kept, context=context)
    automatic = [p for p in renames.automatic if p.old not in settled_old and p.new not in taken_new]
    automatic += _still_renamed(old, new, chosen, named, automatic, settled_old, taken_new, context)
    moved_old, moved_new = {p.old for p in automatic}, {p.new for p in automatic}
    named = [p for p in named if p.old not in moved_old and p.new not in moved_new]
    by_new = {p.new: p for p in (*named, *automatic, *chosen)}
    fed = {p.old for p in by_new.values()}
    proposals = tuple(p for p in renames.proposals if _open(p, fed, by_new, settled_old, settled_new))
    columns = tuple(by_new[c.name] for c in new.columns if c.name in by_new)
    return TablePair(
        old=pair.old,
        new=pair.new,
        pairing=pair.pairing,
        columns=columns,
        proposals=proposals,
        evidence=pair.evidence,
    )


def _still_renamed(
    old: Table,
    new: Table,
    chosen: list[ColumnPair],
    named: list[ColumnPair],
    automatic: list[ColumnPair],
    settled_old: set[str],
    taken_new: set[str],
    context: RenameContext,
) -> list[ColumnPair]:
    """Automatic renames of columns that a ``transform`` feeds elsewhere: it does not use them up."""
    shared = {p.old for p in chosen} - settled_old
    if not shared:
        return []
    kept = [
        (p.old, p.new)
        for p in (*chosen, *named, *automatic)
        if p.pairing is not Pairing.DECIDED or p.old not in shared
    ]
    taken = taken_new | {p.new for p in automatic}
    return [
        p
        for p in column_renames(old, new, kept=kept, context=context).automatic
        if p.old in shared and p.new not in taken
    ]


def _open(
    proposal: Proposal,
    fed: set[str],
    by_new: dict[str, ColumnPair],
    settled_old: set[str],
    settled_new: set[str],
) -> bool:
    old_free = proposal.old not in fed and proposal.old not in settled_old
    return old_free and proposal.new not in by_new and proposal.new not in settled_new
