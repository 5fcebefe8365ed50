"""What becomes of old rows whose parent a filter leaves out: they follow it, or no longer refer to it.

By default they are rejected, which needs nothing here: a row that is left out is nobody's parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.followers import FollowedInCycle, NamedChildNotBelow, NoReferenceToLose
from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Coalesce, Rekeyed, Take
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.model.shape import Children, Merge, Parent, Repointing, Taken
from tranship.planning.plan.numbers import with_counted
from tranship.planning.plan.unchanged import mapping_of
from tranship.planning.plan.wider_keys import leading_key, origin, origins_of


class _Tie(Struct, frozen=True):
    """A key by which rows of a flow refer to old rows that other flows take."""

    table: TableName
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    flows: tuple[TablePlan, ...]
    of_new: bool
    """NEW declares the key."""
    declared: ForeignKey | None = None
    """OLD's."""
    lost: tuple[str, ...] = ()
    """The columns that become NULL where a row is to refer to no parent any more."""
    filled: tuple[str, ...] = ()
    """The columns of NEW's key."""


def with_children(
    tables: Sequence[TablePlan], old: Catalog, new: Catalog
) -> tuple[list[TablePlan], tuple[Problem, ...]]:
    """Returns the flows with the parents that their rows follow, or lose, where a filter leaves these out.

    The problems name flows whose rows would follow rows that follow them in turn, over several tables, and
    what a filter says of children without any effect.
    """
    if not any(_says_more_than_reject(table) for table in tables):
        return list(tables), ()
    finding = _Finding(tables, old, new)
    completed = [finding.completed(table) for table in tables]
    merged = {(t.old, t.shape.merge): t.shape.left_with for t in completed if t.shape.merge is not None}
    numbered = {(t.old, key): t.shape.left_with for t in completed for key in t.shape.new_keys}
    completed = [with_counted(_among_taken(table, merged), numbered) for table in completed]
    circular = (FollowedInCycle(flow).problem() for flow in sorted(finding.circular))
    kept = dict.fromkeys(one.problem() for one in finding.kept)
    return completed, (*circular, *kept, *_not_below(completed, finding.kept))


def _not_below(tables: Sequence[TablePlan], kept: Sequence[NoReferenceToLose]) -> Iterator[Problem]:
    """Yields a problem for each child that a filter names and whose rows nothing leads to the filtered ones;
    ``kept`` are told already.
    """
    told = {(one.parent, one.flow.old) for one in kept}
    for flow in tables:
        for child, word in flow.shape.filter.of if flow.shape.filter is not None else ():
            if (flow.old, child) not in told and not _has_effect(word, flow.old, child, tables):
                yield NamedChildNotBelow(flow.flow, child, word.value).problem()


def _has_effect(word: Children, parent: TableName, child: TableName, tables: Sequence[TablePlan]) -> bool:
    """Returns whether a word about a child changes anything; to reject is what happens by itself, and of a
    table that takes no part nothing is said.
    """
    below = [one.shape for one in tables if one.old == child and one.shape.query is None]
    led = (shape.null_with if word is Children.NULL else shape.left_with for shape in below)
    return not below or word is Children.REJECT or parent in {one.table for parents in led for one in parents}


def _among_taken(table: TablePlan, merged: Mapping[tuple[TableName, Merge], tuple[Parent, ...]]) -> TablePlan:
    """Returns a flow whose references lead to survivors among the rows that the merged flows take."""
    if table.repointing is None:
        return table
    return replace(table, repointing=_survivors(table.repointing, merged))


def _survivors(
    repointing: Repointing, merged: Mapping[tuple[TableName, Merge], tuple[Parent, ...]]
) -> Repointing:
    parents = tuple(
        replace(
            one,
            left_with=merged.get((one.table, one.merge), ()),
            repointing=_survivors(one.repointing, merged) if one.repointing is not None else None,
        )
        for one in repointing.parents
    )
    return replace(repointing, parents=parents)


def _says_more_than_reject(table: TablePlan) -> bool:
    chosen = table.shape.filter
    return chosen is not None and {chosen.children, *(c for _, c in chosen.of)} != {Children.REJECT}


