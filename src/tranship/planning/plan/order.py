"""The order in which the tables are filled: NEW's foreign keys and the lookups decide, then what the rules
of its tables read. Names break ties.

Tables that depend on one another in a cycle form a group, and are filled together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from tranship.errors.codes.scope import OrderBreaksKey
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Lookup
from tranship.model.names import TableName
from tranship.model.plan import Group, TablePlan
from tranship.model.resolution import Problem

Edges = Mapping[int, frozenset[int]]
"""Position of a table plan → positions of the plans that must come before it."""
_Rank = Callable[[int], tuple[str, ...]]


def order(
    tables: Sequence[TablePlan], new: Catalog, configured: Sequence[TableName] | None
) -> tuple[tuple[Group, ...], tuple[Problem, ...]]:
    """Returns the groups of tables in their order, and the warnings and refusals.

    A group is a strongly connected component of "must come before"; plans that fill one new table always
    share a group. With ``configured`` (names in the configured order: of old tables, and for flows that a
    person named also of new ones) that order is kept: a table that
    stands before one that it refers to is filled as one group with it, so that the foreign keys hold in the
    end, and a warning says so.
    """
    keys, twins = _foreign_key_edges(tables, new), _twin_edges(tables)
    # What is looked up within a group stands in no order: OLD says what it will be.
    lookups, within = _lookup_edges(tables, within=False), _lookup_edges(tables, within=True)
    problems: list[Problem] = []
    if configured is None:
        every = _merged(keys, lookups, within)
        components = _components(_merged(every, twins))
        ranked = _by_rules(components, every, _rule_edges(tables, new), tables)
    else:
        rank = {name: n for n, name in enumerate(configured)}
        line = _configured_line(tables, lookups, rank)
        ranked, problems = _cut_into_groups(tables, line, _merged(keys, twins), within)
    kept = configured is not None
    groups = tuple(_group(tables, component, lookups, new, kept=kept) for component in ranked)
    return groups, tuple(problems)


def children_first(tables: Sequence[Table]) -> tuple[tuple[Table, ...], ...]:
    """Returns the tables of one side in the order in which rows may be deleted.

    What refers comes before what it refers to; tables in a cycle come together.
    """
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
        enforced = [key for key in table.every_foreign_key if key.enforced] if table is not None else []
        edges[n] = frozenset(parent for key in enforced for parent in fillers.get(key.target, ()))
    return edges


def _lookup_edges(tables: Sequence[TablePlan], *, within: bool) -> Edges:
    fillers = _fillers(tables)
    return {
        n: frozenset(
            p
            for mapping in plan.columns
            if isinstance(mapping.expression, Lookup) and mapping.expression.reads_new
            if mapping.expression.within is within
            for p in fillers.get(mapping.expression.table, ())
        )
        for n, plan in enumerate(tables)
    }


def lookup_circles(tables: Sequence[TablePlan]) -> dict[int, frozenset[TableName]]:
    """Returns by the position of a plan the tables of NEW in which it looks values up although they are
    filled together with it, because what they hold depends on it; ``tables`` have no marks of such lookups.
    """
    edges = _lookup_edges(tables, within=False)
    home = {n: members for members in _components(_merged(edges, _twin_edges(tables))) for n in members}
    found = {n: frozenset(tables[p].new for p in edges[n] if p in home[n]) for n in edges}
    return {n: names for n, names in found.items() if names}


def _rule_edges(tables: Sequence[TablePlan], new: Catalog) -> Edges:
    """Returns the tables that the checks, defaults and other rules of a table may read through functions."""
    homes: dict[str, set[int]] = {}
    for n, plan in enumerate(tables):
        table = new.table(plan.new)
        for leaf in table.partitions if table is not None else ():
            homes.setdefault(leaf.name.name, set()).add(n)
        homes.setdefault(plan.new.name, set()).add(n)
    edges = {}
    for n, plan in enumerate(tables):
        rules = _rules(new.table(plan.new))
        read = {name for f in new.reading_functions if f"{f.name}(" in rules for name in f.tables}
        edges[n] = frozenset[int]().union(*(homes.get(name, ()) for name in read)) - {n}
    return edges


def _rules(table: Table | None) -> str:
    """Returns everything that the server evaluates when it writes a row of a table, as one text."""
    if table is None:
        return ""
    columns = [text for c in table.columns for text in (c.default, c.generation, *c.type.every_check)]
    checks = [c.expression for c in (*table.checks, *(c for leaf in table.partitions for c in leaf.checks))]
    indexes = [text for index in table.indexes for text in (*index.keys, index.predicate)]
    return "\n".join(text for text in (*columns, *checks, *indexes) if text)


def _by_rules(
    components: list[tuple[int, ...]], needed: Edges, rules: Edges, tables: Sequence[TablePlan]
) -> list[tuple[int, ...]]:
    """Returns the components in their order: what rules read comes first, unless that leads in a circle."""

    def name(n: int) -> tuple[str, ...]:
        return _name(tables[n])

    line, wished = _ranked(components, needed, name), _ranked(components, _merged(needed, rules), name)
    return wished if len(wished) == len(line) else line


def _name(plan: TablePlan) -> tuple[str, ...]:
    return str(plan.old), plan.name


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
    """Returns the strongly connected components, each sorted (R.

    Tarjan, Depth-first search and linear graph algorithms, 1972).

    It works without recursion, because thousands of tables may form one chain.
    """
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
    """Returns the components in topological order, the smallest rank first among those that are ready.

    A component in a cycle of ``edges`` is never ready, and is left out (A. B. Kahn, Topological sorting,
    1962).
    """
    before = _edges_between(components, edges)
    after: dict[int, list[int]] = {c: [] for c in before}
    for c, parents in before.items():
        for parent in parents:
            after[parent].append(c)
    least = [min(map(rank, members)) for members in components]
    missing = {c: len(parents) for c, parents in before.items()}
    ready = [(least[c], c) for c, count in missing.items() if count == 0]
    heapify(ready)
    line = []
    while ready:
        _, c = heappop(ready)
        line.append(components[c])
        for child in after[c]:
            missing[child] -= 1
            if missing[child] == 0:
                heappush(ready, (least[child], child))
    return line


def _edges_between(components: Sequence[tuple[int, ...]], edges: Edges) -> dict[int, set[int]]:
    """Returns component → the other components that must come before it."""
    home = {n: c for c, members in enumerate(components) for n in members}
    before: dict[int, set[int]] = {}
    for c, members in enumerate(components):
        parents = set[int]().union(*(edges[n] for n in members))
        before[c] = {home[parent] for parent in parents} - {c}
    return before


def _configured_line(tables: Sequence[TablePlan], lookups: Edges, rank: Mapping[TableName, int]) -> list[int]:
    """Returns single tables in configured order, except that a lookup's table comes before its reader."""
    width = len(str(len(rank)))

    def place(n: int) -> tuple[str, ...]:
        plan = tables[n]
        # A new table is named for flows, and in place of an old one that is not named itself.
        new = rank.get(plan.new, len(rank)) if plan.name or plan.old not in rank else len(rank)
        at = min(rank.get(plan.old, len(rank)), new)
        return str(at).zfill(width), *_name(plan)

    return [n for (n,) in _ranked([(n,) for n in range(len(tables))], lookups, place)]


