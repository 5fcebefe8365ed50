"""Tells the demo's story: two servers, a shop that grew for years, and each command of the workflow run on it
as a person would.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import shutil
import socket
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from tranship.codec import read_changes, write_json
from tranship.demo.servers import Installation, Server, installations
from tranship.errors import UsageError
from tranship.errors.codes.usage import NoDemoServer
from tranship.report.folded import fitting

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
    "tranship verify config/my-config.json --prefix my     # at any time afterwards",
    "tranship report config/my-config.json --prefix my     # the run as a page",
    "tranship rollback config/my-config.json     # what a rollback would delete; --live deletes it",
    "tranship purge config/my-config.json     # removes the journal from the new database, at the very end",
)
"""The same workflow as commands to copy."""


_STOP: Final = "_stop"
"""Key of a kept demo's configuration: the command that stops its servers."""
_ANSWER_SECONDS: Final = 1.0
"""A server on the loopback answers at once, or not at all."""


class StoryEnded(Exception):
    """A step did not end as expected; ``str()`` says which one."""


class _Place(NamedTuple):
    """Where the files of one demo lie: below ``results/``, with names that begin alike."""

    folder: Path
    prefix: str

    @property
    def config(self) -> str:
        """The configuration, relative to the folder."""
        return f"results/{self.prefix}_config.json"

    @property
    def answers(self) -> str:
        """The decisions, likewise."""
        return f"results/{self.prefix}_answers.json"

    def newest(self, kind: str, ending: str) -> Path:
        """Returns the last file of its kind that a run wrote."""
        found = (self.folder / "results").glob(f"{self.prefix}_{kind}_*.{ending}")
        return max(found, key=lambda path: path.stat().st_mtime_ns)


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
        asyncio.run(_fill(old, new))
        place = _free_place(folder)
        _walk(place, old, new, keep=keep)
        failed = False
    except StoryEnded as ended:
        print(f"\nThe demo stopped: {ended}", file=sys.stderr)
    finally:
        if failed or not keep:
            old.stop()
            new.stop()
    if failed:
        return 1
    _ending(place, old, new, keep=keep)
    _say(f"\nAll of this took {time.monotonic() - started:.0f} seconds.")
    return 0


def _choose() -> tuple[Installation, Installation]:
    """Returns the two newest major versions that are installed, or the only one twice."""
    found = list(installations().values())
    if not found:
        raise UsageError(NoDemoServer())
    return found[-2 if len(found) > 1 else -1], found[-1]


def _free_place(folder: Path) -> _Place:
    """Returns the first prefix whose files belong to no demo that was kept: its configuration is the only way
    to its servers, and its answers belong to what was moved there.
    """
    place, number = _Place(folder, PREFIX), 1
    while (stop := _still_running(place)) is not None:
        number += 1
        free = _Place(folder, f"{PREFIX}{number}")
        _say(
            f"\n{place.config} belongs to a demo whose servers still run."
            f" The names of this demo's files begin with {free.prefix}_."
        )
        if stop:
            _say(f"To stop them: {stop}", whole=True)
        place = free
    return place


def _still_running(place: _Place) -> str | None:
    """Returns the command that stops the servers of an earlier demo, empty where it is not known; None: none
    of them answers.
    """
    try:
        config = json.loads((place.folder / place.config).read_text(encoding="utf-8"))
        ends = [(config[side]["host"], config[side]["port"]) for side in ("old_database", "new_database")]
    except (OSError, ValueError, KeyError, TypeError):
        # No demo wrote what cannot be read, or nobody reaches servers by it any more.
        return None
    for end in ends:
        with contextlib.suppress(OSError), socket.create_connection(end, timeout=_ANSWER_SECONDS):
            return str(config.get(_STOP, ""))
    return None


def _walk(place: _Place, old: Server, new: Server, *, keep: bool) -> None:
    folder, config, answers = place.folder, place.config, place.answers
    _write_files(place, old, new, keep=keep)
    changes = f"results/{place.prefix}_migration_changes.json"
    _heading("1. What changed? (reads both databases, writes to neither)")
    _command(folder, 0, "analyze", config, "--prefix", place.prefix)
    _write_fingerprints(folder / answers, folder / changes)
    _heading("2. What a person decides")
    _show(folder / answers)
    _command(folder, 0, "resolve", "validate", answers, changes)
    _heading("3. Dry run: what would happen to each row (writes nothing anywhere)")
    run = ("migrate", config, "--prefix", place.prefix, "--resolutions", answers)
    _command(folder, EXPECTED, *run)
    _heading("4. The same, live")
    _command(folder, EXPECTED, *run, "--live")
    _heading("5. Check: the same questions put to both databases")
    _check(asyncio.run(_facts(old, "shop_check_old.sql")), asyncio.run(_facts(new, "shop_check_new.sql")))
    _accounts(place)
    _heading("6. Proof: every value in NEW compared once more, and a page about the run")
    _command(folder, 0, "verify", config, "--prefix", place.prefix)
    _say()
    _command(folder, 0, "report", config, "--prefix", place.prefix)


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
        _say(f"{time.monotonic() - started:.1f} s")


def _text(name: str) -> str:
    return resources.files("tranship.demo").joinpath(name).read_text(encoding="utf-8")


