"""Lookups: per batch the distinct old keys with what NEW's lookup table holds for them, so that a million
entries never become one literal.

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
from tranship.execution.probe.leads import LeadSource
from tranship.execution.probe.questions import Answer, NotAskable, put, re_encodes
from tranship.execution.probe.ranks import Ranks
from tranship.execution.probe.whole_tables import Entries, WholeTables, table_of
from tranship.model.expression import Followed, Lookup, NewDefault, Rekeyed
from tranship.model.locator import Locator
from tranship.model.names import Side, TableName
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.resolution import Problem
from tranship.sql import lookup as text
from tranship.sql.casts import CARRIED
from tranship.sql.joins import Bindings, LookupContent
from tranship.sql.new.probe import guarded
from tranship.sql.old import lookup_keys

_REMEMBERED = 100_000

Key = tuple[str, ...]


class Found(Struct, frozen=True):
    """A key's entry: its value as text, None for NULL."""

    value: str | None
    key: str = ""
    """The key's canonical text; empty: it has none."""


class Holders(Protocol):
    """Which rows of OLD will become a row of NEW with one of some canonical keys
    (``execution/probe/derived.py``).
    """

    async def values(
        self, lookup: Lookup, keys: Sequence[str], *, added: bool = False
    ) -> Mapping[str, str | None] | None:
        """Value per key among rows that are not rejected; None: cannot be told by asking.

        ``added``: only among those that NEW does not hold already.
        """

    def leads(self, followed: Followed) -> Mapping[str, Mapping[str, str | None]]:
        """Returns by OLD's key where children of the parents' rows are led."""


class Within(Protocol):
    """What lookups find in tables that are filled together with the rows that look up
    (``execution/probe/within.py``).
    """

    async def within(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        lookup: Lookup,
        keys: Sequence[str],
    ) -> Mapping[str, Sequence[str | None]]:
        """Values per canonical key that OLD's rows bring, whatever becomes of these rows.

        Raises:
            NotAskable: they cannot be computed.
        """


def settled(_: TableName) -> bool:
    """Returns that a table of NEW waits for no rows of the run."""
    return False


