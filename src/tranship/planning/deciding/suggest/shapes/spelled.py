"""Texts that NEW wants written in one way, and the empty text among them, which is a question of its own."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.shape_evidence import WrittenFacts
from tranship.planning.deciding.one_way import OneWay, one_ways
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import reference
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    rows,
    suggested_sql,
)


def in_one_way(whole: Whole, one: PairOfTables) -> Iterator[Shape]:
    """Yields what may become of texts of a pair of tables that NEW wants written in one way."""
    for way in one_ways(one.pair, one.before, one.after):
        facts = _facts_of(whole, one, way)
        if facts is not None and (facts.repeated or (facts.changed and way.demanded)):
            yield _in_one_way(one, way, facts)
        if facts is not None and facts.empty > 1 and way.unique:
            yield from _empty_texts(one, way, facts)


def _facts_of(whole: Whole, one: PairOfTables, way: OneWay) -> WrittenFacts | None:
    question = way.question(one.before)
    return next((f for f in whole.evidence.shapes.written if f.question == question), None)


def _in_one_way(one: PairOfTables, way: OneWay, facts: WrittenFacts) -> Shape:
    entries: list[Entry] = []
    question, change = _asked(one, way, facts)
    evidence: list[Fact] = [way.why, change]
    if facts.repeated and way.unique:
        # A row whose key is NULL is merged with no other: the empty text is seldom the name of one thing.
        own = facts.question.sql
        key = suggested_sql("without_empty", value=own) if facts.empty or facts.sampled else own
        entries.append({"action": "merge", "key": [key], "repoint_children": True})
        evidence.append(f"{rows(facts.repeated)} would then be another row's equal: 'merge' makes them one")
        if facts.example:
            evidence.append(quoting("values that would be one, for example", facts.example))
        evidence.append('the first by the old key stays; \'keep\' names another one: "keep": "old.… DESC"')
    elif way.unique:
        evidence.append("all values are different then, too")
    if facts.empty > 1 and way.unique:
        evidence.append(_about_empty(one, way, facts))
    if facts.changed and way.demanded:
        entries.append(
            {
                "action": "transform",
                "old_column": way.old_column,
                "new_column": way.new_column,
                "transform_sql": facts.question.sql,
            }
        )
    return Shape(question, tuple(evidence), one.own(entries), one.pair.old, (way.old_column,))


def _asked(one: PairOfTables, way: OneWay, facts: WrittenFacts) -> tuple[str, str]:
    """Returns the question, and what becomes of the texts."""
    of = f"{rows(facts.rows)}{' (a sample)' if facts.sampled else ''}"
    column, table = way.old_column, one.pair.old.name
    if way.demanded:
        change = f"{facts.changed} of {of} would be written in another way"
        return f"Is '{column}' of '{table}' written in one way?", change
    return (
        f"Do rows of '{table}' become one where '{column}' is only written in another way?",
        f"no text of {of} changes; those that become one keep that of the first",
    )


def _about_empty(one: PairOfTables, way: OneWay, facts: WrittenFacts) -> str:
    """Returns what the rows with the empty text would come to, which is a question of its own."""
    told = f"{rows(facts.empty)} hold the empty text or blanks alone, which NEW takes once: they stay apart"
    target = one.after.column(way.new_column)
    if target is None or target.refuses_null:
        return f"{told}; NEW refuses NULL there, so they need values of their own, or a filter"
    sql = suggested_sql("without_empty", value=facts.question.sql)
    return f"{told}; as NULL, several of them fit: transform_sql {sql}"


def _empty_texts(one: PairOfTables, way: OneWay, facts: WrittenFacts) -> Iterator[Shape]:
    """Yields the empty text as NULL, where NEW takes NULL and nothing else writes the column."""
    target = one.after.column(way.new_column)
    if target is None or target.refuses_null or (facts.changed and way.demanded):
        return
    column = one.before.column(way.old_column)
    value = reference(column) if column is not None else facts.question.sql
    entry = {
        "action": "transform",
        "old_column": way.old_column,
        "new_column": way.new_column,
        "transform_sql": suggested_sql("empty_as_null", value=value),
    }
    evidence = (f"{rows(facts.empty)} hold the empty text or blanks alone, and NEW takes it once", way.why)
    question = f"Does the empty text of '{way.old_column}' of '{one.pair.old.name}' become NULL?"
    yield Shape(question, evidence, one.own([entry]), one.pair.old, (way.old_column,))
