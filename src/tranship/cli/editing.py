"""The dialog of ``resolve edit``: one question after the other, by keyboard alone. What is answered is in the
file at once, so an interruption loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tranship import api
from tranship.api.deciding import Answer, Deciding, Question
from tranship.cli.terminal import say
from tranship.cli.trouble import line_of
from tranship.codec import JsonValue, parse_jsonc
from tranship.codec.decision_file import Entry
from tranship.errors import UsageError
from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.usage import ChangedMeanwhile
from tranship.model.visible import visible
from tranship.planning.deciding.choices import Choice, Field, Kind
from tranship.planning.deciding.resolve.words import PLACEHOLDERS

_KEYS = "number choose · e expression · j fields as JSON · s skip · b back · q quit"
_ACCEPT = "a accept · "


class Ended(Exception):
    """The person quits, or there is no more input."""


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
        self.saved = 0

    def run(self, *, all_: bool) -> None:
        """Goes through the open questions; with ``all_`` through those that a suggestion answered, too."""
        places = [one.place for one in self._deciding.questions() if one.open or all_]
        if not places:
            say("Nothing is open.")
        at = 0
        try:
            while at < len(places):
                question = self._question(places[at])
                if question is None or (not all_ and not question.open and question.place not in self._seen):
                    at += 1
                    continue
                at = max(at + self._step(question, at + 1, len(places)), 0)
        except (Ended, EOFError):
            say()

    _seen: frozenset[str] = frozenset()
    """Questions that were shown: going back leads to them although they are answered."""

    def _question(self, place: str) -> Question | None:
        return next((one for one in self._deciding.questions() if one.place == place), None)

    def _step(self, question: Question, number: int, of: int) -> int:
        """Shows a question, takes one command, and returns by how many questions to go on."""
        self._seen |= {question.place}
        _show(question, number, of)
        word = self._ask("> ").strip()
        match word:
            case "q" | "quit":
                raise Ended
            case "s" | "skip" | "":
                return 1
            case "b" | "back":
                return -1
            case "a" | "accept":
                return self._accept(question)
            case "e" | "expression":
                return self._fill(question, _expression(question), "expression")
            case "j" | "json":
                return self._give(question, self._json("fields as JSON: "), "fields")
            case _ if word.isdecimal() and 0 < int(word) <= len(question.choices):
                return self._fill(question, question.choices[int(word) - 1], "choice")
            case _:
                say(visible(f"{word!r} is no answer here: {_keys(question)}"))
                return 0

    def _accept(self, question: Question) -> int:
        if not question.suggestion:
            say("Nothing is suggested: choose, or write the fields as JSON.")
            return 0
        fields = self._completed(question.suggestion)
        return self._give(question, fields, "suggestion", because="")

    def _completed(self, suggestion: Entry) -> dict[str, JsonValue] | None:
        """Returns a suggestion with what it leaves open asked for; None where the person gives nothing.

        A value of a mapping may stay without a new value: the rows that hold it are rejected.
        """
        fields: dict[str, JsonValue] = {}
        for name, value in suggestion.items():
            if isinstance(value, Mapping):
                fields[name] = self._mapped(value)
            elif value in PLACEHOLDERS:
                typed = self._ask(f"{name}: ").strip()
                if not typed:
                    return None
                fields[name] = typed
            else:
                fields[name] = value
        return fields

    def _mapped(self, mapping: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        made: dict[str, JsonValue] = {}
        for old, new in mapping.items():
            if new not in PLACEHOLDERS:
                made[old] = new
                continue
            typed = self._ask(f"new value for {visible(repr(old))} (empty: its rows are rejected): ").strip()
            if typed:
                made[old] = typed
        return made

    def _fill(self, question: Question, choice: Choice | None, how: str) -> int:
        if choice is None:
            say("An expression fills a column: this question is about a whole table.")
            return 0
        fields: dict[str, JsonValue] = {"action": choice.action.value}
        for field in choice.fields:
            value = self._value(field)
            if value is None and not field.optional:
                return 0
            if value is not None:
                fields[field.name] = value
        return self._give(question, fields, how)

    def _value(self, field: Field) -> JsonValue:
        """Returns what is typed for a field; None: nothing, so the question is asked again."""
        prompt = f"{field.name} ({field.asked}): "
        match field.kind:
            case Kind.JSON:
                return self._json(prompt)
            case Kind.LINES:
                return list(iter(lambda: self._ask(prompt).strip(), "")) or None
            case Kind.FLAG:
                return True if self._ask(f"{prompt}yes or empty: ").strip() == "yes" else None
            case Kind.WORD:
                return self._ask(f"{prompt}{', '.join(field.words)}: ").strip() or None
            case Kind.TEXT | Kind.SQL:
                return self._ask(prompt).strip() or None

    def _json(self, prompt: str) -> dict[str, JsonValue] | None:
        text = self._ask(prompt).strip()
        if not text:
            return None
        try:
            value = parse_jsonc(Path("the input"), text).root
        except UsageError as error:
            say(line_of(error.problems[0]))
            return None
        if isinstance(value, dict):
            return value
        say('An object is expected, for example {"action": "ignore"}.')
        return None

    def _give(
        self, question: Question, fields: dict[str, JsonValue] | None, how: str, because: str | None = None
    ) -> int:
        """Saves an answer; returns 1 where it is saved, 0 where it is to be asked again."""
        if not fields:
            return 0
        if because is None:
            because = self._ask("because (may be empty): ").strip()
        answer = Answer(fields, self._by, how, because)
        try:
            problems = self._deciding.answer(question.place, answer)
        except UsageError as error:
            if error.problems[0].code != ChangedMeanwhile.code:
                raise
            say(line_of(error.problems[0]))
            self._deciding.reload()
            return 0
        for problem in problems:
            say(line_of(problem))
        if problems:
            say("Nothing was saved.")
            return 0
        self.saved += 1
        say("✓ saved")
        return 1


def _expression(question: Question) -> Choice | None:
    return next((one for one in question.choices if one.name == "expression"), None)


def _show(question: Question, number: int, of: int) -> None:
    say()
    say(visible(f"{number} of {of}. [{question.table}] {question.text}"))
    for fact in question.evidence:
        say(visible(f"     {fact}"))
    if question.decided or not question.open:
        by = f" ({question.decided})" if question.decided else " (filled in by suggestion)"
        why = f", because {question.because}" if question.because else ""
        say(visible(f"  answered: {question.answer}{by}{why}"))
    if question.suggestion:
        say(visible(f"  a  accept: {question.suggestion_text}"))
    for place, choice in enumerate(question.choices, 1):
        say(visible(f"  {place}  {choice.name} ({choice.action.value}): {choice.does}"))
    say(f"  {_keys(question)}")


def _keys(question: Question) -> str:
    return f"{_ACCEPT if question.suggestion else ''}{_KEYS}"


def summary(deciding: Deciding, changes: Path, saved: int, following: tuple[str, str]) -> int:
    """Prints what is saved and still open, and the next command; returns the number of problems that keep a
    run from starting. ``following``: the command where everything is answered, and where not.
    """
    problems = api.validate(deciding.seen.path, changes)
    wrong = [problem for problem in problems if not problem.warning]
    answers = f"{saved} answer{'' if saved == 1 else 's'} saved in {deciding.seen.path}."
    open_ = sum(problem.code == OpenQuestion.code for problem in wrong)
    left = _left((open_, "question"), (len(wrong) - open_, "problem"))
    rest = f"{left} left" if left else "Every question is answered"
    say(visible(f"{answers} {rest}. Next: {following[bool(wrong)]}"))
    return len(wrong)


def _left(*counts: tuple[int, str]) -> str:
    """Returns what is left in words: ``2 questions and 1 problem``."""
    return " and ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts if number)
