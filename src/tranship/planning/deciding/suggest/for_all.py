"""Equal questions are asked once: one entry of ``for_all`` for all columns of an old and a new type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.resolution import ForAll
from tranship.planning.deciding.resolve.patterns import OLD_COLUMN, speaks_of
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.drafts import AskedOnce, Confidence, Draft, Field
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.own_conversion import as_moment, both_readings, taken_for

ALL_TABLES = "*"
"""The pattern of every table."""
_FEWEST = 2
"""Columns from which on a question is asked for all of them: one alone is asked under its table's name."""
_ZONED = "with time zone"
_CLOCKS = frozenset({Family.TIMESTAMP, Family.DATE, Family.TIME, Family.STRING})


class DraftOf(Struct, frozen=True):
    """A draft with the old table that it is about; None: it is about columns of several tables."""

    table: TableName | None
    draft: Draft
    flow: str = ""
    """The name of the flow that it is about; empty for the pair of tables that was found."""
    into: TableName | None = None
    """The new table that is filled."""


def asked_together(
    drafts: Iterable[DraftOf], sides: tuple[Catalog, Catalog], patterns: Sequence[ForAll] = ()
) -> list[DraftOf]:
    """Returns the drafts with one for all columns of two types in place of the drafts about each of them.

    Of drafts that say different things about the same two types, the most that are equal are asked together.
    That a column was renamed stays a question of its own: how its values are read is said for all. It is said
    already where one of ``patterns``, those of the file, speaks of the column.
    """
    given = list(drafts)
    said = [one for one in given if _is_said(one, patterns, sides[0])]
    together = _groups(_without(given, said))
    covered = [*said, *chain.from_iterable(together)]
    zoned = _zoned(_without(given, covered), sides)
    apart = f"not covered, since their times are asked about by themselves: {zoned}" if zoned else ""
    questions = (DraftOf(None, _for_all(group, sides[0], apart)) for group in together)
    kept = [one for one in covered if not _once(one).renamed]
    renamed = {id(one) for one in covered}
    left = _without(given, kept)
    return [*questions, *(_only_renamed(one) if id(one) in renamed else one for one in left)]


def _without(drafts: Sequence[DraftOf], others: Sequence[DraftOf]) -> list[DraftOf]:
    taken = {id(one) for one in others}
    return [one for one in drafts if id(one) not in taken]


def _groups(drafts: Iterable[DraftOf]) -> list[list[DraftOf]]:
    """Returns the drafts that ask the same about the same two types, where they are several."""
    groups: dict[str, dict[tuple[str, ...], list[DraftOf]]] = {}
    for one in drafts:
        once = one.draft.asked_once
        if once is not None:
            groups.setdefault(once.when, {}).setdefault(once.reasons, []).append(one)
    largest = [max(equal.values(), key=len) for equal in groups.values()]
    return [group for group in largest if len(group) >= _FEWEST]


def _is_said(one: DraftOf, patterns: Sequence[ForAll], old: Catalog) -> bool:
    """Returns whether a pattern of the file says how the values of a renamed column are read."""
    table, once = one.table, one.draft.asked_once
    if table is None or once is None or not once.renamed:
        return False
    return any(speaks_of(pattern, table, once.types, old) for pattern in patterns)


def _only_renamed(one: DraftOf) -> DraftOf:
    """Returns the question whether two columns are one, whose values are read as is said for all columns."""
    draft, once = one.draft, _once(one)
    told = {*both_readings(once.value, once.zone), *taken_for(once.value, once.zone)}
    how = (
        f"how its values are read is said once, in for_all ({once.when}), and holds for a column that is "
        "renamed; with 'transform' instead, they would be read in OLD's database time zone "
        f"{once.zone}"
    )
    fields: dict[str, Field] = {
        "old_column": draft.old_column,
        "new_column": draft.new_column,
        "action": "rename",
    }
    evidence = (*(fact for fact in draft.evidence if fact not in told), how)
    return replace(one, draft=replace(draft, fields=fields, evidence=evidence, asked_once=None))


