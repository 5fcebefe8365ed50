"""The dialog of ``resolve edit``: one question after the other, by keyboard alone. What is answered is in the
file at once, so an interruption loses nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from tranship import api
from tranship.api.deciding import Answer, Deciding
from tranship.api.questions import Question
from tranship.api.suggested import Entries, Suggested
from tranship.cli.adding import ADD_EXPLAINED, addition
from tranship.cli.filling import filled
from tranship.cli.offering import (
    completed,
    completed_entries,
    explained,
    keys_of,
    saved,
    show_suggested,
    tell_unsaved,
)
from tranship.cli.prompting import (
    KEYS,
    MOVES_EXPLAINED,
    Back,
    Ended,
    NewValues,
    checked,
    command,
    json_object,
    reason,
)
from tranship.cli.terminal import say
from tranship.codec import JsonValue
from tranship.codec.decision_file import Entry
from tranship.errors.codes.decisions import OpenQuestion
from tranship.model.resolution import Problem
from tranship.model.visible import visible
from tranship.planning.deciding.choices import Choice
from tranship.planning.deciding.resolve.words import PLACEHOLDERS

_KEYS = "number choose · e expression · j fields as JSON · n new decision · s skip · b back · q quit · ? help"
_ACCEPT = "a accept · "
_EXPLAINED = (
    "number  take the answer with this number; what it needs is asked next",
    "e  give the column the value of an SQL expression over the old row, such as lower(old.email)",
    'j  write the fields of the entry as JSON, such as {"action": "ignore"}: any answer about this column',
    ADD_EXPLAINED,
    *MOVES_EXPLAINED,
)
_EXPLAINED_ACCEPT = "a  accept the suggestion as it is shown; values that it leaves open are asked next"
_NOTHING = "Nothing is typed: back to the question."


class Dialog:
    """Asks the questions of a file.

    Args:
        deciding: the file.
        ask: prints a prompt and returns the line that is typed; raises EOFError at the end of the input.
        by: the name of the person, for the record in the file.
    """

    def __init__(self, deciding: Deciding, ask: Callable[[str], str], by: str) -> None:
        self._deciding = deciding
        self._ask = ask
        self._by = by
        self._saved = set[str]()
        self._numbers = dict[str, dict[str, int]]()

    @property
    def saved(self) -> int:
        """The number of questions and suggestions that were answered; one answered twice counts once."""
        return len(self._saved)

    def run(self, *, all_: bool) -> None:
        """Goes through what is suggested and asked, table by table; with ``all_`` also through what was
        answered or taken.
        """
        places = [*self._places(all_=all_)]
        if not places:
            say("Nothing is open.")
            if not all_ and any(self._places(all_=True)):
                say("With --all what is decided is shown, and n there adds what nobody asked.")
        at, passed = 0, list[int]()
        try:
            while at < len(places):
                on = self._visit(places[at], (at + 1, len(places)), all_=all_)
                if on is not None and on < 0:
                    # To what was shown last: what lies between may be answered by now.
                    at = passed.pop() if passed else at
                    continue
                passed += [at] if on else []
                at += 1 if on is None else on
        except (Ended, EOFError):
            say()

    _seen: frozenset[str] = frozenset()
    """Questions that were shown: going back leads to them although they are answered."""

    def _places(self, *, all_: bool) -> Iterator[str]:
        """Yields the places of what is gone through. What is suggested for a table comes before its
        questions, since it can answer them; what cannot be taken before some question is answered comes last.
        """
        left: dict[str, list[str]] = {}
        later: list[str] = []
        for one in self._deciding.suggestions():
            if all_ or not one.taken:
                (later if one.first else left.setdefault(one.table, [])).append(one.place)
        for question in self._deciding.questions():
            if question.open or all_:
                yield from left.pop(question.table, ())
                yield question.place
        yield from chain.from_iterable(left.values())
        yield from later

    def _visit(self, place: str, number: tuple[int, int], *, all_: bool) -> int | None:
        """Shows what stands at a place and returns by how many places to go on; None where it needs nobody
        any more.
        """
        again = all_ or place in self._seen
        for suggested in self._deciding.suggestions():
            if suggested.place == place and (again or not suggested.taken):
                self._seen |= {place}
                return self._offer(suggested, number)
        for question in self._deciding.questions():
            if question.place == place:
                if again or question.open:
                    return self._step(question, *number)
                # Its number is not left out without a word.
                at, of = number
                say()
                say(
                    visible(
                        f"{at} of {of} is answered by another decision: [{question.table}] {question.text}"
                    )
                )
        return None

    def _offer(self, suggested: Suggested, number: tuple[int, int]) -> int:
        """Shows a suggestion, takes one command, and returns by how many places to go on."""
        show_suggested(suggested, number)
        word = command(self._ask, explained(suggested))
        match word:
            case _ if (on := _moves(word)) is not None:
                return on
            case "a" | "accept" if not suggested.taken:
                return self._take(suggested)
            case "n" | "new":
                with contextlib.suppress(Back):
                    self._add(suggested.table)
                return 0
            case "u" | "undo" if suggested.undoable:
                if saved(self._deciding, lambda: self._deciding.take_back(suggested.place)):
                    self._count(self._saved - {suggested.place})
                return 0
            case _:
                say(visible(f"{word!r} is no answer here: {keys_of(suggested)}"))
                return 0

    def _take(self, suggested: Suggested) -> int:
        if not suggested.complete:
            say(f"  {KEYS}")
        try:
            entries = completed_entries(self._ask, suggested.entries, partial(self._wrong_to_take, suggested))
        except Back:
            return 0
        if entries is None:
            say(_NOTHING)
            return 0
        if not saved(self._deciding, lambda: self._deciding.take(suggested.place, entries, self._by)):
            return 0
        self._count(self._saved | {suggested.place})
        return 1

    def _count(self, places: set[str]) -> None:
        # Before the line is printed: after it a person may press Ctrl-C, and is told the number.
        self._saved = places
        say("✓ saved")

    def _step(self, question: Question, number: int, of: int) -> int:
        """Shows a question, takes one command, and returns by how many questions to go on."""
        self._seen |= {question.place}
        _show(question, self._numbered(question), number, of)
        try:
            first = (_EXPLAINED_ACCEPT,) if question.suggestion else ()
            return self._take_command(question, command(self._ask, (*first, *_EXPLAINED)))
        except Back:
            return 0

    def _take_command(self, question: Question, word: str) -> int:
        """Does what a person typed at a question; returns by how many questions to go on.

        Raises:
            Ended: the person quits.
            Back: the question is to be shown again.
        """
        match word:
            case _ if (on := _moves(word)) is not None:
                return on
            case "a" | "accept":
                return self._accept(question)
            case "e" | "expression":
                return self._fill(question, _expression(question), "expression")
            case "j" | "json":
                return self._give(question, self._typed_fields(question), "fields")
            case "n" | "new":
                return self._add_beside(question)
            case _ if word.isdecimal() and (choice := self._numbered(question).get(int(word))):
                return self._fill(question, choice, "choice")
            case _:
                say(visible(f"{word!r} is no answer here: {_keys(question)}"))
                return 0

    def _numbered(self, question: Question) -> dict[int, Choice]:
        """Returns the choices by number. An answer may bring others or take some away: each keeps the number
        under which it was shown first.
        """
        numbers = self._numbers.setdefault(question.place, {})
        for choice in question.choices:
            numbers.setdefault(choice.name, len(numbers) + 1)
        return dict(sorted({numbers[one.name]: one for one in question.choices}.items()))

    def _accept(self, question: Question) -> int:
        if not question.suggestion:
            say("Nothing is suggested: choose, or write the fields as JSON.")
            return 0
        if not question.complete:
            say(f"  {KEYS}")
        wrong = partial(self._wrong_in_suggestion, question)
        fields = completed(self._ask, question.suggestion, self._values(question), wrong=wrong)
        return self._give(question, fields, "suggestion", because="")

    def _fill(self, question: Question, choice: Choice | None, how: str) -> int:
        if choice is None:
            say("An expression fills a column: this question is about a whole table.")
            return 0
        wrong = partial(self._wrong, question)
        fields = filled(self._ask, choice, self._values(question), wrong)
        if fields is not None and not choice.fields and (problems := wrong(fields)):
            tell_unsaved(problems)
            return 0
        return self._give(question, fields, how)

    def _add(self, table: str) -> int:
        """Saves one more decision about a table; what was shown comes again, unless that settles it.

        Raises:
            Ended: the person quits.
            Back: what was shown is to be shown again.
        """
        added = addition(self._ask, table, self._wrong_to_add)
        if added is None:
            say(_NOTHING)
            return 0
        because = reason(self._ask)
        if because is None:
            say("Skipped: nothing is saved.")
            return 0
        answer = Answer(added.fields, self._by, "choice", because)
        _, place = self._deciding.added(added.key, answer)
        if saved(self._deciding, lambda: self._deciding.add(added.key, answer)):
            self._count(self._saved | {place})
        return 0

    def _add_beside(self, question: Question) -> int:
        """Saves one more decision; goes on where it settles the question that is shown."""
        on = self._add(question.table)
        left = any(one.place == question.place and one.open for one in self._deciding.questions())
        return 1 if question.open and not left else on

    def _typed_fields(self, question: Question) -> dict[str, JsonValue] | None:
        example = 'for example {"action": "ignore"}'
        return checked(
            partial(json_object, self._ask, "fields as JSON: ", example),
            partial(self._wrong, question, how="fields"),
        )

    def _wrong(self, question: Question, fields: Entry, how: str = "choice") -> tuple[Problem, ...]:
        """Returns what is wrong with an answer before it is asked why it is given."""
        return self._deciding.wrong(question.place, Answer(fields, self._by, how))

    def _wrong_in_suggestion(self, question: Question, fields: Entry) -> tuple[Problem, ...]:
        return _without_open(self._wrong(question, fields, "suggestion"))

    def _wrong_to_add(self, key: str, fields: Entry) -> tuple[Problem, ...]:
        return self._deciding.wrong_with(key, Answer(fields, self._by, "choice"))

    def _wrong_to_take(self, suggested: Suggested, entries: Entries) -> tuple[Problem, ...]:
        return _without_open(self._deciding.taken(suggested.place, entries, self._by)[1])

    def _values(self, question: Question) -> NewValues:
        takes = partial(self._deciding.takes, question.place)
        return NewValues(question.known, question.new_type, takes)

    def _give(
        self, question: Question, fields: dict[str, JsonValue] | None, how: str, because: str | None = None
    ) -> int:
        """Saves an answer; returns 1 where it is saved or skipped, 0 where it is to be asked again."""
        if not fields:
            say(_NOTHING)
            return 0
        if because is None:
            because = reason(self._ask)
        if because is None:
            say("Skipped: nothing is saved.")
            return 1
        answer = Answer(fields, self._by, how, because)
        if not saved(self._deciding, lambda: self._deciding.answer(question.place, answer)):
            return 0
        self._count(self._saved | {question.place})
        return 1


def _without_open(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Returns problems without those of what is asked next."""
    return tuple(one for one in problems if one.code != OpenQuestion.code)


