"""Worlds of a few tables whose rows are filtered, merged, taken apart, split and given new keys, drawn from a
seed: both schemas, OLD's rows, and the decisions that a person would write down.

What must become of the rows is computed by ``shape_truth.py``, in SQL of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

ROWS = 24
"""Of each table of OLD."""

NAMES = ("agent", "batch", "crate", "depot", "event", "fleet")

KINDS = ("integer", "integer", "integer", "text", "composite")
"""Of keys; how often each is drawn."""

FILTERS = (
    "old.kind <> 'x'",
    "old.flag",
    "old.qty > 3",
    "old.created >= DATE '2024-01-08'",
    "old.flag IS NOT FALSE AND old.kind IN ('x', 'y')",
)
MERGES = (
    ("lower(old.label)",),
    ("lower(old.label)", "old.kind"),
    ("old.qty % 7",),
)
KEEPS = ("", "old.created DESC", "old.qty DESC NULLS LAST, old.created", "old.flag DESC NULLS LAST")
ITEMS = (
    ("regexp_split_to_table(old.tags, ',') WITH ORDINALITY AS item(what, n)", ""),
    ("regexp_split_to_table(old.tags, ',') AS item(what)", ""),
    ("unnest(string_to_array(old.tags, ',')) WITH ORDINALITY AS item(what, n)", "item.what <> 'a'"),
    ("(VALUES ('a', old.v1), ('b', old.v2), ('c', old.v3)) AS item(what, v)", "item.v IS NOT NULL"),
)
COLUMNS = (
    ("label", "text"),
    ("kind", "text"),
    ("qty", "integer"),
    ("flag", "boolean"),
    ("created", "date"),
    ("tags", "text"),
    ("v1", "integer"),
    ("v2", "integer"),
    ("v3", "integer"),
)
"""Every table of OLD has these beside its key and its references."""


@dataclass(frozen=True)
class Reference:
    """A foreign key of an old table."""

    columns: tuple[str, ...]
    target: str
    in_old: bool
    """OLD declares it."""
    in_new: bool
    """NEW declares it, on the plain flow of the table."""
    nullable: bool
    """In NEW."""


@dataclass(frozen=True)
class OldTable:
    """One table of OLD."""

    name: str
    kind: str
    references: tuple[Reference, ...]

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Returns the key's columns with their types."""
        return key_of(self.kind)


def key_of(kind: str) -> tuple[tuple[str, str], ...]:
    """Returns the columns of a kind of key, with their types."""
    if kind == "composite":
        return (("area", "integer"), ("no", "integer"))
    return (("id", kind),)


@dataclass(frozen=True)
class Link:
    """A foreign key of a flow's new table to that of a plain flow."""

    columns: tuple[str, ...]
    """Of NEW."""
    sources: tuple[str, ...]
    """Of OLD, which fill them."""
    target: str
    """The old table whose plain flow holds the parents."""
    nullable: bool = True


@dataclass(frozen=True)
class Column:
    """One column of a new table."""

    name: str
    type: str
    sql: str
    """Over ``old`` and ``item``; what a key's new value is made of for the columns of keys."""
    source: str = ""
    """The old column, where the value is taken as it is."""


@dataclass(frozen=True)
class Flow:
    """One flow with all that is said about it."""

    label: str
    """Its key in the file of decisions."""
    old: str
    new: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    links: tuple[Link, ...] = ()
    plain: bool = False
    where: str = ""
    children: str = "reject"
    children_of: tuple[tuple[str, str], ...] = ()
    items: tuple[str, str] | None = None
    merge: tuple[str, ...] = ()
    keep: str = ""
    repoint: bool = False
    new_key: object = None
    """As the file of decisions writes it."""
    positive: bool = False
    """NEW checks that ``qty`` is not negative."""
    unique: tuple[str, ...] = ()
    query: str = ""
    cut_by: str = ""


@dataclass(frozen=True)
class World:
    """Both schemas, the rows of OLD and the decisions."""

    tables: tuple[OldTable, ...]
    flows: tuple[Flow, ...]
    old_sql: str
    new_sql: str
    decisions: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def plain(self, old: str) -> Flow:
        """Returns the plain flow of an old table."""
        return next(flow for flow in self.flows if flow.plain and flow.old == old)

    def table(self, name: str) -> OldTable:
        """Returns an old table."""
        return next(table for table in self.tables if table.name == name)


