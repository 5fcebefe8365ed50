"""Drafts about old tables as a whole, and which of their questions are open."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Change, Matching, TableProposal
from tranship.model.names import TableName
from tranship.model.resolution import Resolution
from tranship.planning.comparing.compare import table_words
from tranship.planning.comparing.likelihood import likelihood
from tranship.planning.deciding.suggest.drafts import Confidence, Draft, Field
from tranship.planning.matching.renames.tables import telling_columns
from tranship.planning.matching.scope import default_schema

_SEVERAL = 2
"""Columns that two tables of other names must share: one may be chance."""
_NAMED = 3
_SHOWN = 6


def asks_table(asked: Sequence[tuple[str, Resolution]], table: TableName) -> bool:
    """Returns whether an open entry asks what becomes of an old table; ``asked`` are the entries, each with
    its flow's name or its table's.
    """
    return any(
        name == str(table) and entry.old_column is None and entry.new_column is None for name, entry in asked
    )


def pending_tables(matching: Matching, asked: Sequence[tuple[str, Resolution]]) -> frozenset[TableName]:
    """Returns the old tables with a proposed new one that somebody has to agree to before it counts."""
    proposals = (one for one in matching.proposals if one.old in matching.only_old)
    return frozenset(one.old for one in proposals if one.doubtful or asks_table(asked, one.old))


def table_draft(proposal: TableProposal, new: Catalog, matching: Matching) -> Draft:
    """Returns the draft of a proposed rename."""
    fields = _renamed(proposal.old, proposal.new, new, matching)
    evidence = [likelihood(proposal.old.name, proposal.new.name, proposal.score), *proposal.evidence]
    if proposal.runner_up is not None:
        evidence.append(f"second best match: '{proposal.runner_up}'")
    old_words, new_words = table_words(proposal.old, proposal.new, matching)
    question = f"Table '{old_words}' likely renamed to '{new_words}' in new DB"
    sure = not proposal.doubtful
    confidence = Confidence.LIKELY if sure else Confidence.GUESS
    return Draft(question, None, None, fields, sure, confidence, tuple(evidence), rival=proposal.other)


def _renamed(old: TableName, table: TableName, new: Catalog, matching: Matching) -> dict[str, Field]:
    """Returns the fields that send the rows of an old table to a new one."""
    fields: dict[str, Field] = {"action": "rename_table", "new_table": table.name}
    if table.schema != dict(matching.schema_pairs).get(old.schema, default_schema(new)):
        fields["new_schema"] = table.schema
    return fields


def gone_table(
    change: Change, table: Table | None, unfilled: Sequence[Table], new: Catalog, matching: Matching
) -> Draft:
    """Returns the draft of a table for which no new one was found.

    To leave it out is suggested only where none of the new tables that nothing fills (``unfilled``) has most
    of its columns, and it inherits from no table that arrives: who reads that one in OLD sees its rows, too.
    """
    above = _table_of_parent(table, matching)
    fields: dict[str, Field] = {"action": "drop_table"}
    if table is not None and above is not None:
        fields = _renamed(table.name, above, new, matching)
    kin = _kin(table, unfilled) if table is not None else []
    evidence = (*(one.words for one in kin[:_NAMED]), *change.evidence)
    near = next((one.table.name.name for one in kin if one.most), None)
    return Draft(
        change.description,
        None,
        None,
        fields,
        complete=False,
        confidence=Confidence.GUESS,
        evidence=evidence,
        instead=f"nothing is suggested: its rows may belong to '{near}'" if near is not None else "",
    )


def _table_of_parent(table: Table | None, matching: Matching) -> TableName | None:
    """Returns the new table that gets the rows of the first parent by inheritance that arrives."""
    receiving = {pair.old: pair.new for pair in matching.pairs}
    parents = table.parents if table is not None else ()
    return next((receiving[parent] for parent in parents if parent in receiving), None)


class _Kin(Struct, frozen=True):
    """A new table that nothing fills, with columns of an old one."""

    table: Table
    shared: tuple[str, ...]
    most: bool
    """Whether these are at least half of the old table's columns that say something."""

    @property
    def words(self) -> str:
        """What is said of it."""
        names = ", ".join(map(repr, self.shared[:_SHOWN]))
        more = f" and {len(self.shared) - _SHOWN} more" if len(self.shared) > _SHOWN else ""
        name = self.table.name
        return (
            f"NEW's {name}, which nothing fills, has {names}{more}, too: if the rows belong there, action"
            f" 'rename_table' with new_table '{name.name}'"
        )


def _kin(table: Table, unfilled: Sequence[Table]) -> list[_Kin]:
    """Returns the new tables that share several columns with an old one, the most alike first."""
    whole = len(telling_columns(table, table))
    found = []
    for new in unfilled:
        shared = tuple(telling_columns(table, new))
        if len(shared) >= _SEVERAL:
            found.append(_Kin(new, shared, most=len(shared) * 2 >= whole))
    return sorted(found, key=lambda one: (-len(one.shared), str(one.table.name)))
