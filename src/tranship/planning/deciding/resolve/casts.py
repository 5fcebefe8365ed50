"""The values of decisions that only a server can judge: mapping keys on OLD, everything that is written on NEW. Pure: which, not how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import UNSET, Struct, UnsetType

from tranship.model.catalog import Catalog, Column
from tranship.model.names import Side
from tranship.model.resolution import Answers, Decision, Problem
from tranship.planning.deciding.resolve.values import castable
from tranship.planning.deciding.resolve.words import USE_SCHEMA_DEFAULT, WRONG_VALUE, problem

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
            told = f"value_mapping key {key!r} is no value of OLD's {_described(source)}"
            yield CastQuestion(Side.OLD, source.type.leaf.base, key, problem(WRONG_VALUE, entry, told))
        yield from _written(decision, target, f"value_mapping[{key!r}]: {result!r}", result)
    yield from _written(decision, target, f"default_value {entry.default_value!r}", entry.default_value)
    yield from _written(decision, target, f"null_value {entry.null_value!r}", entry.null_value)


def _carried(
    decision: Decision, side: Side, catalog: Catalog, values: Iterable[str | None]
) -> Iterator[CastQuestion]:
    """Every text of a decision passes through OLD's SELECT on its way to NEW: both encodings have to know its characters."""
    if catalog.encoding in _EVERY_CHARACTER:
        return
    for value in values:
        if value is not None and not value.isascii():
            told = f"{value!r} has characters that {side.upper()}'s encoding {catalog.encoding} lacks"
            yield CastQuestion(side, TEXT, value, problem(WRONG_VALUE, decision.resolution, told))


def _written(
    decision: Decision, target: Column | None, what: str, value: str | UnsetType | None
) -> Iterator[CastQuestion]:
    if (
        target is None
        or value is UNSET
        or value is None
        or value == USE_SCHEMA_DEFAULT
        or castable(target.type, value) is not None
    ):
        return
    told = f"{what} is no value of {_described(target)}"
    yield CastQuestion(Side.NEW, target.type.text, value, problem(WRONG_VALUE, decision.resolution, told))


def _described(column: Column) -> str:
    return f"column {column.name!r} ({column.type.text})"
