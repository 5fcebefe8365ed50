"""PostgreSQL types as values: compared by schema-qualified name and definition, never by OID."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tranship.model.builtin_types import BUILTINS, Builtin, Family
from tranship.model.names import TableName


class TypeKind(StrEnum):
    """The kind of a type: ``pg_type.typtype``, with arrays as a kind of their own."""

    BASE = "base"
    ENUM = "enum"
    DOMAIN = "domain"
    COMPOSITE = "composite"
    RANGE = "range"
    MULTIRANGE = "multirange"
    ARRAY = "array"
    PSEUDO = "pseudo"


class Attribute(Struct, frozen=True, omit_defaults=True):
    """One attribute of a composite type."""

    name: str
    type: PgType


class DomainCheck(Struct, frozen=True, omit_defaults=True):
    """A CHECK of a domain."""

    name: str
    expression: str
    """As ``pg_get_expr`` prints it, with ``VALUE`` for the value."""
    validated: bool = True
    """False: NOT VALID, so values from before it may break it."""


class PgType(Struct, frozen=True, omit_defaults=True):
    """One type with its modifier and its whole definition.

    Two types are equal when they print and mean the same; OIDs differ from server to server and are no part
    of it.
    """

    text: str
    """What ``format_type(oid, typmod)`` prints under an empty search_path: built-ins bare (``character
    varying(10)``, ``integer[]``), everything else schema-qualified and quoted where needed. It can be used in
    SQL as it is."""
    base: str
    """The same without the modifier."""
    kind: TypeKind = TypeKind.BASE
    modifiers: tuple[int, ...] = ()
    """The numbers inside the parentheses: varchar, char, bit and varbit ``(n,)``, numeric ``(precision,
    scale)``, time, timestamp and interval ``(precision,)``; empty without a modifier. An interval's
    restriction to some fields is in ``text`` only."""
    name: TableName | None = None
    """Schema and ``typname`` in the catalog (``pg_catalog.int4``)."""
    category: str = ""
    """``pg_type.typcategory``: N numeric, S string, D date/time, B boolean, E enum …"""
    element: PgType | None = None
    """An array's element, a domain's base type, a range's subtype or a multirange's range; None for other
    kinds.
    """
    labels: tuple[str, ...] = ()
    """An enum's labels in their sort order."""
    attributes: tuple[Attribute, ...] = ()
    """A composite type's attributes in their order."""
    checks: tuple[DomainCheck, ...] = ()
    """A domain's own checks, without those of the domain below it."""
    not_null: bool = False
    """A domain that refuses NULL."""
    default: str | None = None
    """A domain's default expression."""
    extension: str | None = None
    """The extension that owns the type."""
    portable: bool = False
    """Whether binary COPY means the same bytes on every server: a built-in type whose parts hold no OID and
    no user type.
    """
    equality: str | None = None
    """The type's own ``=`` as ``OPERATOR(schema.=)``, from its default btree or hash operator class; None: it
    has none.
    """
    printed_form: str = ""
    """How the database prints -1234567.89 as ``money``: its locale decides what bytes and texts mean."""
    collation: str | None = None
    """A domain's or range's own collation; None where it is the default."""
    sorts: str = ""
    """How the database sorts texts, for a range that takes its order from the default collation."""

    @property
    def leaf(self) -> PgType:
        """The type under all domains (its own modifier is the one that counts)."""
        inner = self
        while inner.kind is TypeKind.DOMAIN and inner.element is not None:
            inner = inner.element
        return inner

    @property
    def innermost(self) -> PgType:
        """The type of the single values: under all domains, arrays, ranges and multiranges."""
        inner = self.leaf
        while inner.element is not None:
            inner = inner.element.leaf
        return inner

    @property
    def own_equality(self) -> str | None:
        """The equality of a base type that an extension or a user made; None: ``pg_catalog`` has it."""
        leaf = self.leaf
        user_made = leaf.name is not None and leaf.name.schema != "pg_catalog" and leaf.kind is TypeKind.BASE
        return leaf.equality if user_made else None

    @property
    def every_check(self) -> tuple[str, ...]:
        """The expressions of all domains that a value has to meet: its own and those of its parts."""
        parts = (*(a.type for a in self.attributes), *((self.element,) if self.element is not None else ()))
        inside = (expression for part in parts for expression in part.every_check)
        return (*(check.expression for check in self.checks), *inside)

    def holds(self, family: Family) -> bool:
        """Returns whether the type, or a part of it at any depth, is of the family."""
        parts = (*(a.type for a in self.attributes), *((self.element,) if self.element is not None else ()))
        return self.family is family or any(part.holds(family) for part in parts)

    @property
    def reads_moments(self) -> bool:
        """Returns whether the input function reads words such as ``today`` as the moment of reading.

        A composite type counts as one that does not, because its other attributes may hold these words.
        """
        return self.innermost.family in (Family.DATE, Family.TIME, Family.TIMESTAMP)

    @property
    def typname(self) -> str:
        """The catalog's name of a type of ``pg_catalog`` (``int4``); empty for every other type."""
        return self.name.name if self.name is not None and self.name.schema == "pg_catalog" else ""

    @property
    def builtin(self) -> Builtin | None:
        """The row of a built-in scalar type in the table of types; None for every other type."""
        return BUILTINS.get(self.typname) if self.kind is TypeKind.BASE else None

    @property
    def family(self) -> Family | None:
        """The family of a built-in scalar type; None for every other type."""
        row = self.builtin
        return row.family if row is not None else None