def world(seed: int) -> World:
    """Returns the world of a seed."""
    return _Drawing(random.Random(f"shapes {seed}")).world()


class _Drawing:
    """Draws the parts of a world, parents before children."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._tables: list[OldTable] = []
        self._flows: list[Flow] = []

    def world(self) -> World:
        names = self._chance.sample(NAMES, self._chance.randint(2, 4))
        for name in names:
            self._tables.append(self._old_table(name))
            self._flows.append(self._plain_flow(self._tables[-1]))
        for table in list(self._tables):
            if table.kind != "composite":
                self._flows += self._more_flows(table)
        self._flows = [self._with_single_children(flow) for flow in self._flows]
        rows = "\n".join(self._rows(table) for table in self._tables)
        flows = tuple(self._flows)
        decisions = {flow.label: entries for flow in flows if (entries := list(_entries(flow, flows)))}
        creation = "\n".join(_old_sql(table, self._tables) for table in self._tables)
        new_sql = "\n".join(self._new_sql(flow) for flow in flows)
        return World(tuple(self._tables), flows, f"{creation}\n{rows}", new_sql, decisions)

    def _with_single_children(self, flow: Flow) -> Flow:
        """Returns a flow whose filter may say something else about each child."""
        below = [one.name for one in self._tables for ref in one.references if ref.target == flow.old]
        if not (flow.plain and flow.where and below and self._odds(0.4)):
            return flow
        words = ("reject", "leave_out", "null")
        said = tuple((name, self._chance.choice(words)) for name in dict.fromkeys(below) if self._odds(0.7))
        return replace(flow, children="reject", children_of=said) if said else flow

    def _odds(self, share: float) -> bool:
        return self._chance.random() < share

    def _named(self, name: str) -> OldTable:
        return next(table for table in self._tables if table.name == name)

    def _old_table(self, name: str) -> OldTable:
        references = []
        kind = self._chance.choice(KINDS)
        parents = self._chance.sample(self._tables, min(len(self._tables), self._chance.choice((1, 1, 2))))
        for parent in parents:
            columns = tuple(f"{parent.name}_{column}" for column, _ in parent.key)
            in_old, in_new = self._chance.choice(((True, True), (True, True), (False, True), (True, False)))
            references.append(Reference(columns, parent.name, in_old, in_new, self._odds(0.6)))
        if kind == "integer" and self._odds(0.3):
            in_old, in_new = self._chance.choice(((True, True), (False, True)))
            references.append(Reference(("above",), name, in_old, in_new, nullable=True))
        return OldTable(name, kind, tuple(references))

    def _plain_flow(self, table: OldTable) -> Flow:
        chance = self._chance
        links = tuple(
            Link(ref.columns, ref.columns, ref.target, ref.nullable) for ref in table.references if ref.in_new
        )
        filters, merges = self._odds(0.45), self._odds(0.4)
        children = chance.choice(("reject", "leave_out", "leave_out", "null"))
        merge = chance.choice(MERGES)
        own = [ref.columns[0] for ref in table.references if ref.target != table.name]
        if own and self._odds(0.3):
            merge = (*merge, f"old.{own[0]}")
        unique = chance.choice(((), (), (), ("label",), ("kind", "qty")))
        return Flow(
            label=table.name,
            old=table.name,
            new=table.name,
            columns=tuple(self._columns(table)),
            key=tuple(name for name, _ in table.key),
            links=links,
            plain=True,
            where=chance.choice(FILTERS) if filters else "",
            children=children,
            merge=merge if merges else (),
            keep=chance.choice(KEEPS),
            repoint=self._odds(0.7),
            new_key=self._new_key(table),
            positive=self._odds(0.25),
            unique=unique,
        )

    def _new_key(self, table: OldTable) -> object:
        if table.kind == "composite" or self._odds(0.5):
            return None
        kinds: list[object] = ["uuid", {"uuid": "ours"}, "number"]
        return self._chance.choice([*kinds, {"offset": 1000}] if table.kind == "integer" else kinds)

    def _columns(self, table: OldTable) -> Iterator[Column]:
        """Yields the columns of a plain flow: key, references, and most of the others."""
        for name, type_ in table.key:
            yield Column(
                name, "bigint" if type_ == "integer" and self._odds(0.5) else type_, f"old.{name}", name
            )
        for ref in table.references:
            types = dict(key_of(self._kind_of(ref.target, table)))
            for column, type_ in zip(ref.columns, types.values(), strict=True):
                yield Column(column, type_, f"old.{column}", column)
        for name, type_ in COLUMNS[:5]:
            if name == "label" and self._odds(0.3):
                yield Column(name, "text", "upper(old.label) || coalesce(old.kind, '-')")
            elif name == "qty" and self._odds(0.3):
                yield Column(name, "bigint", f"old.{name}", name)
            else:
                yield Column(name, type_, f"old.{name}", name)

    def _kind_of(self, target: str, table: OldTable) -> str:
        return table.kind if target == table.name else self._named(target).kind

    def _more_flows(self, table: OldTable) -> Iterator[Flow]:
        """Yields the flows beside the plain one: a split, items, and a query."""
        name, (_, type_) = table.name, table.key[0]
        owner = Column(f"{name}_id", type_, "old.id", "id")
        link = Link((owner.name,), ("id",), name, nullable=False)
        if self._odds(0.5):
            where = self._chance.choice(("", "old.tags IS NOT NULL", *FILTERS[:2]))
            new = f"{name}_extra"
            columns = (
                owner,
                Column("tags", "text", "old.tags", "tags"),
                Column("v1", "integer", "old.v1", "v1"),
            )
            yield Flow(f"{name} -> {new}", name, new, columns, (owner.name,), (link,), where=where)
        if self._odds(0.6):
            items = self._chance.choice(ITEMS)
            new = f"{name}_item"
            columns = (owner, Column("place", "integer", "item_number"), Column("what", "text", "item.what"))
            where = self._chance.choice(("", "", FILTERS[0]))
            key = (owner.name, "place")
            yield Flow(f"{name} -> {new}", name, new, columns, key, (link,), where=where, items=items)
        if self._odds(0.4):
            yield self._query_flow(name)

    def _query_flow(self, name: str) -> Flow:
        new = f"{name}_sums"
        sql = (
            "SELECT o.kind AS kind, count(*)::integer AS number, sum(o.qty)::bigint AS total"
            f" FROM public.{name} AS o WHERE o.kind IS NOT NULL GROUP BY o.kind"
        )
        columns = (
            Column("kind", "text", "old.kind"),
            Column("number", "integer", "old.number"),
            Column("total", "bigint", "old.total"),
        )
        cut_by = self._chance.choice(("", "kind", "number"))
        return Flow(f"{new} -> {new}", "", new, columns, ("kind",), query=sql, cut_by=cut_by)

    def _rows(self, table: OldTable) -> str:
        made = [self._row(table, number) for number in range(1, ROWS + 1)]
        self._chance.shuffle(made)
        names = [name for name, _ in (*table.key, *_reference_columns(table, self._tables), *COLUMNS)]
        return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES\n" + ",\n".join(made) + ";"

    def _row(self, table: OldTable, number: int) -> str:
        chance = self._chance
        references = [value for ref in table.references for value in self._reference(ref, table)]
        label = chance.choice(("Ann", "ann", "ANN", "Ben", "ben", "Cy", "Dee", "dEE")) + chance.choice(
            ("", "", "1")
        )
        values = [
            *_key(table.kind, number),
            *references,
            f"'{label}'" if self._odds(0.9) else "NULL",
            chance.choice(("'x'", "'y'", "'z'", "NULL")),
            str(chance.randint(-2, 30)) if self._odds(0.9) else "NULL",
            chance.choice(("true", "true", "false", "NULL")),
            f"DATE '2024-01-{chance.randint(1, 28):02}'",
            chance.choice(("'a'", "'a,b'", "'b,a,b'", "''", "NULL", "'c,,d'")),
            *(chance.choice(("1", "2", "NULL")) for _ in range(3)),
        ]
        return f"({', '.join(values)})"

    def _reference(self, ref: Reference, table: OldTable) -> Sequence[str]:
        kind = self._kind_of(ref.target, table)
        if self._odds(0.1 if ref.nullable else 0.0):
            return ["NULL"] * len(key_of(kind))
        if not ref.in_old and self._odds(0.05):
            return _key(kind, 900)
        return _key(kind, self._chance.randint(1, ROWS))

    def _new_sql(self, flow: Flow) -> str:
        """Returns the statement that makes the new table of a flow."""
        required = {name for link in flow.links if not link.nullable for name in link.columns}
        columns = [
            f"{c.name} {self.new_type(flow, c)}{' NOT NULL' if c.name in required else ''}"
            for c in flow.columns
        ]
        parts = [*columns, f"PRIMARY KEY ({', '.join(flow.key)})"]
        for link in flow.links:
            target = self._named(link.target)
            keys = ", ".join(name for name, _ in target.key)
            parts.append(f"FOREIGN KEY ({', '.join(link.columns)}) REFERENCES {link.target} ({keys})")
        if flow.positive:
            parts.append("CHECK (qty >= 0)")
        if flow.unique:
            parts.append(f"UNIQUE ({', '.join(flow.unique)})")
        return f"CREATE TABLE {flow.new} ({', '.join(parts)});"

    def new_type(self, flow: Flow, column: Column) -> str:
        """Returns the type of a new column; those of new keys follow the kind of their values."""
        for owner, source in _keys_behind(flow, column, self._named):
            parent = next(one for one in self._flows if one.plain and one.old == owner)
            made = parent.new_key
            if made is None:
                return next(c.type for c in parent.columns if c.name == source)
            return "uuid" if made == "uuid" or (isinstance(made, dict) and "uuid" in made) else "bigint"
        return column.type


def _keys_behind(flow: Flow, column: Column, named: object) -> Iterator[tuple[str, str]]:
    """Yields the old tables, with their key columns, whose keys a new column holds."""
    assert callable(named)
    if flow.plain and column.name in flow.key:
        yield flow.old, column.name
    if not flow.old:
        return
    if column.source == "id" and not flow.plain:
        yield flow.old, "id"
    for ref in named(flow.old).references:
        if column.source in ref.columns:
            target = named(ref.target)
            yield ref.target, target.key[ref.columns.index(column.source)][0]


def _key(kind: str, number: int) -> list[str]:
    if kind == "composite":
        return [str(number % 3), str(number // 3)]
    return [str(number)] if kind == "integer" else [f"'k{number * 7 % 31}{'A' if number % 2 else 'b'}'"]


def _reference_columns(table: OldTable, tables: Sequence[OldTable]) -> Iterator[tuple[str, str]]:
    kinds = {one.name: one.kind for one in (*tables, table)}
    for ref in table.references:
        for column, (_, type_) in zip(ref.columns, key_of(kinds[ref.target]), strict=True):
            yield column, type_


def _old_sql(table: OldTable, tables: Sequence[OldTable]) -> str:
    """Returns the statement that makes a table of OLD."""
    named = (*table.key, *_reference_columns(table, tables), *COLUMNS)
    parts = [f"{name} {type_}" for name, type_ in named]
    parts.append(f"PRIMARY KEY ({', '.join(name for name, _ in table.key)})")
    parts += [
        f"FOREIGN KEY ({', '.join(ref.columns)}) REFERENCES {ref.target} DEFERRABLE INITIALLY DEFERRED"
        for ref in table.references
        if ref.in_old
    ]
    return f"CREATE TABLE {table.name} ({', '.join(parts)});"


def _entries(flow: Flow, flows: Sequence[Flow]) -> Iterator[dict[str, object]]:
    """Yields what a person writes about a flow."""
    if flow.query:
        cut = {"cut_by": flow.cut_by} if flow.cut_by else {}
        yield {"action": "query", "key": list(flow.key), "sql": flow.query, **cut}
        return
    if flow.where:
        children = {**dict(flow.children_of)} or flow.children
        yield {"action": "filter", "where": flow.where, "children": children}
    if flow.items is not None:
        source, where = flow.items
        yield {"action": "rows", "from": source, **({"where": where} if where else {})}
    if flow.merge:
        keep = {"keep": flow.keep} if flow.keep else {}
        yield {"action": "merge", "key": list(flow.merge), "repoint_children": flow.repoint, **keep}
    if flow.new_key is not None:
        yield {"action": "new_key", "column": "id", "as": flow.new_key}
    for column in flow.columns:
        if column.source and column.source != column.name:
            yield {"action": "transform", "old_column": column.source, "new_column": column.name}
        elif not column.source:
            told = {"old_column": column.name} if f"old.{column.name}" in column.sql else {}
            yield {"action": "transform", **told, "new_column": column.name, "transform_sql": column.sql}
    if flow.plain:
        used = {c.source for one in flows if one.old == flow.old for c in one.columns}
        read = " ".join(one.items[0] for one in flows if one.old == flow.old and one.items is not None)
        for name, _ in COLUMNS:
            if name not in used and f"old.{name}" not in read and name not in {c.name for c in flow.columns}:
                yield {"action": "ignore", "old_column": name}
