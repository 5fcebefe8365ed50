"""Corruptions of NEW's rows: what is changed, and what a verification has to name."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg

from tranship.model.difference import DifferenceKind
from tranship.sql.quote import ident

CHANGES: dict[str, tuple[str, ...]] = {
    "text|character varying": (
        "{c} || ' '", "upper({c})", "lower({c})", "NULL", "''", "'NULL'", "{c} || '.'", "right({c}, -1)",
        "overlay({c} placing '_' from 1 for 1)",
    ),
    "character": ("'other'", "NULL", "''"),
    "numeric": ("{c} + 0.01", "-{c}", "NULL", "0", "{c} * 1.0", "({c}::text || '0')::numeric"),
    "double precision": (
        "{c} + {c} * 2e-16", "-{c}", "'NaN'", "NULL", "'-0'", "'Infinity'",
    ),
    "real": ("{c} + {c} * 1e-7", "-{c}", "'NaN'", "NULL"),
    "integer|bigint|smallint": ("{c} + 1", "-{c}", "NULL", "0"),
    "timestamp with time zone|timestamp without time zone": (
        "{c} + interval '1 microsecond'", "{c} + interval '1 hour'", "NULL", "{c} - interval '4000 years'", "'infinity'",
    ),
    "date": ("{c} + 1", "NULL", "{c} - 1500000"),
    "time without time zone|time with time zone": ("{c} + interval '1 microsecond'", "NULL"),
    "interval": ("justify_days({c})", "{c} + interval '1 microsecond'", "NULL", "{c} - interval '1 mon' + interval '30 days'"),
    "json": ("replace({c}::text, ' ', '')::json", "NULL", "({c}::text || ' ')::json"),
    "jsonb": ("{c} || '{{\"more\": null}}'", "NULL", "'{{}}'"),
    "bytea": ("set_byte({c}, 15, get_byte({c}, 15) # 1)", "{c} || '\\x00'", "NULL", "''"),
    "integer[]": ("('[0:1]=' || {c}::text)::int[]", "{c} || NULL", "'{{}}'", "NULL"),
    "text[]": ("array_append({c}, '')", "array_append({c}, NULL)", "array_append({c}, 'NULL')", "NULL"),
    "uuid": ("gen_random_uuid()", "NULL"),
    "bit": ("~{c}", "NULL"),
    "bit varying": ("{c} || B'0'", "NULL"),
    "inet": ("set_masklen({c}, 31)", "NULL"),
    "point": ("{c} + point(0, 1e-9)", "NULL"),
    "int4range": ("int4range(lower({c}), upper({c}), '[]')", "'empty'", "NULL"),
    "money": ("{c} + '0.01'::money", "NULL"),
    "boolean": ("NOT {c}", "NULL"),
    "kind": ("'c'", "NULL"),
}  # fmt: skip
"""By pattern of a type's name: expressions over the column ``{c}`` that give another value of the type."""
KINDS = {"cell": 14, "delete": 2, "add": 2, "swap rows": 2, "swap columns": 1, "new key": 1, "cancel out": 1}
"""Kinds of strikes and how often they are drawn."""


class Found(NamedTuple):
    """One difference, as a verification names it."""

    table: str
    kind: DifferenceKind
    key: tuple[tuple[str, str], ...]
    """Empty for a table without a key."""
    columns: tuple[str, ...]
    rows: int = 1


