"""In which order the tables are settled: NEW's foreign keys and the lookups decide, names break ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush

from tranship.errors.codes.scope import LookupCycle, OrderBreaksKey
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Lookup
from tranship.model.names import Side, TableName
from tranship.model.plan import Group, TablePlan
from tranship.model.resolution import Problem

Edges = Mapping[int, frozenset[int]]
"""Position of a table plan → positions that must be settled before it."""
_Rank = Callable[[int], tuple[str, ...]]


def order(
    tables: Sequence[TablePlan], new: Catalog, configured: Sequence[TableName] | None
) -> tuple[tuple[Group, ...], tuple[Problem, ...]]:
    """Group the tables and put the groups in order.

    A group is a strongly connected component of "must come before"; plans that fill one new table always share a group.
    With ``configured`` (old names in the configured order) that order is kept; tables it puts before a table they refer to are
    settled as one group with it, so that the foreign keys are true in the end, and a warning says so.
    Returns the groups and the warnings and refusals met.
    """
    keys = _foreign_key_edges(tables, new)
    lookups = _lookup_edges(tables)
    problems = list(_lookup_cycles(tables, lookups))
    twins = _twin_edges(tables)
    if configured is None:
        components = _components(_merged(keys, lookups, twins))
        ranked = _ranked(components, _merged(keys, lookups), lambda n: (str(tables[n].old),))
    else:
        rank = {name: n for n, name in enumerate(configured)}
        line = _sequence(tables, lookups, rank)
        components, warnings = _kept(tables, line, _merged(keys, twins))
        problems += warnings
        ranked = components
    return tuple(
        _group(tables, component, lookups, new, kept=configured is not None) for component in ranked
    ), tuple(problems)


def children_first(tables: Sequence[Table]) -> tuple[tuple[Table, ...], ...]:
    """Tables of one side in the order in which rows may be deleted: what refers before what it refers to, circles together."""
    place = {table.name: n for n, table in enumerate(tables)}
    referring = {
        n: frozenset(place[k.target] for k in t.every_foreign_key if k.enforced and k.target in place)
        for n, t in enumerate(tables)
    }
    line = _ranked(_components(referring), referring, lambda n: (str(tables[n].name),))
    return tuple(tuple(tables[n] for n in members) for members in reversed(line))


def _foreign_key_edges(tables: Sequence[TablePlan], new: Catalog) -> Edges:
    fillers = _fillers(tables)
    edges: dict[int, frozenset[int]] = {}
    for n, plan in enumerate(tables):
        table = new.table(plan.new)
        parents = (
            {p for key in table.every_foreign_key if key.enforced for p in fillers.get(key.target, ())}
            if table is not None
            else set()
        )
        edges[n] = frozenset(parents)
    return edges


def _lookup_edges(tables: Sequence[TablePlan]) -> Edges:
    fillers = _fillers(tables)
    return {
        n: frozenset(
            p
            for mapping in plan.columns
            if isinstance(mapping.expression, Lookup) and mapping.expression.side is Side.NEW
            for p in fillers.get(mapping.expression.table, ())
        )
        for n, plan in enumerate(tables)
    }


def _twin_edges(tables: Sequence[TablePlan]) -> Edges:
    fillers = _fillers(tables)
    return {n: frozenset(fillers[plan.new]) - {n} for n, plan in enumerate(tables)}


def _fillers(tables: Sequence[TablePlan]) -> dict[TableName, list[int]]:
    fillers: dict[TableName, list[int]] = {}
    for n, plan in enumerate(tables):
        fillers.setdefault(plan.new, []).append(n)
    return fillers


def _merged(*many: Edges) -> Edges:
    return {n: frozenset().union(*(edges[n] for edges in many)) for n in many[0]}


def _components(edges: Edges) -> list[tuple[int, ...]]:
    """Strongly connected components (Tarjan 1972), without recursion: thousands of tables may form one chain."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[tuple[int, ...]] = []
    for root in edges:
        if root in index:
            continue
        work: list[tuple[int, list[int]]] = [(root, sorted(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, waiting = work[-1]
            if waiting:
                child = waiting.pop()
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    on_stack.add(child)
                    work.append((child, sorted(edges[child])))
                elif child in on_stack:
                    low[node] = min(low[node], index[child])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                cut = stack.index(node)
                found.append(tuple(sorted(stack[cut:])))
                on_stack.difference_update(stack[cut:])
                del stack[cut:]
    return found


def _ranked(components: list[tuple[int, ...]], edges: Edges, rank: _Rank) -> list[tuple[int, ...]]:
    """Components in topological order, the smallest rank first among those that are ready."""
    home = {n: c for c, members in enumerate(components) for n in members}
    before = {c: {home[p] for n in members for p in edges[n]} - {c} for c, members in enumerate(components)}
    after: dict[int, list[int]] = {c: [] for c in before}
    for c, parents in before.items():
        for p in parents:
            after[p].append(c)
    missing = {c: len(parents) for c, parents in before.items()}
    ready: list[tuple[tuple[str, ...], int]] = []
    for c, count in missing.items():
        if count == 0:
            heappush(ready, (min(rank(n) for n in components[c]), c))
    line = []
    while ready:
        _, c = heappop(ready)
        line.append(components[c])
        for child in after[c]:
            missing[child] -= 1
            if missing[child] == 0:
                heappush(ready, (min(rank(n) for n in components[child]), child))
    return line


def _sequence(tables: Sequence[TablePlan], lookups: Edges, rank: Mapping[TableName, int]) -> list[int]:
    """Single tables in configured order, except that a lookup's table comes before its reader."""
    width = len(str(len(rank)))

    def place(n: int) -> tuple[str, ...]:
        return str(rank.get(tables[n].old, len(rank))).zfill(width), str(tables[n].old)

    return [n for (n,) in _ranked([(n,) for n in range(len(tables))], lookups, place)]


def _kept(
    tables: Sequence[TablePlan], line: list[int], edges: Edges
) -> tuple[list[tuple[int, ...]], list[Problem]]:
    """The configured line cut into groups: whatever stands between a table and a later one it needs is settled with both."""
    place = {n: at for at, n in enumerate(line)}
    reach = list(range(len(line)))
    warnings = []
    for n in line:
        late = sorted(p for p in edges[n] if place.get(p, -1) > place[n])
        for p in late:
            reach[place[n]] = max(reach[place[n]], place[p])
            if tables[p].new != tables[n].new:
                warnings.append(OrderBreaksKey(tables[n].old, tables[p].old).problem())
    groups: list[tuple[int, ...]] = []
    at = 0
    while at < len(line):
        end = at
        look = at
        while look <= end:
            end = max(end, reach[look])
            look += 1
        groups.append(tuple(line[at : end + 1]))
        at = end + 1
    return groups, warnings


def _group(
    tables: Sequence[TablePlan], members: tuple[int, ...], lookups: Edges, new: Catalog, *, kept: bool
) -> Group:
    """One group, its tables in the order of ``members`` where that is the configured one (``kept``), else by name."""
    inside = {tables[n].new for n in members}
    width = len(str(len(members)))

    def place(n: int) -> tuple[str, ...]:
        return (str(members.index(n)).zfill(width) if kept else str(tables[n].old),)

    ranked = _ranked([(n,) for n in members], {n: lookups[n] & set(members) for n in members}, place)
    plans = (
        tuple(tables[n] for (n,) in ranked)
        if len(ranked) == len(members)
        else tuple(tables[n] for n in members)
    )
    keys = []
    for name in sorted(inside):
        table = new.table(name)
        keys += [
            (name, key.name)
            for key in (table.foreign_keys if table is not None else ())
            if key.enforced and key.target in inside
        ]
    return Group(tables=plans, cyclic=bool(keys), cyclic_keys=tuple(sorted(keys)))


def _lookup_cycles(tables: Sequence[TablePlan], lookups: Edges) -> list[Problem]:
    return [
        LookupCycle(tuple(tables[n].old for n in component)).problem()
        for component in _components(lookups)
        if len(component) > 1 or component[0] in lookups[component[0]]
    ]
