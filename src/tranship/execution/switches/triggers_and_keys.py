"""Which triggers and foreign keys of NEW have to be off while a group of tables is filled.

If the role may set ``session_replication_role``, nothing is dropped: triggers and foreign keys are disabled
in tranship's own sessions only, and foreign keys are verified with a query at the end. Otherwise triggers
are disabled in the catalog, and the foreign keys of a cycle are dropped and made again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import asyncpg
from msgspec import Struct

from tranship.errors import Stopped
from tranship.errors.codes.privileges import (
    KeyNotDropped,
    KeyOfAnotherOwner,
    RuleNotDisabled,
    TriggerNotDisabled,
    TriggerOfAnotherOwner,
)
from tranship.errors.codes.stops import TriggerFired
from tranship.execution.context import Job
from tranship.model.catalog import Check, ForeignKey, Table
from tranship.model.catalog_codes import FIRES_AS_ORIGIN, FIRES_AS_REPLICA, TriggerState
from tranship.model.names import TableName
from tranship.model.plan import Group, TablePlan
from tranship.model.resolution import Problem
from tranship.model.undo import Relation, RuleDisabled, TriggerDisabled
from tranship.model.visible import pasteable
from tranship.planning.plan.found import updates
from tranship.sql.new import switches as sql_switches
from tranship.sql.queries import query
from tranship.sql.quote import ident

INSERT, DELETE, UPDATE = 4, 8, 16
"""Bits of ``pg_trigger.tgtype`` (PostgreSQL sources, ``catalog/pg_trigger.h``)."""
_RULE_EVENTS = {UPDATE: "2", DELETE: "4"}
"""``pg_rewrite.ev_type`` of each event."""


class Firing(Struct, frozen=True):
    """A user trigger or a rule of a table, or of one of its partitions, that would act on rows."""

    relation: TableName
    name: str
    state: TriggerState
    owned: bool
    """This role may disable it."""
    rule: bool = False
    home: Relation | None = None
    oid: int = 0

    @property
    def off(self) -> TriggerDisabled | RuleDisabled:
        """What is on record once it is disabled."""
        disabled = RuleDisabled if self.rule else TriggerDisabled
        return disabled(self.relation, self.name, self.state, self.home, self.oid)

    def __str__(self) -> str:
        return str(self.off)


class DroppedKey(Struct, frozen=True):
    """A foreign key that has to be away while a cycle is filled."""

    table: TableName
    key: ForeignKey


class DroppedCheck(Struct, frozen=True):
    """A CHECK that has to be away while rows are loaded that it tolerates."""

    table: TableName
    check: Check


class Switches(Struct, frozen=True):
    """What has to be off while one group is filled."""

    replica: bool = False
    """Batches run under ``session_replication_role = replica``: no origin trigger fires, and no foreign key
    and no DEFERRABLE key is checked."""
    disable: tuple[Firing, ...] = ()
    drop: tuple[DroppedKey, ...] = ()
    one_batch: bool = False
    """The keys of ``drop`` may stay as long as all rows arrive in one statement, at whose end they are
    checked.
    """
    tolerated: tuple[DroppedKey | DroppedCheck, ...] = ()
    """Constraints whose offenders a person keeps."""

    @property
    def keys_tolerated(self) -> bool:
        """Whether a foreign key is among the constraints whose offenders a person keeps."""
        return any(isinstance(one, DroppedKey) for one in self.tolerated)

    @property
    def none(self) -> bool:
        """Whether nothing has to be off."""
        return not (self.replica or self.alters)

    @property
    def alters(self) -> bool:
        """Whether definitions of NEW change for a while, which its other users would notice."""
        return bool(self.disable or self.drop or self.tolerated)


async def may_be_replica(new: asyncpg.Connection) -> bool:
    """Returns whether this role may set ``session_replication_role``.

    It is tried in a transaction that is rolled back, because managed servers allow it by rules of their own.
    """
    transaction = new.transaction()
    await transaction.start()
    try:
        await new.execute(sql_switches.REPLICA)
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await transaction.rollback()
    return True


async def needed(
    new: asyncpg.Connection, job: Job, group: Group, *, replica: bool, rows: int | None, batch_rows: int
) -> Switches:
    """Returns what has to be off while a group is filled.

    ``replica``: whether the role may set ``session_replication_role``. ``rows``: rows of the group in the
    snapshot, None before they are counted.
    """
    tables = {plan.new: job.after(plan) for plan in group.tables}
    triggers = [one for table in tables.values() for one in await _noticing(new, job, table)]
    cyclic = _cyclic_keys(group, tables)
    silences = replica and (cyclic or _only_origin_triggers(triggers))
    if silences and await provable(new, tables.values()):
        # ENABLE REPLICA and ENABLE ALWAYS triggers fire under this setting, too.
        disable = _in_state(triggers, FIRES_AS_REPLICA)
        return Switches(replica=True, disable=disable, tolerated=_tolerated(group, tables))
    fits_one_batch = rows is not None and rows <= batch_rows
    return Switches(
        disable=_in_state(triggers, FIRES_AS_ORIGIN),
        drop=tuple(cyclic),
        one_batch=fits_one_batch and _refers_to_itself_only(group, cyclic),
        tolerated=_tolerated(group, tables),
    )


async def acting_tables(new: asyncpg.Connection, tables: Iterable[Table]) -> frozenset[int]:
    """Returns the OIDs of the tables on whose rows a trigger or a rule may act, whatever its event and state:
    one question about thousands of tables, of which most have none.
    """
    rows = await new.fetch(query("relations_acting"), [table.oid for table in tables])
    return frozenset(row["oid"] for row in rows)


def stays_on(job: Job, group: Group, acting: Collection[int]) -> bool:
    """Returns whether `needed` finds nothing for a group; ``acting`` are the tables of `acting_tables`."""
    tables = {plan.new: job.after(plan) for plan in group.tables}
    if any(table.oid in acting for table in tables.values()):
        return False
    return not _cyclic_keys(group, tables) and not _tolerated(group, tables)


def _tolerated(group: Group, tables: Mapping[TableName, Table]) -> tuple[DroppedKey | DroppedCheck, ...]:
    """Returns the constraints of a group whose offenders a person keeps."""
    found: list[DroppedKey | DroppedCheck] = []
    for plan in group.tables:
        table = tables[plan.new]
        found += [DroppedKey(plan.new, key) for key in table.foreign_keys if key.name in plan.tolerating]
        found += [DroppedCheck(plan.new, check) for check in table.checks if check.name in plan.tolerating]
    return tuple(found)


def _refers_to_itself_only(group: Group, cyclic: Sequence[DroppedKey]) -> bool:
    """Returns whether the cycle is one table, whose rows NEW can take in one statement."""
    own = all(dropped.key.target == dropped.table for dropped in cyclic)
    return bool(cyclic) and own and len(group.tables) == 1 and not group.tables[0].serial


def _cyclic_keys(group: Group, tables: Mapping[TableName, Table]) -> list[DroppedKey]:
    """Returns the foreign keys that no order of the rows satisfies, because their tables form a cycle."""
    return [
        DroppedKey(name, key)
        for name, table in tables.items()
        for key in table.foreign_keys
        if key.enforced and (name, key.name) in group.cyclic_keys
    ]


async def provable(new: asyncpg.Connection, tables: Collection[Table]) -> bool:
    """Returns whether a query can verify afterwards what nobody checks meanwhile.

    Foreign keys with PERIOD compare ranges. Of two rows under one DEFERRABLE key one would have to leave
    NEW again, and nothing would say which.
    """
    if any(key.period for table in tables for key in table.every_foreign_key):
        return False
    return not await new.fetchval(query("deferrable_keys"), [table.oid for table in tables])


def _only_origin_triggers(triggers: Sequence[Firing]) -> bool:
    """Returns whether there are triggers and ``session_replication_role`` silences all of them."""
    states = {trigger.state for trigger in triggers}
    return TriggerState.ORIGIN in states and states <= {TriggerState.ORIGIN, TriggerState.DISABLED}


def _in_state(found: Iterable[Firing], states: Collection[TriggerState]) -> tuple[Firing, ...]:
    return tuple(one for one in found if one.state in states)


async def firing(new: asyncpg.Connection, table: Table, events: int) -> list[Firing]:
    """Returns the user triggers of a table and its partitions for one of some events (bits)."""
    return [_firing(row) for row in await new.fetch(query("triggers_firing"), table.oid, events)]


async def acting(new: asyncpg.Connection, table: Table, events: int, *, replica: bool) -> tuple[Firing, ...]:
    """Returns the triggers and rules of a table and its partitions that would act on rows which this role
    deletes or updates (bits).

    ``replica``: it does so under ``session_replication_role = replica``.
    """
    found = [*await firing(new, table, events), *await _rules(new, table, events)]
    return _in_state(found, FIRES_AS_REPLICA if replica else FIRES_AS_ORIGIN)


async def _rules(new: asyncpg.Connection, table: Table, events: int) -> list[Firing]:
    """Returns the rules that rewrite a DELETE or an UPDATE. COPY passes by those on INSERT."""
    kinds = [kind for event, kind in _RULE_EVENTS.items() if events & event]
    return [_firing(row, rule=True) for row in await new.fetch(query("rules_acting"), table.oid, kinds)]


def _firing(row: asyncpg.Record, *, rule: bool = False) -> Firing:
    relation = TableName(row["schema"], row["relation"])
    home = Relation(row["home"])
    return Firing(relation, row["name"], TriggerState(row["state"]), row["owned"], rule, home, row["oid"])


async def _noticing(new: asyncpg.Connection, job: Job, table: Table) -> list[Firing]:
    """Returns the triggers and rules that what a run does with rows of a table would set off."""
    if not any(map(updates, job.fillers(table.name))):
        return await firing(new, table, INSERT)
    return [*await firing(new, table, INSERT | UPDATE), *await _rules(new, table, UPDATE)]


async def refuse_late_triggers(new: asyncpg.Connection, job: Job, plan: TablePlan, *, replica: bool) -> None:
    """Looks, after the rows of a batch, for triggers that were made or enabled since the group began.

    Such a trigger may have changed or swallowed rows. CREATE TRIGGER waits for the lock that COPY holds
    until the end of the transaction, so none can follow after this look.

    Raises:
        Stopped: there is one; the batch is not committed.
    """
    table, states = job.after(plan), FIRES_AS_REPLICA if replica else FIRES_AS_ORIGIN
    late = _in_state(await _noticing(new, job, table), states)
    if late:
        raise Stopped(TriggerFired(table.name, late[0].name, late[0].relation))


def missing_rights(switches: Switches, job: Job, *, replica: bool) -> list[Problem]:
    """Returns what this role may not switch off, with the remedy.

    ``replica``: the role may set ``session_replication_role`` already.
    """
    trigger_held = TriggerOfAnotherOwner if replica else TriggerNotDisabled
    key_held = KeyOfAnotherOwner if replica else KeyNotDropped
    grant = pasteable(f"GRANT SET ON PARAMETER session_replication_role TO {ident(job.new.user)};")
    problems = [
        (RuleNotDisabled if t.rule else trigger_held)(t.name, t.relation, job.new.user, grant).problem()
        for t in switches.disable
        if not t.owned
    ]
    tables = {d.table: job.new.table(d.table) for d in switches.drop}
    for dropped in switches.drop:
        table = tables[dropped.table]
        if table is not None and not table.owned:
            refused = key_held(dropped.key.name, dropped.table, job.new.user, grant)
            problems.append(refused.problem())
    return problems
