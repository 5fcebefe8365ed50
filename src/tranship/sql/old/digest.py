"""What OLD computes to prove a copy: the sums over the rows of a batch as NEW should hold them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.builtin_types import BINARY_RANGES, Family
from tranship.model.catalog import Column, Table
from tranship.model.digest import HashForm
from tranship.model.expression import Rule, Sql, Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.types import PgType, TypeKind
from tranship.sql.digest import RowValues, Value, hashed, row_hash, row_sums
from tranship.sql.expression import compile_column, compile_text, shipped
from tranship.sql.joins import Bindings, Joins
from tranship.sql.old.batch import in_range
from tranship.sql.old.row_source import row_source, without

_AS_SENT = frozenset({Family.JSON})
"""Families whose values keep the text that their input function is given (``jsonb`` does not)."""
_UNCERTAIN = frozenset({Family.MONEY, Family.OBJECT, Family.PRIVILEGE, Family.SEARCH, Family.JSON_PATH})
"""Families whose input depends on a locale, a catalog or a version: only NEW knows what a text becomes."""


def computed_values(plan: TablePlan, old: Table) -> tuple[Value, ...] | None:
    """Returns SQL over ``old`` for each copied column as NEW will hold it, in NEW's order.

    None: of some column only NEW can tell, because its input function decides what the sent text becomes.
    """
    values = [_computed(plan, position, old) for position in shipped(plan)]
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


class BatchRead(Struct, frozen=True):
    """Which rows of OLD are read."""

    plan: TablePlan
    old: Table
    batch: Batch
    excluded: tuple[Locator, ...] = ()
    """Rows of the batch that are not copied."""
    bindings: Bindings = ()
    only: tuple[str, ...] = ()
    """Further conditions on the old rows."""
    raw: bool = False
    """OLD is SQL_ASCII: its bytes may be no text in any encoding."""

    def rows(self, *also: str) -> str:
        """Returns FROM, joins and WHERE; ``also`` are further conditions."""
        source = row_source(self.plan, self.batch.source, self.batch.range)
        conditions = (*in_range(self.batch.range, self.plan), *without(source, self.excluded), *self.only)
        return source.read_joined(conditions, Joins(self.plan, self.old, self.bindings), also)


def batch_sums(read: BatchRead, values: Sequence[Value], form: HashForm) -> str:
    """Returns a query for ``rows``, ``first`` and ``second`` over a batch's rows."""
    # OFFSET 0 keeps the planner from computing the hash once for each of the two sums.
    rows = f"SELECT {hashed(values, form)} AS r\n{read.rows()}\nOFFSET 0"
    return f"SELECT {row_sums(form)}\nFROM ({rows}) AS h"


def batch_part_sums(read: BatchRead, of: RowValues, form: HashForm, number: int) -> str:
    """Returns a query for the same sums by the ``part`` of the rows among so many."""
    shown = f"{of.part(form, number)} AS part, {hashed(of.columns, form)} AS r"
    rows = f"SELECT {shown}\n{read.rows()}\nOFFSET 0"
    return f"SELECT h.part, {row_sums(form)}\nFROM ({rows}) AS h GROUP BY h.part"


def batch_rows(read: BatchRead, of: RowValues, form: HashForm) -> str:
    """Returns a query for the rows of a batch, one by one: key ``k`` as bytes, hashes ``digest`` and, where
    they are wanted, values ``v`` as bytes.

    With ``of.wanted`` it reads only the rows whose key is in $1 (``bytea[]``), and their values. Bytes
    travel, in UTF-8, since an OLD in SQL_ASCII has nothing else: its bytes are text only where NEW took them.
    """
    key = _sent(of.key, read.raw)
    wanted = (f"{key} = ANY ($1::pg_catalog.bytea[])",) if of.wanted else ()
    wanted = (*wanted, *of.in_parts(form))
    if not of.wanted:
        rows = f"SELECT {key} AS k, {hashed(of.columns, form)} AS r\n{read.rows(*wanted)}\nOFFSET 0"
        return f"SELECT h.k, {row_hash(form)} AS digest\nFROM ({rows}) AS h"
    shown = f"{key} AS k, {hashed(of.columns, form)} AS r, {of.values} AS v"
    rows = f"SELECT {shown}\n{read.rows(*wanted)}\nOFFSET 0"
    values = "pg_catalog.unnest(h.v) WITH ORDINALITY AS one (text, place)"
    sent = f"ARRAY(SELECT {_sent('one.text', read.raw)} FROM {values} ORDER BY one.place)"
    return f"SELECT h.k, {row_hash(form)} AS digest, {sent} AS v\nFROM ({rows}) AS h"


def _sent(text: str, raw: bool) -> str:
    """Returns SQL for the bytes of a text: in UTF-8, or as they are."""
    return f"pg_catalog.convert_to({text}, '{'SQL_ASCII' if raw else 'UTF8'}')"


def _computed(plan: TablePlan, position: int, old: Table) -> Value | None:
    mapping = plan.columns[position]
    new = mapping.type.leaf
    if _holds_moments(new):
        return None
    if isinstance(mapping.expression, Sql) and mapping.expression.own:
        return Value(compile_column(plan, position, old), new)
    if isinstance(mapping.expression, Take):
        rule = mapping.expression.conversion.rule
        declared = old.column(mapping.expression.column)
        value = compile_column(plan, position, old)
        if declared is not None and rule is Rule.SAME and not mapping.expression.conversion.fallible:
            return _same(value, declared, new)
        if rule is Rule.OLD_CAST:
            return Value(value, new)
    return _read(compile_text(plan, position, old), new)


def _same(value: str, declared: Column, new: PgType) -> Value | None:
    """Returns what a value becomes that is sent as it is; a larger modifier may still print it otherwise."""
    before = declared.type.leaf
    if before.text == new.text:
        return Value(value, new)
    return Value(f"CAST({value} AS {new.text})", new) if _known_on_old(new) else None


def _read(text: str, new: PgType) -> Value | None:
    """Returns what a sent text becomes in NEW; None where OLD has not the same input function."""
    if new.kind is TypeKind.ENUM or (new.family in _AS_SENT and new.typname != "jsonb"):
        return Value(text, None)
    return Value(f"CAST({text} AS {new.text})", new) if _known_on_old(new) else None


def _holds_moments(new: PgType) -> bool:
    """Returns whether a part of a type prints in the time zone of the session, which differs on both
    sides.
    """
    parts = [attribute.type for attribute in new.attributes]
    parts += [new.element] if new.element is not None else []
    return any(_zoned(part.leaf) or _holds_moments(part.leaf) for part in parts)


def _zoned(part: PgType) -> bool:
    return part.family is Family.TIMESTAMP and part.builtin is not None and part.builtin.zoned


def _known_on_old(new: PgType) -> bool:
    """Returns whether every server reads and prints texts of a type alike."""
    match new.kind:
        case TypeKind.BASE:
            return new.family is not None and new.family not in _UNCERTAIN
        case TypeKind.ARRAY:
            return new.element is not None and _known_on_old(new.element)
        case TypeKind.RANGE | TypeKind.MULTIRANGE:
            return new.typname in BINARY_RANGES
        case _:
            return False
