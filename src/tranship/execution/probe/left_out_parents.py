"""Parents in tables that a decision or the configuration leaves out: rows that refer to them keep their
values, so NEW's row under that value has to be the row that OLD means.

NEW's row is the parent where it is equal in the columns that both tables have. Where a person decided the
column that refers to it, the decision says which row of NEW is meant, and nothing is compared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.start import LeftOutParentsDiffer
from tranship.execution.context import Job
from tranship.execution.probe.parent_flows import parent_flows
from tranship.execution.probe.questions import GivenRow, put, re_encodes
from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.expression import Take
from tranship.model.plan import Origin, TablePlan
from tranship.model.references import references
from tranship.planning.plan.wider_keys import origins_of
from tranship.planning.types.conversion import convert
from tranship.sql.expression import sent_text
from tranship.sql.new.given_rows import GivenRows, differing_part, rows_query
from tranship.sql.new.matched_key import equality
from tranship.sql.new.probe import guarded
from tranship.sql.old.parents import referenced_rows

_AT_ONCE = 1_000
"""Rows that one question compares: some hundred kilobytes of JSON for rows of ordinary width."""
_COMPARED = (Family.INTEGER, Family.STRING, Family.UUID)
"""Types of keys whose equality is the same on every server."""
_SHOWN = 5
"""Keys that a message names."""


class LeftOutParent(Struct, frozen=True):
    """A foreign key of NEW whose parents in OLD are in a table that is left out."""

    plan: TablePlan
    key: ForeignKey
    """NEW's."""
    declared: ForeignKey
    """OLD's over the same columns, or over these and further ones."""
    parent: Table
    """OLD's table."""
    target: Table
    """NEW's table."""
    keys: Mapping[str, str]
    """The columns of OLD's table that stand for those to which NEW's key leads, with the names of these."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that both tables have, keys first, those that convert by themselves."""
        others = (c.name for c in self.parent.columns if c.name not in self.keys)
        return (*self.keys, *filter(self._comparable, others))

    def named(self, column: str) -> str:
        """Returns the name that NEW's table has for a column of OLD's."""
        return self.keys.get(column, column)

    def _comparable(self, name: str) -> bool:
        before, after = self.parent.column(name), self.target.column(name)
        if before is None or after is None or after.generation is not None:
            return False
        return convert(before.type, after.type).automatic


def left_out_parents(job: Job) -> list[LeftOutParent]:
    """Returns the foreign keys whose parents nobody moves, as far as OLD declares them."""
    found = [
        left_out_parent(job, plan, key) for plan in job.plan.tables for key in references(job.after(plan))
    ]
    return [pair for pair in found if pair is not None]


def left_out_parent(job: Job, plan: TablePlan, key: ForeignKey) -> LeftOutParent | None:
    """Returns one foreign key of a flow if nobody moves the parents that OLD declares; else None."""
    of = parent_flows(job, plan, key)
    declared = _declared(job, plan, key) if not of.flows and not of.by_decision else None
    # What an earlier finished run moved is in NEW as the plan says; its rejects are known by key.
    elsewhere = {p.old for p in job.plan.tables} | {before.flow.old for before in job.moved}
    if declared is None or declared.target in elsewhere:
        return None
    parent, target = job.old.table(declared.target), job.new.table(key.target)
    if parent is None or target is None or "SELECT" not in parent.privileges:
        return None
    partners = dict(zip(declared.columns, declared.target_columns, strict=True))
    origins = origins_of(plan, key)
    named = zip(key.columns, key.target_columns, strict=True)
    keys = {partners[origins[column]]: leads_to for column, leads_to in named}
    return LeftOutParent(plan, key, declared, parent, target, keys)


async def differing(
    job: Job, pair: LeftOutParent, old: asyncpg.Connection, new: asyncpg.Connection
) -> LeftOutParentsDiffer | None:
    """Compares the rows of OLD that are referred to with NEW's rows under the same keys.

    Returns None where every one that NEW holds is equal. Rows that NEW lacks are left to the foreign key.
    ``old`` is a reader of the snapshot, ``new`` is in a READ ONLY transaction.

    Raises:
        NotAskable: NEW cannot be asked.
    """
    width = len(pair.keys)
    query = _differing_query(pair, width)
    count, examples = 0, list[str]()
    async for chunk in _referenced(job, pair, old):
        texts: list[GivenRow] = [
            {"i": n, **{f"c{k}": text for k, text in enumerate(row)}} for n, row in enumerate(chunk)
        ]
        answers = await put(new, guarded(query), texts, ascii_only=re_encodes(job.new))
        # A value that NEW's type refuses is no value of NEW's row either.
        wrong = sorted({a.row for a in answers if a.kind in ("differs", "error")})
        count += len(wrong)
        examples += [", ".join(str(text) for text in chunk[n][:width]) for n in wrong[:_SHOWN]]
    if not count:
        return None
    return LeftOutParentsDiffer(
        pair.plan.flow, pair.key.name, count, pair.parent.name, pair.target.name, tuple(examples[:_SHOWN])
    )


