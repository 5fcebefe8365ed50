"""The answers that are offered to a question are those that the check of the file takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.desk import Desk
from support.editing import CHANGES, RESOLUTIONS, asked
from tranship import api
from tranship.api.deciding import Answer, Deciding
from tranship.api.questions import Question

OLD = """
CREATE TABLE person (
    id int PRIMARY KEY, badge int, code text, born date, total int, price int, rate numeric
);
INSERT INTO person VALUES (1, 7, '12', '2001-02-03', 9, 3, 1.5), (2, 8, 'x', '2001-02-04', 9, 4, 2.5);
CREATE TABLE ticket (id int PRIMARY KEY);
INSERT INTO ticket VALUES (1), (2);
CREATE TABLE vat (id int PRIMARY KEY, name text);
CREATE TABLE parcel (id int PRIMARY KEY, weight int REFERENCES vat, z int, remark_text text);
INSERT INTO vat VALUES (1, 'v');
INSERT INTO parcel VALUES (1, 1, 1, 'x'), (2, 1, 2, 'y');
"""
NEW = """
CREATE TABLE person (
    id int PRIMARY KEY, badge uuid, code int, born inet, price int, rate numeric(3, 0),
    total int GENERATED ALWAYS AS (price * 2) STORED
);
CREATE TABLE ticket (id uuid PRIMARY KEY);
CREATE TABLE vat (id int PRIMARY KEY, name text);
CREATE TABLE scale (id int PRIMARY KEY, unit text);
CREATE TABLE parcel (id int PRIMARY KEY, weight int REFERENCES scale, z int, remark text, x int);
"""


@pytest.fixture
def deciding(desk_of: Callable[[str, str], Desk]) -> Deciding:
    """The open questions about pairs of types that convert, that do not, and a column that NEW computes."""
    desk = asked(desk_of, OLD, NEW)
    return Deciding(desk.folder / RESOLUTIONS, desk.folder / CHANGES)


def question(deciding: Deciding, column: str) -> Question:
    return next(one for one in deciding.questions() if column in (one.old_column, one.new_column))


def test_what_needs_no_field_can_be_kept(deciding: Deciding) -> None:
    seen = [one for one in deciding.questions() if one.table == "person"]
    assert {one.old_column for one in seen} >= {"badge", "code", "born"}
    for one in seen:
        for choice in one.choices:
            if not choice.fields:
                answer = Answer({"action": choice.action.value}, "Ann", "choice")
                told = [problem.message for problem in deciding.wrong(one.place, answer)]
                assert told == [], f"{one.text}: {choice.name}"


def test_each_offered_answer_that_needs_no_field_closes_its_question(deciding: Deciding) -> None:
    """A rename says who feeds whom; where that is known, it leaves open what becomes of the values."""
    path = deciding.seen.path
    before, offered = path.read_bytes(), 0
    for one in deciding.questions():
        if one.table != "parcel":
            continue
        for choice in (choice for choice in one.choices if not choice.fields):
            assert deciding.answer(one.place, Answer({"action": choice.action.value}, "Ann", "choice")) == ()
            left = [
                p for p in api.validate(path, path.with_name("my_migration_changes.json")) if not p.warning
            ]
            assert [p.object for p in left if (one.old_column or "") in p.object] == [], (one, choice.name)
            path.write_bytes(before)
            deciding.reload()
            offered += 1
    assert offered >= 3
    choices = {one.old_column: [choice.name for choice in one.choices] for one in deciding.questions()}
    assert "rename" not in choices["weight"]
    assert "rename" in choices["remark_text"]


def test_a_conversion_is_offered_where_one_exists(deciding: Deciding) -> None:
    offered = {
        column: [choice.name for choice in question(deciding, column).choices]
        for column in ("badge", "code", "born")
    }
    assert offered == {
        "badge": ["expression", "mapping", "lookup", "leave behind"],
        "code": ["convert", "expression", "mapping", "lookup", "leave behind"],
        "born": ["expression", "mapping", "lookup", "leave behind"],
    }


def test_a_key_that_gets_new_values_is_offered_the_conversion(deciding: Deciding) -> None:
    assert "convert" not in [choice.name for choice in question(deciding, "id").choices]
    new_key = {"action": "new_key", "column": "id", "as": "uuid"}
    assert deciding.add("ticket", Answer(new_key, "Ann", "fields")) == ()
    assert "convert" in [choice.name for choice in question(deciding, "id").choices]
