"""Why a row is rejected, as values: they go to the journal as they are, and ``report/reasons`` words them."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from tranship.model.names import TableName


class ServerSaid(Struct, frozen=True, tag=True, omit_defaults=True):
    """A server refused the row in these words."""

    text: str
    value: str | None = None
    """The value that was refused, where the words lack it."""


class OldCannotCompute(Struct, frozen=True, tag=True):
    """OLD fails to compute an expression over the row."""

    text: str
    """In OLD's words."""


class LookupGap(Struct, frozen=True, tag=True, omit_defaults=True):
    """The lookup table has no entry for the row's value."""

    table: TableName
    keys: tuple[str, ...]
    value: str
    gone: bool = False
    """OLD has a row that would be the entry, and it is rejected itself."""


class LookupIsAnother(Struct, frozen=True, tag=True):
    """The row of OLD that the lookup means is rejected, and the entry of NEW under its key is another row."""

    table: TableName
    keys: tuple[str, ...]


class MappingGap(Struct, frozen=True, tag=True):
    """The value mapping has no entry for the row's value."""

    value: str


class InvalidByte(Struct, frozen=True, tag=True):
    """A byte of a SQL_ASCII database is no UTF-8."""

    byte: int


class NoEquivalent(Struct, frozen=True, tag=True):
    """NEW's encoding lacks a character."""

    character: str
    encoding: str


class NullRefused(Struct, frozen=True, tag=True):
    """NULL for a column that is NOT NULL."""

    column: str
    table: str


class DomainRefusesNull(Struct, frozen=True, tag=True):
    """NULL for a column whose domain is NOT NULL."""

    column: str
    domain: str


class CheckViolated(Struct, frozen=True, tag=True):
    """A CHECK is false."""

    check: str
    table: str


class EmptyPeriod(Struct, frozen=True, tag=True):
    """The period of a key WITHOUT OVERLAPS is empty (PostgreSQL 18)."""

    column: str
    table: str


class NoPartition(Struct, frozen=True, tag=True):
    """No partition takes the row."""

    table: str


class HeldByNew(Struct, frozen=True, tag=True, omit_defaults=True):
    """A row that NEW already holds conflicts with it on a unique or exclusion constraint."""

    constraint: str
    exclusion: bool
    row: str
    """The other row, as shown to people."""
    decided: bool = False
    """A decision says what becomes of rows that NEW holds, and it finds them by another key."""


class HeldBefore(Struct, frozen=True, tag=True):
    """NEW held a row with its key before the run, and a person said that such rows are rejected."""

    row: str
    """NEW's row, as shown to people; likewise in the next three."""


class HeldOtherwise(Struct, frozen=True, tag=True):
    """NEW held a row with its key before the run, and other values in some columns."""

    row: str
    columns: tuple[str, ...]


class HeldByAnother(Struct, frozen=True, tag=True):
    """NEW held a row with its key before the run, for which another row of OLD stands."""

    row: str


class HeldNoMore(Struct, frozen=True, tag=True):
    """NEW held a row with its key before the run, and holds it no longer."""

    table: str


class NotChangeable(Struct, frozen=True, tag=True):
    """NEW's row would have to change in columns that an update leaves alone."""

    row: str
    columns: tuple[str, ...]


class ComesSecond(Struct, frozen=True, tag=True):
    """Another row of OLD has the same key and comes first."""

    constraint: str
    exclusion: bool
    row: str
    """The row that is kept."""
    table: str = ""
    """Its flow, where it is another one than that of the rejected row."""


class SurvivorRejected(Struct, frozen=True, tag=True):
    """The row into which it is merged is rejected."""


class ParentMissing(Struct, frozen=True, tag=True, omit_defaults=True):
    """A foreign key finds no parent."""

    table: str
    key: str
    columns: tuple[str, ...]
    value: str | None
    """The row's key, as a server writes it; None: MATCH FULL forbids its mix of NULLs."""
    parent: str
    gone: bool
    """There was one in OLD, and it is rejected itself."""
    left_out: bool = False
    """There is one in OLD, and a filter leaves it out."""


class ParentIsAnother(Struct, frozen=True, tag=True):
    """The row's parent in OLD is rejected, and the row of NEW under the same key is another one."""

    table: str
    key: str
    columns: tuple[str, ...]
    value: str | None
    """The row's key, as a server writes it; None: it cannot be shown."""
    parent: str


