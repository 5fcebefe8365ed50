"""The manual's examples are run, page by page, on real databases.

What the fences of a page mean, in the order in which they stand:

    ```sql old          run in OLD
    ```sql new          run in NEW
    ```sql ask new      asked of NEW; the ```text block after it is the answer, columns separated by |
    ```json NAME        written to the file NAME (in a configuration the two servers are replaced by the test's)
    ```json NAME own roles   the same, but roles and passwords are the page's
    ```console          ``$`` lines are run (tranship, or python scripts/…); the lines below must stand in the output in this order;
                        ``*`` is anything, ``…`` lines left out, ``(exit N)`` the exit status (0 without it)
    ```console killed at X   the same, and the program is killed when it comes to the failpoint X

Other blocks are only read.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from support import ROOT, CliResult, Pair
from tranship.cli.entry import COMMANDS, load

PAGES = sorted((ROOT / "docs").glob("*.md"))
_FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\(exit (\d+)\)")
_FOREIGN = {
    "--errors",
    "--folds",
    "--rules",
    "--campaign",
    "--seed",
    "--runs",
    "--only",
    "--kinds",
    "--table",
    "--seeds",
}
"""Options of the benchmarks and the campaigns."""


@dataclass(frozen=True)
class Block:
    """A fenced block and the line of the page where it begins."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Reader:
    """Does what a page says."""

    pair: Pair
    folder: Path
    run_cli: Callable[..., CliResult]
    run_script: Callable[..., CliResult]

    def read(self, blocks: list[Block]) -> None:
        answer = ""
        for block in blocks:
            match block.kind.split():
                case ["sql", "old"]:
                    asyncio.run(self.pair.old.run(block.text))
                case ["sql", "new"]:
                    asyncio.run(self.pair.new.run(block.text))
                case ["sql", "ask", "new"]:
                    rows = asyncio.run(self.pair.new.fetch(block.text))
                    answer = "\n".join("|".join("" if v is None else str(v) for v in row) for row in rows)
                case ["text"] if answer:
                    assert block.text.strip() == answer, f"line {block.line}"
                    answer = ""
                case ["json", name, *own_roles]:
                    self._write(name, block.text, kept=("username", "password") if own_roles else ())
                case ["console", *end]:
                    env = {"TRANSHIP_FAILPOINT": f"{end[-1]}:kill"} if end else {}
                    for command, expected in _commands(block.text):
                        self._run(command, expected, block.line, env)

    def _write(self, name: str, text: str, kept: tuple[str, ...]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("-config.json"):
            document = json.loads(text)
            for side, database in (("old_database", self.pair.old), ("new_database", self.pair.new)):
                document[side] = {
                    **document[side],
                    **database.endpoint(**{key: document[side][key] for key in kept}),
                }
            text = json.dumps(document)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def _run(self, command: str, expected: list[str], line: int, env: Mapping[str, str]) -> None:
        program, *arguments = shlex.split(command, comments=True)
        if program == "tranship":
            result = self.run_cli(*arguments, env=env)
        else:
            assert program == "python", f"line {line}: cannot run {command}"
            result = self.run_script(Path(arguments[0]).name, *arguments[1:], env=env)
        status = (
            -signal.SIGKILL if env else next((int(m[1]) for e in expected if (m := _EXIT.fullmatch(e))), 0)
        )
        assert result.status == status, f"line {line}: {command}\n{result}"
        output = iter((result.stdout + result.stderr).splitlines())
        for words in (e for e in expected if e and e != "…" and not _EXIT.fullmatch(e)):
            pattern = re.compile(re.escape(words.strip()).replace(r"\*", ".*"))
            assert any(pattern.search(said) for said in output), (
                f"line {line}: {command} does not say (in this order) {words!r}\n{result}"
            )


def _blocks(page: str) -> list[Block]:
    return [Block(m["kind"], m["text"], page.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(page)]


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *expected = part.replace("\\\n", " ").splitlines()
        yield command, expected


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_page(
    page: Path,
    pair: Pair,
    tmp_path: Path,
    run_cli: Callable[..., CliResult],
    run_script: Callable[..., CliResult],
) -> None:
    Reader(pair, tmp_path, run_cli, run_script).read(_blocks(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda path: path.stem
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_error_code_is_explained() -> None:
    """The table of codes holds what the program can say, and nothing else."""
    said = {
        c
        for path in (ROOT / "src").rglob("*.py")
        for c in re.findall(r'"(TS\d{3})"', path.read_text(encoding="utf-8"))
    }
    explained = [
        code
        for row in re.findall(
            r"^\| (TS[^|]*)\|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE
        )
        for code in re.findall(r"TS\d{3}", row)
    ]
    assert sorted(explained) == sorted(said)


def test_only_existing_options_are_named() -> None:
    """Every option that the manual names belongs to a command, to ``dev.py`` or to a program that is no part of this one."""
    known = {option for name in COMMANDS for option in _options(load(name))} | {"--version", "--help"}
    for page in [*PAGES, ROOT / "README.md"]:
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page.read_text(encoding="utf-8"))) - _FOREIGN
        assert named <= known, page


def _options(command: click.Command) -> set[str]:
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    } | {option for one in below for option in _options(one)}
