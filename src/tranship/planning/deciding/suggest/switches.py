"""Old columns that say of a row only whether it still counts, and what of NEW may say it in their place.

Nothing of it is ever filled in: what a row that no longer counts becomes is a person's decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column
from tranship.model.change import Change
from tranship.model.count import count_of
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft, Field
from tranship.planning.deciding.suggest.facts import Fact, column_evidence, quoting
from tranship.planning.deciding.suggest.guesses import reference, text_literal
from tranship.planning.deciding.suggest.nulls import nulls_left
from tranship.planning.names.tokens import squashed
from tranship.planning.names.truths import truth_of
from tranship.planning.printed.allowed_values import allowed_values

_GONE = "inactive|inactivated|deactivated|disabled|deleted|removed|archived|trashed|suspended|closed"
_LIVE = "active|activated|enabled"
_LIVE_FLAG = re.compile(rf"(is|was|has)?({_LIVE})(bool|boolean|flag|yn)?")
_GONE_FLAG = re.compile(rf"(is|was|has)?({_GONE})(bool|boolean|flag|yn)?")
_SINCE = re.compile(rf"({_GONE})(at|on|date|time|since|when)")
_CHANGED = re.compile(r"(last)?(update|updated|modified|changed|change)(at|on|date|time)?")
_MOMENTS = frozenset({Family.TIMESTAMP, Family.DATE})
_MOST_NAMED = 10


class Switch(Struct, frozen=True):
    """A column of two values of which one says that the row no longer counts."""

    column: Column
    gone: str
    """The condition for rows that no longer count."""
    live_rows: int
    gone_rows: int

    listed: bool = False
    """The condition names values of rows."""


def two_valued(tables: TablePairContext, names: Iterable[str]) -> list[str]:
    """Returns the old columns that hold a true and a false value and no other: a flag, whatever it says."""
    return [name for name in names if set(_truths(tables, name).values()) == {True, False}]


def switch_drafts(
    tables: TablePairContext, removed: Sequence[Change], added: Sequence[Change]
) -> Iterator[Draft]:
    """Yields drafts for switches that find no place, and a column of NEW that may say the same; each once."""
    taken: set[str] = set()
    for change in removed:
        switch = _switch(tables, change.old_column or "")
        free = (tables.after.column(one.new_column or "") for one in added)
        targets = [one for one in free if one is not None and one.name not in taken and not one.generated]
        found = _place(tables, switch, targets) if switch is not None else None
        if switch is None or found is None:
            continue
        target, fields, why = found
        taken.add(target.name)
        named: dict[str, Field] = {"old_column": switch.column.name, "new_column": target.name}
        yield Draft(
            f"{change.description}; does it say what '{target.name}' holds?",
            switch.column.name,
            target.name,
            {**named, "action": "transform", **fields},
            complete=False,
            confidence=Confidence.GUESS,
            evidence=(
                *change.evidence,
                *column_evidence(tables.facts(switch.column.name)),
                *why,
                *alternatives(switch),
            ),
        )


def switch_evidence(tables: TablePairContext, name: str) -> tuple[Fact, ...]:
    """Returns what leaving a switch behind would come to; nothing for another column."""
    switch = _switch(tables, name)
    return alternatives(switch) if switch is not None else ()


def alternatives(switch: Switch) -> tuple[Fact, ...]:
    """Returns what else may become of the rows that no longer count."""
    rows = switch.gone_rows + switch.live_rows
    told = f"{switch.gone_rows} of {count_of(rows, 'value')} say that a row no longer counts: with 'ignore' "
    how = "to leave these rows behind: action filter with an 'ignore' of the column beside it"
    where = f"({switch.gone}) IS NOT TRUE"
    filtered: Fact = f"{how}, where {where}"
    if switch.listed:
        # The condition holds values of rows, which a terminal shows only where it is asked to.
        filtered = quoting(f"{how}, by a condition that names its values", (where,))
    return (f"{told}alone nothing tells these rows apart in NEW", filtered)


def with_switch(tables: TablePairContext, draft: Draft) -> Draft:
    """Returns a draft about two columns with the way from a switch to the moment that it may have become."""
    switch = _switch(tables, draft.old_column or "") if not draft.complete else None
    target = tables.after.column(draft.new_column or "")
    if switch is None or target is None or not _is_moment(target):
        return draft
    sql, why = _since(tables, switch)
    named: dict[str, Field] = {"old_column": draft.old_column, "new_column": draft.new_column}
    fields = {**named, "action": "transform", "transform_sql": sql}
    return replace(draft, fields=fields, evidence=(*draft.evidence, why, *alternatives(switch)))


def _is_moment(target: Column) -> bool:
    named = _SINCE.fullmatch(squashed(target.name)) is not None
    return named and target.type.leaf.family in _MOMENTS and not target.not_null


def _truths(tables: TablePairContext, name: str) -> dict[str, bool]:
    """Returns the values of an old column, as far as each is a word for true or false; else nothing."""
    facts, column = tables.facts(name), tables.before.column(name)
    if facts is None or column is None or facts.distinct != len(facts.values):
        return {}
    truths = {counted.value: truth_of(counted.value) for counted in facts.values}
    known = {value: truth for value, truth in truths.items() if truth is not None}
    return known if len(known) == len(truths) else {}


def _switch(tables: TablePairContext, name: str) -> Switch | None:
    column, facts = tables.before.column(name), tables.facts(name)
    word = squashed(name)
    live, gone = bool(_LIVE_FLAG.fullmatch(word)), bool(_GONE_FLAG.fullmatch(word))
    truths = _truths(tables, name)
    if column is None or facts is None or live == gone or not truths:
        return None
    meaning_gone = [value for value, truth in truths.items() if truth is not live]
    rows = {counted.value: counted.rows for counted in facts.values}
    away = sum(rows[value] for value in meaning_gone)
    return Switch(
        column,
        _is_gone(column, meaning_gone, live=live),
        facts.filled - away,
        away,
        column.type.leaf.family is Family.STRING,
    )


def _is_gone(column: Column, values: Sequence[str], *, live: bool) -> str:
    value = reference(column)
    match column.type.leaf.family:
        case Family.BOOLEAN:
            return f"NOT {value}" if live else value
        case Family.INTEGER:
            return f"{value} = 0" if live else f"{value} <> 0"
        case _:
            listed = ", ".join(map(text_literal, values))
            return f"{value} IN ({listed})" if values else "false"


def _place(
    tables: TablePairContext, switch: Switch, targets: Sequence[Column]
) -> tuple[Column, dict[str, Field], tuple[Fact, ...]] | None:
    """Returns the column of NEW that may say the same, how it is filled, and why."""
    moment = next(filter(_is_moment, targets), None)
    if moment is not None:
        sql, why = _since(tables, switch)
        return moment, {"transform_sql": sql}, (why,)
    for target in targets:
        labels = allowed_values(tables.after, target)
        if labels and target.type.leaf.family is not Family.BOOLEAN:
            mapping = _mapping(tables, switch, labels)
            listed = ", ".join(labels[:_MOST_NAMED])
            if mapping:
                nulls = nulls_left(tables.facts(switch.column.name), target, labels)
                fields: dict[str, Field] = {"value_mapping": mapping, **nulls.fields}
                return target, fields, (f"NEW allows: {listed}", *nulls.evidence)
    return None


def _since(tables: TablePairContext, switch: Switch) -> tuple[str, str]:
    """Returns the moment from which a row no longer counts, and that OLD does not hold it."""
    moments = [one for one in tables.before.columns if one.type.leaf.family in _MOMENTS]
    changed = next((one for one in moments if _CHANGED.fullmatch(squashed(one.name))), None)
    moment = reference(changed) if changed is not None else "run.started"
    meant = f"that of its last change, '{changed.name}'" if changed is not None else "the start of the run"
    why = f"OLD does not hold since when: the moment is {meant}, and a value in every such row"
    return f"CASE WHEN {switch.gone} THEN {moment} END", why


def _mapping(tables: TablePairContext, switch: Switch, labels: Sequence[str]) -> dict[str, str | None]:
    """Returns the labels for both values, with a placeholder where several may be meant."""
    live = [one for one in labels if re.fullmatch(_LIVE, squashed(one))]
    gone = [one for one in labels if re.fullmatch(_GONE, squashed(one))]
    if len(live) != 1 or not gone:
        return {}
    away = gone[0] if len(gone) == 1 else SPECIFY_DEFAULT_VALUE
    is_live = bool(_LIVE_FLAG.fullmatch(squashed(switch.column.name)))
    return {
        value: live[0] if truth is is_live else away
        for value, truth in _truths(tables, switch.column.name).items()
    }
