"""New columns whose value a parent of the row holds in OLD: found over a foreign key that OLD has."""

from __future__ import annotations

from tranship.model.change import Change
from tranship.model.evidence import LookupFacts
from tranship.model.names import ColumnRef
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.deciding.suggest.facts import lookup_evidence


def over_parent(tables: TablePairContext, change: Change) -> Draft | None:
    """Returns the draft of a lookup over a parent; None where no parent holds the value.

    It is filled in where every row finds its parent and no other parent has such a column.
    """
    name = change.new_column or ""
    ref = ColumnRef(tables.after.name, name)
    asked = [
        facts
        for facts in tables.evidence.lookups
        if facts.question.new == ref and facts.question.value_column == name and facts.found
    ]
    if not asked:
        return None
    best = max(asked, key=lambda facts: (facts.covers, facts.rows_found))
    sure = best.covers and len(asked) == 1
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


def _lookup(facts: LookupFacts) -> dict[str, str]:
    question = facts.question
    return {
        "table": question.table.name,
        "key_column": question.key_column,
        "value_column": question.value_column,
        "schema": question.table.schema,
        "database": "old",
    }
