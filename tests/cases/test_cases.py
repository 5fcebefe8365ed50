"""Every case folder, ours and those beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.case import SHARED_CASES, Case, own_cases, shared_cases
from cases.runner import run_case
from cases.stage import NotBuilt
from support import Servers


async def _holds(case: Case, servers: Servers, folder: Path) -> None:
    try:
        seen = await run_case(case, servers, folder)
    except NotBuilt as missing:
        pytest.skip(f"no PostgreSQL here has what the case needs: {missing}")
    assert not seen.findings, "\n".join(seen.findings)


@pytest.mark.parametrize("case", own_cases(), ids=lambda case: case.name)
async def test_own_case(case: Case, servers: Servers, tmp_path: Path) -> None:
    await _holds(case, servers, tmp_path)


@pytest.mark.parametrize("case", shared_cases() or [None], ids=lambda case: case.name if case else "none")
async def test_shared_case(case: Case | None, servers: Servers, tmp_path: Path) -> None:
    if case is None:
        pytest.skip(f"{SHARED_CASES.name}: no acceptance cases beside this checkout")
    await _holds(case, servers, tmp_path)
