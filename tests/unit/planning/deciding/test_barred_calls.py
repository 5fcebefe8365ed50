"""Words for the moment of reading in an SQL text."""

from __future__ import annotations

import pytest

from tranship.planning.deciding.barred_calls import moment_read, moment_trials


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("'today'::date", "today"),
        ("('NOW'::cstring)::timestamp(3) without time zone", "now"),
        ("'now'::text::timestamptz", "now"),
        ("timestamp(0) with time zone 'yesterday 10:00'", "yesterday"),
        ("CAST( ' tomorrow' AS time)", "tomorrow"),
        ("'today'::text", None),
        ("'2020-01-01'::date || 'today'", None),
        ("date '2020-01-01' || ' now'", None),
        ("'todays'::date", None),
        ("'today'::dates", None),
    ],
)
def test_literals_that_are_cast_to_a_moment(sql: str, word: str | None) -> None:
    assert moment_read(sql) == word


def test_each_word_of_a_literal_is_changed_alone() -> None:
    assert moment_trials("f('[today,NOW)', now, $$now$$, 'knowledge') -- 'today'") == (
        ("today", "f('[todayx,NOW)', now, $$now$$, 'knowledge') -- 'today'"),
        ("now", "f('[today,NOWx)', now, $$now$$, 'knowledge') -- 'today'"),
        ("now", "f('[today,NOW)', now, $$nowx$$, 'knowledge') -- 'today'"),
    )
