"""Every case: the files of the project's own, and the folders beside the checkout."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from support import Servers
from support.cases.case import Case
from support.cases.folder import SHARED_CASES, shared_cases
from support.cases.page import own_cases
from support.cases.stage import NotBuilt
from support.cases.walk import run_case
from tranship.demo.servers import installations

OWN = own_cases()
INSTALLED = tuple(installations())
SHARED = shared_cases() or [None]


WHOLE = 3
"""Of so many cases the default run walks one whole; of the others it leaves out the rehearsal and the commands on
the decisions."""


def _holds(
    case: Case,
    servers: Servers,
    folder: Path,
    majors: tuple[int, int] | None = None,
    *,
    whole: bool = True,
) -> None:
    try:
        seen = run_case(case, servers, folder, majors=majors, whole=whole)
    except NotBuilt as missing:
        pytest.skip(f"no PostgreSQL here has what the case needs: {missing}")
    assert not seen.findings, "\n".join(seen.findings)


@pytest.mark.parametrize(
    ("case", "majors"),
    [
        pytest.param(case, majors, id=case.name + (f" {majors[0]}-{majors[1]}" if majors else ""))
        for case in OWN
        for majors in case.databases.pairs or [None]
    ],
)
def test_own_case(case: Case, majors: tuple[int, int] | None, servers: Servers, tmp_path: Path) -> None:
    _holds(case, servers, tmp_path, majors, whole=_is_drawn(case))


def _is_drawn(case: Case) -> bool:
    return zlib.crc32(case.name.encode()) % WHOLE == 0


@pytest.mark.campaign
@pytest.mark.parametrize("case", [*OWN, *filter(None, SHARED)], ids=lambda case: case.name)
def test_case_walked_whole(case: Case, servers: Servers, tmp_path: Path) -> None:
    _holds(case, servers, tmp_path)


@pytest.mark.parametrize("case", SHARED, ids=lambda case: case.name if case else "none")
def test_shared_case(case: Case | None, servers: Servers, tmp_path: Path) -> None:
    if case is None:
        pytest.skip(f"{SHARED_CASES.name}: no acceptance cases beside this checkout")
    _holds(case, servers, tmp_path, whole=_is_drawn(case))


@pytest.mark.matrix
@pytest.mark.parametrize(
    "majors",
    [(old, new) for old in INSTALLED for new in INSTALLED if old <= new],
    ids=lambda pair: f"{pair[0]}-{pair[1]}",
)
@pytest.mark.parametrize(
    "case", [case for case in OWN if not case.databases.servers], ids=lambda case: case.name
)
def test_own_case_on_every_pair(
    case: Case, majors: tuple[int, int], servers: Servers, tmp_path: Path
) -> None:
    _holds(case, servers, tmp_path, majors)
