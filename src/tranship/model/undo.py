"""What is switched off in NEW, as facts from which the SQL that restores it is composed.

``sql/new/undo.py`` composes it. The journal keeps the facts and no SQL: a stored statement would run with the
rights of whoever restores, whoever wrote it.
"""

from __future__ import annotations

from msgspec import Struct

from tranship.model.catalog import Check, ForeignKey, Index
from tranship.model.names import TableName


class IndexKey(Struct, frozen=True, omit_defaults=True):
    """One key column of an index. Names are (schema, name); an empty schema stands for ``pg_catalog``."""

    column: str
    collation: tuple[str, str] | None = None
    """None: the column's own."""
    operator_class: tuple[str, str] | None = None
    """None: the default of the column's type."""
    descending: bool = False
    nulls_first: bool | None = None
    """None: as the direction says."""


class IndexShape(Struct, frozen=True, omit_defaults=True):
    """An index over plain columns of one table, without expressions or a predicate."""

    method: str
    keys: tuple[IndexKey, ...]
    include: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """Storage parameters: name and value."""


class Relation(Struct, frozen=True, omit_defaults=True):
    """What tells a table of NEW, and columns of it, from others that have their names by now."""

    oid: int
    numbers: tuple[int, ...] = ()
    """``pg_attribute.attnum`` of the columns that an entry names, in its order."""


class TriggerDisabled(Struct, frozen=True, tag="trigger"):
    """A trigger that was put into another state; addressed by itself also on a partition."""

    relation: TableName
    trigger: str
    state: str
    """``pg_trigger.tgenabled`` before: O, D, R or A."""
    home: Relation | None = None
    """None, here and below: only the names are known."""
    oid: int = 0

    def __str__(self) -> str:
        return f"trigger {self.trigger} of {self.relation}"


class RuleDisabled(Struct, frozen=True, tag="rule"):
    """A rewrite rule that was put into another state."""

    relation: TableName
    rule: str
    state: str
    """``pg_rewrite.ev_enabled`` before: O, D, R or A."""
    home: Relation | None = None
    oid: int = 0

    def __str__(self) -> str:
        return f"rule {self.rule} of {self.relation}"


class KeyDropped(Struct, frozen=True, tag="foreign key"):
    """A foreign key that is gone while a cycle is filled."""

    table: TableName
    key: ForeignKey
    partitioned: bool
    """Either end is a partitioned table: such a key is added whole, not NOT VALID first."""
    home: Relation | None = None
    parent: Relation | None = None
    twins: tuple[str, ...] = ()
    """Names of keys that said the same when this one was dropped."""

    def __str__(self) -> str:
        return f"foreign key {self.key.name} of {self.table}"


class KeyUnvalidated(Struct, frozen=True, tag="validity"):
    """A foreign key that is to be validated once it is back."""

    table: TableName
    key: str
    dropped: KeyDropped | None = None
    """The key as it was, by which it is known under another name."""

    def __str__(self) -> str:
        return f"validity of foreign key {self.key} of {self.table}"


class CommentDropped(Struct, frozen=True, tag="comment"):
    """The comment on a foreign key that is gone."""

    table: TableName
    key: str
    comment: str
    dropped: KeyDropped | None = None

    def __str__(self) -> str:
        return f"comment on foreign key {self.key} of {self.table}"


class CheckDropped(Struct, frozen=True, tag="check"):
    """A CHECK that is gone while rows are loaded that it tolerates, NOT VALID before."""

    table: TableName
    check: Check
    """The check as the catalog had it, for comparisons meanwhile."""
    definition: str
    """As the server printed it; it is compared and never executed."""
    holder: TableName
    """The empty table in the journal's schema whose CHECK of the same name it is made from again: only the
    catalog holds an expression that nobody can have changed without the rights to do so."""
    comment: str | None = None
    home: Relation | None = None

    def __str__(self) -> str:
        return f"check {self.check.name} of {self.table}"


class IndexDropped(Struct, frozen=True, tag="index"):
    """An index that a load does without: rebuilt when its rows are there, not before."""

    table: TableName
    index: Index
    """The index as the catalog had it, for comparisons meanwhile."""
    shape: IndexShape
    """What it is made from again."""
    schema: str
    tablespace: str | None = None
    """None: the database's own."""
    comment: str | None = None
    home: Relation | None = None
    """Its numbers are those of the keys, then of the included columns."""
    twins: tuple[str, ...] = ()
    """Names of indexes that had the same shape when this one was dropped."""

    def __str__(self) -> str:
        return f"index {self.index.name} of {self.table}"


class Unreadable(Struct, frozen=True, tag="unreadable"):
    """An entry of an earlier journal that tranship did not write: it is shown and never executed."""

    what: str
    sql: str

    def __str__(self) -> str:
        return self.what


SwitchedOff = (
    TriggerDisabled
    | RuleDisabled
    | KeyDropped
    | KeyUnvalidated
    | CommentDropped
    | CheckDropped
    | IndexDropped
    | Unreadable
)
"""Everything that can be off in NEW."""


class Back(Struct, frozen=True, tag="back"):
    """Somebody else has restored a thing already."""

    name: str | None = None
    """Another name that it has now."""
    form: str | None = None
    """Another form that it has now, as the server prints it."""


class Gone(Struct, frozen=True, tag="gone"):
    """Somebody dropped what was off, or what it belonged to: there is nothing to restore."""

    what: str
    """What was dropped: ``the table``, ``the trigger`` …"""


class Blocked(Struct, frozen=True, tag="blocked"):
    """Something stands in the way that a person has to judge."""

    by: str
    """It, in words."""


class Waiting(Struct, frozen=True, tag="waiting"):
    """The foreign key that an entry is about is still gone; there is an entry for it, too."""


Settled = Back | Gone
"""Nothing is off any more."""
Standing = SwitchedOff | Settled | Blocked | Waiting
"""How an entry stands in NEW now: still off, with the names that things have by now, or otherwise."""
