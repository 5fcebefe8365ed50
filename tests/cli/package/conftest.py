"""What the tests of the package share: it is built once for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.package import build_sdist, build_wheel


@pytest.fixture(scope="package")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_sdist(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="package")
def wheel(sdist: Path) -> Path:
    return build_wheel(sdist)
