"""Which rows a column may refer to, where several old tables fill the one that NEW's key leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Catalog, ForeignKey
from tranship.model.change import Change, ChangeClass, Matching, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Decision

_SAYS = (Action.TRANSFORM, Action.DEFAULT)


def unclear_parents(
    pair: TablePair, matching: Matching, answers: Answers, sides: tuple[Catalog, Catalog]
) -> Iterator[Change]:
    """Yields a question for each foreign key of NEW whose parents come from several old tables, where neither
    a key of OLD nor a decision says which of them is meant.
    """
    old, new = sides
    before, after = old.table(pair.old), new.table(pair.new)
    if before is None or after is None:
        return
    decisions = answers.of_flow(pair.old, pair.name)
    declared = {key.columns for key in before.foreign_keys}
    for key in after.foreign_keys:
        filled = {columns.new: columns.old for columns in pair.columns}
        source = tuple(filled.get(name, "") for name in key.columns)
        tables = _tables_above(key, matching, old)
        if len(tables) > 1 and all(source) and source not in declared and not _is_said(key, decisions):
            yield _question(pair, key, source[0], tables)


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


def _is_said(key: ForeignKey, decisions: tuple[Decision, ...]) -> bool:
    said = {d.resolution.new_column for d in decisions if d.action in _SAYS}
    adopted = {d.resolution.constraint for d in decisions if d.action is Action.ADOPT}
    return not said.isdisjoint(key.columns) or key.name in adopted


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
