"""Which rows a column may refer to, where several old tables fill the one that NEW's key leads to, or where
NEW's server makes the values to which it leads. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.change import Change, ChangeClass, Matching, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Action, Answers, Decision

_SAYS = (Action.TRANSFORM, Action.DEFAULT)


def unclear_parents(
    pair: TablePair, matching: Matching, answers: Answers, sides: tuple[Catalog, Catalog]
) -> Iterator[Change]:
    """Yields a question for each foreign key of NEW whose parents come from several old tables, where neither
    a key of OLD nor a decision says which of them is meant; and for each whose parents get their keys from
    NEW's server, so that OLD's values would meet other rows by chance.
    """
    old, new = sides
    before, after = old.table(pair.old), new.table(pair.new)
    if before is None or after is None:
        return
    decisions = answers.of_flow(pair.old, pair.name)
    filled = {columns.new: columns.old for columns in pair.columns}
    for key in references(after):
        above = _flows_above(key, filled, before, matching)
        decided = [(flow, answers.of_flow(flow.old, flow.name)) for flow in above]
        made = _made_by_server(key, filled, decided, new)
        if _is_said(key, decisions):
            continue
        if made is not None:
            yield _made_question(pair, key, *made)
        else:
            yield from _of_several(pair, key, before, _tables_above(key, matching, old))


def _of_several(
    pair: TablePair, key: ForeignKey, before: Table, tables: tuple[TableName, ...]
) -> Iterator[Change]:
    """Yields the question which of several old tables a key of NEW refers to, where OLD declares no key."""
    filled = {columns.new: columns.old for columns in pair.columns}
    source = tuple(filled.get(name, "") for name in key.columns)
    declared = {held.columns for held in references(before)}
    if len(tables) > 1 and all(source) and source not in declared:
        yield _question(pair, key, source[0], tables)


def beside(own: Sequence[Change], unclear: Sequence[Change]) -> Iterator[Change]:
    """Yields the changes of a table's columns and the questions whose rows they refer to, each column once:
    one answer says what becomes of its type and where it leads.
    """
    asked = {(change.kind, change.new_column) for change in unclear}
    rest = [change for change in own if (change.kind, change.new_column) not in asked]
    breaking = (change for change in rest if change.cls is ChangeClass.BREAKING)
    answered = {(change.old_column, change.new_column) for change in breaking}
    yield from rest
    yield from (change for change in unclear if (change.old_column, change.new_column) not in answered)


def _made_by_server(
    key: ForeignKey,
    filled: Mapping[str, str],
    above: Sequence[tuple[TablePair, Sequence[Decision]]],
    new: Catalog,
) -> tuple[str, str, str] | None:
    """Returns an old column, the new column of the key that it fills, and the one to which this leads, which
    no flow fills and a sequence of NEW does; None where there is none.
    """
    target = new.table(key.target)
    if target is None or not above or not key.enforced:
        return None
    for name, leads_to in zip(key.columns, key.target_columns, strict=True):
        column = target.column(leads_to)
        made = column is not None and column.sequence is not None
        if made and name in filled and not any(_fills(*flow, leads_to) for flow in above):
            return filled[name], name, leads_to
    return None


def _flows_above(
    key: ForeignKey, filled: Mapping[str, str], before: Table, matching: Matching
) -> list[TablePair]:
    """Returns the flows whose rows a key of NEW may lead to: those of the table that OLD's key names, if it
    declares one.
    """
    above = [pair for pair in matching.pairs if pair.new == key.target]
    taken = {filled[name] for name in key.columns if name in filled}
    named = {held.target for held in references(before) if taken <= set(held.columns)}
    return [pair for pair in above if pair.old in named] or above


def _fills(pair: TablePair, decisions: Sequence[Decision], column: str) -> bool:
    """Returns whether a flow fills a new column, or may: whether an open rename holds is a question of its
    own.
    """
    decided = [d.resolution for d in decisions]
    said = {name for entry in decided for name in (entry.new_column, entry.column) if name is not None}
    taken = {name for entry in decided for name in (entry.old_column, *entry.sources)}
    open_ = (proposal.new for proposal in pair.proposals if proposal.old not in taken)
    return column in said or column in (*open_, *(columns.new for columns in pair.columns))


def _tables_above(key: ForeignKey, matching: Matching, old: Catalog) -> tuple[TableName, ...]:
    """Returns the old tables whose rows a key of NEW may lead to; children by inheritance count as one with
    their ancestor.
    """
    filling = (pair.old for pair in matching.pairs if pair.new == key.target)
    return tuple(sorted({_ancestor(name, old) for name in filling}))


def _ancestor(name: TableName, old: Catalog) -> TableName:
    table = old.table(name)
    while table is not None and table.parents:
        name = table.parents[0]
        table = old.table(name)
    return name


def _is_said(key: ForeignKey, decisions: Sequence[Decision]) -> bool:
    said = {d.resolution.new_column for d in decisions if d.action in _SAYS}
    adopted = {d.resolution.constraint for d in decisions if d.action is Action.ADOPT}
    return not said.isdisjoint(key.columns) or key.name in adopted


def _made_question(
    pair: TablePair, key: ForeignKey, old_column: str, new_column: str, leads_to: str
) -> Change:
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.MEANING_CHANGED,
        table=pair.flow,
        description=(
            f"Column '{old_column}' would refer to other rows: NEW makes the values of '{leads_to}' itself"
        ),
        old_column=old_column,
        new_column=new_column,
        new_table=str(pair.new),
        evidence=(
            f"{key.name} leads to {key.target}.{leads_to}, which no old column fills",
            "a lookup finds the value that NEW makes by another key of the row",
            f"if NEW's rows under these values are meant: action 'adopt' of constraint {key.name}",
        ),
        conversion="meaning",
    )


def _question(pair: TablePair, key: ForeignKey, old_column: str, tables: tuple[TableName, ...]) -> Change:
    names = " or ".join(str(name) for name in tables)
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.MEANING_CHANGED,
        table=pair.flow,
        description=f"Column '{old_column}' may refer to rows of {names}",
        old_column=old_column,
        new_column=key.columns[0],
        new_table=str(pair.new),
        evidence=(
            f"each of them fills NEW's {key.target}, to which {key.name} leads, and OLD declares no key",
            "if the values are keys of NEW as they are: action 'transform' with the same columns alone",
            "else a transform_sql or a lookup that gives the key of NEW",
        ),
        conversion="meaning",
    )
