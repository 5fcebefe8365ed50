"""The decisions on the desk: one file, several people. Whoever answers says which state they saw, and is
refused with what changed where that is no longer the present one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, ValidationError

from tranship import api
from tranship.api.deciding import Answer, Deciding, needs_servers
from tranship.api.preview import preview_answer, preview_flows, refused_by_servers
from tranship.api.questions import Question
from tranship.api.suggested import Entries, Suggested
from tranship.codec.decision_file import DecisionFile, changed_meanwhile
from tranship.config import Config
from tranship.errors import TranshipError
from tranship.errors.codes.usage import ChangedMeanwhile
from tranship.model.preview import TablePreview
from tranship.model.resolution import Problem
from tranship.report.document import Sides

Proposed = tuple[DecisionFile, tuple[Problem, ...]]
"""A file that is to be saved, and what is wrong with it by itself."""

_STATES = 50
"""Earlier states of the file that are kept, to say what changed since one of them."""


class Paths(Struct, frozen=True):
    """The files that the studio is about."""

    resolutions: Path
    changes: Path


class State(Struct, frozen=True):
    """What the page shows of the decisions."""

    version: str
    questions: tuple[Question, ...]
    suggestions: tuple[Suggested, ...]
    """Those of whole entries, which stand beside the questions."""
    drawings: tuple[Sides, ...]
    problems: tuple[Problem, ...]
    """What keeps a run from starting, and warnings."""


class Refusal(Struct, frozen=True):
    """Why something was not done."""

    problems: tuple[Problem, ...]
    conflict: bool = False
    """The file is not as the person saw it."""
    by_servers: bool = False
    """Only a server refuses it, or none could be asked: the person may save it all the same."""


class Desk:
    """Reads and saves the decisions, one request at a time.

    Raises:
        UsageError: the files cannot be read.
    """

    def __init__(self, config: Config, paths: Paths) -> None:
        self._config, self._paths = config, paths
        self._deciding = Deciding(paths.resolutions, paths.changes)
        self._earlier: dict[str, DecisionFile] = {}
        self._state: State | None = None
        self._lock = asyncio.Lock()

    async def state(self) -> State:
        """Returns the present state.

        Raises:
            UsageError: the file is no longer readable.
        """
        async with self._lock:
            return await asyncio.to_thread(self._read)

    def _read(self) -> State:
        self._deciding.reload()
        version = self._deciding.seen.version
        if self._state is None or self._state.version != version:
            self._earlier[version] = self._deciding.seen
            for old in list(self._earlier)[:-_STATES]:
                del self._earlier[old]
            self._state = State(
                version,
                self._deciding.questions(),
                self._deciding.suggestions(),
                self._deciding.drawings(),
                self._deciding.problems(),
            )
        return self._state

    async def check(self, place: str, answer: Answer) -> tuple[Problem, ...]:
        """Returns what would be wrong with an answer; nothing is saved."""
        async with self._lock:
            return await asyncio.to_thread(self._wrong, place, answer)

    def _wrong(self, place: str, answer: Answer) -> tuple[Problem, ...]:
        try:
            return self._deciding.wrong(place, answer)
        except TranshipError as error:
            return error.problems

    def _saved(self, version: str, save: Callable[[], tuple[Problem, ...]]) -> State | Refusal:
        try:
            now = self._read()
            if now.version != version:
                return Refusal((self._changed_since(version).problem(),), conflict=True)
            problems = save()
        except TranshipError as error:
            conflict = error.problems[0].code == ChangedMeanwhile.code
            return Refusal(error.problems, conflict=conflict)
        return Refusal(problems) if problems else self._read()

    def _changed_since(self, version: str) -> ChangedMeanwhile:
        seen = self._earlier.get(version)
        if seen is None:
            return ChangedMeanwhile(self._paths.resolutions, "more than is remembered")
        return changed_meanwhile(seen, self._deciding.seen)

    def is_for_servers(self, where: str, answer: Answer) -> bool:
        """Returns whether servers have to read an answer in a place, or under a key, before it is saved."""
        return self._deciding.is_for_servers(self._deciding.key_of(where) or where, answer)

    async def check_added(self, key: str, answer: Answer) -> tuple[Problem, ...]:
        """Returns what would be wrong with one more decision; nothing is saved."""
        async with self._lock:
            return await asyncio.to_thread(self._wrong_added, key, answer)

    def _wrong_added(self, key: str, answer: Answer) -> tuple[Problem, ...]:
        try:
            return self._deciding.wrong_with(key, answer)
        except TranshipError as error:
            return error.problems

    async def add(self, version: str, key: str, answer: Answer, *, anyway: bool = False) -> State | Refusal:
        """Saves one more decision, and returns the state then. What a server refuses is saved only
        ``anyway``.
        """
        if not anyway and self.is_for_servers(key, answer):
            refused = await self._refused(
                lambda: (self._deciding.added(key, answer)[0], self._deciding.wrong_with(key, answer))
            )
            if refused:
                return Refusal(refused, by_servers=True)
        async with self._lock:
            return await asyncio.to_thread(self._saved, version, partial(self._deciding.add, key, answer))

    async def save_all(
        self, version: str, answers: Mapping[str, Answer], *, anyway: bool = False
    ) -> State | Refusal:
        """Saves the answers of one or several questions together or none, and returns the state then.

        ``version`` is that of the state that was seen. What a server refuses is saved only ``anyway``.
        """
        if not anyway and any(self.is_for_servers(place, answer) for place, answer in answers.items()):
            refused = await self._refused(partial(self._deciding.answered, answers))
            if refused:
                return Refusal(refused, by_servers=True)
        async with self._lock:
            return await asyncio.to_thread(self._saved, version, partial(self._deciding.answer_all, answers))

    async def _refused(self, make: Callable[[], Proposed]) -> tuple[Problem, ...]:
        """Returns what servers say against a file that is to be saved, and not against the present one.

        Nothing is asked where the file is wrong by itself: that is said when it is saved.
        """
        async with self._lock:
            seen = self._deciding.seen
            try:
                changed, wrong = await asyncio.to_thread(make)
            except TranshipError:
                # Whoever saves it raises and words the same error.
                return ()
        if wrong or changed is seen:
            return ()
        return await refused_by_servers(self._config, changed.file, seen.file)

    async def accept(
        self, version: str, places: Sequence[str], by: str, *, anyway: bool = False
    ) -> State | Refusal:
        """Saves the complete suggestions of several questions, and returns the state then. What a server
        refuses is saved only ``anyway``.
        """
        state = await self.state()
        wanted = frozenset(places)
        answers = {
            one.place: Answer(one.suggestion, by, "suggestion")
            for one in state.questions
            if one.place in wanted and one.suggestion
        }
        return await self.save_all(version, answers, anyway=anyway)

    async def tried_added(self, key: str, answer: Answer) -> tuple[TablePreview, ...] | Refusal:
        """Returns ten rows of a flow under one more decision; nothing is saved."""
        async with self._lock:
            wrong = await asyncio.to_thread(self._wrong_added, key, answer)
            if wrong:
                return Refusal(wrong)
            proposed, place = self._deciding.added(key, answer)
        try:
            return await preview_answer(self._config, proposed.file, key, place)
        except TranshipError as error:
            return Refusal(error.problems)

    async def tried(self, place: str, answer: Answer) -> tuple[TablePreview, ...] | Refusal:
        """Returns what an answer makes of ten rows; nothing is saved.

        The expression runs on OLD alone, under the rules of ``transform_sql``.
        """
        async with self._lock:
            seen = self._deciding.seen
            key, entry = seen.entries.get(place, ("", {}))
            wrong = await asyncio.to_thread(self._wrong, place, answer)
        if wrong or not entry:
            return Refusal(wrong)
        try:
            proposed = seen.with_entry(place, self._deciding.entry_of(place, answer))
            return await preview_answer(self._config, proposed.file, key, place)
        except TranshipError as error:
            return Refusal(error.problems)

    async def take(
        self, version: str, place: str, entries: Entries | None, by: str, *, anyway: bool = False
    ) -> State | Refusal:
        """Saves the entries of a whole suggestion as decisions, and returns the state then. ``entries``: as
        the person changed them; None: as they stand in the file. What a server refuses is saved only
        ``anyway``.
        """

        def save() -> tuple[Problem, ...]:
            return self._deciding.take(place, self._suggested_entries(place, entries), by)

        if not anyway:
            refused = await self._refused(
                lambda: self._deciding.taken(place, self._suggested_entries(place, entries), by)
            )
            if refused:
                return Refusal(refused, by_servers=True)
        async with self._lock:
            return await asyncio.to_thread(self._saved, version, save)

    async def take_back(self, version: str, place: str) -> State | Refusal:
        """Saves the file as if nobody had taken a suggestion, and returns the state then."""
        async with self._lock:
            return await asyncio.to_thread(self._saved, version, partial(self._deciding.take_back, place))

    async def tried_taken(
        self, place: str, entries: Entries | None, by: str
    ) -> tuple[TablePreview, ...] | Refusal:
        """Returns ten rows of each flow that a suggestion is about, as if it were taken; nothing is saved."""
        try:
            async with self._lock:
                given = self._suggested_entries(place, entries)
                changed, wrong = await asyncio.to_thread(self._deciding.taken, place, given, by)
            return Refusal(wrong) if wrong else await preview_flows(self._config, changed.file, given)
        except TranshipError as error:
            return Refusal(error.problems)

    async def check_taken(
        self, place: str, entries: Entries | None, by: str
    ) -> tuple[tuple[Problem, ...], bool]:
        """Returns what would be wrong with the file if a suggestion were taken, and whether servers have
        still to read it; nothing is saved.
        """
        try:
            async with self._lock:
                given = self._suggested_entries(place, entries)
                problems = (await asyncio.to_thread(self._deciding.taken, place, given, by))[1]
                return problems, any(needs_servers(one) for own in given.values() for one in own)
        except TranshipError as error:
            return error.problems, False

    def _suggested_entries(self, place: str, entries: Entries | None) -> Entries:
        own = self._deciding.suggestion(place).entries
        if entries is None:
            return own
        if more := [key for key in entries if key not in own]:
            # They could not be taken back together with the others.
            raise ValidationError(f"the suggestion has no key {more[0]!r}: add that decision by itself")
        return entries

    async def preview(self, table: str) -> tuple[TablePreview, ...] | Refusal:
        """Returns ten rows of every flow that a name means, under the present decisions."""
        try:
            return await api.preview(self._config, resolutions=str(self._paths.resolutions), table=table)
        except TranshipError as error:
            return Refusal(error.problems)
