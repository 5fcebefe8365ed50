"""The package as users get it: an sdist, the wheel built from it, and a fresh environment with nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ROOT, Pair
from support.package import call


def _constraints(folder: Path) -> Path:
    """Returns the pinned versions without their hashes, which pip would want of the wheel, too."""
    pins = re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / "requirements-dev.txt").read_text("utf-8"), re.MULTILINE)
    path = folder / "constraints.txt"
    path.write_text("\n".join(pins), encoding="utf-8")
    return path


def _install(wheel: Path, python: str | Path, folder: Path) -> Path:
    """Returns the folder of programs of a new environment that has the wheel and what it depends on."""
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} cannot make environments (Debian: apt-get install python3-venv)")
    call(python, "-m", "venv", folder / "env", cwd=folder)
    programs = folder / "env" / "bin"
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "--only-binary", ":all:", "-c", _constraints(folder), wheel, cwd=folder)
    return programs


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("fresh")
    yield _install(wheel, sys.executable, folder)
    shutil.rmtree(folder)


def test_the_sdist_and_the_wheel_hold_what_they_should(sdist: Path, wheel: Path) -> None:
    sources = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "tranship").rglob("*")
        if path.is_file() and not {"__pycache__", "manual"} & set(path.relative_to(ROOT / "src").parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
    assert sources <= names
    assert {"tranship/manual/index.html", "tranship/manual/search-index.js"} <= names
    assert any(name.endswith(".data/data/share/man/man1/tranship.1") for name in names)
    beside = {name for name in names if not name.startswith("tranship/")}
    assert all(re.match(r"tranship-[^/]*\.(dist-info|data)/", name) for name in beside), beside
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in ("demo", "studio"):
        assert f"Provides-Extra: {extra}" in metadata
        assert all(
            f"{one.split('=')[0].split('>')[0]}" in metadata
            for one in project["optional-dependencies"][extra]
        )
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "LICENSE",
        "CHANGELOG.md",
        "docs/index.md",
        "scripts/data_migrator.py",
        "man/tranship.1",
    } <= inside
    assert not [name for name in inside if name.startswith(("tests/", "benchmarks/", ".venv"))]


def test_it_runs_alone(programs: Path, tmp_path: Path) -> None:
    version = call(programs / "tranship", "--version", cwd=tmp_path).stdout
    assert call(programs / "python", "-m", "tranship", "--version", cwd=tmp_path).stdout == version
    told = call(programs / "tranship", "--help", cwd=tmp_path).stdout
    (manual,) = re.findall(r"^Manual: file://(.*)$", told, re.MULTILINE)
    assert Path(manual).is_relative_to(programs.parent)
    assert "A first migration" in Path(manual).read_text(encoding="utf-8")
    assert (programs.parent / "share" / "man" / "man1" / "tranship.1").is_file()
    refused = call(programs / "tranship", "studio", "config.json", cwd=tmp_path, status=2)
    assert "[studio]" in refused.stderr or "extra 'studio'" in refused.stderr, refused


async def test_it_moves_rows(programs: Path, pair: Pair, tmp_path: Path) -> None:
    await pair.old.run(
        "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'Ada')"
    )
    await pair.new.run("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
    pair.config(tmp_path)
    tranship = programs / "tranship"
    call(tranship, "analyze", "config.json", cwd=tmp_path)
    assert "Verified" in call(tranship, "migrate", "config.json", "--live", cwd=tmp_path).stdout
    assert await pair.new.fetch("SELECT * FROM users") == [(1, "Ada")]


def _other_pythons() -> list[Path]:
    """Returns one Python of each version at hand but this one."""
    named = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [*(Path(one) for one in named if one), *sorted(pyenv.glob("versions/3.*/bin/python3"))]
    versions: dict[str, Path] = {}
    for python in found:
        done = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout.split()
        if done.returncode == 0 and int(words[1]) >= 11:
            versions.setdefault(words[1], python)
    versions.pop(str(sys.version_info.minor), None)
    return list(versions.values())


@pytest.mark.matrix
def test_it_runs_on_the_other_pythons_at_hand(wheel: Path, pair: Pair, tmp_path: Path) -> None:
    pythons = _other_pythons()
    if not pythons:
        pytest.skip("there is no other Python on this machine")
    asyncio.run(pair.old.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')"))
    asyncio.run(pair.new.run("CREATE TABLE t (id bigint PRIMARY KEY, v text)"))
    for number, python in enumerate(pythons):
        folder = tmp_path / str(number)
        folder.mkdir()
        programs = _install(wheel, python, folder)
        pair.config(folder)
        for words in (("ping", "config.json"), ("migrate", "config.json", "--rehearse")):
            call(programs / "tranship", *words, cwd=folder)