@dataclass(frozen=True)
class Target:
    """A table of NEW whose rows are corrupted."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, str]
    """Columns beside the key that a proof covers, with their types."""


@dataclass
class Strikes:
    """The strikes of one round: what they did and what has to be named."""

    rng: random.Random
    conn: asyncpg.Connection
    expected: list[Found] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """What was done, for people."""
    touched: set[tuple[str, tuple[Any, ...]]] = field(default_factory=set)
    """Rows of this round by table and key, so that no strike undoes another one."""

    async def strike(self, target: Target) -> bool:
        """Draws one strike and carries it out; returns whether it changed anything."""
        kinds = list(KINDS)
        (kind,) = self.rng.choices(kinds, [KINDS[one] for one in kinds])
        if not target.key:
            kind = "delete" if kind == "delete" else "add" if kind == "add" else "loose cell"
        one = getattr(self, "_" + kind.replace(" ", "_"))
        transaction = self.conn.transaction()
        await transaction.start()
        before = len(self.expected)
        try:
            await self.conn.execute("SET LOCAL session_replication_role = replica")
            done = await one(target)
        except asyncpg.PostgresError:
            # The drawn value is none that NEW takes; nothing happened.
            del self.expected[before:]
            await transaction.rollback()
            return False
        await (transaction.commit() if done else transaction.rollback())
        if not done:
            del self.expected[before:]
            return False
        self.done.append(f"{kind}: {[*map(str, self.expected[before:])]}")
        return True

    async def _row(self, target: Target) -> tuple[Any, ...] | None:
        """Draws the key of a row that no strike of this round touched."""
        keys = ", ".join(map(ident, target.key))
        rows = await self.conn.fetch(f"SELECT {keys} FROM {ident(target.name)} ORDER BY {keys}")
        free = [tuple(row) for row in rows if (target.name, tuple(row)) not in self.touched]
        if not free:
            return None
        # The first and the last row and the borders of batches are drawn more often than others.
        edges = [free[0], free[-1], *free[99:101]]
        chosen = self.rng.choice(edges) if self.rng.random() < 0.2 else self.rng.choice(free)
        self.touched.add((target.name, chosen))
        return chosen

    def _name(
        self, target: Target, kind: DifferenceKind, key: Sequence[Any], columns: Sequence[str] = ()
    ) -> None:
        if kind is DifferenceKind.ADDED:
            # A later strike at it would be none of its own: whatever it holds, the row is one too many.
            self.touched.add((target.name, tuple(key)))
        named = tuple((name, str(value)) for name, value in zip(target.key, key, strict=True))
        self.expected.append(Found(target.name, kind, named, tuple(columns)))

    async def _cell(self, target: Target) -> bool:
        key = await self._row(target)
        if key is None or not target.columns:
            return False
        column = self.rng.choice(list(target.columns))
        return await self._change(target, key, column, self.rng.choice(changes(target.columns[column])))

    async def _change(self, target: Target, key: Sequence[Any], column: str, expression: str) -> bool:
        before = await self._printed(target, key)
        value = expression.format(c=ident(column))
        await self.conn.execute(
            f"UPDATE {ident(target.name)} SET {ident(column)} = {value} WHERE {where(target)}", *key
        )
        after = await self._printed(target, key)
        changed = [name for name in target.columns if before[name] != after[name]]
        if changed:
            self._name(target, DifferenceKind.CHANGED, key, changed)
        return bool(changed)

    async def _printed(self, target: Target, key: Sequence[Any]) -> asyncpg.Record:
        shown = ", ".join(
            f"{printed(name, type_)} AS {ident(name)}" for name, type_ in target.columns.items()
        )
        return await self.conn.fetchrow(
            f"SELECT {shown} FROM {ident(target.name)} WHERE {where(target)}", *key
        )

    async def _delete(self, target: Target) -> bool:
        if not target.key:
            return await self._delete_loose(target)
        key = await self._row(target)
        if key is None:
            return False
        await self.conn.execute(f"DELETE FROM {ident(target.name)} WHERE {where(target)}", *key)
        self._name(target, DifferenceKind.MISSING, key)
        return True

    async def _add(self, target: Target) -> bool:
        if not target.key:
            return await self._add_loose(target)
        key = await self._row(target)
        if key is None:
            return False
        fresh = f"jsonb_build_object('{target.key[0]}', {await self._free_key(target)})"
        made = f"jsonb_populate_record(t, {fresh})"
        row = await self.conn.fetchrow(
            f"INSERT INTO {ident(target.name)} SELECT (r).* FROM (SELECT {made} AS r FROM {ident(target.name)} AS t"
            f" WHERE {where(target)}) AS s RETURNING {', '.join(map(ident, target.key))}",
            *key,
        )
        self._name(target, DifferenceKind.ADDED, tuple(row))
        return True

    async def _free_key(self, target: Target) -> str:
        """Returns SQL of a JSON value that no row has in the first column of the key."""
        first = target.key[0]
        type_ = await self.conn.fetchval(
            f"SELECT pg_catalog.pg_typeof({ident(first)})::text FROM {ident(target.name)} LIMIT 1"
        )
        if type_ == "uuid":
            return "gen_random_uuid()"
        return f"(SELECT max({ident(first)}) + {self.rng.randint(1, 9)} FROM {ident(target.name)})"

    async def _new_key(self, target: Target) -> bool:
        key = await self._row(target)
        if key is None:
            return False
        value = (await self._free_key(target)).removesuffix(")") + ")"
        row = await self.conn.fetchrow(
            f"UPDATE {ident(target.name)} SET {ident(target.key[0])} = {value} WHERE {where(target)}"
            f" RETURNING {', '.join(map(ident, target.key))}",
            *key,
        )
        self._name(target, DifferenceKind.MISSING, key)
        self._name(target, DifferenceKind.ADDED, tuple(row))
        return True

    async def _swap_rows(self, target: Target) -> bool:
        """Two rows exchange everything but their keys."""
        first, second = await self._row(target), await self._row(target)
        if first is None or second is None or not target.columns:
            return False
        before = [await self._printed(target, key) for key in (first, second)]
        columns = ", ".join(map(ident, target.columns))
        pairs = ((first, second), (second, first))
        held = f"CREATE TEMPORARY TABLE held ON COMMIT DROP AS SELECT * FROM {ident(target.name)}"
        await self.conn.execute(held)
        for here, there in pairs:
            matched = " AND ".join(
                f"o.{ident(name)} = ${n}" for n, name in enumerate(target.key, len(target.key) + 1)
            )
            source = f"(SELECT {columns} FROM held AS o WHERE {matched})"
            await self.conn.execute(
                f"UPDATE {ident(target.name)} SET ({columns}) = {source} WHERE {where(target)}", *here, *there
            )
        for key, old in zip((first, second), before, strict=True):
            new = await self._printed(target, key)
            changed = [name for name in target.columns if old[name] != new[name]]
            if changed:
                self._name(target, DifferenceKind.CHANGED, key, changed)
        return True

    async def _swap_columns(self, target: Target) -> bool:
        """One row has the values of two columns of one type the wrong way round."""
        by_type: dict[str, list[str]] = {}
        for name, type_ in target.columns.items():
            by_type.setdefault(type_, []).append(name)
        twins = [names for names in by_type.values() if len(names) > 1]
        key = await self._row(target)
        if key is None or not twins:
            return False
        one, other = self.rng.sample(self.rng.choice(twins), 2)
        return await self._change(target, key, one, f"{ident(other)}, {ident(other)} = {{c}}")

    async def _cancel_out(self, target: Target) -> bool:
        """Two rows differ by as much in opposite directions, which a plain sum of values does not see."""
        numbers = [c for c, t in target.columns.items() if re.match("numeric|integer|bigint|double|money", t)]
        first, second = await self._row(target), await self._row(target)
        if first is None or second is None or not numbers:
            return False
        column = self.rng.choice(numbers)
        one = "'1.00'::money" if target.columns[column] == "money" else "1"
        changed = await self._change(target, first, column, f"{{c}} + {one}")
        return await self._change(target, second, column, f"{{c}} - {one}") and changed

    async def _loose_cell(self, target: Target) -> bool:
        """A row of a table without a key is changed: one is missing, and one was added."""
        column = self.rng.choice(list(target.columns))
        expression = self.rng.choice(changes(target.columns[column])).format(c=ident(column))
        name = ident(target.name)
        row = await self._loose_row(target)
        if row is None:
            return False
        whole = f"SELECT t::text FROM {name} AS t WHERE ctid = $1::text::tid"
        before = await self.conn.fetchval(whole, row)
        after = await self.conn.fetchval(
            f"UPDATE {name} AS t SET {ident(column)} = {expression} WHERE ctid = $1::text::tid RETURNING t::text",
            row,
        )
        if before == after or (target.name, (after,)) in self.touched:
            return False
        self.touched.add((target.name, (after,)))
        self.expected.append(Found(target.name, DifferenceKind.MISSING, (), ()))
        self.expected.append(Found(target.name, DifferenceKind.ADDED, (), ()))
        return True

    async def _loose_row(self, target: Target) -> str | None:
        """Draws a row of a table without a key whose content no strike of this round touched."""
        rows = await self.conn.fetch(
            f"SELECT ctid::text, t::text FROM {ident(target.name)} AS t ORDER BY 2, 1"
        )
        free = [row for row in rows if (target.name, (row[1],)) not in self.touched]
        if not free:
            return None
        chosen = self.rng.choice(free)
        self.touched.add((target.name, (chosen[1],)))
        return str(chosen[0])

    async def _delete_loose(self, target: Target) -> bool:
        row = await self._loose_row(target)
        await self.conn.execute(f"DELETE FROM {ident(target.name)} WHERE ctid = $1::text::tid", row)
        self.expected.append(Found(target.name, DifferenceKind.MISSING, (), ()))
        return row is not None

    async def _add_loose(self, target: Target) -> bool:
        """A row is there once too often."""
        row = await self._loose_row(target)
        name = ident(target.name)
        await self.conn.execute(f"INSERT INTO {name} SELECT * FROM {name} WHERE ctid = $1::text::tid", row)
        self.expected.append(Found(target.name, DifferenceKind.ADDED, (), ()))
        return row is not None


def changes(type_: str) -> tuple[str, ...]:
    """Returns the expressions for a type, by its name without a length or precision.

    Raises:
        KeyError: no pattern is for it.
    """
    bare = re.sub(r"\([-0-9, ]+\)", "", type_)
    for names, expressions in CHANGES.items():
        if bare in names.split("|"):
            return expressions
    raise KeyError(type_)


def printed(column: str, type_: str) -> str:
    """Returns SQL of a text that two different values of a column never share."""
    sent = {"double precision": "float8send", "real": "float4send"}.get(type_)
    return f"{sent}({ident(column)})::text" if sent else f"{ident(column)}::text"


def where(target: Target) -> str:
    """Returns the condition that finds a row by its key, given as ``$1``, ``$2`` …"""
    return " AND ".join(f"{ident(name)} = ${n}" for n, name in enumerate(target.key, 1))
