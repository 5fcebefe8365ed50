"""The locks that a live run takes, for a dry run to name: who reads or writes meanwhile has to know them.

Modes are those of PostgreSQL's documentation, "Explicit Locking" and the pages of the statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tranship.execution.switches.indexes import LooseIndex
from tranship.execution.switches.triggers_and_keys import DroppedKey, Switches
from tranship.model.names import Side, TableName
from tranship.model.plan import TablePlan
from tranship.model.verdict import LockAhead


def locks_ahead(
    plans: Sequence[TablePlan],
    read: Sequence[TableName],
    switched: Iterable[Switches],
    removed: Iterable[LooseIndex],
) -> tuple[LockAhead, ...]:
    """Returns the locks of a run on the tables of some flows.

    Args:
        plans: the flows whose rows are still to be copied.
        read: the tables of OLD that the snapshot locks. Not each flow has one: a query's output is no table.
        switched: what is off while each group of them is filled.
        removed: the indexes that are removed for the load.
    """
    if not plans:
        return ()
    return (
        LockAhead(Side.OLD, "ACCESS SHARE", _names(read), "until every row is read"),
        LockAhead(Side.NEW, "ROW EXCLUSIVE", _names(plan.new for plan in plans), "while rows arrive there"),
        *(lock for switches in switched for lock in _switching(switches)),
        *(lock for index in removed for lock in _removing(index)),
    )


def _switching(switches: Switches) -> Iterator[LockAhead]:
    for trigger in switches.disable:
        mode, why = "SHARE ROW EXCLUSIVE", f"for a moment before and after its rows: {trigger} is disabled"
        yield LockAhead(Side.NEW, mode, (str(trigger.relation),), why)
    dropped = () if switches.one_batch else switches.drop
    for key in (*dropped, *(one for one in switches.tolerated if isinstance(one, DroppedKey))):
        tables, name = _names((key.table, key.key.target)), key.key.name
        why = f"for a moment before its rows: foreign key {name} is dropped"
        yield LockAhead(Side.NEW, "ACCESS EXCLUSIVE", tables, why)
        why = f"after its rows, while foreign key {name} is made again and proven"
        yield LockAhead(Side.NEW, "SHARE ROW EXCLUSIVE", tables, why)


def _removing(index: LooseIndex) -> Iterator[LockAhead]:
    name, table = index.index.name, (str(index.table),)
    yield LockAhead(
        Side.NEW, "ACCESS EXCLUSIVE", table, f"for a moment before its rows: index {name} is removed"
    )
    yield LockAhead(Side.NEW, "SHARE", table, f"after its rows, while index {name} is built")


def _names(tables: Iterable[TableName]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, tables)))
