"""The job of a run (the plan with its two catalogs), and the values that every step of a command needs."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from tranship.config import Config
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Lookup
from tranship.model.flow import FlowId
from tranship.model.names import Side, TableName
from tranship.model.notes import MomentOfRun, Note
from tranship.model.options import MigrateOptions
from tranship.model.plan import Plan, TablePlan
from tranship.model.progress import Event, Noted, PlannedTable, RunStarted
from tranship.model.types import PgType, TypeKind
from tranship.planning.plan.numbers import KeyOf
from tranship.server.journal import Chain, Journal

OnEvent = Callable[[Event], None]


class MovedBefore(Struct, frozen=True):
    """A flow that an earlier finished run moved."""

    plan: TablePlan
    rejected_keys: tuple[bytes, ...] = ()
    """OLD's keys of the rows that it rejected, JSON objects: whoever refers to them has no parent in NEW."""
    chain: Chain = ()
    """The runs that moved it, known in a rejects-only run."""

    @property
    def flow(self) -> FlowId:
        """The flow that was moved."""
        return self.plan.flow


class TakenUp(Struct, frozen=True):
    """A flow of which a rejects-only run moves the rows that earlier runs rejected."""

    flow: FlowId
    chain: Chain
    """The runs that moved the flow; the last of them rejected the rows."""
    gone: int = 0
    """Rejected rows that are no longer in OLD."""


class Journalled(Struct, frozen=True):
    """Where the journal of NEW says what was found out about the rows of a flow."""

    flow: FlowId
    schema: str
    run: str
    position: int


class Job(Struct, frozen=True, dict=True):
    """The plan with both catalogs: all that a run needs besides its connections."""

    plan: Plan
    old: Catalog
    new: Catalog
    moved: tuple[MovedBefore, ...] = ()
    """What earlier finished runs moved of the same decisions; it is no part of the plan any more."""
    taken_up: tuple[TakenUp, ...] = ()
    """The flows of a rejects-only run; empty: the run moves all rows."""
    written_before: Mapping[TableName, tuple[int, ...]] = {}
    """The transactions in which the runs that a rejects-only run completes wrote into tables of NEW."""
    updated_before: Mapping[TableName, tuple[int, ...]] = {}
    """Likewise those in which they changed rows of NEW's own."""
    numbered_before: Mapping[KeyOf, int] = {}
    """From which number on the runs that a rejects-only run completes gave numbers, by the old key."""
    journalled: tuple[Journalled, ...] = ()
    """The flows of this run once it is on record, and those that earlier runs moved."""

    @cached_property
    def unrestricted(self) -> Job:
        """The same job over all rows of OLD's tables; this one unless it is that of a rejects-only run."""
        if not self.taken_up:
            return self
        groups = (
            replace(group, tables=tuple(plan.unrestricted for plan in group.tables))
            for group in self.plan.groups
        )
        return replace(self, plan=replace(self.plan, groups=tuple(groups)), taken_up=())

    @cached_property
    def filled(self) -> frozenset[TableName]:
        """The tables of NEW that the run fills."""
        return frozenset(plan.new for plan in self.plan.tables)

    @cached_property
    def lookup_tables(self) -> frozenset[TableName]:
        """The tables of NEW in which the run looks values up."""
        expressions = (mapping.expression for plan in self.plan.tables for mapping in plan.columns)
        return frozenset(e.table for e in expressions if isinstance(e, Lookup) and e.side is Side.NEW)

    def taken(self, flow: FlowId) -> TakenUp | None:
        """Returns what a rejects-only run takes up of a flow; None: the run moves all rows."""
        return next((one for one in self.taken_up if one.flow == flow), None)

    def place(self, flow: FlowId) -> Journalled | None:
        """Returns where the journal speaks of a flow; None: the run is not on record yet."""
        return self._places.get(flow)

    @cached_property
    def _places(self) -> dict[FlowId, Journalled]:
        # The first one counts: a run stands before those that moved the flow earlier.
        return {place.flow: place for place in reversed(self.journalled)}

    def before(self, plan: TablePlan) -> Table:
        """Returns OLD's table of a plan."""
        return _known(self.old, plan.old)

    @property
    def known(self) -> tuple[TablePlan, ...]:
        """The plans of all flows, those that earlier runs moved among them."""
        return (*self.plan.tables, *(before.plan for before in self.moved))

    def after(self, plan: TablePlan) -> Table:
        """Returns NEW's table of a plan."""
        return _known(self.new, plan.new)

    def fillers(self, table: TableName) -> tuple[TablePlan, ...]:
        """Returns the plans that fill a table of NEW, in plan order; none when the run leaves it as it is."""
        return self._fillers.get(table, ())

    @cached_property
    def _fillers(self) -> dict[TableName, tuple[TablePlan, ...]]:
        found: dict[TableName, list[TablePlan]] = {}
        for plan in self.plan.tables:
            found.setdefault(plan.new, []).append(plan)
        return {table: tuple(plans) for table, plans in found.items()}

    def reader_of_filled(self, expression: str) -> str | None:
        """Returns a function in an expression of NEW that may read a table which this run fills, or None.

        What such an expression gives is known only when the row is written.
        """
        for function in self.new.reading_functions:
            if _calls(expression, function.name) and (
                function.anything or not self._filled.isdisjoint(function.tables)
            ):
                return function.name
        return None

    @cached_property
    def _filled(self) -> frozenset[str]:
        """The names of the tables and partitions of NEW that the run fills."""
        tables = [self.after(plan) for plan in self.plan.tables]
        leaves = (leaf.name.name for table in tables for leaf in table.partitions)
        return frozenset((*(table.name.name for table in tables), *leaves))

    def without_readers(self, pg_type: PgType) -> PgType | None:
        """Returns a type of NEW without the domains whose checks may read tables that this run fills.

        None: such a domain is the type of a part of it.
        """
        inner: PgType | None = pg_type
        while inner is not None and self.reader_of_filled("\n".join(inner.every_check)) is not None:
            inner = inner.element if inner.kind is TypeKind.DOMAIN else None
        return inner


