"""Several columns that become one text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tranship.model.catalog import Column
from tranship.planning.deciding.suggest.concepts import CONCEPTS, Concept, called, parts_among
from tranship.planning.deciding.suggest.guesses import Guess, reference, text_literal
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems


def merges(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """Yields guesses that join the parts of a thing, where NEW has the whole and none of its parts."""
    for concept in CONCEPTS:
        for whole in called(come, concept.whole):
            if family(whole.type) != "text" or parts_among(concept, _without(come, whole), frozenset()):
                continue
            parts = parts_among(concept, _without(gone, whole), frozenset(stems(whole.name)))
            if set(concept.least) <= parts.keys():
                yield _join(concept, parts, whole)


def _without(columns: Sequence[Column], whole: Column) -> list[Column]:
    return [column for column in columns if column.name != whole.name]


def _join(concept: Concept, parts: Mapping[str, Column], whole: Column) -> Guess:
    values = {part: _written(parts[part]) for part in concept.parts if part in parts}
    groups = [[values[part] for part in group if part in values] for group in concept.groups]
    # concat_ws leaves NULL out, and the separator with it.
    items = [_joined(group) for group in groups if group]
    sql = f"concat_ws({text_literal(concept.between)}, {', '.join(items)})"
    if not whole.refuses_null:
        sql = f"NULLIF({sql}, '')"
    all_there = " AND ".join(f"{value} IS NOT NULL" for value in values.values())
    shown = f"NULLIF(concat_ws(' | ', {', '.join(values.values())}), '')"
    how = "joined from its parts: how they are written together is yours to say"
    evidence = (f"{how}; a part that is NULL or blank is left out, and so are blanks around parts",)
    sources = tuple(parts[part].name for part in values)
    # Any text fits: all that the rows can show is whether a part is missing.
    fitting = "have every part"
    return Guess(sources, whole.name, sql, all_there, shown, evidence, provable=False, fitting=fitting)


def _written(column: Column) -> str:
    """Returns SQL for a part as it stands in the whole; NULL where there is nothing to write."""
    value = reference(column)
    return f"NULLIF(btrim({value}), '')" if family(column.type) == "text" else value


def _joined(group: list[str]) -> str:
    # Of parts that are all NULL concat_ws makes an empty text, which a second one would not leave out.
    return group[0] if len(group) == 1 else f"NULLIF(concat_ws(' ', {', '.join(group)}), '')"
