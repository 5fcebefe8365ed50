"""What must become of the rows of a drawn world, computed by statements in a copy of OLD: a table ``w_<new>`` for
each flow, which holds every row that the flow could make, and in ``st`` what becomes of it.

It shares no code with the tool: the rules are those of the specification.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from long.properties.shapes import Column, Flow, Link, OldTable, World
from support import Database

USED, LEFT_OUT, MERGED, REJECTED = "used", "left out", "merged", "rejected"


@dataclass
class Expected:
    """What must be in NEW, and what of OLD is counted how."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """By new table: all rows, columns in the order of the flow."""
    rejects: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    """By flow: the old key as JSON text and the number of the item."""
    counts: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    """By flow: rows by what becomes of them."""


async def expected(world: World, copy: Database) -> Expected:
    """Returns the outcome for a world whose rows a database holds."""
    found = Expected()
    async with copy.connect() as conn:
        for flow in world.flows:
            if flow.query:
                rows = await conn.fetch(f"{flow.query}")
                found.rows[flow.new] = sorted_rows(tuple(row) for row in rows)
                found.rejects[flow.label], found.counts[flow.label] = (
                    set(),
                    {(USED, len(rows))} if rows else set(),
                )
                continue
            for statement in _Flow(world, flow).statements():
                try:
                    await conn.execute(statement)
                except Exception as failed:
                    failed.add_note(statement)
                    raise
            await _cascade(conn, world, flow)
            rows = await conn.fetch(_Flow(world, flow).result())
            found.rows[flow.new] = sorted_rows(tuple(row) for row in rows)
            gone = await conn.fetch(
                f"SELECT key, item_number FROM w_{flow.new} WHERE st = '{REJECTED}' AND made"
            )
            found.rejects[flow.label] = {
                (json.dumps(json.loads(row[0]), sort_keys=True), row[1]) for row in gone
            }
            # Of rows that are left out nobody knows how many items they have.
            number = (
                f"CASE st WHEN '{LEFT_OUT}' THEN count(DISTINCT key) ELSE count(*) FILTER (WHERE made) END"
            )
            counts = await conn.fetch(f"SELECT st, {number} FROM w_{flow.new} GROUP BY st")
            found.counts[flow.label] = {(row[0], row[1]) for row in counts if row[1]}
    return found


def sorted_rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Returns rows in an order of their texts."""
    return sorted(rows, key=repr)


async def _cascade(conn: Any, world: World, flow: Flow) -> None:
    """Decides collisions in key order, then rejects what refers to rejected rows of the same table.

    A row that only its references to survivors make equal to the one before it is merged with that one.
    """
    work = f"w_{flow.new}"
    made = _Flow(world, flow)
    taken: dict[tuple[int, str], Any] = {}
    shown = f"pos, led, ARRAY[{made.unique_texts()}] AS keys, {made.compared()}"
    for row in await conn.fetch(f"SELECT {shown} FROM {work} WHERE st = '{USED}' AND made ORDER BY pos"):
        keys = [(n, text) for n, text in enumerate(row["keys"]) if text is not None]
        before = [(key, taken[key]) for key in keys if key in taken]
        if not before:
            taken.update(dict.fromkeys(keys, row))
            continue
        (number, _), first = before[0]
        alike = "without_key" if number else "whole"
        merged = made.may_become_equal and row["led"] != first["led"] and row[alike] == first[alike]
        state, into = (MERGED, first["pos"]) if merged else (REJECTED, None)
        await conn.execute(
            f"UPDATE {work} SET st = '{state}', why = 'collides', into_pos = coalesce($2, into_pos) WHERE pos = $1",
            row["pos"],
            into,
        )
    while True:
        moved = 0
        for statement in made.last():
            moved += int((await conn.execute(statement)).split()[-1])
        if not moved:
            return


