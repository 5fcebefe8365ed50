"""What is switched off in NEW, as facts from which the SQL that restores it is composed.

``sql/new/undo.py`` composes it. The journal keeps the facts and no SQL: a stored statement would run with the
rights of whoever restores, whoever wrote it.
"""

from __future__ import annotations

from msgspec import Struct

from tranship.model.catalog import ForeignKey, Index
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


class TriggerDisabled(Struct, frozen=True, tag="trigger"):
    """A trigger that was put into another state; addressed by itself also on a partition."""

    relation: TableName
    trigger: str
    state: str
    """``pg_trigger.tgenabled`` before: O, D, R or A."""

    def __str__(self) -> str:
        return f"trigger {self.trigger} of {self.relation}"


class RuleDisabled(Struct, frozen=True, tag="rule"):
    """A rewrite rule that was put into another state."""

    relation: TableName
    rule: str
    state: str
    """``pg_rewrite.ev_enabled`` before: O, D, R or A."""

    def __str__(self) -> str:
        return f"rule {self.rule} of {self.relation}"


class KeyDropped(Struct, frozen=True, tag="foreign key"):
    """A foreign key that is gone while a cycle is filled."""

    table: TableName
    key: ForeignKey
    partitioned: bool
    """Either end is a partitioned table: such a key is added whole, not NOT VALID first."""

    def __str__(self) -> str:
        return f"foreign key {self.key.name} of {self.table}"


class KeyUnvalidated(Struct, frozen=True, tag="validity"):
    """A foreign key that is to be validated once it is back."""

    table: TableName
    key: str

    def __str__(self) -> str:
        return f"validity of foreign key {self.key} of {self.table}"


class CommentDropped(Struct, frozen=True, tag="comment"):
    """The comment on a foreign key that is gone."""

    table: TableName
    key: str
    comment: str

    def __str__(self) -> str:
        return f"comment on foreign key {self.key} of {self.table}"


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

    def __str__(self) -> str:
        return f"index {self.index.name} of {self.table}"


class Unreadable(Struct, frozen=True, tag="unreadable"):
    """An entry of an earlier journal that tranship did not write: it is shown and never executed."""

    what: str
    sql: str

    def __str__(self) -> str:
        return self.what


SwitchedOff = (
    TriggerDisabled | RuleDisabled | KeyDropped | KeyUnvalidated | CommentDropped | IndexDropped | Unreadable
)
"""Everything that can be off in NEW."""
