"""Which flows hold the parents of a row, and by which columns of OLD. Pure.

A parent is a row, not a value. Where OLD declares the foreign key, its own columns say who is whose parent,
whatever the columns become in NEW. Otherwise the values do. A value that a person mapped or looked up names
its parent by decision, and is left to NEW's foreign key; unless the parent's own key is mapped alike, which
only writes the same reference in other words.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import ForeignKey
from tranship.model.expression import (
    Coalesce,
    Constant,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Sql,
    Take,
)
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import Origin, TablePlan
from tranship.model.references import references
from tranship.planning.plan.computed_keys import computed_key
from tranship.planning.plan.led_keys import led_key
from tranship.planning.plan.looked_up_keys import looked_up_key
from tranship.planning.plan.wider_keys import leading_key, origin, origins_of, read_by


class ParentFlows(Struct, frozen=True):
    """Where the parents of one flow's rows are under a foreign key of NEW."""

    declared: ForeignKey | None
    """OLD's foreign key over the columns that fill NEW's, to the table whose rows are the parents."""
    flows: tuple[TablePlan, ...]
    """The flows of this run whose rows may be parents."""
    moved: tuple[TablePlan, ...]
    """Likewise the flows that earlier finished runs moved."""
    by_decision: bool
    """A person says which row of NEW is meant, so that NEW's foreign key alone decides."""
    filling: tuple[str, ...] = ()
    """The columns of OLD's key that fill NEW's, where it has further ones, so that rows which OLD's key tells
    apart may have one key in NEW; empty where it has none.
    """
    looked_up: bool = False
    """A lookup in OLD finds the parent's row, as OLD's key does."""
    undecided: ParentFlows | None = None
    """Where the decision is a value mapping: where the parents of the rows are about which it says nothing,
    since it gives them the key that their parents get.
    """

    @property
    def one_table(self) -> bool:
        """Whether all parents come from one table of OLD, so that two rows of one value are one parent."""
        return self.declared is not None or len({flow.old for flow in self.flows}) == 1

    @property
    def all_rows(self) -> Sequence[TablePlan]:
        """The flows whose rows may be parents, with all their rows."""
        return [parent.unrestricted for parent in (*self.flows, *self.moved)]


def parent_flows(job: Job, plan: TablePlan, key: ForeignKey) -> ParentFlows:
    """Returns the flows that hold the parents of a flow's rows under a foreign key of NEW."""
    flows = job.fillers(key.target)
    moved = tuple(before.plan for before in job.moved if before.flow.new == key.target)
    declared = _declared(job, plan, key, (*flows, *moved))
    own, own_moved = _of_table(declared, flows), _of_table(declared, moved)
    above = (*own, *own_moved)
    looked_up = declared is not None and declared == looked_up_key(key, plan, (declared,), above)
    if key.name in plan.adopting or (not looked_up and _names_parents(plan, key, declared, above)):
        mapped = key.name not in plan.adopting and bool(above) and _only_mapped(plan, key)
        by_old = ParentFlows(declared, own, own_moved, by_decision=False) if declared and mapped else None
        return ParentFlows(None, flows, moved, by_decision=True, undecided=by_old)
    filling = _filling(plan, key, declared)
    return ParentFlows(declared, own, own_moved, by_decision=False, filling=filling, looked_up=looked_up)


def _filling(plan: TablePlan, key: ForeignKey, declared: ForeignKey | None) -> tuple[str, ...]:
    filling = set(origins_of(plan, key).values())
    further = declared is not None and filling < set(declared.columns)
    return tuple(name for name in declared.columns if name in filling) if declared and further else ()


def _names_parents(
    plan: TablePlan, key: ForeignKey, declared: ForeignKey | None, parents: Sequence[TablePlan]
) -> bool:
    """Returns whether a decision about the key's columns says which row of NEW is meant."""
    if declared is not None and not parents:
        # That OLD's key leads to another table is a question, which such a decision answers.
        return any(m.origin is Origin.DECIDED for m in plan.columns if m.column in key.columns)
    return any(redirected(plan, key, parent) for parent in parents)


