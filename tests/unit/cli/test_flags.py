"""A flag of an answer is a yes or a no, however it is typed; nothing else is taken for either."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tranship.cli.prompting import UNKNOWN, field_value
from tranship.planning.deciding.choices import Field, Kind

FLAG = Field("repoint_children", "rows that refer to them follow", Kind.FLAG, optional=True)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("yes", True), ("true", True), ("Y", True), ("", None), ("no", None), ("False", None)],
)
def test_a_flag_is_yes_or_no(typed: str, value: bool | None) -> None:
    assert field_value(lambda _: typed, FLAG, UNKNOWN) is value


def test_another_word_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    words: Iterator[str] = iter(("ja", "repoint", "true"))
    assert field_value(lambda _: next(words), FLAG, UNKNOWN) is True
    assert "'ja' is neither yes nor no." in capsys.readouterr().out