class ParentMerged(Struct, frozen=True, tag=True):
    """The row's parent in OLD is merged into another row, and the row is not led to that one."""

    table: str
    key: str
    columns: tuple[str, ...]
    value: str | None
    """The row's key, as a server writes it; None: it cannot be shown."""
    parent: str


class ParentElsewhere(Struct, frozen=True, tag=True):
    """NEW held the row's parent before the run, under another key than OLD's."""

    table: str
    key: str
    columns: tuple[str, ...]
    value: str | None
    """The row's key, as a server writes it; None: it cannot be shown."""
    parent: str


class ParentKeyChanged(Struct, frozen=True, tag=True):
    """A decision gives the row's parent another key, and the row keeps OLD's."""

    table: str
    key: str
    columns: tuple[str, ...]
    value: str | None
    """The row's key, as a server writes it; None: it cannot be shown."""
    parent: str


class NoParentInOld(Struct, frozen=True, tag=True, omit_defaults=True):
    """No row that is moved is the row's parent, and the row of NEW under the same key is not taken for it."""

    table: str
    key: str
    columns: tuple[str, ...]
    value: str | None
    """The row's key, as a server writes it; None: it cannot be shown."""
    parent: str
    left_out: bool = False
    """There is one in OLD, and a filter leaves it out."""


class ParentNotThere(Struct, frozen=True, tag=True):
    """At the end of a cycle the row's parent was not in NEW."""

    key: str
    parent: TableName


ValueReason = (
    ServerSaid | OldCannotCompute | LookupGap | LookupIsAnother | MappingGap | InvalidByte | NoEquivalent
)
"""The row has a value that cannot be had in NEW."""
HeldReason = HeldBefore | HeldOtherwise | HeldByAnother | HeldNoMore | NotChangeable
"""NEW held a row with the row's key before the run."""
ParentReason = (
    ParentMissing
    | ParentIsAnother
    | ParentMerged
    | ParentElsewhere
    | ParentKeyChanged
    | NoParentInOld
    | ParentNotThere
)
"""A foreign key leads to no parent, or to a stranger."""
ConstraintReason = (
    NullRefused
    | DomainRefusesNull
    | CheckViolated
    | EmptyPeriod
    | NoPartition
    | HeldByNew
    | HeldReason
    | ComesSecond
    | SurvivorRejected
    | ParentReason
)
"""A constraint of NEW is violated."""
Reason = ValueReason | ConstraintReason


def kind_of(reason: Reason) -> str:
    """Returns the kind of a reason, as programs may read it; some reasons are of several kinds."""
    if isinstance(reason, HeldByNew) and reason.decided:
        return "HeldByOtherKey"
    if isinstance(reason, LookupGap) and reason.gone:
        return "LookupRejected"
    if isinstance(reason, NoParentInOld) and reason.left_out:
        return "ParentLeftOutAndHeld"
    if isinstance(reason, ParentMissing) and reason.left_out:
        return "ParentLeftOut"
    if isinstance(reason, ParentMissing) and reason.gone:
        return "ParentRejected"
    return type(reason).__name__


def named_table(reason: Reason) -> str | None:
    """Returns the other table that a reason is about."""
    match reason:
        case LookupGap(table=table) | LookupIsAnother(table=table):
            return str(table)
        case ParentMissing(parent=parent) | ParentIsAnother(parent=parent) | ParentElsewhere(parent=parent):
            return str(parent)
        case NoParentInOld(parent=parent) | ParentKeyChanged(parent=parent) | ParentNotThere(parent=parent):
            return str(parent)
        case ParentMerged(parent=parent):
            return parent
        case _:
            return None


_DECODER: Final = msgspec.json.Decoder(Reason)
"""Made once: to look at so large a union takes 60 µs, and a run may read a million reasons."""


def journalled(reason: Reason) -> bytes:
    """Returns a reason as JSON in UTF-8; what is no text of any encoding stands escaped."""
    try:
        return msgspec.json.encode(reason)
    except UnicodeEncodeError:
        texts = {name: value for name, value in asdict(reason).items() if isinstance(value, str)}
        escaped = {name: text.encode("utf-8", "backslashreplace").decode() for name, text in texts.items()}
        return msgspec.json.encode(replace(reason, **escaped))


def from_journal(kept: bytes) -> Reason:
    """Reads what `journalled` wrote; an earlier journal holds the words themselves."""
    try:
        reason: Reason = _DECODER.decode(kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ServerSaid(kept.decode())
    return reason