def _only_mapped(plan: TablePlan, key: ForeignKey) -> bool:
    """Returns whether no lookup says for every row which row of NEW is meant."""
    expressions = (m.expression for m in plan.columns if m.column in key.columns)
    return not any(isinstance(one, Lookup) for one in expressions)


def _of_table(declared: ForeignKey | None, flows: tuple[TablePlan, ...]) -> tuple[TablePlan, ...]:
    """Returns the flows that read the table to which OLD's key leads; all where OLD declares none."""
    return flows if declared is None else tuple(p for p in flows if declared.target in read_by(p))


def parents_absent(book: Book, plan: TablePlan, key: ForeignKey, parent: FlowId) -> AbstractSet[Locator]:
    """Returns the rows of a flow that are no parents of a flow's rows under a foreign key of NEW."""
    return book.absent(parent, key.target_columns, led=is_led(plan, key, parent))


def is_led(plan: TablePlan, key: ForeignKey, parent: FlowId) -> bool:
    """Returns whether children are led to the keys that NEW has for rows of a flow."""
    led = (m.expression for m in plan.columns if m.column in key.columns)
    return any(isinstance(one, Followed) and one.parent == parent for one in led)


def as_taken(plan: TablePlan, key: ForeignKey) -> TablePlan:
    """Returns the plan with the values of OLD in a key's columns, in place of those to which they are led."""
    columns = tuple(
        replace(m, expression=m.expression.of)
        if m.column in key.columns and isinstance(m.expression, Followed)
        else m
        for m in plan.columns
    )
    return replace(plan, columns=columns)


def redirected(plan: TablePlan, key: ForeignKey, parent: TablePlan) -> bool:
    """Returns whether a decision gives children another value than their parent's own key."""
    child = {m.column: m.expression for m in plan.columns}
    above = {m.column: m.expression for m in parent.columns}
    for name, target in zip(key.columns, key.target_columns, strict=True):
        match child.get(name), above.get(target):
            case MapValues() as mapped, MapValues() as own if (mapped.pairs, mapped.otherwise) == (
                own.pairs,
                own.otherwise,
            ):
                continue
            case MapValues() | Lookup(), _:
                return True
            case _:
                continue
    return False


def refers_in_old(job: Job, plan: TablePlan, key: ForeignKey) -> bool:
    """Returns whether values of OLD, and nobody's decision, say to which row a key of NEW refers."""
    table, filled = job.after(plan), {m.column: m.expression for m in plan.columns}
    taken = False
    for name in key.columns:
        column = table.column(name)
        match filled.get(name):
            case Take() | Coalesce() | Rekeyed() | Followed():
                taken = True
            case NewDefault():
                taken = taken or (column is not None and bool(column.generated))
            case Constant():
                continue
            case _:
                return False
    return taken


def computes(plan: TablePlan, key: ForeignKey) -> bool:
    """Returns whether an expression of a person says to which row a key of NEW refers."""
    return any(isinstance(m.expression, Sql) for m in plan.columns if m.column in key.columns)


def _declared(
    job: Job, plan: TablePlan, key: ForeignKey, parents: tuple[TablePlan, ...]
) -> ForeignKey | None:
    """Returns the foreign key of OLD over the columns that fill one of NEW, over these and further ones, or
    over those from which both ends are computed; of several, one that leads to a table whose rows fill NEW's
    parents. Where both ends are led alike, OLD's columns stand for the key that it does not declare.
    """
    taken = {origin(m.expression) for m in plan.columns if m.column in key.columns}
    width = len(key.columns)
    declared = references(job.before(plan))
    own = [k for k in declared if k.enforced and len(k.columns) == width and set(k.columns) == taken]
    led = leading_key(key, plan, declared, parents, taken) or next(iter(own), None)
    return (
        led
        or computed_key(key, plan, declared, parents)
        or looked_up_key(key, plan, declared, parents)
        or led_key(key, plan, parents)
    )
