"""What the data checks of one group of tables are given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.arrived import Arrived
from tranship.execution.probe.existing import EmptyTables
from tranship.execution.probe.questions import Failure
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.unique_indexes import Indexes
from tranship.model.flow import FlowId
from tranship.model.progress import Batch


class ProbeContext(Struct, frozen=True):
    """Values that the data checks of one group share."""

    job: Job
    old: asyncpg.Connection
    """A READ ONLY transaction on the run's snapshot."""
    new: asyncpg.Connection
    """A READ ONLY transaction with NEW's configured ``search_path``."""
    book: Book
    """Holds the predicted and runtime rejects of all groups before this one."""
    arrived: Arrived
    copied_next: bool = False
    """A live run follows, in which COPY, or the proof of the keys after it, meets every row again."""
    indexes: Indexes | None = None
    """Those of several groups, read together. None: each group reads its own."""
    empty: EmptyTables | None = None
    """Likewise tables without a row."""
    raising: Mapping[FlowId, Failure] = MappingProxyType({})
    """What a default of a flow raises for each row that is added to NEW."""
    beside: Mapping[FlowId, tuple[Batch, ...]] = MappingProxyType({})
    """Batches whose rows can be asked for faults of their own later."""