def _cut_into_groups(
    tables: Sequence[TablePlan], line: list[int], edges: Edges, together: Edges
) -> tuple[list[tuple[int, ...]], list[Problem]]:
    """Returns the configured line cut into groups, and a warning for each foreign key that the order breaks.

    Whatever stands between a table and a later one that it needs, or with which it goes ``together``, is
    filled with both.
    """
    place = {n: at for at, n in enumerate(line)}
    # reach[at] is the last place that has to be in one group with the table at this place.
    reach = list(range(len(line)))
    warnings = []
    for n in line:
        late = sorted(p for p in edges[n] | together[n] if place.get(p, -1) > place[n])
        for p in late:
            reach[place[n]] = max(reach[place[n]], place[p])
            if tables[p].new != tables[n].new and p in edges[n]:
                warnings.append(OrderBreaksKey(tables[n].old, tables[p].old).problem())
    groups: list[tuple[int, ...]] = []
    start = end = 0
    for at, last in enumerate(reach):
        end = max(end, last)
        if at == end:
            groups.append(tuple(line[start : end + 1]))
            start = end = at + 1
    return groups, warnings


def _group(
    tables: Sequence[TablePlan], members: tuple[int, ...], lookups: Edges, new: Catalog, *, kept: bool
) -> Group:
    """Returns one group, its tables in the order of ``members`` if that is the configured one (``kept``),
    else by name.
    """
    width = len(str(len(members)))

    def place(n: int) -> tuple[str, ...]:
        # Numbers as text of one width, so that both kinds of rank are compared alike.
        return (str(members.index(n)).zfill(width),) if kept else _name(tables[n])

    own_lookups = {n: lookups[n] & set(members) for n in members}
    ordered = [n for (n,) in _ranked([(n,) for n in members], own_lookups, place)]
    keys = keys_inside({tables[n].new for n in members}, new)
    return Group(tables=tuple(tables[n] for n in ordered), cyclic=bool(keys), cyclic_keys=keys)


def keys_inside(names: set[TableName], new: Catalog) -> tuple[tuple[TableName, str], ...]:
    """Returns the enforced foreign keys between tables of one group: they can only be checked at its end."""
    keys = []
    for name in names:
        table = new.table(name)
        enforced = [key for key in table.foreign_keys if key.enforced] if table is not None else []
        keys += [(name, key.name) for key in enforced if key.target in names]
    return tuple(sorted(keys))
