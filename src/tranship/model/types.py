"""PostgreSQL types as values: compared by schema-qualified name and definition, never by OID."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tranship.model.names import TableName


class TypeKind(StrEnum):
    """What sort of type it is (``pg_type.typtype``, arrays apart)."""

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
    """A CHECK of a domain; ``expression`` is what ``pg_get_expr`` prints (with ``VALUE``)."""

    name: str
    expression: str
    validated: bool = True


class PgType(Struct, frozen=True, omit_defaults=True):
    """One type with its modifier and its whole definition.

    ``text`` is what ``format_type(oid, typmod)`` prints under an empty ``search_path``: built-ins bare
    (``character varying(10)``, ``integer[]``), everything else schema-qualified and quoted where needed. It can be used in SQL as it is.
    ``base`` is the same without the modifier. ``modifiers`` are the numbers inside the parentheses: varchar/char/bit/varbit
    ``(n,)``, numeric ``(p, s)``, time/timestamp/interval ``(p,)``; empty without a modifier. An interval's field restriction stays in ``text``.
    """

    text: str
    base: str
    kind: TypeKind = TypeKind.BASE
    modifiers: tuple[int, ...] = ()
    name: TableName | None = None
    """schema and typname in the catalog (``pg_catalog.int4``)."""
    category: str = ""
    """``pg_type.typcategory``: N numeric, S string, D date/time, B boolean, E enum …"""
    element: PgType | None = None
    """An array's element, a domain's base type, a range's subtype, a multirange's range."""
    labels: tuple[str, ...] = ()
    """An enum's labels in their sort order."""
    attributes: tuple[Attribute, ...] = ()
    checks: tuple[DomainCheck, ...] = ()
    not_null: bool = False
    """A domain that refuses NULL."""
    default: str | None = None
    """A domain's default expression."""
    extension: str | None = None
    portable: bool = False
    """Binary COPY means the same bytes on every server: only built-ins whose tree holds no OID and no user type."""
    equality: str | None = None
    """The type's own ``=`` as ``OPERATOR(schema.=)``, from its default btree or hash operator class; None: it has none."""
    collation: str | None = None
    """A domain's or range's own collation where it is not the default."""

    @property
    def leaf(self) -> PgType:
        """The type under all domains (its own modifier is the one that counts)."""
        inner = self
        while inner.kind is TypeKind.DOMAIN and inner.element is not None:
            inner = inner.element
        return inner
