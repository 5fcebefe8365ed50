"""Rows that NEW holds under the ids of other rows of OLD: what refers to them would refer to others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Matching, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import RowsInNew
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Action, Answers

_DECIDES = (Action.EXISTING, Action.NEW_KEY)
"""Actions that say which row of NEW is meant, or give OLD's rows other ids."""


def referred_to(old: Catalog, new: Catalog, matching: Matching) -> frozenset[TableName]:
    """Returns the new tables to which a foreign key of a pair of tables leads, on either side."""
    counterpart = {pair.old: pair.new for pair in matching.pairs}
    found: set[TableName] = set()
    for pair in matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        if before is not None:
            targets = (key.target for key in references(before))
            found |= {counterpart[target] for target in targets if target in counterpart}
        if after is not None:
            found |= {key.target for key in references(after)}
    return frozenset(found)


def other_ids(
    old: Catalog,
    new: Catalog,
    matching: Matching,
    in_new: Mapping[TableName, RowsInNew],
    answers: Answers,
) -> Iterator[tuple[TableName, Change]]:
    """Yields, by old table, the question which rows of NEW are meant, where ids and names disagree and no
    decision says so.

    The server would refuse the rows of OLD that share a key or a name, and no child follows them.
    """
    parents = referred_to(old, new, matching)
    for pair in matching.pairs:
        held = in_new.get(pair.new) if pair.new in parents else None
        decided = any(d.action in _DECIDES for d in answers.of_flow(pair.old, pair.name))
        if held is not None and not decided and (held.renumbered or held.renamed):
            yield pair.old, _question(pair, held)


def _question(pair: TablePair, held: RowsInNew) -> Change:
    under, named = [], ", ".join(held.name)
    if held.renumbered:
        under.append(f"{held.renumbered} of OLD's values of {named} under other ids")
    if held.renamed:
        other = "other values" if under else f"other values of {named}"
        under.append(f"{other} under {held.renamed} of OLD's ids")
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.IDS_DIFFER,
        table=pair.flow,
        description=f"{pair.new} of NEW holds {' and '.join(under)}",
        new_table=str(pair.new),
        evidence=(
            "rows that refer to these ids would refer to others",
            "action 'existing' finds NEW's rows by these values, 'new_key' gives OLD's rows other ids,"
            " 'drop_table' leaves them out",
            'with "rows": "same" a row with other values is rejected, with "update" OLD\'s values win, with'
            ' "keep" NEW\'s',
        ),
    )
