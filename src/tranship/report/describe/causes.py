"""Describes why rows are rejected, for the pages of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tranship.model.verdict import RejectCause
from tranship.report.causes import HELD, cause_words, choices, told_once
from tranship.report.document import Item, Note


def told_items(found: Iterable[tuple[str, str]]) -> Iterator[Item]:
    """Yields what is said of tables, each of the words once; ``found`` are tables, each with such words."""
    tables: dict[str, list[str]] = {}
    for label, words in (known := list(found)):
        tables.setdefault(words, []).append(label)
    for label, words in told_once(known):
        yield Item(words, label, also=tuple(tables[words]))


def cause_items(causes: Sequence[tuple[str, RejectCause]], *, live: bool) -> tuple[Item, ...]:
    """Returns an item for each cause. What can be done about rows that NEW holds stands at the first of
    theirs. ``live``: the other rows arrived.
    """
    notes = tuple(Note(line) for line in choices([cause for _, cause in causes], live=live))
    first = next((number for number, (_, cause) in enumerate(causes) if cause.what in HELD), None)
    return tuple(
        Item(cause_words(cause, values=True), label, notes if number == first else ())
        for number, (label, cause) in enumerate(causes)
    )
