"""The knowledge in which the meaning of a column is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.catalog import Catalog
from tranship.model.change import Matching, TablePair
from tranship.model.names import ColumnRef, TableName
from tranship.model.resolution import Action, Answers, Decision
from tranship.planning.comparing.meaning import Landscape, Observed

NOTHING_OBSERVED = Observed()
NO_ANSWERS = Answers()


def landscape_of(
    old: Catalog,
    new: Catalog,
    matching: Matching,
    observed: Observed = NOTHING_OBSERVED,
    answers: Answers = NO_ANSWERS,
) -> Landscape:
    """Returns the knowledge in which the meaning of a column is judged."""
    asked = {proposal.old: proposal.new for proposal in matching.proposals}
    flows: dict[TableName, frozenset[TableName]] = {}
    for pair in matching.pairs:
        flows[pair.old] = flows.get(pair.old, frozenset()) | {pair.new}
    counterparts, filled = _counterparts(old, new, matching), fillers(matching.pairs, answers)
    adopting = frozenset(
        (pair.new, d.resolution.constraint)
        for pair in matching.pairs
        for d in answers.of_flow(pair.old, pair.name)
        if d.action is Action.ADOPT and d.resolution.constraint is not None
    )
    return Landscape(old, new, counterparts, asked, observed, flows, filled, adopting)


def fillers(
    pairs: Iterable[TablePair], answers: Answers = NO_ANSWERS
) -> dict[ColumnRef, frozenset[ColumnRef]]:
    """Returns by column of NEW the columns of OLD whose values it takes: those with which it is paired, if no
    decision makes other values of them.
    """
    found: dict[ColumnRef, frozenset[ColumnRef]] = {}
    for pair in pairs:
        computed = {d.resolution.new_column for d in answers.of_flow(pair.old, pair.name) if _computes(d)}
        for columns in pair.columns:
            if columns.new not in computed:
                filled = ColumnRef(pair.new, columns.new)
                found[filled] = found.get(filled, frozenset()) | {ColumnRef(pair.old, columns.old)}
    return found


def _computes(decision: Decision) -> bool:
    entry = decision.resolution
    return (entry.value_mapping, entry.lookup_table, entry.transform_sql) != (None, None, None)


def _counterparts(old: Catalog, new: Catalog, matching: Matching) -> dict[TableName, TableName]:
    """Returns old table → new table; tables that are out of scope are paired by their names."""
    schemas = dict(matching.schema_pairs)
    twins = ((t.name, TableName(schemas.get(t.name.schema, t.name.schema), t.name.name)) for t in old.tables)
    # The pair that was found comes first among those of an old table, and counts.
    pairs = {p.old: p.new for p in reversed(matching.pairs)}
    return {a: b for a, b in twins if new.table(b) is not None} | pairs
