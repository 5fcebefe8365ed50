"""The image of `Containerfile`, where a builder of images is at hand: `python3 dev.py test -m matrix`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from support import ROOT, Pair
from support.package import call

_FURTHER = shlex.split(os.environ.get("TRANSHIP_TEST_IMAGE_BUILD", ""))
"""What this machine's network wants of a build, as `--pull=never` or `-v FOLDER:/etc/ssl/certs:ro`."""


def _builder() -> str:
    """Returns the first program at hand that builds images and is able to (docker needs its daemon)."""
    for name in ("docker", "podman", "buildah"):
        if (
            shutil.which(name)
            and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0
        ):
            return name
    pytest.skip("there is no Docker, Podman or Buildah that works on this machine")


class Image:
    """A built image that runs commands as this user, with one folder as its `/work`."""

    def __init__(self, builder: str, name: str) -> None:
        self.builder, self.name = builder, name

    def run(self, folder: Path, *words: str) -> str:
        common = ("--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{folder}:/work")
        if self.builder != "buildah":
            return call(
                self.builder, "run", "--rm", "--network", "host", *common, self.name, *words, cwd=folder
            ).stdout
        container = call("buildah", "from", self.name, cwd=folder).stdout.strip()
        try:
            return call("buildah", "run", *common, container, "--", "tranship", *words, cwd=folder).stdout
        finally:
            call("buildah", "rm", container, cwd=folder)


@pytest.fixture(scope="module")
def image(wheel: Path) -> Iterator[Image]:
    builder, name = _builder(), f"tranship-test-{uuid4().hex[:8]}"
    here = wheel.parent
    call(builder, "build", *_FURTHER, "-t", name, "-f", ROOT / "Containerfile", here, cwd=here)
    yield Image(builder, name)
    call(builder, "rmi", name, cwd=here)


@pytest.mark.matrix
async def test_the_image_moves_rows(image: Image, pair: Pair, tmp_path: Path) -> None:
    await pair.old.run(
        "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'Ada')"
    )
    await pair.new.run("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
    pair.config(tmp_path)
    assert image.run(tmp_path, "--version").startswith("tranship ")
    image.run(tmp_path, "analyze", "config.json")
    assert "Verified" in image.run(tmp_path, "migrate", "config.json", "--live")
    assert await pair.new.fetch("SELECT * FROM users") == [(1, "Ada")]
    written = list((tmp_path / "results").iterdir())
    assert written and {path.stat().st_uid for path in written} == {os.getuid()}
