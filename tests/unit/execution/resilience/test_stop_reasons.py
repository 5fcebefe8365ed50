"""What a stopped run says of a server's error: never the values of rows."""

from __future__ import annotations

import asyncpg

from tranship.execution.resilience.stop_reasons import stopped_by
from tranship.server.trouble import spoken


def test_no_detail() -> None:
    error = asyncpg.UniqueViolationError('duplicate key value violates unique constraint "one"')
    error.detail = "Key (mail)=(anna@example.org) already exists."
    assert "anna" not in spoken(error)
    assert 'unique constraint "one"' in stopped_by(error).message


def test_no_message_of_a_data_exception() -> None:
    error = asyncpg.InvalidTextRepresentationError('invalid input syntax for type integer: "anna"')
    assert spoken(error) == "the server refuses a value (SQLSTATE 22P02)"


def test_what_is_no_servers_error_is_told_whole() -> None:
    assert spoken(OSError(28, "No space left on device")) == "OSError: [Errno 28] No space left on device"
