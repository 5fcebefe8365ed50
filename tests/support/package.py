"""The sdist and the wheel as a release builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from manual import site

from support import ROOT

_ALONE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "TRANSHIP_FAILPOINT")
"""Variables that would lend a new environment something of the checkout."""


def call(*command: str | Path, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Returns a finished command that ran without this checkout's variables and ended with `status`."""
    env = {name: value for name, value in os.environ.items() if name not in _ALONE}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", timeout=900, check=False
    )
    assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def build_sdist(folder: Path) -> Path:
    """Returns the sdist, built below `folder` as a release does: with the manual's site in its place."""
    tree = folder / "tranship"
    # Not the checkout itself: other tests read it meanwhile, and it may hold files of an earlier build.
    tree.mkdir()
    for name in (".gitignore", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml"):
        shutil.copy(ROOT / name, tree)
    for name in ("src", "docs", "man", "scripts", "config"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "manual"))
    site.build(tree / "src" / "tranship" / "manual")
    call(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder / "dist", cwd=tree)
    (made,) = (folder / "dist").glob("*.tar.gz")
    return made


def build_wheel(sdist: Path) -> Path:
    """Returns the wheel, built beside the sdist from what the sdist holds and nothing else."""
    folder = sdist.parent.parent / "unpacked"
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", sdist.parent, cwd=tree)
    (made,) = sdist.parent.glob("*.whl")
    return made