class Lookups:
    """The lookups of a run.

    Args:
        holders: who computes what this run has yet to put into NEW; without it NEW is taken to hold
            everything.
        pending: tables of NEW whose rows of this run are not there yet (all that are filled, in a dry run).
        within: who computes what tables will hold that are filled together with what looks up in them.
    """

    def __init__(
        self,
        job: Job,
        within: Within,
        holders: Holders | None = None,
        pending: Callable[[TableName], bool] = settled,
    ) -> None:
        self._job = job
        self._within = within
        self._holders = holders
        self._pending = pending
        self._known: dict[Lookup, dict[Key, Found | None]] = {}
        self._leads = LeadSource(job, holders)
        self._ranks = Ranks()
        self._whole = WholeTables(job, pending)

    async def bind(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        batch: Batch,
        excluded: Sequence[Locator] = (),
    ) -> Bindings:
        """What the plan's NEW-side lookups say for the rows of a batch without the excluded ones, whose keys
        are not computed.

        Raises:
            Refused: a key stands for two values, or the lookup table cannot be read.
        """
        return await self._bind(
            old, new, plan, lambda lookup: lookup_keys.batch_keys(plan, batch, lookup, excluded), batch.rows
        )

    async def bind_rows(
        self, old: asyncpg.Connection, new: asyncpg.Connection, plan: TablePlan, rows: Sequence[Locator]
    ) -> Bindings:
        """The same for chosen rows of one source."""
        return await self._bind(
            old, new, plan, lambda lookup: lookup_keys.keys_of(plan, rows, lookup), len(rows)
        )

    async def _bind(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        keys_query: Callable[[Lookup | Followed | Rekeyed], str],
        rows: int,
    ) -> Bindings:
        bound = await self._ranks.bind(old, plan, keys_query)
        for position, mapping in enumerate(plan.columns):
            lookup = mapping.expression
            if isinstance(lookup, Followed):
                bound.append(await self._led(old, new, (plan, position), lookup, keys_query))
            elif isinstance(lookup, Lookup) and lookup.side is Side.NEW:
                there = await self._whole.entries(new, plan, lookup, rows)
                if there is None:
                    keys = [tuple(row) for row in await old.fetch(keys_query(lookup))]
                    there = _hits(keys, await self.entries(old, new, plan, lookup, keys))
                    values = [value for value in there.values if value is not None]
                    await self._carry(old, plan, (lookup.table, lookup.value), values)
                bound.append(LookupContent(position, there.keys, there.values, there.searched))
        return tuple(bound)

    async def same_for_all(self, new: asyncpg.Connection, plan: TablePlan) -> bool:
        """Returns whether what is bound to a plan may be bound to any number of its rows."""
        return await self._whole.serve(new, plan)

    async def _led(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        of: tuple[TablePlan, int],
        followed: Followed,
        keys_query: Callable[[Lookup | Followed | Rekeyed], str],
    ) -> LookupContent:
        """Returns what leads a column of the rows; ``of`` is the plan and the column's position."""
        leads = await self._leads.some(new, followed)
        if leads is None:
            keys = [row[0] for row in await old.fetch(keys_query(followed))]
            leads = await self._leads.of_keys(new, followed, keys)
        values = {key: led for key, entry in leads.items() if (led := entry.get(followed.value)) is not None}
        plan, position = of
        await self._carry(old, plan, (followed.parent.new, followed.value), list(values.values()))
        return LookupContent(position, tuple((key,) for key in values), tuple(values.values()))

    async def _carry(
        self, old: asyncpg.Connection, plan: TablePlan, of: tuple[TableName, str], values: Sequence[str]
    ) -> None:
        """Checks that OLD's encoding has the values, which are sent through its SELECT. ``of``: the table
        and the column of NEW that they stand in.

        Raises:
            Refused: it lacks one, which must not be taken for a missing entry.
        """
        if all(value.isascii() for value in values):
            return
        try:
            await old.fetchval(CARRIED, "".join(values))
        except asyncpg.UntranslatableCharacterError as error:
            lacking = LookupNotInEncoding(
                plan.flow, of[0], str(error), value=of[1], encoding=self._job.old.encoding
            )
            raise Refused(lacking) from error

    async def entries(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        lookup: Lookup,
        keys: Sequence[Key],
    ) -> Mapping[Key, Found | None]:
        """Returns what a lookup finds for keys of a plan's rows; None for a key without an entry.

        Raises:
            Refused: a key stands for two values, or the lookup table cannot be read.
        """
        known = self._known.setdefault(lookup, {})
        unknown = [key for key in keys if key not in known]
        if len(known) + len(unknown) > _REMEMBERED:
            kept = {key: known[key] for key in keys if key in known}
            known.clear()
            known.update(kept)
        known.update(await self._query_new(old, new, plan, lookup, unknown))
        return known

    async def _query_new(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        lookup: Lookup,
        keys: Sequence[Key],
    ) -> dict[Key, Found | None]:
        """Returns NEW's entries, completed by those that this run will add."""
        answers = await self.answers(new, plan, lookup, keys)
        found, absent = _entries_in(plan, lookup, keys, answers)
        derived = await self._added(old, new, (plan, lookup), found, absent)
        added = {key: Found(value, text) for text, value in derived.items() for key in absent[text]}
        return {**dict.fromkeys(keys), **found, **added}

    async def answers(
        self, new: asyncpg.Connection, plan: TablePlan, lookup: Lookup, keys: Sequence[Key]
    ) -> list[Answer]:
        """Returns what NEW says of keys by their numbers, as `sql.lookup.found_query` describes it.

        Raises:
            Refused: the lookup table cannot be read.
        """
        statement = guarded(
            text.found_query(lookup, self.compared(plan, lookup), table_of(self._job, lookup))
        )
        rows: list[dict[str, int | str | None]] = [
            {"i": n, **{f"c{k}": part for k, part in enumerate(key)}} for n, key in enumerate(keys)
        ]
        in_ascii = re_encodes(self._job.new)
        try:
            return await put(new, statement, rows, ascii_only=in_ascii, zone=plan.input_zone)
        except NotAskable as why:
            raise Refused(LookupUnreadable(plan.flow, lookup.table, str(why))) from why

    async def _added(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        of: tuple[TablePlan, Lookup],
        found: Mapping[Key, Found],
        absent: Mapping[str, Sequence[Key]],
    ) -> Mapping[str, str | None]:
        """Returns by canonical text what this run will add for keys that NEW lacks."""
        plan, lookup = of
        holders = self._holders if self._pending(lookup.table) else None
        if holders is not None:
            await self._refuse_second_entries(plan, lookup, found, holders)
        if not absent:
            return {}
        if lookup.within:
            return await self._filled_together(old, new, plan, lookup, absent)
        values = await holders.values(lookup, tuple(absent)) if holders is not None else None
        return values or {}

    async def _filled_together(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        lookup: Lookup,
        absent: Mapping[str, Sequence[Key]],
    ) -> dict[str, str | None]:
        """Returns what OLD's rows will be in a table that is filled together with the plan's rows.

        Raises:
            Refused: it cannot be told, or a key stands for two values.
        """
        try:
            if any(key.canonical is None for key in self.compared(plan, lookup)):
                raise NotAskable("its keys are compared by a type or collation of their own")
            values = await self._within.within(old, new, lookup, tuple(absent))
        except NotAskable as why:
            raise Refused(LookupUnreadable(plan.flow, lookup.table, str(why))) from why
        twice = [absent[text][0] for text, found in sorted(values.items()) if len(set(found)) > 1]
        if twice:
            raise Refused([ambiguous_key(plan, lookup, key) for key in twice[:3]])
        return {text: found[0] for text, found in values.items() if found}

    async def _refuse_second_entries(
        self, plan: TablePlan, lookup: Lookup, found: Mapping[Key, Found], holders: Holders
    ) -> None:
        """Refuses a key for which NEW holds an entry and this run will add one with another value.

        Raises:
            Refused: there is such a key.
        """
        by_text = {entry.key: (key, entry.value) for key, entry in found.items() if entry.key}
        # Where only NEW's server makes the value, a second entry shows when the rows are there.
        if not by_text or self._made_by_new(lookup):
            return
        added = await holders.values(lookup, tuple(by_text), added=True) or {}
        twice = [by_text[text][0] for text, value in added.items() if value != by_text[text][1]]
        if twice:
            raise Refused([ambiguous_key(plan, lookup, key) for key in twice[:3]])

    def compared(self, plan: TablePlan, lookup: Lookup) -> list[text.LookupKey]:
        """Returns how each key column is compared with its old column."""
        table, before = self._job.new.table(lookup.table), self._job.before(plan)
        fed = [before.column(name) for name in lookup.columns] or [None] * len(lookup.keys)
        compared = []
        for n, (name, given) in enumerate(zip(lookup.keys, fed, strict=True)):
            declared = table.column(name) if table is not None else None
            fractions = given.type.leaf.family in text.FRACTIONS if given else bool(lookup.key_sql)
            compared.append(text.compared(n, name, declared.type if declared else None, fractions=fractions))
        return compared

    def unknowable(self, plan: TablePlan, position: int) -> bool:
        """Returns whether nothing about a lookup can be asked before NEW holds the rows of this run: its
        server makes the value, or alone can tell which row is meant.
        """
        lookup = self._looked_up_later(plan, position)
        return lookup is not None and (self._made_by_new(lookup) or self.compared_by_new(plan, position))

    def compared_by_new(self, plan: TablePlan, position: int) -> bool:
        """Returns whether rows of this run are found by an equality that no text stands for: citext's."""
        lookup = self._looked_up_later(plan, position)
        if lookup is None or lookup.within or not self._job.fillers(lookup.table):
            return False
        return any(key.canonical is None for key in self.compared(plan, lookup))

    def _looked_up_later(self, plan: TablePlan, position: int) -> Lookup | None:
        """Returns a column's lookup in a table of NEW to which this run has yet to add rows."""
        lookup = plan.columns[position].expression
        if not isinstance(lookup, Lookup) or lookup.side is not Side.NEW or not self._pending(lookup.table):
            return None
        return lookup

    def _made_by_new(self, lookup: Lookup) -> bool:
        needed = {*lookup.keys, lookup.value}
        return any(
            isinstance(m.expression, NewDefault)
            for p in self._job.fillers(lookup.table)
            for m in p.columns
            if m.column in needed
        )