def started(job: Job) -> RunStarted:
    """Returns the first event of a run: the tables in plan order."""
    tables = (
        PlannedTable(p.flow, len(job.before(p).columns), len(job.after(p).columns)) for p in job.plan.tables
    )
    return RunStarted(tuple(tables))


@dataclass(frozen=True)
class RunContext:
    """Values that every step of a dry run, a rehearsal or a live run needs. None changes while the run
    lasts.
    """

    job: Job
    config: Config
    options: MigrateOptions
    journal: Journal
    on_event: OnEvent
    """Called with every event as it happens."""
    stop: asyncio.Event
    """Once set, the run ends after the batches in flight."""

    def of(self, job: Job) -> RunContext:
        """Returns the same context for another job, such as the part of this one that is left."""
        return dataclasses.replace(self, job=job)

    def over(self, journal: Journal) -> RunContext:
        """Returns the same context for the journal that NEW has, whose format may be an earlier one."""
        return dataclasses.replace(self, journal=journal)

    def tell_moment(self, *, fixed: bool) -> None:
        """Says what ``run.started`` is, if anything reads it. ``fixed``: the journal keeps it."""
        if self.job.plan.moment:
            self.note(MomentOfRun(self.job.plan.moment, fixed))

    def note(self, what: Note) -> None:
        """Sends a message to the person who watches."""
        self.on_event(Noted(what))


def _calls(expression: str, function: str) -> bool:
    """Returns whether an expression calls a function: NEW prints its schema only where the search_path of the
    session lacks it.
    """
    bare = re.escape(function.rpartition(".")[2])
    return f"{function}(" in expression or re.search(rf"(?<![\w.\"]){bare}\(", expression) is not None


def _known(catalog: Catalog, name: TableName) -> Table:
    table = catalog.table(name)
    if table is None:
        raise ValueError(f"{name} is not in the catalog the plan was built from")
    return table