def _for_all(group: Sequence[DraftOf], old: Catalog, apart: str) -> Draft:
    """Returns one draft for all columns of a group. It is filled in where each of them would be."""
    complete = all(one.draft.complete or _once(one).fits for one in group)
    asked = [one for one in group if not _once(one).empty]
    once = _once(group[0])
    before, after = once.when.split(" -> ")
    tables = len({one.table for one in group})
    question = (
        f"{before} becomes {after} in {len(group)} columns of {_counted(tables)}: "
        "in which time zone did the application write them?"
    )
    columns = (*_columns(group, asked, old), *([apart] if apart else []))
    return Draft(
        question,
        None,
        None,
        {"action": "transform"},
        complete=complete,
        confidence=Confidence.LIKELY if complete else Confidence.GUESS,
        evidence=(*once.reasons, *_reading(once, asked, complete=complete), *columns),
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
    value = as_moment(f"old.{OLD_COLUMN}", once.types[0])
    return taken_for(value, once.zone) if complete else both_readings(value, once.zone)


def _columns(group: Sequence[DraftOf], asked: Sequence[DraftOf], old: Catalog) -> tuple[Fact, ...]:
    kept = [one for one in asked if not _once(one).renamed]
    renamed = [one for one in asked if _once(one).renamed]
    empty = [one for one in group if one not in asked]
    named = f"columns: {_names(kept, old)}" if kept else ""
    later = f"columns, where the answer to their own question is 'rename': {_names(renamed, old)}"
    without = f"without a value, so not asked about: {_names(empty, old)}" if empty else ""
    other = "an entry under a table's name decides one of these columns otherwise"
    return tuple(filter(None, (named, later if renamed else "", without, other)))


def _names(drafts: Sequence[DraftOf], old: Catalog) -> str:
    return ", ".join(_name(one, one.draft.old_column or "", old) for one in drafts if one.table is not None)


def _name(one: DraftOf, column: str, old: Catalog) -> str:
    return f"{table_key(one.table, old) if one.table is not None else ''}.{column}"


def _zoned(drafts: Sequence[DraftOf], sides: tuple[Catalog, Catalog]) -> str:
    """Returns the columns of other questions in whose values a time zone has a part."""
    names = [
        _name(one, source, sides[0])
        for one in drafts
        for source in one.draft.sources
        if one.table is not None and one.into is not None and _is_zoned(one, source, sides)
    ]
    return ", ".join(dict.fromkeys(names))


def _is_zoned(one: DraftOf, source: str, sides: tuple[Catalog, Catalog]) -> bool:
    """Returns whether an old column has no time zone and the new one has, or the other way round."""
    before = sides[0].table(one.table) if one.table is not None else None
    after = sides[1].table(one.into) if one.into is not None else None
    left = before.column(source) if before is not None else None
    right = after.column(one.draft.new_column or "") if after is not None else None
    if left is None or right is None:
        return False
    families = {left.type.leaf.family, right.type.leaf.family}
    zoned = left.type.leaf.base.endswith(_ZONED), right.type.leaf.base.endswith(_ZONED)
    to_text = zoned[0] and right.type.leaf.family is Family.STRING
    return zoned[0] != zoned[1] and families <= _CLOCKS and not to_text


def pattern_entry(draft: Draft) -> dict[str, object]:
    """Returns an entry of ``for_all`` as it is written into the file."""
    once = draft.asked_once
    if once is None:
        raise ValueError(f"{draft.question}: a question about one column")
    body = draft.entry()
    of: dict[str, object] = {"tables": ALL_TABLES, "when": once.when}
    if "_example" in body:
        value = as_moment(f"old.{OLD_COLUMN}", once.types[0])
        body["_example"] = {
            **of,
            "action": "transform",
            "transform_sql": f"{value} AT TIME ZONE 'Europe/Berlin'",
        }
    return {"description": body.pop("description"), **of, **body}