def _moves(word: str) -> int | None:
    """Returns by how many places a command goes on; None: it is another command.

    Raises:
        Ended: the person quits.
    """
    match word:
        case "q" | "quit":
            raise Ended
        case "s" | "skip":
            return 1
        case "b" | "back":
            return -1
        case _:
            return None


def _expression(question: Question) -> Choice | None:
    return next((one for one in question.choices if one.name == "expression"), None)


def _show(question: Question, numbered: Mapping[int, Choice], number: int, of: int) -> None:
    say()
    say(visible(f"{number} of {of}. [{question.table}] {question.text}"))
    for fact in question.evidence:
        say(visible(f"     {fact}"))
    if not question.open and question.answer in PLACEHOLDERS:
        say("  answered by another decision")
    elif question.decided or not question.open:
        by = f" ({question.decided})" if question.decided else " (filled in by suggestion)"
        why = f", because {question.because}" if question.because else ""
        say(visible(f"  answered: {_answer(question)}{by}{why}"))
    if question.suggestion:
        say(visible(f"  a  accept: {question.suggestion_text}"))
    for place, choice in numbered.items():
        say(visible(f"  {place}  {choice.title}: {choice.does}"))
    say(f"  {_keys(question)}")


def _answer(question: Question) -> str:
    """Returns the answer of the file as the choices name it, else the action."""
    chosen = question.present.choice if question.present is not None else None
    return question.answer if chosen is None else question.choices[chosen].title


def _keys(question: Question) -> str:
    return f"{_ACCEPT if question.suggestion else ''}{_KEYS}"


def summary(deciding: Deciding, changes: Path, saved: int, following: tuple[str, str, str]) -> int:
    """Prints what is saved and still open, and the next command; returns the number of problems that keep a
    run from starting. ``following``: the command where everything is answered, where questions are open, and
    where only problems are left, which `resolve edit` does not ask about.
    """
    problems = api.validate(deciding.seen.path, changes)
    wrong = [problem for problem in problems if not problem.warning]
    answers = f"{saved} answer{'' if saved == 1 else 's'} saved in {deciding.seen.path}."
    open_ = sum(problem.code == OpenQuestion.code for problem in wrong)
    left = _left((open_, "question"), (len(wrong) - open_, "problem"))
    rest = f"{left} left" if left else "Every question is answered"
    answered, again, check = following
    command = again if open_ else check if wrong else answered
    say(visible(f"{answers} {rest}. Next: {command}"))
    return len(wrong)


def _left(*counts: tuple[int, str]) -> str:
    """Returns what is left in words: ``2 questions and 1 problem``."""
    return " and ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts if number)
