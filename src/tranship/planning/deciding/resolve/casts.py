"""The values of decisions that only a server can judge: mapping keys on OLD, everything that is written on NEW. Pure: which, not how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import UNSET, Struct

from tranship.errors.codes.entry_values import (
    NotInEncoding,
    WrongFieldValue,
    WrongMappingKey,
    WrongMappingResult,
)
from tranship.model.catalog import Catalog, Column
from tranship.model.names import Side
from tranship.model.resolution import Answers, Decision, Problem
from tranship.planning.deciding.resolve.words import USE_SCHEMA_DEFAULT, problem
from tranship.planning.types.values import castable

TEXT = "text"
"""Asked for the sake of the encoding alone."""
_EVERY_CHARACTER = ("UTF8", "SQL_ASCII")


class CastQuestion(Struct, frozen=True):
    """Does this type's input function take this text? If not, ``problem`` is what is wrong."""

    side: Side
    type: str
    """As it stands in SQL, modifier included."""
    value: str
    problem: Problem


def cast_questions(answers: Answers, old: Catalog, new: Catalog) -> tuple[CastQuestion, ...]:
    """Every value of the decisions that could not be judged offline, each once per entry."""
    return tuple(
        dict.fromkeys(question for decision in answers.decisions for question in _of(decision, old, new))
    )


def _of(decision: Decision, old: Catalog, new: Catalog) -> Iterator[CastQuestion]:
    entry = decision.resolution
    before = old.table(decision.old_table)
    after = new.table(decision.new_table) if decision.new_table is not None else None
    source = before.column(entry.old_column) if before is not None and entry.old_column is not None else None
    target = after.column(entry.new_column) if after is not None and entry.new_column is not None else None
    values = [v for _, v in entry.value_mapping or ()] + [
        v for v in (entry.default_value, entry.null_value) if v is not UNSET
    ]
    yield from _carried(decision, Side.OLD, old, [key for key, _ in entry.value_mapping or ()] + values)
    yield from _carried(decision, Side.NEW, new, values)
    for key, result in entry.value_mapping or ():
        if source is not None and castable(source.type.leaf, key) is None:
            wrong = WrongMappingKey(key, source.name, source.type.text)
            yield CastQuestion(Side.OLD, source.type.leaf.base, key, problem(entry, wrong))
        if target is not None and result is not None and _doubtful(target, result):
            wrong = WrongMappingResult(key, target.name, target.type.text, result=result)
            yield CastQuestion(Side.NEW, target.type.text, result, problem(entry, wrong))
    for field, value in (("default_value", entry.default_value), ("null_value", entry.null_value)):
        if target is not None and isinstance(value, str) and _doubtful(target, value):
            unfit = WrongFieldValue(field, value, target.name, target.type.text)
            yield CastQuestion(Side.NEW, target.type.text, value, problem(entry, unfit))


def _carried(
    decision: Decision, side: Side, catalog: Catalog, values: Iterable[str | None]
) -> Iterator[CastQuestion]:
    """Every text of a decision passes through OLD's SELECT on its way to NEW: both encodings have to know its characters."""
    if catalog.encoding in _EVERY_CHARACTER:
        return
    for value in values:
        if value is not None and not value.isascii():
            lacking = NotInEncoding(value, side, catalog.encoding)
            yield CastQuestion(side, TEXT, value, problem(decision.resolution, lacking))


def _doubtful(target: Column, value: str) -> bool:
    """Only the server knows whether the column takes the value."""
    return value != USE_SCHEMA_DEFAULT and castable(target.type, value) is None
