"""Equal questions are asked once: one entry of ``for_all`` for all columns of an old and a new type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.planning.deciding.resolve.patterns import OLD_COLUMN
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.drafts import AskedOnce, Confidence, Draft
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.own_conversion import both_readings, taken_for

ALL_TABLES = "*"
"""The pattern of every table."""
_FEWEST = 2
"""Columns from which on a question is asked for all of them: one alone is asked under its table's name."""


class DraftOf(Struct, frozen=True):
    """A draft with the old table that it is about; None: it is about columns of several tables."""

    table: TableName | None
    draft: Draft
    flow: str = ""
    """The name of the flow that it is about; empty for the pair of tables that was found."""


def asked_together(drafts: Iterable[DraftOf], old: Catalog) -> list[DraftOf]:
    """Returns the drafts with one for all columns of two types in place of the drafts about each of them.

    Of drafts that say different things about the same two types, the most that are equal are asked together.
    """
    given = list(drafts)
    groups: dict[str, dict[tuple[str, ...], list[DraftOf]]] = {}
    for one in given:
        once = one.draft.asked_once
        if once is not None:
            groups.setdefault(once.when, {}).setdefault(once.reasons, []).append(one)
    largest = [max(equal.values(), key=len) for equal in groups.values()]
    together = [group for group in largest if len(group) >= _FEWEST]
    grouped = {id(one) for group in together for one in group}
    alone = [one for one in given if id(one) not in grouped]
    return [*(DraftOf(None, _for_all(group, old)) for group in together), *alone]


def _for_all(group: Sequence[DraftOf], old: Catalog) -> Draft:
    """Returns one draft for all columns of a group. It is filled in where each of them would be."""
    complete = all(one.draft.complete for one in group)
    asked = [one for one in group if not _once(one).empty]
    once = _once(group[0])
    before, after = once.when.split(" -> ")
    tables = len({one.table for one in group})
    question = (
        f"{before} becomes {after} in {len(group)} columns of {_counted(tables)}: "
        "in which time zone did the application write them?"
    )
    return Draft(
        question,
        None,
        None,
        {"action": "transform"},
        complete=complete,
        confidence=Confidence.LIKELY if complete else Confidence.GUESS,
        evidence=(*once.reasons, *_reading(once, asked, complete=complete), *_columns(group, asked, old)),
        asked_once=once,
    )


def _once(one: DraftOf) -> AskedOnce:
    if one.draft.asked_once is None:
        raise ValueError(f"{one.draft.question}: a question about one column")
    return one.draft.asked_once


def _counted(tables: int) -> str:
    return f"{tables} tables" if tables > 1 else "one table"


def _reading(once: AskedOnce, asked: Sequence[DraftOf], *, complete: bool) -> tuple[Fact, ...]:
    if not asked:
        return ("OLD holds no value in any of them: both readings of the time zone come to the same",)
    if complete:
        return taken_for(f"old.{OLD_COLUMN}", once.zone)
    return both_readings(f"old.{OLD_COLUMN}", once.zone)


def _columns(group: Sequence[DraftOf], asked: Sequence[DraftOf], old: Catalog) -> tuple[Fact, ...]:
    empty = [one for one in group if one not in asked]
    named = f"columns: {_names(asked, old)}" if asked else ""
    without = f"without a value, so not asked about: {_names(empty, old)}" if empty else ""
    other = "an entry under a table's name decides one of these columns otherwise"
    return tuple(filter(None, (named, without, other)))


def _names(drafts: Sequence[DraftOf], old: Catalog) -> str:
    return ", ".join(
        f"{table_key(one.table, old)}.{one.draft.old_column}" for one in drafts if one.table is not None
    )


def pattern_entry(draft: Draft) -> dict[str, object]:
    """Returns an entry of ``for_all`` as it is written into the file."""
    once = draft.asked_once
    if once is None:
        raise ValueError(f"{draft.question}: a question about one column")
    body = draft.entry()
    return {"description": body.pop("description"), "tables": ALL_TABLES, "when": once.when, **body}
