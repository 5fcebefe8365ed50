"""Canonical texts: one text per value, equal exactly where the type's own ``=`` says equal, on every server
and version.

Only types for which that is certain have such a text. Strings need a deterministic collation, which all
collations of ``pg_catalog`` are (PostgreSQL documentation, "Nondeterministic Collations").
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.expression import Rule, Take
from tranship.model.plan import TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.expression import compile_column

_INTEGERS = frozenset({"int2", "int4", "int8", "oid"})
_STRINGS = frozenset({"text", "varchar", "bpchar", "name"})
_PLAIN = frozenset(
    {
        "bool",
        "uuid",
        "date",
        "timestamp",
        "time",
        "bytea",
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "bit",
        "varbit",
        "char",
    }
)


def canonical(value: str, pg_type: PgType, collation: str | None = None) -> str | None:
    """Returns SQL for the canonical text of ``value``, an expression of that type, or None where there is
    none.

    ``collation`` is the column's own, schema-qualified; None stands for the type's or the database's default.
    """
    leaf = pg_type.leaf
    if not deterministic(collation or pg_type.collation or leaf.collation):
        return None
    if leaf.kind is TypeKind.ENUM:
        return f"CAST({value} AS pg_catalog.text)"
    if leaf.name is None or leaf.name.schema != "pg_catalog" or leaf.kind is not TypeKind.BASE:
        return None
    return canonical_builtin(value, leaf.name.name)


def canonical_builtin(value: str, typname: str) -> str | None:
    """Returns the canonical text for a type of ``pg_catalog``, given by its ``typname``, or None where there
    is none.
    """
    if typname in _INTEGERS | _STRINGS | _PLAIN:
        return f"CAST({value} AS pg_catalog.text)"
    # 1.0 equals 1.00, but they print differently.
    if typname == "numeric":
        return f"CAST(pg_catalog.trim_scale({value}) AS pg_catalog.text)"
    # -0 equals 0, but they print differently.
    if typname in ("float4", "float8"):
        return f"CASE WHEN {value} = 0 THEN '0' ELSE CAST({value} AS pg_catalog.text) END"
    # timestamptz prints in the session's zone, so it is taken to UTC first.
    if typname == "timestamptz":
        return f"CAST(pg_catalog.timezone('UTC', {value}) AS pg_catalog.text)"
    return None


def deterministic(collation: str | None) -> bool:
    """Returns whether a collation is known to call equal only texts of the same bytes.

    None is the type's or the database's default, which is deterministic, because CREATE DATABASE takes no
    other.
    """
    return collation is None or collation.startswith(("pg_catalog.", '"pg_catalog".'))


def key_text(parts: Sequence[str]) -> str:
    """Returns SQL that joins several canonical texts into one: a JSON array keeps NULL and ``'null'``
    apart.
    """
    return f"CAST(pg_catalog.json_build_array({', '.join(parts)}) AS pg_catalog.text)"


def computed_on_old(plan: TablePlan, column: str, old: Table) -> str | None:
    """Returns SQL over ``old`` for the canonical text of what will arrive in a column of NEW.

    None where only NEW can tell: a text that NEW's input function still has to read is not yet the value.
    """
    taken = taken_on_old(plan, column, old)
    return canonical(*taken) if taken is not None else None


def taken_on_old(plan: TablePlan, column: str, old: Table) -> tuple[str, PgType] | None:
    """Returns SQL over ``old`` for the value that will arrive in a column of NEW, with its type on OLD's
    side.

    None where OLD does not compute that value itself, or its collation is not deterministic.
    """
    position = next((n for n, m in enumerate(plan.columns) if m.column == column), None)
    if position is None:
        return None
    mapping = plan.columns[position]
    match mapping.expression:
        case Take(column=name, conversion=conversion) if (
            conversion.rule in (Rule.SAME, Rule.OLD_CAST, Rule.ZONE) and not conversion.fallible
        ):
            declared = old.column(name)
            if declared is None or not deterministic(declared.collation):
                return None
            kept = declared.type if conversion.rule is Rule.SAME else mapping.type
            return compile_column(plan, position, old), kept.leaf
        case _:
            return None
