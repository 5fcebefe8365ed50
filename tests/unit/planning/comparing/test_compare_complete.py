"""Whatever the two tables and the decisions: every column of either side is accounted for, and the words keep
their promises.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from support.build import catalog, column, table
from tranship.model.catalog import Column, Table
from tranship.model.change import ChangeClass, Comparison
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Decision, LookupTable, Resolution
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import open_questions
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import make_scope

T = TableName("public", "t")
NAMES = ["id", "user_name", "username", "UserName", "status", "status_id", "a", "b", "Old Col", "mail"]
TYPES = ["int", "bigint", "text", "varchar(5)", "varchar(9)", "date", "timestamp", "bytea", "boolean"]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=6))
    columns = []
    for name in names:
        made = column(
            f"x {draw(st.sampled_from(TYPES))}{draw(st.sampled_from(['', '!']))}"
            f"{draw(st.sampled_from(['', '', ' = 0']))}"
        )
        generated = draw(st.sampled_from(["", "", "", "", "s"]))
        columns.append((name, made, generated))
    return table("t", *(_named(name, made, generated) for name, made, generated in columns))


def _named(name: str, made: Column, generated: str) -> Column:
    default = None if generated else made.default
    return replace(
        made, name=name, generated=generated, default=default, generation="0" if generated else None
    )


@st.composite
def entries(draw: st.DrawFn, old: Table, new: Table) -> tuple[Resolution, ...]:
    """Decisions without contradictions: one for each new column at most, none ignored that feeds."""
    found: list[Resolution] = []
    for after in new.columns:
        action = draw(st.sampled_from(["", "", "rename", "transform", "lookup", "default"]))
        if not action or after.generated:
            continue
        source = draw(st.sampled_from([c.name for c in old.columns]))
        lookup = LookupTable("l", "v", "k") if action == "lookup" else None
        word = "transform" if action == "lookup" else action
        given_source = None if action == "default" else source
        found.append(
            Resolution(
                "t",
                f"$[{len(found)}]",
                word,
                old_column=given_source,
                new_column=after.name,
                lookup_table=lookup,
            )
        )
    fed = {e.old_column for e in found}
    for before in old.columns:
        if before.name not in fed and draw(st.booleans()):
            found.append(Resolution("t", f"$[{len(found)}]", "ignore", old_column=before.name))
    return tuple(found)


def compared(old: Table, new: Table, chosen: tuple[Resolution, ...]) -> tuple[Comparison, Answers]:
    before, after = catalog(old), catalog(new)
    scope, _ = make_scope(before, after, None)
    answers = Answers(tuple(Decision(Action(e.action), T, T, e) for e in chosen))
    decided = Decided(
        columns=tuple((T, e.old_column, e.new_column) for e in chosen if e.old_column and e.new_column),
        resolved_old=tuple(
            (T, e.old_column) for e in chosen if e.old_column and e.action in ("ignore", "rename")
        ),
        resolved_new=tuple((T, e.new_column) for e in chosen if e.new_column and e.action == "default"),
    )
    return compare(before, after, match(before, after, scope, decided), answers), answers


@given(st.data())
def test_every_column_is_accounted_for(data: st.DataObject) -> None:
    old, new = data.draw(tables()), data.draw(tables())
    chosen = data.draw(entries(old, new))
    found, answers = compared(old, new, chosen)
    (pair,) = found.matching.pairs
    ignored = {e.old_column for e in chosen if e.action == "ignore"}
    paired = [p for p in pair.columns if p.old not in ignored]
    named_old = (
        {c.old_column for c in found.changes} | {p.old for p in paired} | {e.old_column for e in chosen}
    )
    named_new = (
        {c.new_column for c in found.changes} | {p.new for p in paired} | {e.new_column for e in chosen}
    )
    assert {c.name for c in old.columns} <= named_old
    assert {c.name for c in new.columns} <= named_new
    assert len({p.new for p in pair.columns}) == len(pair.columns), "one filler for each new column"
    for change in found.changes:
        assert (change.auto_action is None) == (change.cls is ChangeClass.BREAKING)
        assert "source" not in change.description
    left_behind = (
        {c.name for c in old.columns} - {p.old for p in paired} - ignored - {e.old_column for e in chosen}
    )
    asked = {c.old_column for c in found.of(ChangeClass.BREAKING)}
    assert left_behind <= asked, "no old column is left behind without a word from a person"
    unfilled = {c.name for c in new.columns if c.refuses_null and not c.filled_by_server}
    unfilled -= {p.new for p in paired} | {e.new_column for e in chosen}
    assert unfilled <= {c.new_column for c in found.of(ChangeClass.BREAKING)}
    assert set(open_questions(found, answers)) <= set(found.of(ChangeClass.BREAKING))


@given(tables())
def test_a_table_does_not_differ_from_itself(same: Table) -> None:
    found, _ = compared(same, same, ())
    assert found.changes == ()
    assert found.notes == ()


@given(st.data())
def test_the_same_inputs_give_the_same_answer(data: st.DataObject) -> None:
    old, new = data.draw(tables()), data.draw(tables())
    assert compared(old, new, ()) == compared(old, new, ())
