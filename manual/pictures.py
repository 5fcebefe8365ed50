"""Makes the pictures of docs/img from real runs: `python3 dev.py pictures`. It needs Chromium.

The runs are those of docs/first-migration.md, on two embedded servers. The pictures are looked at before a
release.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.text import Text

from manual.pages import DOCS
from support.chromium import Page, chromium
from support.fences import fences
from support.studio import studio
from tranship.demo.servers import Server, installations
from tranship.report.folded import folded

FOLDER = DOCS / "img"
_CONFIG, _ANSWERS = "config/my-config.json", "results/my_manual_resolutions.json"
_MIGRATE = ("migrate", _CONFIG, "--prefix", "my", "--resolutions", _ANSWERS)
_LINES = 34
"""Lines of a terminal that a picture shows."""

_FORMAT = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font: {char_height}px ui-monospace, "DejaVu Sans Mono", monospace;
line-height: {line_height}px; }} {styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="#292929"/>
<g transform="translate(9, 9)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""rich's own would load a font from elsewhere."""


def main() -> None:
    """Makes all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, _shop(Path(name)) as folder:
        _terminal(folder, "terminal-140", 140, "analyze", _CONFIG, "--prefix", "my")
        _run(folder, 80, "resolve", "generate", "results/my_migration_changes.json", "--prefix", "my")
        _studio(folder)
        (folder / _ANSWERS).write_text(_block("json results"), encoding="utf-8")
        _terminal(folder, "terminal-80", 80, *_MIGRATE, "--live", last=True)
        _run(folder, 80, "verify", _CONFIG, "--prefix", "my")
        with chromium(folder) as page:
            _pages(folder, page)


def _block(kind: str) -> str:
    """Returns the first block of the tutorial whose kind begins so."""
    blocks = fences((DOCS / "first-migration.md").read_text(encoding="utf-8"))
    return str(next(block.text for block in blocks if block.kind.startswith(kind)))


def _studio(folder: Path) -> None:
    with studio(folder, _CONFIG, "--prefix", "my") as running, chromium(folder / "studio") as page:
        _show(page, running.links["Ann"], 1200, 800)
        page.until("document.querySelectorAll('#tables button').length > 0")
        page.run("document.querySelector('#tables button').click()")
        page.until("document.querySelector('article')")
        _shoot(page, "studio")


def _pages(folder: Path, page: Page) -> None:
    """Takes the pictures of the pages that the commands wrote."""
    report = (folder / "results" / "my_migration_report.html").as_uri()
    for name, width, scheme in (
        ("report", 1200, "light"),
        ("report-phone", 400, "light"),
        ("report-dark", 1200, "dark"),
    ):
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        _show(page, report, width, 800)
        _shoot(page, name)
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    (certificate,) = (folder / "results").glob("*certificate*.html")
    _show(page, certificate.as_uri(), 1200, 800)
    _shoot(page, "certificate")


@contextmanager
def _shop(folder: Path) -> Iterator[Path]:
    """Starts two servers with the databases of the tutorial, and writes its configuration."""
    homes = list(installations().values())
    old, new = Server(homes[0], name="old"), Server(homes[-1], name="new")
    try:
        document = {}
        for server, side in ((old, "old"), (new, "new")):
            server.start()
            asyncio.run(_fill(server, _block(f"sql {side}")))
            document[f"{side}_database"] = {
                "host": server.host,
                "port": server.port,
                "database": "shop",
                "username": server.user,
                "password": server.password,
                "sslmode": "disable",
            }
        (folder / "config").mkdir()
        (folder / _CONFIG).write_text(json.dumps(document), encoding="utf-8")
        (folder / _CONFIG).chmod(0o600)
        yield folder
    finally:
        old.stop()
        new.stop()


async def _fill(server: Server, script: str) -> None:
    for database, statements in (("postgres", "CREATE DATABASE shop"), ("shop", script)):
        conn = await asyncpg.connect(server.url(database))
        try:
            await conn.execute(statements)
        finally:
            await conn.close()


def _run(folder: Path, columns: int, *arguments: str) -> str:
    """Runs a command of tranship as in a terminal of so many columns; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tranship", *arguments, "--color", "always"],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(columns), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    # 1: some rows of the tutorial are rejected on purpose.
    if done.returncode > 1:
        raise RuntimeError(f"{arguments} ended with {done.returncode}")
    return done.stdout


def _terminal(folder: Path, name: str, columns: int, *arguments: str, last: bool = False) -> None:
    """Draws the first or the last lines of what a command prints."""
    # A pipe gets lines as they are, a terminal gets them folded.
    lines = folded(_run(folder, columns, *arguments).rstrip(), columns).splitlines()
    shown = ["…", *lines[-_LINES:]] if last else [*lines[:_LINES], "…"]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(
            width=columns, record=True, force_terminal=True, file=nowhere, color_system="standard"
        )
        console.print(Text(f"$ tranship {' '.join(arguments)}\n", style="bold"))
        for line in shown:
            console.print(Text.from_ansi(line))
        console.save_svg(str(FOLDER / f"{name}.svg"), code_format=_FORMAT, unique_id=name)


def _show(page: Page, url: str, width: int, height: int) -> None:
    page.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
    )
    page.send("Page.navigate", url=url)
    page.until("document.readyState === 'complete' && location.href !== 'about:blank'")


def _shoot(page: Page, name: str) -> None:
    taken = page.send("Page.captureScreenshot", format="png")["data"]
    (FOLDER / f"{name}.png").write_bytes(base64.b64decode(taken))


if __name__ == "__main__":
    main()
