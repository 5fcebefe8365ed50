"""Questions that are open only because nobody has agreed yet to the new tables that are proposed.

The other questions of the file take every proposal for granted, so that the columns of such tables can be
decided in the same file. Until then a run would be refused for these, too.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.model.resolution import Answers
from tranship.model.statistics import Background
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.landscape import NO_ANSWERS
from tranship.planning.comparing.meaning import Observed
from tranship.planning.deciding.data_questions import Provisional
from tranship.planning.deciding.resolve.open_changes import open_questions
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.deciding.suggest.tables import pending_tables
from tranship.planning.matching.match import NOTHING_DECIDED, Decided, match
from tranship.planning.matching.scope import Scope

_MOST_NAMED = 5


class UntilAgreed(Struct, frozen=True):
    """What is open as long as nobody agrees to the new tables that are proposed."""

    comparison: Comparison
    """Without the pairs of these tables."""
    changes: tuple[Change, ...]
    """Of columns, and breaking in this comparison alone."""


def until_agreed(
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    decisions: tuple[Answers, Decided],
    provisional: Provisional,
    pending: Collection[TableName],
    known: tuple[Observed, Background],
) -> UntilAgreed | None:
    """Returns what is open until somebody agrees to what the ``pending`` tables become; None without them.

    ``known`` is what was observed, and the statistics of both sides.
    """
    if not pending:
        return None
    (answers, decided), (observed, background) = decisions, known
    proposals = (one for one in provisional.matching.proposals if one.old in provisional.matching.only_old)
    sure = tuple((one.old, one.new) for one in proposals if one.old not in pending)
    matching = match(*sides, scope, replace(decided, tables=(*decided.tables, *sure)), background=background)
    now = compare(*sides, matching, answers, observed=observed)
    asked = {place for one in provisional.comparison.of(ChangeClass.BREAKING) for place in _places(one)}
    named = ((change, _places(change)) for change in open_questions(now, answers))
    return UntilAgreed(now, tuple(one for one, own in named if own and asked.isdisjoint(own)))


def columns_until_agreed(
    sides: tuple[Catalog, Catalog], scope: Scope, provisional: Provisional, known: tuple[Observed, Background]
) -> tuple[ColumnRef, ...]:
    """Returns the old columns that are asked about only then, before anything is decided."""
    pending = pending_tables(provisional.matching, ())
    found = until_agreed(sides, scope, (NO_ANSWERS, NOTHING_DECIDED), provisional, pending, known)
    if found is None:
        return ()
    tables = {pair.flow: pair.old for pair in found.comparison.matching.pairs}
    return tuple(
        ColumnRef(tables[one.table], one.old_column)
        for one in found.changes
        if one.old_column is not None and one.table in tables
    )


def _places(change: Change) -> set[tuple[str, str, str]]:
    named = (("old", change.old_column), ("new", change.new_column))
    return {(change.table, side, name) for side, name in named if name is not None}


def told_until_agreed(
    draft: Draft, before: Table | None, pending: Collection[TableName], old: Catalog
) -> Draft:
    """Returns a draft about such a question: never filled in, with the tables whose answers settle it."""
    sources = set(draft.sources)
    keys = references(before) if before is not None else ()
    led = [key.target for key in keys if sources.intersection(key.columns)]
    tables = [table_key(name, old) for name in sorted(pending, key=lambda name: (name not in led, name))]
    more = f" and {len(tables) - _MOST_NAMED} more" if len(tables) > _MOST_NAMED else ""
    named, verb = ", ".join(map(repr, tables[:_MOST_NAMED])), "becomes" if len(tables) == 1 else "become"
    why = f"it needs no answer once {named}{more} {verb} what is proposed"
    confidence = Confidence.GUESS
    return replace(draft, complete=False, confidence=confidence, evidence=(*draft.evidence, why))
