"""Why rows are rejected: causes before consequences, values only where they may be shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tranship.execution.results.causes import causes
from tranship.model.locator import Locator
from tranship.model.reasons import CheckViolated, HeldByNew, MappingGap, ParentMissing, Reason, ServerSaid
from tranship.model.verdict import MOST_VALUES, Reject, RejectCause, TableResult
from tranship.report.causes import cause_lines, choices, told_once
from tranship.report.describe.causes import cause_items
from tranship.report.why import Why, why_words


def rejects(
    rows: int, sqlstate: str, reason: Reason, column: str | None, key: str | None
) -> Iterator[Reject]:
    for _ in range(rows):
        yield Reject(Locator(0, (0, 0)), sqlstate, reason, column, key)


def missing(*, gone: bool) -> ParentMissing:
    return ParentMissing("public.orders", "fk", ("user_id",), "7", "public.users", gone)


def table(name: str, found: tuple[RejectCause, ...]) -> TableResult:
    return TableResult(f"public.{name}", f"public.{name}", 9, 0, 9, 0, 0, None, "", {}, (), found)


USERS = causes(
    [
        *rejects(3, "22023", MappingGap("banned"), "status", None),
        *rejects(1, "22023", MappingGap("gone"), "status", None),
        *rejects(5, "23514", CheckViolated("adult", "users"), None, "adult"),
    ]
)
ORDERS = causes(
    [
        *rejects(90, "23503", missing(gone=True), None, "fk"),
        *rejects(2, "23503", missing(gone=False), None, "fk"),
        *rejects(1, "22P02", ServerSaid("invalid input", "x1"), "total", None),
    ]
)


def test_rows_are_counted_by_cause() -> None:
    assert [(c.what, c.rows, c.consequence) for c in (*USERS, *ORDERS)] == [
        ("CheckViolated", 5, False),
        ("MappingGap", 4, False),
        ("ParentMissing", 2, False),
        ("ServerSaid", 1, False),
        ("ParentRejected", 90, True),
    ]
    assert USERS[1].values == {"banned": 3, "gone": 1}


def test_causes_come_before_consequences() -> None:
    tables = [table("orders", ORDERS), table("users", USERS)]
    assert list(cause_lines(tables, values=False)) == [
        "Rejected rows by cause:",
        "  [public.users] check adult refuses the row (23514): 5 rows",
        "  [public.users] no entry in the value mapping of status (22023): 4 rows, 2 different values",
        "  [public.orders] no parent in public.users (23503 fk): 2 rows",
        "  [public.orders] total: not readable as the new type (22P02): 1 row, 1 value",
        "Rejected because of these:",
        "  [public.orders] the parent in public.users was rejected (23503 fk): 90 rows",
    ]
    shown = list(cause_lines(tables, values=True))
    assert shown[2].endswith("4 rows, 2 different values: 'banned' (3), 'gone' (1)")


def test_many_values_are_cut() -> None:
    gaps = [r for n in range(50) for r in rejects(50 - n, "22023", MappingGap(f"v{n}"), "c", None)]
    (found,) = causes(gaps)
    assert (found.distinct_values, len(found.values), found.rows) == (50, MOST_VALUES, len(gaps))
    assert list(cause_lines([table("t", (found,))], values=True))[1].endswith("'v4' (46) and 45 more")


def test_every_reason_has_words() -> None:
    from typing import get_args

    from tranship.report.why import _WORDS

    named = {kind.__name__ for union in get_args(Reason) for kind in (get_args(union) or (union,))}
    # What a server said is worded by its SQLSTATE.
    assert named - _WORDS.keys() == {"ServerSaid"}


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        (
            "42601",
            "f: the new type refuses its syntax, as tsquery refuses two words without an operator (42601)",
        ),
        ("22P05", "f: it holds a character that NEW cannot store, such as \\u0000 in JSON (22P05)"),
        ("22023", "f: a function does not take the value (22023)"),
        ("22030", "f: NEW refuses the value (22030)"),
        ("P0003", "f: a function or trigger of NEW raises an error (P0003)"),
        ("XX000", "f: NEW refuses the row (XX000)"),
    ],
)
def test_what_a_server_said_is_worded_by_its_sqlstate(sqlstate: str, words: str) -> None:
    assert why_words(Why("ServerSaid", sqlstate, "f")) == words


def held(sqlstate: str) -> TableResult:
    reason = HeldByNew("users_key", sqlstate == "23P01", "{}")
    return table("users", causes(list(rejects(2, sqlstate, reason, None, "users_key"))))


def test_a_decision_that_is_made_is_not_offered_again() -> None:
    updated = RejectCause("NotChangeable", "23505", 3, None, "users_pkey")
    other = RejectCause("HeldByOtherKey", "23505", 2, None, "users_mail_key")
    (first, second) = choices([updated], live=False)
    assert first.endswith("delete or change them there, and repeat this command;")
    assert second.startswith('or let NEW\'s rows stay ("rows": "keep"): "update" is decided')
    told = choices([updated, other], live=False)
    assert [line.split(":")[0] for line in told[1:]] == [
        "or find rows of NEW by the columns of this constraint",
        'or let NEW\'s rows stay ("rows"',
    ]
    assert not any('"action"' in line for line in told)


def test_choices_are_named_once_where_rows_of_new_stand_in_the_way() -> None:
    words = "NEW already holds another row with the same key"
    assert list(cause_lines([held("23505"), held("23505")], values=False)) == [
        "Rejected rows by cause:",
        f"  [public.users] {words} (23505 users_key): 2 rows",
        f"  [public.users] {words} (23505 users_key): 2 rows",
        "  About rows that NEW holds: delete or change them there, and repeat this command;",
        "  or decide that they stand for OLD's rows, and repeat this command."
        " The resolutions file says so for a table:",
        '  {"action": "existing", "rows": "keep"}: NEW\'s row stays as it is; "update": it gets OLD\'s values.',
        '  The entry finds rows by NEW\'s primary key. Where rows meet by another key, or "new_key" gives the'
        ' primary key new values, it also has "key": ["column", …].',
    ]
    after = list(cause_lines([held("23505")], values=False, live=True))
    assert after[2].endswith("delete or change them there, and move the rejected rows;")
    assert after[3].startswith(
        "  or roll this run back, decide that they stand for OLD's rows, and run again."
    )
    assert list(cause_lines([held("23P01")], values=False))[2:] == [
        "  About rows that NEW holds: delete or change them there, and repeat this command."
    ]
    pages = cause_items(
        [("t", cause) for t in (held("23505"), held("23505")) for cause in t.causes], live=True
    )
    assert [len(item.notes) for item in pages] == [4, 0]


def test_rows_that_exclude_each_other_need_not_have_one_key() -> None:
    words = why_words(Why("ComesSecond", "23P01", constraint="apart"))
    assert words == "another row of OLD that excludes it comes first (23P01 apart)"
    held = why_words(Why("HeldByNew", "23P01", constraint="apart"))
    assert held == "NEW already holds a row that excludes it (23P01 apart)"
    equal = why_words(Why("ComesSecond", "23505", constraint="k"))
    assert equal == "another row of OLD with the same key comes first (23505 k)"


def test_the_same_of_several_tables_is_told_once() -> None:
    found = [("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")]
    assert list(told_once(found)) == [("a and 2 more", "x"), ("b", "y")]
