"""Reads type trees: every type that a column in scope uses, and the types of users, with their whole
definitions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from tranship.model.builtin_types import BINARY_RANGES, BUILTINS
from tranship.model.names import TableName
from tranship.model.types import Attribute, DomainCheck, PgType, TypeKind
from tranship.planning.types.conversion import order_of_texts
from tranship.server.catalog.ask import Answers, Question, ask
from tranship.server.catalog.rows import (
    AttributeRow,
    CoercionRow,
    DomainCheckRow,
    EnumRow,
    EqualityRow,
    RangeRow,
    SessionRow,
    TypeRow,
    TypeTextRow,
    by_relation,
)

TypeUse = tuple[int, int]
"""A type's OID and the modifier it is used with (-1: none)."""

_KINDS = {
    "b": TypeKind.BASE,
    "e": TypeKind.ENUM,
    "d": TypeKind.DOMAIN,
    "c": TypeKind.COMPOSITE,
    "r": TypeKind.RANGE,
    "m": TypeKind.MULTIRANGE,
    "p": TypeKind.PSEUDO,
}
BUILT_IN_EQUALITY = "OPERATOR(pg_catalog.=)"
_FULL_PRECISION = 0xFFFF
_DEFAULT_COLLATION = 100
"""The OID of ``pg_catalog."default"``, the same in every database (the server's pg_collation.dat)."""

SESSION = Question("session", SessionRow)
"""What the session shows of its database; among it how that prints ``money``."""
_TYPES = Question("types", TypeRow)
_RANGES = Question("ranges", RangeRow)
_ENUMS = Question("enums", EnumRow)
_DOMAIN_CHECKS = Question("domain_checks", DomainCheckRow)
_EQUALITY = Question("equality", EqualityRow)
_COERCIONS = Question("coercions", CoercionRow)
QUESTIONS: tuple[Question[Any], ...] = (
    SESSION,
    _TYPES,
    _RANGES,
    _ENUMS,
    _DOMAIN_CHECKS,
    _EQUALITY,
    _COERCIONS,
)
"""What a `TypeReader` has to know."""


