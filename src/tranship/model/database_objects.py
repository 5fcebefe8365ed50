"""What a database holds beside its relations: sequences, types, routines, extensions, and objects that are
only reported.
"""

from __future__ import annotations

from msgspec import Struct

from tranship.model.names import ColumnRef, TableName
from tranship.model.types import PgType


class Sequence(Struct, frozen=True, omit_defaults=True):
    """A sequence's definition. Where it stands is data, and read apart."""

    name: TableName
    type: str
    """``smallint``, ``integer`` or ``bigint``: it bounds the values."""
    start: int
    increment: int
    minimum: int
    maximum: int
    cycle: bool
    cache: int = 1
    owned_by: ColumnRef | None = None
    """The column that takes it along when dropped (OWNED BY, or identity)."""
    identity: bool = False
    """It stands behind an identity column."""
    used_by: tuple[ColumnRef, ...] = ()
    """Columns whose default calls ``nextval`` on it or whose identity it is."""
    privileges: tuple[str, ...] = ()
    """What the connected role may do: USAGE, SELECT, UPDATE."""
    owned: bool = True
    """Whether the connected role may ALTER it."""


class UserType(Struct, frozen=True, omit_defaults=True):
    """An enum, domain, composite or range type that no extension owns."""

    name: TableName
    type: PgType
    comment: str | None = None


class Routine(Struct, frozen=True, omit_defaults=True):
    """A function, procedure, aggregate or window function."""

    name: TableName
    arguments: str
    """``pg_get_function_identity_arguments``: with the name, what tells overloaded routines apart."""
    kind: str
    definition_hash: str
    """Equal where the definitions are equal."""


class ExtensionTable(Struct, frozen=True, omit_defaults=True):
    """A table that belongs to an extension."""

    name: TableName
    condition: str | None = None
    """``WHERE`` with what tells the user's rows from those of the extension (``pg_extension.extcondition``);
    empty: all rows are the user's; None: the extension does not tell."""


class Extension(Struct, frozen=True, omit_defaults=True):
    """An installed extension."""

    name: str
    version: str
    schema: str
    tables: tuple[ExtensionTable, ...] = ()
    """Tables that belong to it, by name, in whatever schema. They are never copied."""


class OtherObject(Struct, frozen=True, omit_defaults=True):
    """An object that a migration never touches. It is reported where the two sides differ."""

    kind: str
    """In words for people: ``text search configuration``, ``event trigger``."""
    schema: str
    """Empty for an object that belongs to the whole database."""
    name: str
    definition: str
    """Its meaning as one text that compares."""


class ReadingFunction(Struct, frozen=True, omit_defaults=True):
    """A function of users that may read tables."""

    name: str
    """Schema-qualified and quoted, as expressions print it."""
    tables: tuple[str, ...] = ()
    """Names of relations that it may read, without their schema."""
    anything: bool = False
    """It may read any table: dynamic SQL, a view, or a language whose sources are not looked into."""
