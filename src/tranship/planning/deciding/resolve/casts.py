"""The values of decisions that only a server can judge: mapping keys on OLD, everything that is written on
NEW.

Only which values these are is said here; ``analysis`` asks.
"""

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
from tranship.model.names import Side, TableName
from tranship.model.resolution import Answers, Decision, Problem, Resolution
from tranship.planning.deciding.resolve.words import USE_SCHEMA_DEFAULT, problem
from tranship.planning.types.values import castable

TEXT = "text"
"""The type under which a value is only asked about for the sake of its encoding."""
_EVERY_CHARACTER = ("UTF8", "SQL_ASCII")


class CastQuestion(Struct, frozen=True):
    """The question whether a type's input function accepts a text; ``problem`` is what is wrong if it does
    not.
    """

    side: Side
    type: str
    """The type as it is written in SQL, with its modifier."""
    value: str
    problem: Problem


def cast_questions(answers: Answers, old: Catalog, new: Catalog) -> tuple[CastQuestion, ...]:
    """Returns every value of the decisions that could not be judged offline, each once per entry."""
    return tuple(
        dict.fromkeys(question for decision in answers.decisions for question in _of(decision, old, new))
    )


def _of(decision: Decision, old: Catalog, new: Catalog) -> Iterator[CastQuestion]:
    entry = decision.resolution
    mapping = entry.value_mapping or ()
    values = [value for _, value in mapping]
    values += [value for value in (entry.default_value, entry.null_value) if value is not UNSET]
    yield from _carried(decision, Side.OLD, old, [*(key for key, _ in mapping), *values])
    yield from _carried(decision, Side.NEW, new, values)
    source = _column(old, decision.old_table, entry.old_column)
    if source is not None:
        yield from _mapping_keys(entry, source)
    target = _column(new, decision.new_table, entry.new_column)
    # What a domain says that reads tables is known only when the rows are written.
    if target is not None and not _reads_tables(target, new):
        yield from _written_values(entry, target)


def _column(catalog: Catalog, name: TableName | None, column: str | None) -> Column | None:
    table = catalog.table(name) if name is not None else None
    return table.column(column) if table is not None and column is not None else None


def _reads_tables(column: Column, new: Catalog) -> bool:
    checks = "\n".join(column.type.every_check)
    return any(f"{function.name}(" in checks for function in new.reading_functions)


def _mapping_keys(entry: Resolution, source: Column) -> Iterator[CastQuestion]:
    """Yields the keys that are compared with OLD's values: OLD has to read them."""
    for key, _ in entry.value_mapping or ():
        if castable(source.type.leaf, key) is None:
            wrong = WrongMappingKey(key, source.name, source.type.text)
            yield CastQuestion(Side.OLD, source.type.leaf.base, key, problem(entry, wrong))


def _written_values(entry: Resolution, target: Column) -> Iterator[CastQuestion]:
    """Yields the values that are written: NEW has to read them."""
    for key, result in entry.value_mapping or ():
        if result is not None and _only_server_knows(target, result):
            wrong = WrongMappingResult(key, target.name, target.type.text, result=result)
            yield CastQuestion(Side.NEW, target.type.text, result, problem(entry, wrong))
    for field, value in (("default_value", entry.default_value), ("null_value", entry.null_value)):
        if isinstance(value, str) and _only_server_knows(target, value):
            unfit = WrongFieldValue(field, value, target.name, target.type.text)
            yield CastQuestion(Side.NEW, target.type.text, value, problem(entry, unfit))


def _carried(
    decision: Decision, side: Side, catalog: Catalog, values: Iterable[str | None]
) -> Iterator[CastQuestion]:
    """Yields the texts whose characters a server's encoding may lack.

    Every text of a decision passes through OLD's SELECT on its way to NEW, so both encodings have to have its
    characters.
    """
    if catalog.encoding in _EVERY_CHARACTER:
        return
    for value in values:
        if value is not None and not value.isascii():
            lacking = NotInEncoding(value, side, catalog.encoding)
            yield CastQuestion(side, TEXT, value, problem(decision.resolution, lacking))


def _only_server_knows(target: Column, value: str) -> bool:
    """Returns whether only the server knows if the column accepts the value."""
    return value != USE_SCHEMA_DEFAULT and castable(target.type, value) is None