def modifiers(schema: str, name: str, modifier: int) -> tuple[int, ...]:
    """Returns the numbers inside a built-in type's parentheses, decoded from ``atttypmod``.

    The encodings are those of the types' typmodin functions in the server's source. varchar and numeric add 4
    (VARHDRSZ); numeric packs the precision into 16 bits above a scale of 11 bits, which is signed since
    PostgreSQL 15.
    """
    if modifier < 0 or schema != "pg_catalog":
        return ()
    match name:
        case "varchar" | "bpchar":
            # VARHDRSZ: the modifier counts the length word of a value, too.
            return (modifier - 4,)
        case "bit" | "varbit" | "time" | "timetz" | "timestamp" | "timestamptz":
            return (modifier,)
        case "numeric":
            packed = modifier - 4
            return ((packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024)
        case "interval":
            # The upper half holds the fields (YEAR TO MONTH …), which stay in the type's text.
            precision = modifier & 0xFFFF
            return () if precision == _FULL_PRECISION else (precision,)
        case _:
            return ()


class TypeReader:
    """Builds types, each once per modifier, from rows that :meth:`read` has fetched."""

    def __init__(self, rows: Sequence[TypeRow], ranges: Sequence[RangeRow]) -> None:
        self._rows = {row.oid: row for row in rows}
        self._ranges = {row.type: row for row in ranges}
        self._range_of = {row.multirange: row.type for row in ranges}
        self._labels: dict[int, tuple[str, ...]] = {}
        self._checks: dict[int, list[DomainCheck]] = defaultdict(list)
        self._attributes: dict[int, list[AttributeRow]] = {}
        self._equality: dict[int, str] = {}
        self._coercions: dict[int, list[int]] = defaultdict(list)
        self._texts: dict[TypeUse, TypeTextRow] = {}
        self._built: dict[TypeUse, PgType] = {}
        self._money = ""
        self._sorts = ""

    @classmethod
    async def read(
        cls,
        conn: asyncpg.Connection,
        version: int,
        answers: Answers,
        used: Iterable[TypeUse],
        schema_oids: Iterable[int],
    ) -> TypeReader:
        """Returns a reader that can build every type in *used* and every user type of the schemas.

        ``answers``: those to :data:`QUESTIONS`.
        """
        reader = cls(answers[_TYPES], answers[_RANGES])
        reader._money = answers[SESSION][0].money
        reader._sorts = order_of_texts(answers[SESSION][0].collation)
        for enum in answers[_ENUMS]:
            reader._labels[enum.type] = enum.labels
        for check in answers[_DOMAIN_CHECKS]:
            reader._checks[check.type].append(DomainCheck(check.name, check.expression, check.validated))
        for equality in answers[_EQUALITY]:
            reader._equality[equality.type] = equality.operator
        for coercion in answers[_COERCIONS]:
            reader._coercions[coercion.source].append(coercion.target)
        await reader._read_uses(
            conn, version, {*used, *((row.oid, -1) for row in reader.user_types(schema_oids))}
        )
        return reader

    def user_types(self, schema_oids: Iterable[int]) -> list[TypeRow]:
        """Returns the enums, domains, composites and ranges of the schemas that no extension owns, by name.

        A composite type has a row in ``pg_class`` of the kind ``c``; the row types of tables do not count.
        """
        wanted = set(schema_oids)
        return sorted(
            (
                row
                for row in self._rows.values()
                if row.schema_oid in wanted
                and row.extension is None
                and (row.kind in "edr" or (row.kind == "c" and row.relation_kind == "c"))
            ),
            key=lambda row: (row.schema, row.name),
        )

    async def _read_uses(self, conn: asyncpg.Connection, version: int, used: set[TypeUse]) -> None:
        """Follows every use to its parts, reading composite attributes on the way, then reads how the server
        writes each.
        """
        known: set[TypeUse] = set()
        frontier = set(used)
        # Level by level: one query reads the attributes of all composite types of a level.
        while frontier:
            relations = {
                self._rows[oid].relation for oid, _ in frontier if self._rows[oid].kind == "c"
            } - self._attributes.keys()
            if relations:
                asked = Question("attributes", AttributeRow, (sorted(relations),))
                attributes = by_relation((await ask(conn, version, asked))[asked])
                self._attributes.update({relation: attributes.get(relation, []) for relation in relations})
            known |= frontier
            frontier = {part for use in frontier for part in self._parts(use)} - known
        # Sorted, so that the same catalog gives the same query and its answers can be zipped with it.
        ordered = sorted(known)
        oids, numbers = [oid for oid, _ in ordered], [modifier for _, modifier in ordered]
        texts = Question("type_texts", TypeTextRow, (oids, numbers))
        self._texts = dict(zip(ordered, (await ask(conn, version, texts))[texts], strict=True))

    def _parts(self, use: TypeUse) -> list[TypeUse]:
        """Returns the types of which a type consists, with their modifiers; an array hands its own to its
        element.
        """
        oid, modifier = use
        row = self._rows[oid]
        if row.is_array:
            return [(row.element, modifier)]
        match row.kind:
            case "d":
                return [(row.element, row.modifier)]
            case "r":
                return [(self._ranges[oid].subtype, -1)]
            case "m":
                return [(self._range_of[oid], -1)]
            case "c":
                return [(part.type, part.modifier) for part in self._attributes[row.relation]]
            case _:
                return []

    def build(self, oid: int, modifier: int = -1) -> PgType:
        """Returns the type of this use; the same object for the same use."""
        use = (oid, modifier)
        found = self._built.get(use)
        if found is None:
            found = self._built[use] = self._build(use)
        return found

    def _build(self, use: TypeUse) -> PgType:
        oid, modifier = use
        row = self._rows[oid]
        text = self._texts[use]
        kind = TypeKind.ARRAY if row.is_array else _KINDS[row.kind]
        parts = [self.build(*part) for part in self._parts(use)]
        element = parts[0] if parts and kind is not TypeKind.COMPOSITE else None
        attributes = self._attributes[row.relation] if kind is TypeKind.COMPOSITE else ()
        numbers = (
            element.modifiers
            if kind is TypeKind.ARRAY and element is not None
            else modifiers(row.schema, row.name, modifier)
        )
        return PgType(
            text=text.text,
            base=text.base,
            kind=kind,
            modifiers=numbers,
            name=TableName(row.schema, row.name),
            category=row.category,
            element=element,
            labels=self._labels.get(oid, ()),
            attributes=tuple(
                Attribute(part.name, type_) for part, type_ in zip(attributes, parts, strict=False)
            ),
            checks=tuple(self._checks.get(oid, ())),
            not_null=row.not_null,
            default=row.default,
            extension=row.extension if not row.is_array or element is None else element.extension,
            portable=self._portable(row, element),
            equality=self._equals(oid),
            collation=self._collation(row),
            sorts=self._order(row),
            printed_form=self._money if (row.schema, row.name) == ("pg_catalog", "money") else "",
        )

    def _portable(self, row: TypeRow, element: PgType | None) -> bool:
        if row.is_array:
            return element is not None and element.portable
        if row.schema != "pg_catalog":
            return False
        builtin = BUILTINS.get(row.name)
        return row.name in BINARY_RANGES or (builtin is not None and builtin.binary)

    def _collation(self, row: TypeRow) -> str | None:
        """Returns a domain's or range's own collation; None where it is that of the type below it."""
        if row.kind == "d":
            return row.collation if row.collation_oid != self._rows[row.element].collation_oid else None
        if row.kind == "r":
            range_ = self._ranges[row.oid]
            return (
                range_.collation if range_.collation_oid != self._rows[range_.subtype].collation_oid else None
            )
        return None

    def _order(self, row: TypeRow) -> str:
        """Returns how a range sorts texts by the database's default collation; empty: it does not."""
        by_default = row.kind == "r" and self._ranges[row.oid].collation_oid == _DEFAULT_COLLATION
        return self._sorts if by_default else ""

    def _equals(self, oid: int) -> str | None:
        """Returns the equality operator of a type: its own, that of its parts, or that of a type it is
        coercible to without a change.
        """
        row = self._rows[oid]
        if oid in self._equality:
            return self._equality[oid]
        if row.is_array:
            return BUILT_IN_EQUALITY if self._equals(row.element) else None
        match row.kind:
            case "d":
                return self._equals(row.element)
            case "e" | "r" | "m":
                return BUILT_IN_EQUALITY
            case "c":
                comparable = all(self._equals(part.type) for part in self._attributes[row.relation])
                return BUILT_IN_EQUALITY if comparable else None
            case _:
                return next(
                    (
                        self._equality[target]
                        for target in self._coercions.get(oid, ())
                        if target in self._equality
                    ),
                    None,
                )

    def volatile_default(self, oid: int) -> bool:
        """Returns whether a domain's default, or the one of a domain below it, calls a volatile function."""
        row = self._rows[oid]
        while row.kind == "d":
            if row.default is not None:
                return row.volatile_default
            row = self._rows[row.element]
        return False
