"""Fenced blocks of Markdown pages: the dialect that the manual's examples and the project's cases share.

```sql old · ```sql new        run on that side
```sql ask new                 asked of that side; the ```text block after it is the answer,
                               columns separated by |
```console                     ``$`` lines are run; the lines below must stand in the output in this order;
                               ``*`` is anything, ``…`` lines left out,
                               ``(exit N)`` the exit status (0 without it)
```console killed at X         the same, and the program is killed when it comes to the failpoint X
"""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from support import CliResult

_FENCE = re.compile(r"^```(?P<kind>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\(exit (\d+)\)")

Program = Callable[[list[str], Mapping[str, str]], CliResult]
"""Runs a command line with further environment variables."""


@dataclass(frozen=True)
class Fence:
    """A fenced block: its info string, its text, the line of the page where it begins,
    and where its text stands.
    """

    kind: str
    text: str
    line: int
    start: int
    end: int


def fences(page: str) -> list[Fence]:
    """Returns the blocks of a page in their order."""
    return [
        Fence(m["kind"], m["text"], page.count("\n", 0, m.start()) + 1, m.start("text"), m.end("text"))
        for m in _FENCE.finditer(page)
    ]


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *expected = part.replace("\\\n", " ").splitlines()
        yield command, expected


def follow_console(fence: Fence, run: Program) -> None:
    """Runs the commands of a ``console`` block and compares what they print.

    Raises:
        AssertionError: the exit status or a line of the output is another one.
    """
    _, *end = fence.kind.split()
    env = {"TRANSHIP_FAILPOINT": f"{end[-1]}:kill"} if end else {}
    for command, expected in _commands(fence.text):
        where = f"line {fence.line}: {command}"
        result = run(shlex.split(command, comments=True), env)
        said_exit = next((int(m[1]) for line in expected if (m := _EXIT.fullmatch(line))), 0)
        status = -signal.SIGKILL if env else said_exit
        assert result.status == status, f"{where}\n{result}"
        output = iter((result.stdout + result.stderr).splitlines())
        for words in (e for e in expected if e and e != "…" and not _EXIT.fullmatch(e)):
            pattern = re.compile(re.escape(words.strip()).replace(r"\*", ".*"))
            assert any(pattern.search(line) for line in output), (
                f"{where} does not say (in this order) {words!r}\n{result}"
            )


def answer_text(rows: list[tuple[object, ...]]) -> str:
    """Returns rows as a ``text`` block shows them."""
    return "\n".join("|".join("" if v is None else str(v) for v in row) for row in rows)
