"""Lookups: per batch the distinct old keys with what NEW's lookup table holds for them, so that a million entries never become one literal.

Keys found are remembered (100 000 per lookup); a batch's own distinct keys bound the rest of the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import asyncpg
from msgspec import Struct

from tranship.errors import Refused
from tranship.errors.codes.start import AmbiguousLookup, LookupNotInEncoding, LookupUnreadable
from tranship.execution.context import Job
from tranship.execution.probe.questions import NotAskable, put, re_encodes
from tranship.model.expression import Lookup, NewDefault
from tranship.model.locator import Locator
from tranship.model.names import Side, TableName
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.resolution import Problem
from tranship.sql import lookup as text
from tranship.sql.canonical import computed_on_old
from tranship.sql.casts import CARRIED
from tranship.sql.expression import Bindings, LookupContent, compile_text
from tranship.sql.new.probe import guarded
from tranship.sql.old import lookup_keys

_REMEMBERED = 100_000

Key = tuple[str, ...]


class Found(Struct, frozen=True):
    """A key's entry: its value as text, None for NULL."""

    value: str | None


class Holders(Protocol):
    """Which rows of OLD will become a row of NEW with one of some canonical keys (``execution/probe/derived.py``)."""

    async def values(
        self, table: TableName, columns: tuple[str, ...], keys: Sequence[str], value: str
    ) -> Mapping[str, str | None] | None:
        """Value per key among rows that are not rejected; None: cannot be told by asking."""


def _settled(_: TableName) -> bool:
    return False


class Lookups:
    """The lookups of a run.

    Args:
        holders: who computes what this run has yet to put into NEW; without it NEW is taken to hold everything.
        pending: tables of NEW whose rows of this run are not there yet (all that are filled, in a dry run).
    """

    def __init__(
        self, job: Job, holders: Holders | None = None, pending: Callable[[TableName], bool] = _settled
    ) -> None:
        self._job = job
        self._holders = holders
        self._pending = pending
        self._known: dict[Lookup, dict[Key, Found | None]] = {}

    async def bind(
        self, old: asyncpg.Connection, new: asyncpg.Connection, plan: TablePlan, batch: Batch
    ) -> Bindings:
        """What the plan's NEW-side lookups say for the rows of a batch.

        Raises:
            Refused: a key stands for two values, or the lookup table cannot be read.
        """
        return await self._bind(old, new, plan, lambda lookup: lookup_keys.batch_keys(plan, batch, lookup))

    async def bind_rows(
        self, old: asyncpg.Connection, new: asyncpg.Connection, plan: TablePlan, rows: Sequence[Locator]
    ) -> Bindings:
        """The same for chosen rows of one source."""
        return await self._bind(old, new, plan, lambda lookup: lookup_keys.keys_of(plan, rows, lookup))

    async def _bind(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        keys_query: Callable[[Lookup], str],
    ) -> Bindings:
        bound = []
        for position, mapping in enumerate(plan.columns):
            lookup = mapping.expression
            if isinstance(lookup, Lookup) and lookup.side is Side.NEW:
                keys = [tuple(row) for row in await old.fetch(keys_query(lookup))]
                entries = await self._entries(old, new, plan, lookup, keys)
                hits = [(key, entry) for key in keys if (entry := entries[key]) is not None]
                await self._carry(
                    old, plan, lookup, [entry.value for _, entry in hits if entry.value is not None]
                )
                bound.append(
                    LookupContent(
                        position, tuple(key for key, _ in hits), tuple(entry.value for _, entry in hits)
                    )
                )
        return tuple(bound)

    async def _carry(
        self, old: asyncpg.Connection, plan: TablePlan, lookup: Lookup, values: Sequence[str]
    ) -> None:
        """Values go through OLD's SELECT: one that OLD's encoding lacks cannot, and must not pass for a missing one."""
        if all(value.isascii() for value in values):
            return
        try:
            await old.fetchval(CARRIED, "".join(values))
        except asyncpg.UntranslatableCharacterError as error:
            lacking = LookupNotInEncoding(
                plan.flow, lookup.table, str(error), value=lookup.value, encoding=self._job.old.encoding
            )
            raise Refused(lacking) from error

    async def _entries(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        lookup: Lookup,
        keys: Sequence[Key],
    ) -> Mapping[Key, Found | None]:
        known = self._known.setdefault(lookup, {})
        unknown = [key for key in keys if key not in known]
        if len(known) + len(unknown) > _REMEMBERED:
            kept = {key: known[key] for key in keys if key in known}
            known.clear()
            known.update(kept)
        known.update(await self._ask(new, plan, lookup, unknown))
        return known

    async def _ask(
        self, new: asyncpg.Connection, plan: TablePlan, lookup: Lookup, keys: Sequence[Key]
    ) -> dict[Key, Found | None]:
        """NEW's entries, completed by what OLD will still put there."""
        query = text.found_query(lookup, self.compared(plan, lookup))
        rows: list[dict[str, int | str | None]] = [
            {"i": n, **{f"c{k}": part for k, part in enumerate(key)}} for n, key in enumerate(keys)
        ]
        try:
            answers = await put(
                new, guarded(query), rows, ascii_only=re_encodes(self._job.new), zone=plan.input_zone
            )
        except NotAskable as why:
            raise Refused(LookupUnreadable(plan.flow, lookup.table, str(why))) from why
        entries: dict[Key, Found | None] = dict.fromkeys(keys)
        absent: dict[str, Key] = {}
        for answer in answers:
            key = keys[answer.row]
            value = answer.detail if isinstance(answer.detail, str) else None
            if answer.kind == "found":
                held = entries[key]
                if held is not None and held.value != value:
                    raise Refused([_ambiguous(plan, lookup, key)])
                entries[key] = Found(value)
            elif answer.kind == "absent" and value is not None:
                absent[value] = key
        if absent and self._holders is not None and self._pending(lookup.table):
            derived = await self._holders.values(lookup.table, lookup.keys, tuple(absent), lookup.value)
            for canonical_key, value in (derived or {}).items():
                entries[absent[canonical_key]] = Found(value)
        return entries

    def compared(self, plan: TablePlan, lookup: Lookup) -> list[text.LookupKey]:
        """How each key column is compared with its old column."""
        table, before = self._job.new.table(lookup.table), self._job.before(plan)
        compared = []
        for n, (name, column) in enumerate(zip(lookup.keys, lookup.columns, strict=True)):
            declared = table.column(name) if table is not None else None
            given = before.column(column)
            compared.append(
                text.compared(n, name, declared.type if declared else None, given.type if given else None)
            )
        return compared

    def unknowable(self, plan: TablePlan, position: int) -> bool:
        """The value will be made by NEW's server when this run fills the lookup's table: nothing about it can be asked before."""
        lookup = plan.columns[position].expression
        if not isinstance(lookup, Lookup) or lookup.side is not Side.NEW or not self._pending(lookup.table):
            return False
        needed = {*lookup.keys, lookup.value}
        return any(
            isinstance(m.expression, NewDefault)
            for p in self._job.fillers(lookup.table)
            for m in p.columns
            if m.column in needed
        )


