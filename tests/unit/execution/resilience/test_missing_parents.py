"""The reject of a row for which a server finds no parent, whatever the server's language."""

from __future__ import annotations

import asyncpg
import pytest

from tranship.execution.resilience.server_errors import reject_of
from tranship.model.catalog import ForeignKey
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.reasons import ParentMissing, ServerSaid
from tranship.model.verdict import Reject

CHILD = TableName("public", "child")
KEY = ForeignKey("fk", ("p", "q"), TableName("public", "a"), ("id", "n"))


def rejected(detail: str | None, *, constraint: str = "fk", state: str = "23503") -> Reject:
    error = asyncpg.PostgresError.new(
        {"C": state, "M": "violates", "n": constraint, **({"D": detail} if detail else {})}
    )
    return reject_of(Locator(0, (0, 1)), error, CHILD, ("p", "q"), [KEY])


@pytest.mark.parametrize(
    "detail",
    [
        'Key (p, q)=(x) "a", 7) is not present in table "a".',
        'Schlüssel (p, q)=(x) "a", 7) ist nicht in Tabelle »a« vorhanden.',
    ],
)
def test_the_key_is_read_from_the_words_of_the_server(detail: str) -> None:
    reason = ParentMissing("child", "fk", ("p", "q"), '(x) "a", 7)', "a", gone=False)
    assert rejected(detail).reason == reason


@pytest.mark.parametrize(
    "detail",
    [
        None,
        # The role may not read the parent's columns.
        'Key is not present in table "a".',
        'Key (id, n)=(1, 7) is still referenced from table "child".',
        "MATCH FULL does not allow mixing of null and nonnull key values.",
    ],
)
def test_other_words_stay_as_they_are(detail: str | None) -> None:
    assert isinstance(rejected(detail).reason, ServerSaid)


def test_other_errors_stay_as_they_are() -> None:
    detail = 'Key (p, q)=(1, 7) is not present in table "a".'
    assert isinstance(rejected(detail, constraint="other").reason, ServerSaid)
    assert isinstance(rejected(detail, state="23505").reason, ServerSaid)