def _write_files(place: _Place, old: Server, new: Server, *, keep: bool) -> None:
    """Writes configuration and decisions; of servers that are kept also how they are stopped."""
    (place.folder / "results").mkdir(exist_ok=True)
    stop = {_STOP: _stopping(old, new)} if keep else {}
    document = {**stop, "old_database": _endpoint(old), "new_database": _endpoint(new)}
    write_json(place.folder / place.config, document)
    (place.folder / place.answers).write_text(_text("shop_resolutions.json"), encoding="utf-8")


def _stopping(old: Server, new: Server) -> str:
    """Returns the command that stops both servers and removes what they hold.

    A server writes and removes files until its last one, postmaster.pid, is gone, and ``rm`` has to wait.
    """
    pids = [shlex.quote(str(server.data / "postmaster.pid")) for server in (old, new)]
    wait = f"while ls {pids[0]} || ls {pids[1]}; do sleep 1; done >/dev/null 2>&1"
    folders = shlex.join((str(old.folder), str(new.folder)))
    return f"kill -INT {old.pid} {new.pid}; {wait}; rm -r {folders}"


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


def _say(text: str = "", *, whole: bool = False) -> None:
    """Prints text as this terminal has room for it; ``whole``: a person copies it."""
    print(text if whole else fitting(sys.stdout, text), flush=True)


def _heading(words: str) -> None:
    _say(f"\n{RULER}\n{words}\n{RULER}")


def _command(folder: Path, expected: int, *arguments: str) -> None:
    """Runs a command as if typed, with its output on this terminal.

    Raises:
        StoryEnded: it did not end with ``expected``.
    """
    _say(f"$ tranship {shlex.join(arguments)}\n", whole=True)
    started = time.monotonic()
    status = subprocess.run(
        [sys.executable, "-m", "tranship", *arguments], cwd=folder, stdin=subprocess.DEVNULL, check=False
    ).returncode
    what = _MEANS.get(status, "")
    _say(f"\n(exit {status}{what}, {time.monotonic() - started:.1f} s)")
    if status != expected:
        raise StoryEnded(f"'tranship {arguments[0]}' ended with {status}, not {expected}")


def _show(answers: Path) -> None:
    """Prints the decisions, one line each with its reason."""
    _say(f"These are the shop's answers to the breaking changes ({answers.name}):\n")
    for table, entries in json.loads(answers.read_text(encoding="utf-8"))["resolutions"].items():
        for entry in entries:
            _say(f"  {table + ':':16} {_decision(entry)}\n{'':19}because: {entry['because']}")
    _say()


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
    _say(f"{len(old)} questions ({about}):")
    for what in [*(w for w in old if w.startswith("orders worth"))][:3]:
        _say(f"  {what:28} old {old[what]:>14}   new {new.get(what, '-'):>14}")
    if wrong:
        raise StoryEnded(f"old and new differ on: {', '.join(wrong)}")
    _say(f"  ... all {len(old)} answers are the same.")


def _accounts(place: _Place) -> None:
    """Prints what became of every row, from the result file."""
    result = json.loads(place.newest("migration_result_live", "json").read_text(encoding="utf-8"))
    _say(f"\n{'table':26}{'read':>9}{'written':>9}{'rejected':>9}{'left out':>9}")
    for table in result["tables"]:
        name = table["table"].removeprefix("public.")
        arrow = (
            ""
            if table["new_table"] in (table["table"], "")
            else " -> " + table["new_table"].removeprefix("public.")
        )
        counts = (table["rows_read"], table["rows_migrated"], table["rows_failed"], table["rows_left_out"])
        _say(f"{name + arrow:26}" + "".join(f"{n:9}" for n in counts))
    for table in result["tables"]:
        for reason, rows in table["rejects_by_reason"].items():
            _say(f"rejected: {rows} of {table['table'].removeprefix('public.')}: {reason}")


def _ending(place: _Place, old: Server, new: Server, *, keep: bool) -> None:
    _heading("Where the files are")
    results = place.folder / "results"
    _say(f"the comparison       {results / f'{place.prefix}_migration_report.txt'}")
    _say(f"the same as a page   {results / f'{place.prefix}_migration_report.html'}")
    _say(f"the dry run          {place.newest('dryrun', 'html')}")
    _say(f"the live run         {place.newest('run', 'html')}")
    _say(f"its rejected rows    {place.newest('migration_rejects_live', 'jsonl')}")
    _say(f"the certificate      {place.newest('verification', 'html')}")
    if keep:
        _say(f"\nBoth servers are still running:\n\n  old  {old.url('shop')}\n  new  {new.url('shop')}")
        _say(f"\nThe configuration {place.config} names them, as in: tranship status {place.config}")
        _say(f"To stop them: {_stopping(old, new)}", whole=True)
    else:
        _say("\nBoth servers are stopped and removed. With --keep they go on running.")
    _say("\nThe same by hand, on your own databases:\n")
    if shutil.which("tranship") is None:
        folder_of_program = shlex.quote(str(Path(sys.executable).parent))
        _say(f"  PATH={folder_of_program}:$PATH     # where tranship is installed")
    for line in _BY_HAND:
        _say(f"  {line}", whole=True)