async def check_lookups(
    job: Job, plans: Sequence[TablePlan], old: asyncpg.Connection, new: asyncpg.Connection
) -> None:
    """Before the plans' rows are copied: no key of their lookups stands for two values, neither now nor with what this run will add.

    Raises:
        Refused: with one problem per lookup, naming table, column and key.
    """
    problems = []
    asked: set[tuple[Side, TableName, tuple[str, ...], str]] = set()
    for plan in plans:
        for mapping in plan.columns:
            lookup = mapping.expression
            if (
                not isinstance(lookup, Lookup)
                or (same := (lookup.side, lookup.table, lookup.keys, lookup.value)) in asked
            ):
                continue
            asked.add(same)
            conn = new if lookup.side is Side.NEW else old
            found = [tuple(row) for row in await conn.fetch(text.ambiguous(lookup))]
            if lookup.side is Side.NEW:
                found += await _ambiguous_later(job, old, lookup)
            problems += [_ambiguous(plan, lookup, key) for key in found[:3]]
    if problems:
        raise Refused(problems)


async def content_hash(conn: asyncpg.Connection, lookup: Lookup) -> str:
    """Fixes a lookup's content for the journal: rows and an order-free hash. ``conn`` is of the lookup's side."""
    rows, hashed = await conn.fetchrow(text.content_hash(lookup))
    return f"{rows}:{hashed}"


async def _ambiguous_later(job: Job, old: asyncpg.Connection, lookup: Lookup) -> list[Key]:
    """Keys that OLD's rows will make ambiguous, as far as OLD alone can tell and no unique key of NEW forbids it."""
    table = job.new.table(lookup.table)
    if table is None or any(
        set(key.columns) <= set(lookup.keys) and not key.nulls_not_distinct for key in table.keys
    ):
        return []
    found: list[Key] = []
    for plan in job.fillers(lookup.table):
        before = job.before(plan)
        keys = [key for name in lookup.keys if (key := computed_on_old(plan, name, before)) is not None]
        position = next((n for n, m in enumerate(plan.columns) if m.column == lookup.value), None)
        if (
            len(keys) == len(lookup.keys)
            and position is not None
            and computed_on_old(plan, lookup.value, before) is not None
        ):
            query = lookup_keys.ambiguous_to_be(plan, keys, compile_text(plan, position, before))
            found += [tuple(row) for row in await old.fetch(query)]
    return found


def _ambiguous(plan: TablePlan, lookup: Lookup, key: Key) -> Problem:
    wrong = AmbiguousLookup(plan.flow, lookup.table, lookup.keys, ", ".join(key), lookup.value)
    return wrong.problem()