def _differing_query(pair: LeftOutParent, width: int) -> str:
    """Returns the question which given rows differ from NEW's rows; the first ``width`` columns are
    their key.
    """
    named = [pair.target.column(pair.named(name)) for name in pair.columns]
    given = tuple(column for column in named if column is not None)
    rows = GivenRows(pair.target, given)
    key = [(column.name, equality(column.type)) for column in given[:width]]
    return rows_query(rows, [differing_part(rows, key)])


async def _referenced(
    job: Job, pair: LeftOutParent, old: asyncpg.Connection
) -> AsyncIterator[list[Sequence[str | None]]]:
    """Yields the rows of the left-out table that the flow refers to, as texts that NEW's input reads."""
    texts = []
    for name in pair.columns:
        before, after = pair.parent.column(name), pair.target.column(pair.named(name))
        if before is None or after is None:
            raise ValueError(f"{pair.parent.name}.{name} is in both tables by construction")
        texts.append(sent_text(before, convert(before.type, after.type), after.type, job.old.timezone))
    query = referenced_rows(pair.plan, pair.declared, texts)
    chunk: list[Sequence[str | None]] = []
    async for record in old.cursor(query, prefetch=_AT_ONCE):
        chunk.append(tuple(record))
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _declared(job: Job, plan: TablePlan, key: ForeignKey) -> ForeignKey | None:
    """OLD's key over the columns that fill NEW's key by themselves, or over these and further ones where it
    leads to the same columns of a table of the same name, or what stands for a key that OLD does not declare;
    None where a person decided one of them.
    """
    taken: dict[str, str] = {}
    for mapping in plan.columns:
        if mapping.column not in key.columns:
            continue
        if mapping.origin is Origin.DECIDED or not isinstance(mapping.expression, Take):
            return None
        taken[mapping.column] = mapping.expression.column
    before = job.before(plan)
    declared = _over(key, taken, [k for k in references(before) if k.enforced])
    # What the values of a person's SELECT mean, it says itself.
    implied = None if plan.shape.query else _as_if_declared(key, taken, before, job.old.table(key.target))
    return declared or implied


def _as_if_declared(
    key: ForeignKey, taken: Mapping[str, str], child: Table, parent: Table | None
) -> ForeignKey | None:
    """Returns a key of NEW over the columns of OLD that fill it, if OLD has the table to which it leads, with
    the same unique key: then OLD's values refer to that table's rows, whether or not OLD declares it.
    """
    if parent is None or not all(name in taken for name in key.columns):
        return None
    columns = tuple(taken[name] for name in key.columns)
    pairs = zip(columns, key.target_columns, strict=True)
    unique = any(set(held.columns) == set(key.target_columns) for held in parent.keys)
    if not unique or not all(_alike(child.column(c), parent.column(t)) for c, t in pairs):
        return None
    return replace(key, columns=columns, operators=(), collations=())


def _alike(child: Column | None, parent: Column | None) -> bool:
    """Returns whether the built-in equality compares two columns of OLD."""
    if child is None or parent is None or child.collation != parent.collation:
        return False
    return child.type.leaf.family is parent.type.leaf.family and child.type.leaf.family in _COMPARED


def _over(key: ForeignKey, taken: Mapping[str, str], keys: Sequence[ForeignKey]) -> ForeignKey | None:
    """Returns the key of OLD over the columns that fill NEW's, else one over further ones."""
    columns = [taken.get(name) for name in key.columns]
    exact = next((held for held in keys if list(held.columns) == columns), None)
    return exact or next((held for held in keys if _leads_there(held, key, taken)), None)


def _leads_there(held: ForeignKey, key: ForeignKey, taken: Mapping[str, str]) -> bool:
    """Returns whether a wider key of OLD leads to the table and the columns of a key of NEW."""
    partners = dict(zip(held.columns, held.target_columns, strict=True))
    named = zip(key.columns, key.target_columns, strict=True)
    return (
        held.target.name == key.target.name
        and not held.period
        and all(partners.get(taken.get(column, "")) == leads_to for column, leads_to in named)
    )
