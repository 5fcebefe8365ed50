"""Old columns that NEW computes by itself: is the old value the one that NEW will compute?"""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Column
from tranship.model.evidence import TrialFacts
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import Guess, reference
from tranship.planning.names.families import family
from tranship.planning.printed.names import mentioned, with_columns


def generated_guess(tables: TablePairContext, name: str) -> Guess | None:
    """Returns NEW's expression over the columns of OLD beside the old value; None where it cannot be written
    so, because OLD lacks a column that it reads or has another type there.
    """
    source, target = tables.before.column(name), _generated(tables, name)
    if source is None or target is None or target.generation is None:
        return None
    origins = dict(_origins(tables, target))
    read = mentioned(target.generation, tables.after) - {target.name}
    if not read or read - origins.keys() or family(source.type) != family(target.type):
        return None
    made = with_columns(target.generation, {new: reference(origins[new]) for new in read})
    value = reference(source)
    return Guess((name,), target.name, value, f"{value} IS NOT DISTINCT FROM {made}", value)


def unfilled_sources(tables: TablePairContext, name: str) -> list[str]:
    """Returns the columns of NEW from which it computes an old column, where OLD fills none of them and one
    of them has the old column's kind of value.
    """
    source, target = tables.before.column(name), _generated(tables, name)
    if source is None or target is None or target.generation is None:
        return []
    read = mentioned(target.generation, tables.after) - {target.name}
    columns = [column for column in tables.after.columns if column.name in read]
    alike = any(family(column.type) == family(source.type) for column in columns)
    empty = alike and not any(_is_filled(tables, column) for column in columns)
    return [column.name for column in columns] if empty else []


def _is_filled(tables: TablePairContext, column: Column) -> bool:
    """Returns whether a new column gets values from OLD, or a default."""
    paired = tables.before.column(column.name) is not None or column.name in {c.new for c in tables.columns}
    return paired or column.default is not None


def generated_evidence(tables: TablePairContext, name: str) -> tuple[tuple[Fact, ...], bool]:
    """Returns what came of comparing OLD's values with those that NEW will compute, and whether all of them
    are equal.
    """
    guess = generated_guess(tables, name)
    tried = tables.evidence.tried(guess.question(tables.before.name)) if guess is not None else None
    if tried is None or tried.failed:
        return ("it is not known how many of OLD's values differ from those that NEW will compute",), False
    if not tried.rows:
        return (), False
    return (_compared(tried),), tried.holds


def _compared(tried: TrialFacts) -> Fact:
    of = "of the sampled rows" if tried.sampled else "rows"
    differing = tried.rows - tried.fitting
    if not differing:
        return f"OLD's value is the one that NEW computes in all {tried.rows} {of}"
    return quoting(
        f"OLD holds another value than NEW computes in {differing} of {tried.rows} {of}:"
        " with 'ignore' these are lost",
        tried.examples,
    )


def _generated(tables: TablePairContext, name: str) -> Column | None:
    """Returns the generated column of NEW that an old column becomes."""
    renamed = {pair.old: pair.new for pair in tables.columns}
    return tables.after.column(renamed.get(name, name))


def _origins(tables: TablePairContext, target: Column) -> Iterator[tuple[str, Column]]:
    """Yields the columns of NEW that OLD fills with values of the same family, each with the old one."""
    named = {column.name: column.name for column in tables.before.columns}
    for new, old in (named | {pair.new: pair.old for pair in tables.columns}).items():
        before, after = tables.before.column(old), tables.after.column(new)
        if before is None or after is None or new == target.name:
            continue
        if family(before.type) == family(after.type):
            yield new, before
