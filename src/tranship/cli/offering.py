"""What ``resolve edit`` offers to accept, with what a suggestion leaves open asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tranship.api.deciding import Deciding
from tranship.api.suggested import Entries, Suggested
from tranship.cli.adding import ADD_EXPLAINED
from tranship.cli.prompting import MOVES_EXPLAINED, UNKNOWN, Ask, NewValues, checked, mapped, typed
from tranship.cli.terminal import say
from tranship.cli.trouble import line_of
from tranship.codec import JsonValue
from tranship.codec.decision_file import Entry
from tranship.errors import UsageError
from tranship.errors.codes.usage import ChangedMeanwhile
from tranship.model.resolution import Problem
from tranship.model.visible import visible
from tranship.planning.deciding.resolve.words import PLACEHOLDERS

_ACCEPT = "a  accept: the entries that are shown become decisions; what they leave open is asked next"
_MOVES = (ADD_EXPLAINED, *MOVES_EXPLAINED)
_UNDO = "u  undo: the entries that were accepted are taken out of the file again"


def show_suggested(suggested: Suggested, number: tuple[int, int]) -> None:
    """Prints a suggestion with its evidence and the entries that it would write."""
    say()
    say(visible(f"{number[0]} of {number[1]}. [{suggested.table}] Suggestion: {suggested.text}"))
    for fact in suggested.evidence:
        say(visible(f"     {fact}"))
    say(f"  accepted: {visible(suggested.taken)}" if suggested.taken else "  a  accept, which decides:")
    for line in suggested.lines:
        say(visible(f"     {line}"))
    say(f"  {keys_of(suggested)}")


def keys_of(suggested: Suggested) -> str:
    """Returns the commands that a suggestion takes."""
    first = "a accept · " if not suggested.taken else "u undo · " if suggested.undoable else ""
    return f"{first}n new decision · s skip · b back · q quit · ? help"


def explained(suggested: Suggested) -> tuple[str, ...]:
    """Returns what each of these commands does, a line each."""
    if not suggested.taken:
        return (_ACCEPT, *_MOVES)
    return (_UNDO, *_MOVES) if suggested.undoable else _MOVES


def completed_entries(
    ask: Ask, entries: Entries, wrong: Callable[[Entries], Sequence[Problem]]
) -> Entries | None:
    """Returns the entries of a suggestion with what they leave open asked for; None where the person gives
    nothing. ``wrong``: what is wrong with them, apart from what is still open.
    """
    made = entries
    for key, own in entries.items():
        for at, entry in enumerate(own):
            filled = completed(ask, entry, wrong=partial(_wrong_among, wrong, made, (key, at)))
            if filled is None:
                return None
            made = _among(made, (key, at), filled)
    return made


def _among(entries: Entries, place: tuple[str, int], entry: Entry) -> Entries:
    """Returns entries with the one in a place replaced; a place is a key and a number."""
    key, at = place
    return {**entries, key: [*entries[key][:at], entry, *entries[key][at + 1 :]]}


def _wrong_among(
    wrong: Callable[[Entries], Sequence[Problem]], entries: Entries, place: tuple[str, int], entry: Entry
) -> Sequence[Problem]:
    return wrong(_among(entries, place, entry))


def completed(
    ask: Ask,
    suggestion: Entry,
    values: NewValues = UNKNOWN,
    *,
    wrong: Callable[[Entry], Sequence[Problem]],
) -> dict[str, JsonValue] | None:
    """Returns a suggestion with what it leaves open asked for; None where the person gives nothing.

    A value of a mapping may stay without a new value: the rows that hold it are rejected. ``values``:
    those of the new column. ``wrong``: what is wrong with the fields, apart from what is still open.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the suggestion again.
    """
    fields = dict(suggestion)
    for name, value in suggestion.items():
        if isinstance(value, Mapping):
            fields[name] = mapped(ask, value, values)
        elif isinstance(value, str) and value in PLACEHOLDERS:
            word = checked(partial(_word, ask, name, values), partial(_wrong_word, wrong, fields, name))
            if word is None:
                return None
            fields[name] = word
    return fields


def _word(ask: Ask, name: str, values: NewValues) -> str | None:
    return typed(ask, f"{name}: ", values.known) or None


def _wrong_word(
    wrong: Callable[[Entry], Sequence[Problem]], fields: Entry, name: str, word: str
) -> Sequence[Problem]:
    return wrong({**fields, name: word})


def saved(deciding: Deciding, save: Callable[[], tuple[Problem, ...]]) -> bool:
    """Saves what a person decided and prints what is wrong with it. Returns whether it is saved: not where it
    is wrong, or where somebody else changed the file meanwhile.

    Raises:
        UsageError: the file cannot be read or written.
    """
    try:
        problems = save()
    except UsageError as error:
        if error.problems[0].code != ChangedMeanwhile.code:
            raise
        say(line_of(error.problems[0]))
        deciding.reload()
        return False
    if problems:
        tell_unsaved(problems)
    return not problems


def tell_unsaved(problems: Sequence[Problem]) -> None:
    """Says why a decision was not saved."""
    for problem in problems:
        say(line_of(problem))
    say("Nothing was saved.")
