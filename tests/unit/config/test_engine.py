"""The address of a Dask cluster: what is one, and which of them are protected."""

from __future__ import annotations

import sys

import pytest

from tranship.config import engine_address
from tranship.errors import UsageError
from tranship.execution.cluster.scheduler import usable


@pytest.mark.parametrize(
    ("given", "scheduler"),
    [
        ("dask://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
        ("dask://localhost", "tcp://localhost:8786"),
        ("dask://[::1]:1234", "tcp://[::1]:1234"),
        ("dask://127.8.9.1:1/", "tcp://127.8.9.1:1"),
        ("dask+tls://scheduler.example.org:8786", "tls://scheduler.example.org:8786"),
    ],
)
def test_an_address_is_read(given: str, scheduler: str) -> None:
    assert engine_address(given).scheduler == scheduler


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "TS150"),
        ("127.0.0.1:8786", "TS150"),
        ("tcp://127.0.0.1:8786", "TS150"),
        ("dask://", "TS150"),
        ("dask://127.0.0.1:port", "TS150"),
        ("dask://127.0.0.1:70000", "TS150"),
        ("dask://[::1", "TS150"),
        ("dask://me@127.0.0.1:8786", "TS150"),
        ("dask://127.0.0.1:8786/x", "TS150"),
        ("dask://127.0.0.1:8786?x=1", "TS150"),
        ("dask://scheduler:8786", "TS152"),
        ("dask://10.0.0.1:8786", "TS152"),
        ("dask://127.0.0.1.example.org:8786", "TS152"),
        ("dask://0.0.0.0:8786", "TS152"),
    ],
)
def test_another_text_is_refused(given: str, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        engine_address(given)
    assert refused.value.code == code


def test_without_the_extra_one_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="distributed is missing") as refused:
        usable("dask://127.0.0.1:8786")
    assert "tranship[dask]" in refused.value.hint
