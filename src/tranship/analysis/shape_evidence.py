"""Asks OLD what would speak for another shape of its rows."""

from __future__ import annotations

from itertools import chain, groupby
from operator import itemgetter

from tranship.analysis.asker import Asker
from tranship.analysis.sampling import percent_read
from tranship.model.catalog import Catalog, Table
from tranship.model.names import ColumnRef, Side
from tranship.model.shape_evidence import (
    HighestKey,
    JsonKey,
    JsonKeys,
    ShapeEvidence,
    WrittenFacts,
    WrittenQuestion,
)
from tranship.planning.deciding.shape_questions import ShapeQuestions
from tranship.sql import shape_evidence as sql


async def shape_evidence(asker: Asker, old: Catalog, questions: ShapeQuestions) -> ShapeEvidence:
    """Returns what OLD answers; a question without an answer is missing."""
    keys = [await _json_keys(asker, old, column) for column in questions.json]
    written = [await _written(asker, old, question) for question in questions.written]
    highest = [await _highest(asker, old, column) for column in questions.keys]
    return ShapeEvidence(
        tuple(chain.from_iterable(keys)),
        tuple(one for one in written if one is not None),
        tuple(one for one in highest if one is not None),
    )


async def _json_keys(asker: Asker, old: Catalog, ref: ColumnRef) -> list[JsonKeys]:
    """Returns the keys of a column's objects, and those of the objects in its arrays."""
    table = _readable(old, ref)
    if table is None:
        return []
    percent = percent_read(table)
    rows = await asker.ask(Side.OLD, f"keys of {ref}", sql.json_keys(table, ref.column, percent))
    found = list[JsonKeys]()
    for items, group in groupby(rows or (), key=itemgetter("items")):
        some = list(group)
        keys = tuple(JsonKey(str(row["key"]), int(str(row["rows"])), _texts(row["kinds"])) for row in some)
        objects = int(str(some[0]["objects"]))
        found.append(JsonKeys(ref, objects, keys, percent is not None, items=bool(items)))
    return found


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


async def _written(asker: Asker, old: Catalog, question: WrittenQuestion) -> WrittenFacts | None:
    table = _readable(old, question.column)
    if table is None:
        return None
    percent = percent_read(table)
    text = sql.written_in_one_way(table, question.column.column, question.sql, percent)
    rows = await asker.ask(Side.OLD, f"how values of {question.column} are written", text)
    if not rows:
        return None
    names = ("rows", "changed", "repeated", "empty")
    counted, changed, repeated, empty = (int(str(rows[0][name])) for name in names)
    example = _texts(rows[0]["example"])
    return WrittenFacts(question, counted, changed, repeated, percent is not None, empty, example)


async def _highest(asker: Asker, old: Catalog, ref: ColumnRef) -> HighestKey | None:
    table = _readable(old, ref)
    if table is None:
        return None
    rows = await asker.ask(Side.OLD, f"largest {ref}", sql.highest_key(table, ref.column))
    value = rows[0]["highest"] if rows else None
    return HighestKey(ref, int(str(value))) if value is not None else None


def _readable(old: Catalog, ref: ColumnRef) -> Table | None:
    """Returns the table of a column where the role may read it whole."""
    table = old.table(ref.table)
    return table if table is not None and "SELECT" in table.privileges else None
