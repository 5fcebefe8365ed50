"""Cases of the project's own: one Markdown file each, ``tests/cases/<topic>/<name>.md``;
tests/cases/README.md shows one.

The fences, which happen in the order in which they stand; everything else is prose:

    ```json databases       where it takes place (``Databases``); first, if at all
    ```sql old · sql new    a script for psql
    ```json config          further keys of the configuration (tables, schemas, …)
    ```json resolutions     the decisions of the commands that follow
    ```json wrong: WHY      resolutions with which a live run is refused
    ```json outcome         analyze, dry run, rehearsal, live run and second run,
                            and what they come to (``Outcome``)
    ```sql ask new          a script for psql (``old``: asked of OLD);
                            the ```text block after it is what it prints
    ```console              commands and their output as in the manual; the configuration is config.json
    ```json NAME.json       a file for them
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from support import ROOT
from support.cases.case import (
    Asked,
    Case,
    Console,
    Databases,
    Decisions,
    Expected,
    Keys,
    Script,
    SideName,
    Step,
    Wrong,
)
from support.cases.outcome import read_outcome
from support.fences import Fence, fences

OWN = ROOT / "tests" / "cases"


class BadCase(Exception):
    """The file is no case; the message names the line."""


def own_cases() -> list[Case]:
    """Returns the project's cases."""
    return [read_page(path) for path in sorted(OWN.glob("*/*.md"))]


def read_page(path: Path) -> Case:
    """Returns the case of one file.

    Raises:
        BadCase: a fence, or a key in it, is unknown.
    """
    databases, steps = Databases(), list[Step]()
    asked: Asked | None = None
    for fence in fences(path.read_bytes().decode("utf-8", errors="surrogateescape")):
        where = f"{path.relative_to(OWN)}, line {fence.line}"
        if asked is not None and fence.kind != "text":
            raise BadCase(f"{where}: the answer of the question before is missing (```text)")
        try:
            if fence.kind == "json databases":
                databases = msgspec.json.decode(fence.text, type=Databases)
            elif fence.kind == "text" and asked is not None:
                steps.append(Asked(asked.side, asked.script, fence.text, (fence.start, fence.end)))
                asked = None
            elif isinstance(step := _step(fence), Asked):
                asked = step
            else:
                steps.append(step)
        except (ValueError, BadCase) as error:
            raise BadCase(f"{where}: {error}") from error
    if asked is not None:
        raise BadCase(f"{path.relative_to(OWN)}: the last question has no answer (```text)")
    return Case(str(path.relative_to(OWN).with_suffix("")), path, tuple(steps), databases)


def _step(fence: Fence) -> Step:
    match fence.kind.split():
        case ["sql", ("old" | "new") as side]:
            return Script(_side(side), fence.text)
        case ["sql", "ask", ("old" | "new") as side]:
            return Asked(_side(side), fence.text, "")
        case ["json", "config"]:
            return Keys(json.loads(fence.text))
        case ["json", "resolutions"]:
            return Decisions(fence.text)
        case ["json", "wrong:", *why]:
            return Wrong(fence.text, " ".join(why))
        case ["json", "outcome"]:
            return Expected(read_outcome(fence.text))
        case ["json", name] if name.endswith(".json"):
            return Decisions(fence.text, name)
        case ["console"] | ["console", "killed", "at", _]:
            return Console(fence)
        case _:
            raise BadCase(f"a case has no fence ```{fence.kind}")


def _side(word: str) -> SideName:
    return "old" if word == "old" else "new"


def rewrite_answers(path: Path, answers: Mapping[tuple[int, int], str]) -> None:
    """Puts answers at their places in the file of a case."""
    page = path.read_bytes().decode("utf-8", errors="surrogateescape")
    for (start, end), answer in sorted(answers.items(), reverse=True):
        page = page[:start] + answer + page[end:]
    path.write_bytes(page.encode("utf-8", errors="surrogateescape"))
