"""What a resolutions file comes to against the changes that it is about. It connects to no database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tranship.analysis.open_changes import undecided
from tranship.analysis.problems import places
from tranship.analysis.sides import recorded_background, recorded_scope
from tranship.analysis.stale import stale_resolutions, turned_round
from tranship.codec import ChangesFile
from tranship.model.catalog import Catalog
from tranship.model.change import Comparison, Matching
from tranship.model.resolution import Answers, Problem, Resolution, ResolutionFile
from tranship.model.statistics import Background
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import Observed, observed_in
from tranship.planning.deciding.come_alive import come_alive, marks_left
from tranship.planning.deciding.resolve import (
    Read,
    asked_about,
    decide,
    open_questions,
    read_entries,
    with_mistakes,
)
from tranship.planning.deciding.resolve.answered import answered_elsewhere, without_answered
from tranship.planning.deciding.resolve.flows import with_queries
from tranship.planning.deciding.resolve.mentions import with_mentions
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import Scope, chosen_by_new_name
from tranship.planning.plan.build import build
from tranship.planning.plan.not_executed import not_executed


class Judged(Struct, frozen=True):
    """What one state of a resolutions file comes to."""

    file: ResolutionFile
    sides: tuple[Catalog, Catalog]
    """Both catalogs; OLD's has a table for the SELECT of each ``query``."""
    read: Read
    """The entries with the tables of which they speak."""
    answers: Answers
    comparison: Comparison
    """Made with these answers."""
    found: tuple[Problem, ...]
    """What is wrong with the entries, warnings and open questions included; not the questions that other
    entries answer.
    """

    @property
    def matching(self) -> Matching:
        """The pairs of tables and columns under the decisions."""
        return self.comparison.matching


def same_decisions(one: ResolutionFile, other: ResolutionFile) -> bool:
    """Returns whether two states of a file differ in nothing but the moments of their decisions."""
    if replace(one, entries=(), for_all=()) != replace(other, entries=(), for_all=()):
        return False
    here, there = ((*file.entries, *(pattern.entry for pattern in file.for_all)) for file in (one, other))
    bare = [
        [replace(pattern, entry=Resolution("", "", "")) for pattern in file.for_all] for file in (one, other)
    ]
    return bare[0] == bare[1] and len(here) == len(there) and all(map(_same_decision, here, there))


def _same_decision(one: Resolution, other: Resolution) -> bool:
    if one == other:
        return True
    return replace(one, source="") == replace(other, source="") and _timeless(one) == _timeless(other)


def _timeless(entry: Resolution) -> str:
    """Returns the text of an entry without the moment at which it was decided."""
    written: dict[str, Any] = json.loads(entry.source)
    if isinstance(decided := written.get("_decided"), dict):
        written["_decided"] = {name: value for name, value in decided.items() if name != "at"}
    return json.dumps(written)


class Judge:
    """Judges states of a resolutions file. All that does not depend on the decisions is read once.

    Raises:
        UsageError: the changes name tables that their own catalogs lack.
    """

    def __init__(self, recorded: ChangesFile) -> None:
        self.recorded = recorded
        self.scope: Scope = recorded_scope(recorded)
        self._background: Background = recorded_background(recorded)
        self._observed: Observed = observed_in(recorded.evidence)

    def judged(self, file: ResolutionFile) -> Judged:
        """Returns what a state of the file comes to."""
        new = self.recorded.new.catalog
        old = with_queries(file, self.recorded.old.catalog, new)
        read = read_entries(file, (old, new), self.scope, self._background)
        answers, decided, found = decide(file, old, new, self.scope, self._background, read)
        matching = match(old, new, self.scope, decided, background=self._background)
        comparison = compare(old, new, matching, answers, observed=self._observed)
        mentioned = with_mentions(answers, comparison)
        if mentioned != answers:
            answers = mentioned
            comparison = compare(old, new, matching, answers, observed=self._observed)
        found = without_answered(found, file, (old, new), comparison, answers)
        return Judged(file, (old, new), read, answers, comparison, found)

    def problems(self, judged: Judged, path: Path) -> tuple[Problem, ...]:
        """Returns all problems of a file, open questions included, as `api.validate` does."""
        file, (old, new) = judged.file, judged.sides
        stale = stale_resolutions(file, self.recorded.old.catalog, new, path)
        if turned_round((file.old_fingerprint, file.new_fingerprint), self.recorded.old.catalog, new):
            # Whatever else is wrong follows from that.
            return stale
        wrong = with_mistakes(judged.found)
        asked = asked_about(file, (old, new), self.scope, self._background, wrong, judged.read)
        rest = undecided(
            change
            for change in open_questions(judged.comparison, judged.answers)
            if not any(place in asked for place in places(change))
        )
        pairs = [(pair.old, pair.new) for pair in judged.matching.pairs]
        chosen = chosen_by_new_name(self.scope, pairs, old)
        unneeded = answered_elsewhere(judged.found, file, (old, new), self.scope)
        problems = (*stale, *judged.found, *chosen, *rest, *unneeded)
        if any(not one.warning for one in problems):
            return problems
        # The plan is made of right decisions alone, and may have problems of its own.
        plan, more = build(old, new, judged.comparison, judged.answers, self.scope.tables)
        facts = {one.column: one for one in self.recorded.evidence.columns}
        alive = come_alive(marks_left(plan, judged.answers, old, new), facts)
        return (*problems, *more, *not_executed(plan, new), *alive)
