"""New columns whose value a parent of the row holds in OLD: found over a foreign key that OLD has."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.change import Change
from tranship.model.evidence import LookupFacts
from tranship.model.names import ColumnRef
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.deciding.suggest.facts import lookup_evidence
from tranship.planning.deciding.suggest.joins import DULL
from tranship.planning.names.tokens import stems

_OF_ITS_OWN = frozenset(
    stems(
        "title label description note comment status state version position sort order rank uuid gid guid"
        " slug active enabled visible hidden deleted archived created updated modified inserted changed begin"
        " start end finish expires count total number"
    )
)
"""Words for what a row and its parent have each for itself."""

_OF_PEOPLE = frozenset(
    stems(
        "user owner author creator editor sender recipient receiver assignee reviewer approver uploader"
        " member person employee modifier actor poster reporter by"
    )
)
"""Words for who did something: whoever wrote a page need not have written the remarks on it."""


def over_parent(tables: TablePairContext, change: Change) -> Draft | None:
    """Returns the draft of a lookup over a parent; None where no parent holds the value.

    It is filled in where every row finds its parent, no other parent has such a column, and the column speaks
    of what the parent passes on.
    """
    name = change.new_column or ""
    asked = [facts for facts in _over_parents(tables, name) if _may_repeat(tables, facts)]
    if not asked:
        return None
    best = max(asked, key=lambda facts: (facts.covers, facts.rows_found))
    sure = best.covers and len(asked) == 1 and _passed_on(tables, best)
    return Draft(
        question=change.description,
        old_column=best.question.old.column,
        new_column=name,
        fields={
            "old_column": best.question.old.column,
            "new_column": name,
            "action": "transform",
            "lookup_table": _lookup(best),
        },
        complete=sure,
        confidence=Confidence.HIGH if sure else Confidence.GUESS,
        evidence=(*change.evidence, *(line for facts in asked for line in lookup_evidence(facts))),
    )


def _over_parents(tables: TablePairContext, name: str) -> Iterator[LookupFacts]:
    """Yields what OLD said of the parents that have a column of this name."""
    ref = ColumnRef(tables.after.name, name)
    for facts in tables.evidence.lookups:
        if facts.question.new == ref and facts.question.value_column == name and facts.found:
            yield facts


def _may_repeat(tables: TablePairContext, facts: LookupFacts) -> bool:
    """Returns whether NEW takes the value of a parent once for each of its rows."""
    alone = any(key.columns == (facts.question.new.column,) for key in tables.after.keys)
    one_row = any(key.columns == (facts.question.old.column,) for key in tables.before.keys)
    return one_row or not alone


def _passed_on(tables: TablePairContext, facts: LookupFacts) -> bool:
    """Returns whether a row surely has the value of its parent: a reference of both (``tenant_id``), or what
    has a name that says more than a property that every row has for itself (``created_at``, ``status``).
    """
    name, parent = facts.question.value_column, tables.old.table(facts.question.table)
    if set(stems(name)) & _OF_PEOPLE:
        return False
    declared = [*tables.after.foreign_keys, *(parent.foreign_keys if parent is not None else ())]
    if any(key.columns == (name,) for key in declared):
        return True
    if parent is not None and any(key.columns == (name,) for key in parent.keys):
        return False
    words = set(stems(name))
    return ("id" in words and len(words) > 1) or not words - DULL <= _OF_ITS_OWN


def _lookup(facts: LookupFacts) -> dict[str, str]:
    question = facts.question
    return {
        "table": question.table.name,
        "key_column": question.key_column,
        "value_column": question.value_column,
        "schema": question.table.schema,
        "database": "old",
    }
