"""Tells the demo's story: two servers, a shop that grew for years, and each command of the workflow run on it
as a person would.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Final

import asyncpg

from tranship.codec import read_changes, write_json
from tranship.demo.servers import Installation, Server, installations
from tranship.errors import UsageError
from tranship.errors.codes.usage import NoDemoServer

PREFIX: Final = "demo"
RULER: Final = "=" * 80
_MEANS: Final = {1: ": done, and some rows were rejected"}
EXPECTED: Final = 1
"""Exit status of the dry run and of the live run: some rows of the generated shop are rejected on purpose."""


_RUN = "tranship migrate config/my-config.json --prefix my --resolutions results/my_manual_resolutions.json"
_BY_HAND: Final = (
    "tranship init config/my-config.json",
    "tranship ping config/my-config.json",
    "tranship analyze config/my-config.json --prefix my",
    "tranship resolve generate results/my_migration_changes.json --prefix my",
    "tranship resolve edit results/my_manual_resolutions.json results/my_migration_changes.json",
    "tranship resolve validate results/my_manual_resolutions.json results/my_migration_changes.json",
    f"{_RUN}          # dry run",
    f"{_RUN} --live",
    "tranship verify config/my-config.json     # at any time afterwards",
    "tranship rollback config/my-config.json     # what a rollback would delete; --live deletes it",
    "tranship purge config/my-config.json     # removes the journal from the new database, at the very end",
)
"""The same workflow as commands to copy."""


class StoryEnded(Exception):
    """A step did not end as expected; ``str()`` says which one."""


def tell(folder: Path, *, keep: bool = False) -> int:
    """Runs the whole workflow and returns 0 when every step ended as expected, else 1.

    Files go to ``results/`` below ``folder``. With ``keep`` both servers go on running, and it prints how to
    reach and to stop them.

    Raises:
        UsageError: there is no PostgreSQL installation.
    """
    started = time.monotonic()
    old_home, new_home = _choose()
    _heading(f"Two servers: PostgreSQL {old_home.version} (old) and {new_home.version} (new)")
    # With --keep the servers have to outlive this process, so nothing ends them but the person who kept them.
    old, new = Server(old_home, name="old", outlives=keep), Server(new_home, name="new", outlives=keep)
    failed = True
    try:
        old.start()
        new.start()
        _walk(folder, old, new)
        failed = False
    except StoryEnded as ended:
        print(f"\nThe demo stopped: {ended}", file=sys.stderr)
    finally:
        if failed or not keep:
            old.stop()
            new.stop()
    if failed:
        return 1
    _ending(folder, old, new, keep=keep)
    print(f"\nAll of this took {time.monotonic() - started:.0f} seconds.")
    return 0


def _choose() -> tuple[Installation, Installation]:
    """Returns the two newest major versions that are installed, or the only one twice."""
    found = list(installations().values())
    if not found:
        raise UsageError(NoDemoServer())
    return found[-2 if len(found) > 1 else -1], found[-1]


def _walk(folder: Path, old: Server, new: Server) -> None:
    asyncio.run(_fill(old, new))
    config, answers = _files(folder, old, new)
    changes = f"results/{PREFIX}_migration_changes.json"
    _heading("1. What changed? (reads both databases, writes to neither)")
    _command(folder, 0, "analyze", config, "--prefix", PREFIX)
    _write_fingerprints(folder / answers, folder / changes)
    _heading("2. What a person decides")
    _show(folder / answers)
    _command(folder, 0, "resolve", "validate", answers, changes)
    _heading("3. Dry run: what would happen to each row (writes nothing anywhere)")
    run = ("migrate", config, "--prefix", PREFIX, "--resolutions", answers)
    _command(folder, EXPECTED, *run)
    _heading("4. The same, live")
    _command(folder, EXPECTED, *run, "--live")
    _heading("5. Check: the same questions put to both databases")
    _check(asyncio.run(_facts(old, "shop_check_old.sql")), asyncio.run(_facts(new, "shop_check_new.sql")))
    _accounts(folder)


async def _fill(old: Server, new: Server) -> None:
    for server, script, what in (
        (old, "shop_old.sql", "filling the old shop"),
        (new, "shop_new.sql", "making the new, empty one"),
    ):
        started = time.monotonic()
        print(f"{what} ...", end=" ", flush=True)
        conn = await asyncpg.connect(server.url())
        try:
            await conn.execute("CREATE DATABASE shop")
        finally:
            await conn.close()
        conn = await asyncpg.connect(server.url("shop"))
        try:
            await conn.execute(_text(script))
        finally:
            await conn.close()
        print(f"{time.monotonic() - started:.1f} s")


def _text(name: str) -> str:
    return resources.files("tranship.demo").joinpath(name).read_text(encoding="utf-8")


def _files(folder: Path, old: Server, new: Server) -> tuple[str, str]:
    """Writes configuration and decisions; returns their paths relative to ``folder``."""
    results = folder / "results"
    results.mkdir(exist_ok=True)
    config, answers = f"results/{PREFIX}_config.json", f"results/{PREFIX}_answers.json"
    document = {"old_database": _endpoint(old), "new_database": _endpoint(new)}
    write_json(folder / config, document)
    (folder / answers).write_text(_text("shop_resolutions.json"), encoding="utf-8")
    return config, answers


def _write_fingerprints(answers: Path, changes: Path) -> None:
    """Writes into the answers for which schemas they are, as resolve generate does: each command would warn
    otherwise.
    """
    compared = read_changes(changes)
    sides = {"old_fingerprint": compared.old.fingerprint, "new_fingerprint": compared.new.fingerprint}
    write_json(answers, {**sides, **json.loads(answers.read_text(encoding="utf-8"))})


def _endpoint(server: Server) -> dict[str, object]:
    return {
        "host": server.host,
        "port": server.port,
        "database": "shop",
        "username": server.user,
        "password": server.password,
        "sslmode": "disable",
    }


def _heading(words: str) -> None:
    print(f"\n{RULER}\n{words}\n{RULER}", flush=True)


def _command(folder: Path, expected: int, *arguments: str) -> None:
    """Runs a command as if typed, with its output on this terminal.

    Raises:
        StoryEnded: it did not end with ``expected``.
    """
    print(f"$ tranship {shlex.join(arguments)}\n", flush=True)
    started = time.monotonic()
    status = subprocess.run(
        [sys.executable, "-m", "tranship", *arguments], cwd=folder, stdin=subprocess.DEVNULL, check=False
    ).returncode
    what = _MEANS.get(status, "")
    print(f"\n(exit {status}{what}, {time.monotonic() - started:.1f} s)", flush=True)
    if status != expected:
        raise StoryEnded(f"'tranship {arguments[0]}' ended with {status}, not {expected}")


def _show(answers: Path) -> None:
    """Prints the decisions, one line each with its reason."""
    print(f"These are the shop's answers to the breaking changes ({answers.name}):\n")
    for table, entries in json.loads(answers.read_text(encoding="utf-8"))["resolutions"].items():
        for entry in entries:
            print(f"  {table + ':':16} {_decision(entry)}\n{'':19}because: {entry['because']}")
    print()


def _decision(entry: dict[str, Any]) -> str:
    old, new = entry.get("old_column"), entry.get("new_column")
    match entry["action"]:
        case "rename":
            return f"{old} becomes {new}"
        case "default":
            return f"{new} is {entry['default_value']!r} everywhere"
        case "ignore":
            return f"{old} stays behind"
        case "rename_table":
            return f"the table becomes {entry['new_table']}"
        case "drop_table":
            return "the table stays behind"
    if "value_mapping" in entry:
        return f"{old} -> {new} by a mapping: " + ", ".join(
            f"{a} -> {b}" for a, b in entry["value_mapping"].items()
        )
    if "lookup_table" in entry:
        lookup = entry["lookup_table"]
        return f"{old} -> {new} by looking up {lookup['table']}.{lookup['key_column']}"
    return f"{old} -> {new} by the server's own conversion; what does not fit is rejected"


async def _facts(server: Server, query: str) -> dict[str, str]:
    conn = await asyncpg.connect(server.url("shop"))
    try:
        return {row["what"]: row["value"] for row in await conn.fetch(_text(query))}
    finally:
        await conn.close()


def _check(old: dict[str, str], new: dict[str, str]) -> None:
    """Compares what both databases say.

    Raises:
        StoryEnded: they disagree.
    """
    wrong = [what for what in sorted(old.keys() | new.keys()) if old.get(what) != new.get(what)]
    about = (
        "turnover by year, customers by status, products by category, orders by status,"
        " events with a hash of all payloads"
    )
    print(f"{len(old)} questions ({about}):")
    for what in [*(w for w in old if w.startswith("orders worth"))][:3]:
        print(f"  {what:28} old {old[what]:>14}   new {new.get(what, '-'):>14}")
    if wrong:
        raise StoryEnded(f"old and new differ on: {', '.join(wrong)}")
    print(f"  ... all {len(old)} answers are the same.")


def _accounts(folder: Path) -> None:
    """Prints what became of every row, from the result file."""
    result = json.loads(_newest(folder, "result_live", "json").read_text(encoding="utf-8"))
    print(f"\n{'table':26}{'read':>9}{'written':>9}{'rejected':>9}{'left out':>9}")
    for table in result["tables"]:
        name = table["table"].removeprefix("public.")
        arrow = (
            ""
            if table["new_table"] in (table["table"], "")
            else " -> " + table["new_table"].removeprefix("public.")
        )
        counts = (table["rows_read"], table["rows_migrated"], table["rows_failed"], table["rows_left_out"])
        print(f"{name + arrow:26}" + "".join(f"{n:9}" for n in counts))
    for table in result["tables"]:
        for reason, rows in table["rejects_by_reason"].items():
            print(f"rejected: {rows} of {table['table'].removeprefix('public.')}: {reason}")


def _newest(folder: Path, kind: str, ending: str) -> Path:
    found: Iterable[Path] = (folder / "results").glob(f"{PREFIX}_migration_{kind}_*.{ending}")
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def _ending(folder: Path, old: Server, new: Server, *, keep: bool) -> None:
    _heading("Where the files are")
    results = folder / "results"
    print(f"the comparison       {results / f'{PREFIX}_migration_report.txt'}")
    print(f"the same as a page   {results / f'{PREFIX}_migration_report.html'}")
    print(f"the live run         {_newest(folder, 'result_live', 'json')}")
    print(f"the rejected rows    {_newest(folder, 'rejects_live', 'jsonl')}")
    print("\nThe same by hand, on your own databases:\n")
    if shutil.which("tranship") is None:
        folder_of_program = shlex.quote(str(Path(sys.executable).parent))
        print(f"  PATH={folder_of_program}:$PATH     # where tranship is installed")
    for line in _BY_HAND:
        print(f"  {line}")
    if keep:
        print(f"\nBoth servers are still running:\n\n  old  {old.url('shop')}\n  new  {new.url('shop')}")
        folders = shlex.join((str(old.folder), str(new.folder)))
        print(f"\nTo stop them: kill -INT {old.pid} {new.pid}; rm -r {folders}")