class _Flow:
    """The statements for one flow."""

    def __init__(self, world: World, flow: Flow) -> None:
        self._world, self._flow = world, flow
        self._work = f"w_{flow.new}"
        self._table: OldTable = world.table(flow.old)

    def statements(self) -> Iterator[str]:
        """Yields the statements in the order in which a flow treats its rows."""
        yield self._create()
        if self._flow.where:
            yield self._mark(LEFT_OUT, f"NOT coalesce(({self._flow.where}), false)", "filter")
        for ref in self._table.references:
            yield from self._left_with(ref.columns, ref.target, in_new=self._has_link(ref.columns))
        if not self._flow.plain:
            yield from self._left_with(("id",), self._flow.old, in_new=True)
        yield from self._repointings()
        yield from self._merging()
        # SQL of a person reads the reference as it was.
        yield from self._nulls()
        yield from self._faults()

    def _create(self) -> str:
        flow, names = self._flow, [name for name, _ in self._table.key]
        order = ", ".join(f'old.{n} COLLATE "C"' if t == "text" else f"old.{n}" for n, t in self._table.key)
        keys = ", ".join(f"'{name}', old.{name}" for name in names)
        items = ""
        extra = "0 AS item_number"
        if flow.items is not None:
            source, where = flow.items
            numbered = "item.n" if "ORDINALITY" in source else 'item::text COLLATE "C"'
            columns = "item.what, item.v" if ", v)" in source else "item.what"
            items = (
                f" CROSS JOIN LATERAL (SELECT row_number() OVER (ORDER BY {numbered})::integer AS item_number,"
                f" {columns} FROM {source}) AS item"
            )
            # A row without items takes part, so that it is seen whether it is left out.
            items = items.replace(" CROSS JOIN LATERAL", " LEFT JOIN LATERAL") + f" ON {where or 'true'}"
            extra = "item.item_number AS item_number, item.what AS item_what"
        return (
            f"CREATE TABLE {self._work} AS SELECT old.*, {extra}, jsonb_build_object({keys})::text AS key,"
            f" row_number() OVER (ORDER BY {order}, item_number) AS pos,"
            f" {'item.item_number IS NOT NULL' if items else 'true'} AS made, '{USED}'::text AS st, ''::text AS why, NULL::bigint AS into_pos,"
            f" {self._own_key()} AS own_key, ROW({', '.join(f'old.{name}' for name in self._led())})::text AS led"
            f" FROM {flow.old} AS old{items}"
        ).replace(", item_number) AS pos", f", {'item.item_number' if items else '1'}) AS pos")

    def _own_key(self) -> str:
        """Returns the key by which links find the row."""
        return f"ROW({', '.join(f'old.{name}' for name, _ in self._table.key)})::text"

    def _mark(self, state: str, condition: str, why: str) -> str:
        return (
            f"UPDATE {self._work} AS old SET st = '{state}', why = '{why}'"
            f" WHERE st = '{USED}' AND ({condition})"
        )

    def _has_link(self, columns: tuple[str, ...]) -> bool:
        return any(link.sources == columns for link in self._flow.links)

    def _policy(self, target: str) -> str:
        """Returns what becomes of rows of the flow whose parents the plain flow of a table leaves out."""
        parent = self._world.plain(target)
        if not parent.where:
            return "leave_out"
        return dict(parent.children_of).get(self._flow.old, parent.children)

    def _parent_gone(self, columns: Sequence[str], target: str, states: Sequence[str]) -> str:
        """Returns the condition that the parent is one of those in some states."""
        key = f"ROW({', '.join(f'old.{name}' for name in columns)})::text"
        known = " AND ".join(f"old.{name} IS NOT NULL" for name in columns)
        listed = ", ".join(f"'{state}'" for state in states)
        work = f"w_{self._world.plain(target).new}"
        return f"{known} AND EXISTS (SELECT FROM {work} p WHERE p.own_key = {key} AND p.st IN ({listed}))"

    def _left_with(self, columns: tuple[str, ...], target: str, *, in_new: bool) -> Iterator[str]:
        in_old = any(r.columns == columns and r.in_old for r in self._table.references)
        if not (in_new or in_old) or self._policy(target) != "leave_out":
            return
        condition = self._parent_gone(columns, target, [LEFT_OUT])
        for _ in range(1 if target != self._flow.old or not self._flow.plain else 24):
            yield self._mark(LEFT_OUT, condition, "with its parent")

    def _nulls(self) -> Iterator[str]:
        for link in self._flow.links:
            if self._policy(link.target) == "null" and link.nullable:
                gone = self._parent_gone(link.sources, link.target, [LEFT_OUT])
                nulls = ", ".join(f"{name} = NULL" for name in link.sources)
                yield f"UPDATE {self._work} AS old SET {nulls} WHERE st = '{USED}' AND {gone}"

    def _repointings(self) -> Iterator[str]:
        for columns, target in self._targets():
            yield from self._repointing(columns, target)

    def _targets(self) -> list[tuple[tuple[str, ...], str]]:
        """Returns the columns of OLD that refer to rows which may be merged, and their tables."""
        pairs = [(ref.columns, ref.target) for ref in self._table.references if ref.target != self._flow.old]
        return [*pairs, *([(("id",), self._flow.old)] if not self._flow.plain else [])]

    def _repointing(self, columns: tuple[str, ...], target: str) -> Iterator[str]:
        parent = self._world.plain(target)
        if not parent.merge or not parent.repoint:
            return
        names = [name for name, _ in self._world.table(target).key]
        values = ", ".join(f"{column} = s.{name}" for column, name in zip(columns, names, strict=True))
        key = f"ROW({', '.join(f'old.{name}' for name in columns)})::text"
        yield (
            f"UPDATE {self._work} AS old SET {values}"
            f" FROM w_{parent.new} p JOIN w_{parent.new} s ON s.pos = p.into_pos"
            f" WHERE p.into_pos IS NOT NULL AND p.own_key = {key}"
        )

    def _merging(self) -> Iterator[str]:
        flow = self._flow
        if not flow.merge:
            return
        key, keep = ", ".join(flow.merge), f"{flow.keep}, " if flow.keep else ""
        known = " AND ".join(f"({part}) IS NOT NULL" for part in flow.merge)
        firsts = (
            f"SELECT old.pos, first_value(old.pos) OVER (PARTITION BY {key} ORDER BY {keep}old.pos) AS first"
            f" FROM {self._work} AS old WHERE st = '{USED}' AND {known}"
        )
        yield (
            f"UPDATE {self._work} AS old SET st = '{MERGED}', into_pos = f.first"
            f" FROM ({firsts}) AS f WHERE f.pos = old.pos AND f.first <> old.pos"
        )
        own = [ref.columns for ref in self._table.references if ref.target == flow.old]
        for columns in own:
            yield from self._repointing(columns, flow.old)

    def _faults(self) -> Iterator[str]:
        if self._flow.positive:
            yield self._mark(REJECTED, "old.qty < 0", "check")
        required = [n for link in self._flow.links if not link.nullable for n in link.sources]
        for name in required:
            yield self._mark(REJECTED, f"old.{name} IS NULL", "not null")
        for name, source in self._numbered():
            yield self._mark(REJECTED, source, f"no number for {name}")
        for link in self._flow.links:
            if link.target != self._flow.old or not self._flow.plain:
                yield self._mark(REJECTED, self._no_parent(link), "parent")

    def _numbered(self) -> Iterator[tuple[str, str]]:
        """Yields references to keys that are numbered anew, where the row behind has no number."""
        for ref in self._table.references:
            column = ref.columns[0]
            if (
                self._world.plain(ref.target).new_key == "number"
                and len(ref.columns) == 1
                and self._flow.plain
            ):
                work = f"w_{self._world.plain(ref.target).new}"
                row = (
                    f"SELECT FROM {work} p WHERE p.own_key = ROW(old.{column})::text AND p.st <> '{LEFT_OUT}'"
                )
                yield column, f"old.{column} IS NOT NULL AND NOT EXISTS ({row})"

    def _no_parent(self, link: Link) -> str:
        known = " AND ".join(f"old.{name} IS NOT NULL" for name in link.sources)
        return f"{known} AND NOT ({self._parent_gone(link.sources, link.target, [USED])})"

    def unique_texts(self) -> str:
        """Returns the unique keys of a row as texts, NULL where a part is NULL."""
        by_name = {column.name: column for column in self._flow.columns}
        keys = [self._flow.key, *((self._flow.unique,) if self._flow.unique else ())]
        made = []
        for key in keys:
            values = [self._value(by_name[name]) for name in key]
            known = " AND ".join(f"({value}) IS NOT NULL" for value in values)
            made.append(f"CASE WHEN {known} THEN ROW({', '.join(values)})::text END")
        return ", ".join(made).replace("old.", f"{self._work}.")

    @property
    def may_become_equal(self) -> bool:
        """Whether rows may be merged because references lead to survivors: nobody refers to the rows."""
        referred = [ref.target for table in self._world.tables for ref in table.references if ref.in_old]
        if self._flow.plain:
            referred += [link.target for flow in self._world.flows for link in flow.links]
        return bool(self._led()) and self._flow.items is None and self._flow.old not in referred

    def compared(self) -> str:
        """Returns all values of a row as a text, and those without a key of one column."""
        values = {column.name: self._value(column) for column in self._flow.columns}
        surrogate = self._flow.key if len(self._flow.key) == 1 else ()
        others = [value for name, value in values.items() if name not in surrogate]
        shown = (
            f"ROW({', '.join(values.values())})::text AS whole, ROW({', '.join(others)})::text AS without_key"
        )
        return shown.replace("old.", f"{self._work}.")

    def _led(self) -> list[str]:
        """Returns the columns of OLD whose references lead to survivors."""
        leading = [one for one in self._targets() if self._world.plain(one[1]).merge]
        return [name for columns, target in leading if self._world.plain(target).repoint for name in columns]

    def last(self) -> Iterator[str]:
        """Yields what is repeated until nothing more is rejected."""
        for link in self._flow.links:
            if link.target == self._flow.old and self._flow.plain:
                yield self._mark(REJECTED, self._no_parent(link), "parent")
        yield (
            f"UPDATE {self._work} AS old SET st = '{REJECTED}', why = 'survivor' WHERE st = '{MERGED}'"
            f" AND EXISTS (SELECT FROM {self._work} s WHERE s.pos = old.into_pos AND s.st = '{REJECTED}')"
        )

    def result(self) -> str:
        """Returns the query for the rows that arrive."""
        values = ", ".join(f"{self._value(column)} AS {column.name}" for column in self._flow.columns)
        return f"SELECT {values} FROM {self._work} AS old WHERE st = '{USED}' AND made"

    def _value(self, column: Column) -> str:
        """Returns what NEW holds in a column."""
        owner = self._owner(column)
        if owner is not None:
            return self._new_key(column, *owner)
        return column.sql.replace("item.what", "old.item_what").replace("item_number", "old.item_number")

    def _owner(self, column: Column) -> tuple[str, object] | None:
        """Returns the old table, and its new key, whose key the column holds."""
        targets = [link.target for link in self._flow.links if link.sources == (column.source,)]
        targets += [ref.target for ref in self._table.references if ref.columns == (column.source,)]
        if column.source == "id":
            targets = [self._flow.old]
        for target in targets[:1]:
            if (made := self._world.plain(target).new_key) is not None:
                return target, made
        return None

    def _new_key(self, column: Column, target: str, made: object) -> str:
        value = f"old.{column.source}"
        if isinstance(made, dict) and "offset" in made:
            return f"({value} + {made['offset']})"
        if made == "number":
            work = f"w_{self._world.plain(target).new}"
            ranks = (
                f"SELECT own_key, row_number() OVER (ORDER BY pos) AS n FROM {work} WHERE st <> '{LEFT_OUT}'"
            )
            return f"(SELECT r.n FROM ({ranks}) r WHERE r.own_key = ROW({value})::text)"
        namespace = made["uuid"] if isinstance(made, dict) else ""
        row = f"ROW('{namespace}'::text, 'public'::text, '{target}'::text, {value})::text"
        digest = f"substr(sha256(convert_to({row}, 'UTF8')), 1, 16)"
        version = f"set_byte({digest}, 6, (get_byte({digest}, 6) & 15) | 128)"
        both = f"set_byte({version}, 8, (get_byte({digest}, 8) & 63) | 128)"
        return f"CASE WHEN {value} IS NOT NULL THEN encode({both}, 'hex')::uuid END"
