"""Predicates with which OLD leaves out the rows that certainly convert, so that only the rest is sent to NEW
to be judged.

Every predicate is on the safe side: NEW, whose rules decide, judges each row that a predicate does not vouch
for.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Column, Table
from tranship.model.expression import Coalesce, Lookup, NewDefault, Rule, Take
from tranship.model.plan import TablePlan
from tranship.model.row_size import HEADER, KEPT, LARGEST, fixed_size, never_moved
from tranship.model.types import PgType, TypeKind
from tranship.sql.expression import compile_text, gap
from tranship.sql.quote import ident
from tranship.sql.types.values import certain

_PADDED = 11
"""Bytes of a value's header and of what may stand before it."""
_LARGEST_KEY = 2704
"""Bytes of the largest key of a B-tree on a page of 8 kB, its header included."""
_MOST_COMPRESSED = 256
_WIDEST_KEY = 2600
"""Bytes of a key that fit a B-tree for certain: a third of a page of 8 kB, less what its header takes."""


def uncertain(plan: TablePlan, position: int, old: Table, *, in_bytes: bool = False) -> str | None:
    """Returns a predicate that is true for rows whose conversion OLD cannot vouch for; None: OLD can vouch
    for no row.

    ``in_bytes``: NEW measures texts in bytes of UTF8.
    """
    mapping = plan.columns[position]
    match mapping.expression:
        case Take() as take:
            pass
        case Coalesce(of=take):
            # The constant was judged before the run; a NULL never reaches the conversion.
            pass
        case _:
            return None
    column, new = old.column(take.column), mapping.type
    if column is None or _checked(new) or column.computed_when_read:
        return None
    if take.conversion.rule is Rule.SAME and not take.conversion.fallible:
        return None
    safe = certain(f"old.{ident(take.column)}", column.type.leaf, new.leaf, in_bytes=in_bytes)
    return f"(({safe}) IS FALSE)" if safe is not None else None


def computed(expression: str) -> str:
    """Returns a predicate that computes a person's expression and is true for no row: OLD raises an error
    where it cannot compute it.
    """
    # On lines of its own, so that a comment at its end does not swallow the parenthesis.
    return f"(pg_catalog.num_nulls((\n{expression}\n)) < 0)"


def too_wide(values: Sequence[str]) -> str:
    """Returns a predicate that is true for rows whose values together may be too large for a key of a
    B-tree.
    """
    sizes = [f"COALESCE(pg_catalog.octet_length(CAST({value} AS pg_catalog.text)), 0)" for value in values]
    return f"({' + '.join(sizes)} > {_WIDEST_KEY})"


def too_wide_however(whole: Sequence[str], compressed: Sequence[str]) -> str:
    """Returns a predicate that is true for rows whose texts are too large for a key of a B-tree.

    ``compressed``: texts that the server compresses, to one part in 256 at best (the longest match that an
    item of pglz or lz4 stands for, PostgreSQL sources, ``pg_lzcompress.c``; lz4 block format).
    """
    sizes = [_octets(text) for text in whole]
    sizes += [f"({_octets(text)} / {_MOST_COMPRESSED})" for text in compressed]
    return f"({' + '.join(sizes)} > {_LARGEST_KEY})"


def _octets(text: str) -> str:
    return f"COALESCE(pg_catalog.octet_length({text}), 0)"


def may_be_too_large(plan: TablePlan, old: Table, new: Table) -> str | None:
    """Returns a predicate that is true for rows that may be too large for a page of NEW; None: every row may.

    It is a sum over an array: a chain of 1,600 + exceeds the server's stack.
    """
    sizes = []
    for position, mapping in enumerate(plan.columns):
        column = new.column(mapping.column)
        if column is None:
            continue
        size = _most_bytes(plan, position, column, old)
        if size is None:
            return None
        sizes.append(size)
    listed = f"ARRAY[{', '.join(sizes)}]::pg_catalog.int4[]"
    summed = f"(SELECT pg_catalog.sum(size) FROM pg_catalog.unnest({listed}) AS s(size))"
    return f"({HEADER + 8 + len(new.columns) // 8} + {summed} > {LARGEST})"


def _most_bytes(plan: TablePlan, position: int, column: Column, old: Table) -> str | None:
    """Returns SQL for the most bytes that a column takes in a row; None: no number is the most."""
    fixed, mapping = fixed_size(column), plan.columns[position]
    if fixed is None and never_moved(column):
        return None
    most = fixed[0] + fixed[1] - 1 if fixed is not None else KEPT + _PADDED
    if isinstance(mapping.expression, NewDefault | Lookup):
        return str(most)
    text = compile_text(plan, position, old)
    if fixed is None and column.type.leaf.typname in ("text", "varchar"):
        # LEAST passes over a NULL, so that it has to be asked for.
        most_of_text = f"LEAST(pg_catalog.octet_length({text}) + {_PADDED}, {most})"
        return f"CASE WHEN {text} IS NULL THEN 0 ELSE {most_of_text} END"
    return f"CASE WHEN {text} IS NULL THEN 0 ELSE {most} END"


def foreign_characters(plan: TablePlan, position: int, old: Table) -> str:
    """Returns a predicate that is true for rows whose shipped text is not plain ASCII."""
    return f"({compile_text(plan, position, old)} COLLATE pg_catalog.\"C\" ~ '[^\\x01-\\x7f]')"


def is_null(plan: TablePlan, position: int, old: Table) -> str:
    """Returns a predicate that is true for rows whose shipped value is NULL."""
    return f"({compile_text(plan, position, old)} IS NULL)"


def missing_entry(plan: TablePlan, position: int, old: Table) -> str:
    """Returns a predicate that is true for rows whose value has no entry in the mapping or lookup."""
    return gap(plan, position, old) or "false"


def _checked(new: PgType) -> bool:
    inner: PgType | None = new
    while inner is not None and inner.kind is TypeKind.DOMAIN:
        if inner.checks:
            return True
        inner = inner.element
    return False