def _hits(keys: Sequence[Key], entries: Mapping[Key, Found | None]) -> Entries:
    """Returns the entries that some keys find."""
    hits = [(key, entry.value) for key in keys if (entry := entries[key]) is not None]
    return Entries(len(hits), tuple(key for key, _ in hits), tuple(value for _, value in hits))


def _entries_in(
    plan: TablePlan, lookup: Lookup, keys: Sequence[Key], answers: Sequence[Answer]
) -> tuple[dict[Key, Found], dict[str, list[Key]]]:
    """Returns the entries that NEW has, and the keys that it lacks by their canonical text.

    Raises:
        Refused: a key has two entries with different values.
    """
    found: dict[Key, Found] = {}
    absent: dict[str, list[Key]] = {}
    for answer in answers:
        key, canonical = keys[answer.row], str(answer.which)
        value = answer.detail if isinstance(answer.detail, str) else None
        if answer.kind == "found":
            if key in found and found[key].value != value:
                raise Refused([ambiguous_key(plan, lookup, key)])
            found[key] = Found(value, canonical)
        elif answer.kind == "absent" and (canonical or lookup.within):
            absent.setdefault(canonical, []).append(key)
    return found, absent


def ambiguous_key(plan: TablePlan, lookup: Lookup, key: Key) -> Problem:
    """Returns the refusal of a key that stands for two values."""
    wrong = AmbiguousLookup(plan.flow, lookup.table, lookup.keys, ", ".join(key), lookup.value)
    return wrong.problem()
