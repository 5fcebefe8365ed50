"""Every case folder, ours and those beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import Servers
from support.cases.case import SHARED_CASES, Case, own_cases, shared_cases
from support.cases.runner import run_case
from support.cases.stage import NotBuilt
from tranship.demo.servers import installations

MAJORS = tuple(installations())


def _holds(case: Case, servers: Servers, folder: Path, majors: tuple[int, int] | None = None) -> None:
    try:
        seen = run_case(case, servers, folder, majors=majors)
    except NotBuilt as missing:
        pytest.skip(f"no PostgreSQL here has what the case needs: {missing}")
    assert not seen.findings, "\n".join(seen.findings)


@pytest.mark.parametrize("case", own_cases(), ids=lambda case: case.name)
def test_own_case(case: Case, servers: Servers, tmp_path: Path) -> None:
    _holds(case, servers, tmp_path)


@pytest.mark.parametrize("case", shared_cases() or [None], ids=lambda case: case.name if case else "none")
def test_shared_case(case: Case | None, servers: Servers, tmp_path: Path) -> None:
    if case is None:
        pytest.skip(f"{SHARED_CASES.name}: no acceptance cases beside this checkout")
    _holds(case, servers, tmp_path)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "majors",
    [(old, new) for old in MAJORS for new in MAJORS if old <= new],
    ids=lambda pair: f"{pair[0]}-{pair[1]}",
)
@pytest.mark.parametrize("case", own_cases(), ids=lambda case: case.name)
def test_own_case_on_every_pair(
    case: Case, majors: tuple[int, int], servers: Servers, tmp_path: Path
) -> None:
    _holds(case, servers, tmp_path, majors)
