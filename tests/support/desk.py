"""A person's desk: a folder with ``scripts/`` and ``config/`` in which the commands of the classic README
are typed as they stand.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import ROOT, CliResult, Pair, run_python

CONFIG = "config/my-config.json"


@dataclass(frozen=True)
class Desk:
    """Where the commands run, and the two databases they are about."""

    folder: Path
    pair: Pair

    def type(self, line: str, env: Mapping[str, str] | None = None) -> CliResult:
        """Runs ``python scripts/X.py …`` or ``tranship …`` in the folder."""
        program, *words = shlex.split(line)
        if program == "tranship":
            words = ["-m", "tranship", *words]
        return run_python(*words, cwd=self.folder, env=env)

    def config(
        self,
        *,
        old: Mapping[str, object] | None = None,
        new: Mapping[str, object] | None = None,
        name: str = CONFIG,
        **keys: object,
    ) -> None:
        """Writes the configuration: schema ``public`` on both sides unless said otherwise."""
        sides = ({"schema": "public", **(side or {})} for side in (old, new))
        (self.folder / "config").mkdir(exist_ok=True)
        self.pair.config(self.folder, name=name, old=next(sides), new=next(sides), **keys)

    def write(self, name: str, value: object) -> str:
        """A file in the folder; a text as it is, anything else as JSON. Returns its name."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return name

    def read(self, name: str) -> str:
        """A text file of the folder."""
        return (self.folder / name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        """A JSON file of the folder."""
        return json.loads(self.read(name))

    def files(self, folder: str = "results") -> list[str]:
        """The names in a folder, sorted."""
        return sorted(path.name for path in (self.folder / folder).iterdir())

    def new(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of NEW."""
        return asyncio.run(self.pair.new.fetch(query))

    def run_old(self, script: str) -> None:
        """Changes OLD."""
        asyncio.run(self.pair.old.run(script))

    def run_new(self, script: str) -> None:
        """Changes NEW."""
        asyncio.run(self.pair.new.run(script))


def make_desk(folder: Path, pair: Pair) -> Desk:
    """A folder like a checkout of the classic tool."""
    (folder / "scripts").symlink_to(ROOT / "scripts")
    desk = Desk(folder, pair)
    desk.config()
    return desk
