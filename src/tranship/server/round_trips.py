"""A connection that needs few round trips: on a network each costs more than the server's work for it.

The driver asks twice for each query, once for the types of its values and once for its rows. A query that it
has prepared under a name needs one question only, and the types of arrays need not be looked up at all.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from tranship.server.deadline import Announcing, WatchedConnection


class Statement(Protocol):
    """A statement as the driver keeps it."""

    name: str

    def mark_unprepared(self) -> None:
        """Has it sent once more with its values."""
        ...


class _ArrayType(NamedTuple):
    """An array type as the driver's own query on ``pg_type`` would describe it."""

    oid: int
    name: str
    element: int
    element_name: str

    def described(self) -> dict[str, object]:
        """Returns the row of the driver's query."""
        return {
            "oid": self.oid,
            "ns": "pg_catalog",
            "name": self.name,
            "kind": b"b",
            "basetype": None,
            "basetype_name": None,
            "elemtype": self.element,
            "elemtype_name": self.element_name,
            "elemdelim": ",",
            "range_subtype": None,
            "range_subtype_name": None,
            "attrtypoids": None,
            "attrnames": None,
            "depth": 0,
        }


class PinnedSetting(NamedTuple):
    """One setting of a session as it stands (``session_pin.sql``)."""

    name: str
    now: str
    backend: int
    """The process id of the backend that answered."""
    version: int
    """Its ``server_version_num``."""
    durability: str
    """``synchronous_commit`` before the session's own settings."""
    replication_role: str
    """``session_replication_role``, likewise."""


_ARRAYS = (
    _ArrayType(1003, "_name", 19, "name"),
    _ArrayType(1007, "_int4", 23, "int4"),
    _ArrayType(1016, "_int8", 20, "int8"),
    _ArrayType(1022, "_float8", 701, "float8"),
)
"""Arrays in our statements that the driver does not know by itself; it would ask six times on each
connection. OIDs of built-in types are the same on every server (``pg_type.dat``)."""
_REMEMBERED = 1000
"""Statements that are prepared under a name; about as many different ones as a run repeats."""


class BriefConnection(WatchedConnection):
    """A watched connection that prepares a statement under a name when it is asked again.

    A statement that is asked once leaves nothing on the server: a run over thousands of tables asks each a
    few questions of its own.
    """

    pinned: tuple[PinnedSetting, ...] = ()
    """The settings that were made when the connection began."""

    def __init__(
        self, protocol: Announcing, transport: asyncio.Transport, *more: object, **named: object
    ) -> None:
        """Makes the driver's connection. Raises as :class:`WatchedConnection` does."""
        super().__init__(protocol, transport, *more, **named)
        protocol.get_settings().register_data_types([array.described() for array in _ARRAYS])
        self._asked: set[int] | None = None

    @property
    def direct(self) -> bool:
        """Whether no pooler stands in between that gives each transaction to another backend: one invents the
        process id that it announces.
        """
        return self.backend_pid is not None and self.backend_pid == self.announced_pid

    def remember_statements(self) -> None:
        """Lets a name stand for a statement from its second use on. Another backend would not know it, so
        the connection must be `direct`.
        """
        self._asked = set()
        self._stmt_cache.set_max_size(_REMEMBERED)
        self._stmt_cache_enabled = True

    async def _get_statement(
        self, query: str, timeout: float | None, *, use_cache: bool = True, **options: object
    ) -> Statement:
        """Does what the driver's method does; a name is given from the second time on."""
        if self._asked is not None and use_cache:
            known = hash(query)
            use_cache = known in self._asked
            self._asked.add(known)
        statement: Statement = await super()._get_statement(query, timeout, use_cache=use_cache, **options)
        if self._asked is not None and not statement.name:
            # What is asked in between (`_introspect_types`) takes the place of a statement without a name.
            # Sent once more together with its values, it needs no further round trip.
            statement.mark_unprepared()
        return statement
