"""The questions of a resolutions file, as a terminal and the studio ask them."""

from __future__ import annotations

from msgspec import Struct

from tranship.api.alike import alike
from tranship.api.present import Present, decided_fields, drafted, present
from tranship.api.signing import by_whom
from tranship.api.suggested import leaves_open
from tranship.codec.decision_file import Entry
from tranship.codec.entry_fields import plain_json
from tranship.model.evidence import ValueCount
from tranship.model.resolution import Action, Resolution
from tranship.planning.deciding.choices import Asked, Choice, additions, choices, with_null
from tranship.planning.deciding.resolve.targets import Target
from tranship.planning.deciding.resolve.words import PLACEHOLDERS, is_open
from tranship.planning.deciding.suggest.drafts import Confidence

_FROM_ANALYSIS = ("_suggestion", "_evidence")
"""Fields that `resolve generate` writes beside a question."""


class Question(Struct, frozen=True):
    """One entry of the file that asks, or that a suggestion answered."""

    place: str
    """Its JSON path."""
    table: str
    """The key under which it stands."""
    text: str
    open: bool
    """A placeholder is left, so no run starts."""
    asked: bool
    """The analysis asked it; a decision that a person added beside the questions is not counted as one."""
    answer: str
    """The entry's action; a placeholder while it is open."""
    suggestion: Entry
    """The fields that are suggested; empty where nothing is."""
    suggestion_text: str
    evidence: tuple[str, ...]
    choices: tuple[Choice, ...]
    decided: str = ""
    """Who decided, when and how; empty where nobody has."""
    because: str = ""
    entry: str = ""
    """The entry as JSON on one line."""
    present: Present | None = None
    """The answer that stands in the file; None while it is open."""
    drafted: Present | None = None
    """What is suggested, as a choice says it; None where no choice does, or nothing is suggested."""
    filled_in: bool = False
    """The analysis filled the answer in, and nobody has decided since."""
    old_column: str | None = None
    new_column: str | None = None
    complete: bool = True
    """Its suggestion leaves no value open."""
    guess: bool = False
    """Its suggestion is no more than a guess."""
    known: tuple[str, ...] = ()
    """The only values that the new column takes; empty: they are not known here."""
    new_type: str = ""
    """The type of the new column; empty where the entry names none."""
    old_values: tuple[ValueCount, ...] = ()
    """The values of the old column that were counted, with the rows that hold them."""
    like: str = ""
    """What it asks, without the names of its columns and its table: equal for questions to which one answer
    means the same. Empty for one that nothing else asks, such as whether one column became another.
    """


def question(
    place: str,
    key: str,
    entry: Entry,
    read: Resolution | None,
    target: Target,
    *,
    settled: bool,
) -> Question:
    """Returns an entry of the file, in its place and under its key, as a question.

    ``read`` is the entry as it was read; ``target`` is what is known of the new column that it names; an
    entry is settled that other entries answer.
    """
    suggestion = _suggested(entry, asks=asks(read))
    evidence = entry.get("_evidence")
    old, new = _column(entry, "old_column"), _column(entry, "new_column")
    offered = _choices(entry, _asked(place, entry, target))
    if "null_value" in suggestion:
        offered = with_null(offered)
    return Question(
        place=place,
        table=key,
        text=_text(entry.get("description")) or _spoken(entry) or place,
        open=asks(read) and not settled,
        asked=asks(read) or not entry.keys().isdisjoint(_FROM_ANALYSIS),
        answer=_text(entry.get("action")),
        suggestion=suggestion,
        suggestion_text=plain_json(dict(suggestion)) if suggestion else "",
        evidence=tuple(map(_text, evidence)) if isinstance(evidence, list) else (),
        choices=offered,
        decided=by_whom(entry),
        because=_text(entry.get("because")),
        entry=plain_json(dict(entry)),
        present=None if asks(read) else present(entry, offered),
        drafted=drafted(entry, suggestion, offered),
        filled_in=isinstance(entry.get("_suggestion"), str) and not (asks(read) or "_decided" in entry),
        old_column=old,
        new_column=new,
        complete=not leaves_open(dict(suggestion)),
        guess=_is_guess(entry.get("_suggestion")),
        known=target.known,
        new_type=target.type.text if target.type is not None else "",
        like=alike(entry, key, target),
    )


def _asked(place: str, entry: Entry, target: Target) -> Asked:
    several = entry.get("old_columns")
    return Asked(
        _column(entry, "old_column"),
        _column(entry, "new_column"),
        place.startswith("$.for_all"),
        target.conversion,
        target.required,
        target.paired,
        joined=isinstance(several, list) and len(several) > 1,
    )


def asks(entry: Resolution | None) -> bool:
    """Returns whether a placeholder is left in an entry."""
    return entry is not None and is_open(entry)


def _choices(entry: Entry, asked: Asked) -> tuple[Choice, ...]:
    """Returns the ways to answer a question, or to say something else of a table."""
    shapes = {choice.action for choice in additions()} - {Action.TRANSFORM}
    return additions() if entry.get("action") in shapes else choices(asked)


def _spoken(entry: Entry) -> str:
    """Returns a decision that answers no question, in its own words."""
    said = {name: value for name, value in entry.items() if not name.startswith("_") and name != "because"}
    return plain_json(said) if said else ""


def _suggested(entry: Entry, *, asks: bool) -> Entry:
    """Returns the suggested fields: those beside the question, or those that are filled in."""
    given = entry.get("_suggestion")
    if isinstance(given, dict):
        return {name: value for name, value in given.items() if name != "confidence"}
    if isinstance(given, str) and not asks:
        return decided_fields(entry)
    return {}


def _is_guess(suggestion: object) -> bool:
    return isinstance(suggestion, dict) and suggestion.get("confidence") == Confidence.GUESS


def _column(entry: Entry, name: str) -> str | None:
    value = entry.get(name)
    if value is None and name == "old_column":
        several = entry.get("old_columns")
        value = several[0] if isinstance(several, list) and several else None
    return value if isinstance(value, str) and value not in PLACEHOLDERS else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
