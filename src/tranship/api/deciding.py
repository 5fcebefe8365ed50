"""Answering the questions of a resolutions file one by one, in a terminal or in the studio. It connects to no
database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tranship.analysis.stale import stale_resolutions
from tranship.api.judging import Judge, Judged, same_decisions
from tranship.api.present import NAMING, decided_fields
from tranship.api.questions import Question, asks, question
from tranship.api.signing import sealed, signature
from tranship.api.suggested import (
    KEPT,
    Entries,
    Suggested,
    leaves_open,
    suggestions_in,
    with_taken,
    without_taken,
)
from tranship.codec import read_changes
from tranship.codec.decision_file import DecisionFile, Entry
from tranship.codec.jsonc import JsonValue
from tranship.errors import UsageError
from tranship.errors.codes.decisions import OpenQuestion, PlaceholderLeft
from tranship.errors.codes.usage import EntryGone
from tranship.model.evidence import ValueCount
from tranship.model.names import TableName
from tranship.model.resolution import Action, Problem, Resolution
from tranship.planning.deciding.resolve.flows import place_of
from tranship.planning.deciding.resolve.targets import Target, targets
from tranship.planning.deciding.resolve.words import (
    EXAMPLES,
    PLACEHOLDERS,
    entry_path,
    is_open,
    problem,
    unmapped,
)
from tranship.report.describe.sides import Joined, table_sides
from tranship.report.document import Sides

_ASKED = ("_suggestion", "_evidence", "_decided")
"""Fields of entries that ask, or that somebody decided entry by entry."""
_MOST_VALUES = 5
"""Values without a new one that a message names."""
_FOR_SERVERS = frozenset({*EXAMPLES, "value_mapping", "lookup_table", "default_value", "null_value"})
"""Fields that hold SQL or values: only a server can say whether these are right."""


class Answer(Struct, frozen=True):
    """What a person answers."""

    fields: Entry
    by: str
    how: str
    """``suggestion``, ``choice``, ``expression`` or ``fields``."""
    because: str = ""


class _Known(Struct, frozen=True):
    """What one state of the file comes to."""

    judged: Judged
    targets: Mapping[str, Target]
    """By the paths of the entries that name a new column."""


class Deciding:
    """A resolutions file that somebody answers, with the changes that it is about.

    Raises:
        UsageError: one of the files cannot be read.
        Refused: the file was made for other schemas.
    """

    def __init__(self, resolutions: Path, changes: Path) -> None:
        self._judge = Judge(read_changes(changes))
        self._recorded = self._judge.recorded
        self.seen = DecisionFile.read(resolutions)
        self._known: dict[str, _Known] = {}

    def reload(self) -> None:
        """Reads the file as it is now.

        Raises:
            UsageError: it cannot be read.
        """
        self.seen = self.seen.now()

    @property
    def stale(self) -> tuple[Problem, ...]:
        """Why the file does not fit the changes; warnings, too."""
        old, new = self._recorded.old.catalog, self._recorded.new.catalog
        return stale_resolutions(self.seen.file, old, new, self.seen.path)

    def questions(self) -> tuple[Question, ...]:
        """Returns the entries that ask, that a suggestion answered or that somebody decided here, in the
        the order of the file.
        """
        read = {one.path: one for one in _resolutions(self.seen)}
        settled, found = self._settled(self.seen), self._decided(self.seen).targets
        return tuple(
            replace(
                question(
                    place, key, entry, read.get(place), found.get(place, Target()), settled=place in settled
                ),
                old_values=self._old_values(found.get(place, Target())),
            )
            for place, (key, entry) in self.seen.entries.items()
            if not entry.keys().isdisjoint(_ASKED) or asks(read.get(place))
        )

    def _old_values(self, target: Target) -> tuple[ValueCount, ...]:
        if target.source is None:
            return ()
        facts = self._recorded.evidence.of(target.source.table, target.source.column)
        return facts.values if facts is not None else ()

    def is_for_servers(self, key: str, answer: Answer) -> bool:
        """Returns whether servers have to read an answer under a key: it holds SQL or values, or OLD alone
        tells which columns it may name, those of a query. What was suggested counts, too: it was made for the
        data as they were, by rules that read no expression.
        """
        own = self.seen.entries_by_key.get(key, ())
        return needs_servers(answer.fields) or any(entry.get("action") == Action.QUERY for _, entry in own)

    def key_of(self, place: str) -> str:
        """Returns the key under which an entry stands; empty where there is none."""
        return self.seen.entries.get(place, ("", {}))[0]

    def takes(self, place: str, text: str) -> bool:
        """Returns whether a text may be a value of the new column of an entry, as far as can be said here."""
        return self._decided(self.seen).targets.get(place, Target()).takes(text)

    def wrong(self, place: str, answer: Answer) -> tuple[Problem, ...]:
        """Returns what would be wrong with the file if this were the answer of one entry.

        Raises:
            UsageError: there is no such entry any more.
        """
        changed = self.seen.with_entry(place, self.entry_of(place, answer))
        return (*_unfinished(changed, (place,)), *self._new_problems(changed))

    def added(self, key: str, answer: Answer) -> tuple[DecisionFile, str]:
        """Returns the file with one more decision under a key, and its place; nothing is saved.

        Raises:
            UsageError: the file has no resolutions.
        """
        fields = {name: value for name, value in answer.fields.items() if name != "confidence"}
        return self.seen.with_added(key, _signed(fields, answer))

    def wrong_with(self, key: str, answer: Answer) -> tuple[Problem, ...]:
        """Returns what would be wrong with the file if this were one more decision under a key.

        Raises:
            UsageError: the file has no resolutions.
        """
        return self._new_problems(self.added(key, answer)[0])

    def add(self, key: str, answer: Answer) -> tuple[Problem, ...]:
        """Saves one more decision, unless it is wrong: then the problems are returned and nothing is saved.

        Raises:
            UsageError: somebody changed the file meanwhile, or it cannot be written.
        """
        problems = self.wrong_with(key, answer)
        if not problems:
            self.seen = self.seen.replace(self.added(key, answer)[0])
        return problems

    def answered(self, answers: Mapping[str, Answer]) -> tuple[DecisionFile, tuple[Problem, ...]]:
        """Returns the file with the answers of several places, and what would be wrong with it; nothing is
        saved. Where all of them stand in the file already it is the same file.

        Raises:
            UsageError: an entry is gone.
        """
        made = {place: self.entry_of(place, answer) for place, answer in answers.items()}
        entries = {place: entry for place, entry in made.items() if not self._stands(place, entry)}
        if not entries:
            return self.seen, ()
        changed = self.seen.with_entries(entries)
        return changed, (*_unfinished(changed, entries), *self._new_problems(changed))

    def answer_all(self, answers: Mapping[str, Answer]) -> tuple[Problem, ...]:
        """Saves the answers of several places together, or none: then the problems are returned.

        Raises:
            UsageError: an entry is gone, somebody changed the file meanwhile, or it cannot be written.
        """
        changed, problems = self.answered(answers)
        if not problems and changed is not self.seen:
            self.seen = self.seen.replace(changed)
        return problems

    def _stands(self, place: str, entry: Entry) -> bool:
        """Returns whether an answer is in the file already, decided by somebody for the same reason: who
        gives it once more changes nothing. What the analysis filled in is decided when it is saved.
        """
        _, now = self.seen.entries.get(place, ("", {}))
        own = decided_fields(now)
        if not own or leaves_open(own):
            return False
        is_decided = "_decided" in now or not isinstance(now.get("_suggestion"), str)
        return is_decided and own == decided_fields(entry) and now.get("because") == entry.get("because")

    def answer(self, place: str, answer: Answer) -> tuple[Problem, ...]:
        """Saves an answer, unless it is wrong: then the problems are returned and nothing is saved.

        Raises:
            UsageError: somebody changed the file meanwhile, or it cannot be written.
        """
        return self.answer_all({place: answer})

    def suggestions(self) -> tuple[Suggested, ...]:
        """Returns the whole suggestions that stand beside the questions, in the order of the file."""
        return suggestions_in(self.seen)

    def suggestion(self, place: str) -> Suggested:
        """Returns one of them.

        Raises:
            UsageError: there is none in that place any more.
        """
        found = next((one for one in self.suggestions() if one.place == place), None)
        if found is None:
            raise UsageError(EntryGone(self.seen.path, place=place))
        return found

    def taken(self, place: str, entries: Entries, by: str) -> tuple[DecisionFile, tuple[Problem, ...]]:
        """Returns the file with the entries of a suggestion among its decisions, and what would be wrong
        with it; nothing is saved.

        Raises:
            UsageError: there is no such suggestion any more.
        """
        signed = signature(by, "suggestion")
        changed, places = with_taken(self.seen, self.suggestion(place), entries, signed)
        return changed, (*_unfinished(changed, places), *self._new_problems(changed))

    def take(self, place: str, entries: Entries, by: str) -> tuple[Problem, ...]:
        """Saves the entries of a suggestion as decisions, unless they are wrong: then the problems are
        returned and nothing is saved.

        Raises:
            UsageError: there is no such suggestion any more, somebody changed the file meanwhile, or it
                cannot be written.
        """
        changed, problems = self.taken(place, entries, by)
        if not problems:
            self.seen = self.seen.replace(changed)
        return problems

    def take_back(self, place: str) -> tuple[Problem, ...]:
        """Saves the file as if nobody had taken a suggestion. Returns no problem: what is open then is asked
        again.

        Raises:
            UsageError: as `take`.
        """
        self.seen = self.seen.replace(without_taken(self.seen, self.suggestion(place)))
        return ()

    def entry_of(self, place: str, answer: Answer) -> Entry:
        """Returns the entry that an answer makes of the one in its place."""
        _, entry = self.seen.entries.get(place, ("", {}))
        kept: dict[str, JsonValue] = {name: entry[name] for name in KEPT if name in entry}
        named = _named(entry) if answer.how != "suggestion" else {}
        fields = {**named, **{k: v for k, v in answer.fields.items() if k != "confidence"}}
        fields = _without_needless_names(fields)
        return _signed({**kept, **fields}, answer)

    def drawings(self) -> tuple[Sides, ...]:
        """Returns old and new tables side by side, under the present decisions."""
        judged = self._decided(self.seen).judged
        return table_sides(judged.comparison, *judged.sides, _joins(judged))

    def problems(self) -> tuple[Problem, ...]:
        """Returns all problems of the file, open questions included, as `api.validate` does."""
        return self._judge.problems(self._decided(self.seen).judged, self.seen.path)

    def _new_problems(self, changed: DecisionFile) -> tuple[Problem, ...]:
        before = {_same(one) for one in self._problems(self.seen)}
        return tuple(one for one in self._problems(changed) if _same(one) not in before)

    def _problems(self, state: DecisionFile) -> tuple[Problem, ...]:
        problems = self._decided(state).judged.found
        return tuple(one for one in problems if not one.warning and one.code != OpenQuestion.code)

    def _settled(self, state: DecisionFile) -> set[str]:
        """Returns the open entries whose question another entry answers."""
        still = {
            entry_path(one) for one in self._decided(state).judged.found if one.code == OpenQuestion.code
        }
        return {one.path for one in _resolutions(state) if is_open(one) and one.path not in still}

    def _decided(self, state: DecisionFile) -> _Known:
        if state.version not in self._known:
            # An answer that was checked is saved with another time: that changes nothing of what it comes to.
            alike = (one for one in self._known.values() if same_decisions(one.judged.file, state.file))
            found = next(alike, None) or self._decide(state)
            # One state is asked about several times, beside the one that it is to become.
            self._known = {**dict([*self._known.items()][-1:]), state.version: found}
        return self._known[state.version]

    def _decide(self, state: DecisionFile) -> _Known:
        judged = self._judge.judged(state.file)
        found = targets(state.file.entries, judged.sides, self._judge.scope, judged.matching, judged.answers)
        return _Known(judged, found)


def _joins(judged: Judged) -> dict[tuple[TableName, str], list[Joined]]:
    """Returns which entries join several old columns, by the flow that they speak of."""
    found: dict[tuple[TableName, str], list[Joined]] = {}
    for entry in judged.file.entries:
        place = place_of(entry.table, *judged.sides)
        if place is not None and entry.new_column is not None and len(entry.sources) > 1:
            one = Joined(entry.sources, entry.new_column, is_open(entry))
            found.setdefault(place, []).append(one)
    return found


def needs_servers(entry: Entry) -> bool:
    """Returns whether an entry holds SQL or values."""
    given = {name for name, value in entry.items() if value is not None}
    return not given.isdisjoint(_FOR_SERVERS)


def _signed(entry: Entry, answer: Answer) -> Entry:
    """Returns an entry with the reason of an answer, and who decided it, when and how."""
    because: Entry = {"because": answer.because} if answer.because else {}
    return sealed({**entry, **because, **signature(answer.by, answer.how)})


def _resolutions(state: DecisionFile) -> Iterator[Resolution]:
    yield from state.file.entries
    yield from (pattern.entry for pattern in state.file.for_all)


def _unfinished(state: DecisionFile, places: Collection[str]) -> tuple[Problem, ...]:
    """Returns a problem for each entry in these places that still holds a placeholder."""
    left = [one for one in _resolutions(state) if one.path in places and is_open(one)]
    return tuple(problem(one, PlaceholderLeft(of=_left_open(unmapped(one)))) for one in left)


def _left_open(values: Sequence[str]) -> str:
    """Returns the old values without a new one, in words; empty: the placeholder is in another field."""
    if not values:
        return ""
    more = f" and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
    return f": the new value of {', '.join(map(repr, values[:_MOST_VALUES]))}{more}"


def _named(entry: Entry) -> dict[str, JsonValue]:
    """Returns the columns that an entry names, without placeholders."""
    named = {name: entry[name] for name in NAMING if name in entry}
    return {
        name: value for name, value in named.items() if not (isinstance(value, str) and value in PLACEHOLDERS)
    }


def _without_needless_names(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Returns the fields without the columns that the action does not take."""
    needless = {"ignore": ("new_column",), "default": ("old_column", "old_columns")}
    return {k: v for k, v in fields.items() if k not in needless.get(_text(fields.get("action")), ())}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _same(problem: Problem) -> tuple[str, str, str]:
    """Returns what two problems share that are about one thing: not the line, which moves."""
    return problem.code, entry_path(problem), problem.message