class _Finding:
    """Follows the keys from flow to flow."""

    def __init__(self, tables: Sequence[TablePlan], old: Catalog, new: Catalog) -> None:
        self._tables, self._old, self._new = tables, old, new
        self._taken: dict[FlowId, Taken] = {}
        self._open: list[FlowId] = []
        self._found: dict[FlowId, tuple[_Tie, ...]] = {}
        self._losing = self._below_filters()
        self.circular: set[FlowId] = set()
        self.kept: list[NoReferenceToLose] = []
        """Columns that would keep their value although a filter says that they become NULL."""

    def _below_filters(self) -> frozenset[FlowId]:
        """Returns the flows that may leave rows out: those with a filter, and those below them."""
        below: dict[FlowId, list[FlowId]] = {}
        for table in self._tables:
            for above in {flow.flow for tie in self._ties(table) for flow in tie.flows}:
                below.setdefault(above, []).append(table.flow)
        work = [table.flow for table in self._tables if table.shape.filter is not None]
        reached = set(work)
        while work:
            fresh = [flow for flow in below.get(work.pop(), ()) if flow not in reached]
            reached.update(fresh)
            work += fresh
        return frozenset(reached)

    def completed(self, table: TablePlan) -> TablePlan:
        """Returns a flow with its parents."""
        left = self._parents(table, Children.LEAVE_OUT)
        null = self._parents(table, Children.NULL)
        if not left and not null:
            return table
        return replace(table, shape=replace(table.shape, left_with=left, null_with=null))

    def _parents(self, table: TablePlan, wanted: Children, *, itself: bool = True) -> tuple[Parent, ...]:
        """Returns the parents that may be left out, of which the flow's rows become what is wanted."""
        found: dict[tuple[object, ...], Parent] = {}
        for tie in filter(self._may_lose, self._ties(table)):
            # Another flow of the same table is no part of the chain of its rows that refer to each other.
            own = tie.table == table.old and table in tie.flows
            if tie.table == table.old and not itself:
                continue
            # Asked first: only what is followed can lead round in a circle.
            if self._policy(table, tie) is not wanted:
                continue
            # Without a key in NEW nothing refers to the parent there.
            if wanted is Children.NULL and not tie.of_new:
                self._keep(table, tie)
                continue
            taken = [self._rows_of(flow, own=own) for flow in tie.flows]
            if any(one == Taken() for one in taken):
                continue
            # A row that loses its reference stays, and with it those below: nothing follows it.
            below = own and wanted is Children.LEAVE_OUT
            parent = self._parent(tie, tuple(taken), itself=below)
            parent = replace(parent, only_in=_only_in(table, tie, wanted))
            found.setdefault((tie.table, tie.columns, parent.only_in), parent)
        return tuple(found.values())

    def _may_lose(self, tie: _Tie) -> bool:
        """Returns whether the parents may be left out, each by its flow. Tables that refer to each other in a
        circle are none of it where no filter is above them.
        """
        return self._losing.issuperset(flow.flow for flow in tie.flows)

    def _keep(self, table: TablePlan, tie: _Tie) -> None:
        """Records the columns of NEW that would keep the number of a parent that is left out."""
        columns = [one.column for one in table.columns if origin(one.expression) in tie.columns]
        if columns:
            self.kept.append(NoReferenceToLose(table.flow, tie.table, ", ".join(map(repr, columns))))

    def _rows_of(self, flow: TablePlan, *, own: bool) -> Taken:
        """Returns which rows a flow takes: its filter, and what it follows itself."""
        where = flow.shape.filter.where if flow.shape.filter is not None else ""
        if own:
            # The rows of the table that follow each other are found by recursion.
            return Taken(where, self._parents(flow, Children.LEAVE_OUT, itself=False))
        if flow.flow in self._taken:
            return self._taken[flow.flow]
        if flow.flow in self._open:
            self.circular.add(flow.flow)
            return Taken(where)
        self._open.append(flow.flow)
        self._taken[flow.flow] = Taken(where, self._parents(flow, Children.LEAVE_OUT))
        self._open.remove(flow.flow)
        return self._taken[flow.flow]

    def _policy(self, table: TablePlan, tie: _Tie) -> Children:
        """Returns what the filter of the first flow says about the children. Where it has none, its rows are
        left out because they follow others, and so do the children.
        """
        return _of_children(tie.flows[0], table.old) or Children.LEAVE_OUT

    def _parent(self, tie: _Tie, taken: tuple[Taken, ...], *, itself: bool) -> Parent:
        target = self._old.table(tie.table)
        return Parent(
            tie.table,
            tie.columns,
            tie.target_columns,
            taken,
            operators=tie.declared.operators if tie.declared is not None else (),
            collations=tie.declared.collations if tie.declared is not None else (),
            with_partitions=target is not None and target.kind == RelationKind.PARTITIONED_TABLE,
            itself=itself,
            lost=tie.lost,
        )

    def _ties(self, table: TablePlan) -> tuple[_Tie, ...]:
        """Returns the keys that NEW declares, then those that OLD alone declares."""
        if table.flow not in self._found:
            self._found[table.flow] = tuple(self._declared_ties(table))
        return self._found[table.flow]

    def _declared_ties(self, table: TablePlan) -> Iterator[_Tie]:
        before, after = self._old.table(table.old), self._new.table(table.new)
        if before is None or after is None or table.shape.query is not None:
            return
        declared = [key for key in references(before) if key.enforced and not key.period]
        in_new: set[frozenset[str]] = set()
        for key in references(after):
            for tie in self._tie_of_new(table, key, before, declared):
                in_new.add(frozenset(tie.columns))
                yield tie
        for key in declared:
            flows = _holding(self._flows(key.target), table.old)
            if flows and frozenset(key.columns) not in in_new:
                yield _Tie(key.target, key.columns, key.target_columns, flows, of_new=False, declared=key)

    def _tie_of_new(
        self,
        table: TablePlan,
        key: ForeignKey,
        before: Table,
        declared: Sequence[ForeignKey],
    ) -> Iterator[_Tie]:
        columns = _origins(table, key.columns)
        flows = tuple(flow for flow in self._tables if flow.new == key.target and flow.shape.query is None)
        of_old = leading_key(key, table, declared, flows, columns or ())
        lost, filled = self._becoming_null(table, key), key.columns
        ties: Iterable[_Tie] = ()
        if of_old is not None:
            ties = _tie_of_old(of_old, flows)
        elif columns is not None and not any(set(held.columns) == {*columns} for held in declared):
            ties = self._undeclared(key, columns, before, flows)
        yield from (replace(tie, lost=lost, filled=filled) for tie in ties)

    def _becoming_null(self, table: TablePlan, key: ForeignKey) -> tuple[str, ...]:
        """Returns the old columns of a key of NEW that become NULL with it: those that NEW lets be NULL, of
        which one suffices, without those of other keys, such as a tenant; all where MATCH FULL wants it, and
        where NEW refuses NULL in each, so that the row is rejected.
        """
        origins, after = origins_of(table, key), self._new.table(table.new)
        columns = after.columns if after is not None else ()
        nullable = {column.name for column in columns if column.name in origins and not column.refuses_null}
        if key.match_full or not nullable:
            return tuple(origins.values())
        lost = nullable - _of_other_keys(after, key) or nullable
        return tuple(column for name, column in origins.items() if name in lost)

    def _undeclared(
        self, key: ForeignKey, columns: tuple[str, ...], before: Table, flows: tuple[TablePlan, ...]
    ) -> Iterator[_Tie]:
        """Yields the key that values alone make, where one old table holds the parents and OLD compares
        them.
        """
        if len({flow.old for flow in flows}) != 1:
            return
        above = self._old.table(flows[0].old)
        targets = _origins(flows[0], key.target_columns)
        if above is None or targets is None:
            return
        if all(_comparable(before, above, one, other) for one, other in zip(columns, targets, strict=True)):
            yield _Tie(above.name, columns, targets, flows, of_new=True)

    def _flows(self, table: TableName) -> tuple[TablePlan, ...]:
        return tuple(flow for flow in self._tables if flow.old == table and flow.shape.query is None)


