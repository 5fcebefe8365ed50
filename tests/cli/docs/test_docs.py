"""The manual's examples are run, page by page, on real databases.

support/fences.py says what the fences mean that cases have, too. Here also

    ```sql ask old      asked of the old database, as "sql ask new" asks the new one
    ```json NAME        written to the file NAME; in a configuration,
                        the two servers are replaced by the test's
    ```python           run in the folder; the ```text block after it is what it prints
    ```json NAME own roles   the same, but roles and passwords are the page's

and programs of the console are tranship and python scripts/….
Other blocks are only read.

The recipes of a page of the cookbook are carried out together: first both databases and all files are made,
then the commands run, then the questions are asked. A file that several recipes write holds what all of them say.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pytest

from support import ROOT, CliResult, Pair, run_python
from support.fences import Fence, answer_text, fences, follow_console
from tranship.cli.entry import COMMANDS, load

PAGES = sorted((ROOT / "docs").rglob("*.md"))
_FOREIGN = {
    "--errors",
    "--folds",
    "--rules",
    "--campaign",
    "--seed",
    "--runs",
    "--only",
    "--kinds",
    "--majors",
    "--table",
    "--seeds",
    "--full",
    "--rows",
    "--rounds",
    "--naming",
    "--shape",
    "--mutations",
    "--pair",
    "--portions",
    "--clean",
    "--host",
    "--nthreads",
    "--rm",
    "--spec",
    "--user",
}
"""Options of the benchmarks, of the campaigns, of Dask, of pipx and of containers."""
_OF_OTHERS = "compared.md"
"""The page that names the options of other tools."""


@dataclass(frozen=True)
class Reader:
    """Does what a page says."""

    pair: Pair
    folder: Path
    run_cli: Callable[..., CliResult]
    run_script: Callable[..., CliResult]

    def read(self, blocks: list[Fence]) -> None:
        answer = ""
        for block in blocks:
            match block.kind.split():
                case ["sql", "old"]:
                    asyncio.run(self.pair.old.run(block.text))
                case ["sql", "new"]:
                    asyncio.run(self.pair.new.run(block.text))
                case ["sql", "ask", ("old" | "new") as side]:
                    rows = asyncio.run(getattr(self.pair, side).fetch(block.text))
                    answer = answer_text(rows)
                case ["text"] if answer:
                    assert block.text.strip() == answer, f"line {block.line}"
                    answer = ""
                case ["python"]:
                    answer = self._run_program(block.text)
                case ["json", name, *own_roles]:
                    self._write(name, block.text, kept=("username", "password") if own_roles else ())
                case ["console", *_]:
                    follow_console(block, self._run)

    def carry_out(self, blocks: list[Fence]) -> None:
        """Does what the recipes of a page say, all of them in one run."""
        made = [block for block in blocks if re.match("sql (old|new)|json ", block.kind)]
        commands = [block for block in blocks if block.kind.startswith("console")]
        assert commands, "the page shows no command"
        self.read(_joined(made))
        self.read(commands)
        self.read([block for block in blocks if block not in (*made, *commands)])

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

    def _run_program(self, text: str) -> str:
        path = self.folder / "example.py"
        path.write_text(text, encoding="utf-8")
        done = run_python(path, cwd=self.folder)
        assert done.status == 0, done
        return done.stdout.strip()

    def _run(self, words: list[str], env: Mapping[str, str]) -> CliResult:
        program, *arguments = words
        if program == "tranship":
            return self.run_cli(*arguments, env=env)
        assert program == "python", f"cannot run {program}"
        return self.run_script(Path(arguments[0]).name, *arguments[1:], env=env)


def _joined(blocks: list[Fence]) -> list[Fence]:
    """Returns the blocks, those of one file as one: objects and lists of the same key are joined."""
    files: dict[str, Fence] = {}
    for block in (block for block in blocks if block.kind.startswith("json ")):
        earlier = files.get(block.kind)
        files[block.kind] = block if earlier is None else replace(block, text=_both(earlier.text, block.text))
    return [*(block for block in blocks if block.kind not in files), *files.values()]


def _both(one: str, other: str) -> str:
    joined = json.loads(one)
    for key, value in json.loads(other).items():
        assert not (isinstance(value, dict) and joined.get(key, {}).keys() & value.keys()), f"twice: {key}"
        joined[key] = (
            joined.get(key, type(value)()) + value if isinstance(value, list) else joined.get(key, {}) | value
        )
    return json.dumps(joined)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_page(
    page: Path,
    pair: Pair,
    tmp_path: Path,
    run_cli: Callable[..., CliResult],
    run_script: Callable[..., CliResult],
) -> None:
    reader = Reader(pair, tmp_path, run_cli, run_script)
    read = reader.carry_out if page.parent.name == "cookbook" else reader.read
    read(fences(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda path: path.stem
)
def test_links_lead_somewhere(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        path = page.parent / target if target else page
        assert path.exists(), target
        assert not heading or heading in _headings(path.read_text(encoding="utf-8")), heading


def _headings(page: str) -> set[str]:
    """Returns the headings of a page as links name them."""
    lines = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in lines}


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
    """Every option that the manual names belongs to a command, to ``dev.py`` or to a program
    that is no part of this one.
    """
    known = {option for name in COMMANDS for option in _options(load(name))} | {"--version", "--help"}
    for page in [*(page for page in PAGES if page.name != _OF_OTHERS), ROOT / "README.md"]:
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page.read_text(encoding="utf-8"))) - _FOREIGN
        assert named <= known, page


def _options(command: click.Command) -> set[str]:
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    } | {option for one in below for option in _options(one)}
