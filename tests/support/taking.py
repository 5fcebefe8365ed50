"""Takes each whole suggestion of a resolutions file as it stands, as a person does who believes it, and looks for
what the file does not ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from tranship import api
from tranship.analysis.sides import recorded_background, recorded_scope
from tranship.api.suggested import suggestions_in, with_taken
from tranship.codec import encode, read_changes
from tranship.codec.decision_file import DecisionFile
from tranship.errors.codes.decisions import OpenQuestion
from tranship.model.catalog import Catalog
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.suggest import Suggestions
from tranship.planning.matching.scope import Scope

_SIGNED = {"_decided": {"by": "somebody", "at": "2030-01-01T00:00:00+00:00", "how": "suggestion"}}


def refused_suggestions(made: Suggestions, old: Catalog, new: Catalog, scope: Scope) -> list[str]:
    """What would be refused of the suggestions that name no question that comes first."""
    seen = DecisionFile(Path("suggested.json"), encode(made.document).decode())
    return list(_refused(seen, (old, new), scope, NOTHING_KNOWN))


def _refused(
    seen: DecisionFile, sides: tuple[Catalog, Catalog], scope: Scope, background: Background
) -> Iterator[str]:
    def wrong(state: DecisionFile) -> set[str]:
        problems = decide(state.file, *sides, scope, background)[2]
        return {f"{p.code} {p.message}" for p in problems if not p.warning and p.code != OpenQuestion.code}

    before = wrong(seen)
    for one in suggestions_in(seen):
        if not one.first:
            taken, _ = with_taken(seen, one, one.entries, _SIGNED)
            yield from (f"{one.text} {line}" for line in sorted(wrong(taken) - before))


def doubts_of(changes: Path, folder: Path) -> list[str]:
    """What is wrong with the file that ``resolve generate`` writes: suggestions that would be refused, and
    problems beside its open questions. ``folder`` is for that file.
    """
    made = asyncio.run(api.suggest(changes, results_dir=str(folder), fresh=True))
    if made.path is None:
        return []
    recorded = read_changes(changes)
    sides, scope = (recorded.old.catalog, recorded.new.catalog), recorded_scope(recorded)
    refused = _refused(DecisionFile.read(made.path), sides, scope, recorded_background(recorded))
    wrong = (one for one in api.validate(made.path, changes) if not one.warning)
    unasked = (f"{p.code} {p.object} {p.message}" for p in wrong if p.code != OpenQuestion.code)
    return [*refused, *unasked]