def _holding(flows: tuple[TablePlan, ...], child: TableName) -> tuple[TablePlan, ...]:
    """Returns those flows of a table whose rows are the parents under a key that OLD alone declares: the pair
    of tables that the comparison found, and those whose filter says what becomes of the children.

    A flow that takes further columns of each row elsewhere is no reason for the children to stay.
    """
    saying = [flow for flow in flows if _of_children(flow, child) not in (None, Children.REJECT)]
    found = [flow for flow in flows if not flow.name]
    return tuple(dict.fromkeys((*found, *saying))) or flows


def _of_children(flow: TablePlan, child: TableName) -> Children | None:
    """Returns what the filter of a flow says about a child; None without a filter."""
    said = flow.shape.filter
    return dict(said.of).get(child, said.children) if said is not None else None


def _tie_of_old(key: ForeignKey, flows: tuple[TablePlan, ...]) -> Iterator[_Tie]:
    """Yields the tie of a key that both databases declare, if a flow takes rows of the parents' table."""
    own = tuple(flow for flow in flows if flow.old == key.target)
    if own:
        yield _Tie(key.target, key.columns, key.target_columns, own, of_new=True, declared=key)


def _of_other_keys(table: Table | None, key: ForeignKey) -> set[str]:
    """Returns the columns of the other foreign keys of a table."""
    keys = references(table) if table is not None else ()
    return {name for other in keys if other.name != key.name for name in other.columns}


def _only_in(table: TablePlan, tie: _Tie, wanted: Children) -> tuple[str, ...]:
    """Returns the columns of NEW's key where another column takes the same value of OLD, which does not
    become NULL: a copy of the number, or a reference to another table; empty where none does.
    """
    if wanted is not Children.NULL:
        return ()
    taken = (m.column for m in table.columns if origin(m.expression) in (tie.lost or tie.columns))
    return tie.filled if not set(tie.filled).issuperset(taken) else ()


def _origins(plan: TablePlan, columns: Sequence[str]) -> tuple[str, ...] | None:
    """Returns the old columns whose values arrive in columns of NEW; None where one of them has none."""
    names = tuple(name for column in columns if (name := _taken(plan, column)) is not None)
    return names if len(names) == len(columns) else None


def _taken(plan: TablePlan, column: str) -> str | None:
    """Returns the old column whose values arrive in a column of NEW."""
    mapping = mapping_of(plan, column)
    match mapping.expression if mapping is not None else None:
        case Take(column=name) | Coalesce(of=Take(column=name)) | Rekeyed(column=name):
            return name
        case _:
            return None


def _comparable(before: Table, above: Table, column: str, target: str) -> bool:
    """Returns whether ``=`` of pg_catalog compares two old columns."""
    child, parent = before.column(column), above.column(target)
    if child is None or parent is None or child.collation != parent.collation:
        return False
    integers = child.type.leaf.family is Family.INTEGER and parent.type.leaf.family is Family.INTEGER
    built_in = child.type.leaf.builtin is not None
    return integers or (built_in and child.type.leaf.base == parent.type.leaf.base)
