"""The command line without a server: help, errors with their status, options anywhere,
what a terminal can show.
"""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from support import ROOT, CliResult
from tranship import __version__, api
from tranship.cli.entry import COMMANDS, load
from tranship.cli.exit_status import STATUSES
from tranship.cli.terminal import shown

STOPPABLE = """
import asyncio, click
from tranship.cli.loop import run

async def work(stop):
    print("up", flush=True)
    await stop.wait()
    print("stop", flush=True)
    await asyncio.sleep(60)

try:
    run(work, stoppable=lambda: True)
except click.exceptions.Exit as ended:
    raise SystemExit(ended.exit_code)
"""
STUBBORN = """
import asyncio, click
from tranship.cli.loop import run

async def work(stop):
    print("up", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("cancelled", flush=True)

run(work)
"""
Cli = Callable[..., CliResult]
SCRIPTS = ("db_migration_tool.py", "manual_resolutions.py", "data_migrator.py")


def loaded_by(code: str) -> set[str]:
    """The modules that a new Python has loaded after running some code, without those of its own start."""
    counted = (
        f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", counted],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stderr.split())


def test_the_library_imports_nothing_until_it_is_used() -> None:
    loaded = loaded_by("import tranship")
    assert {name for name in loaded if name.startswith("tranship")} == {"tranship"}
    assert len(loaded) < 20


def test_help_imports_little() -> None:
    loaded = loaded_by("from tranship.cli import main; sys.argv = ['tranship', '--help']; main()")
    ours = {name for name in loaded if name.split(".")[0] == "tranship"}
    assert len(ours) < 15, ours
    assert not loaded & {"asyncio", "asyncpg", "jinja2", "msgspec", "rapidfuzz", "rich", "ssl"}
    # A third of them are click's and what click needs of the standard library.
    assert len(loaded) < 220


def test_the_manual_describes_the_library() -> None:
    page = (ROOT / "docs/library.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`([A-Za-z_]+)(?:\([^`]*\))?`", page)) & set(api.__all__)
    inner = {
        "Diagnosis",
        "Prepared",
        "RolledBack",
        "RollbackTable",
        "Sides",
        "TableState",
        "accept",
        "connections",
        "examine",
    }
    inner |= {
        "prepare",
        "read_sides",
        "refuse",
        "restore_all",
        "result_path",
        "staying_path",
        "still_rejected",
    }
    inner |= {"undecided"}
    assert set(api.__all__) - described == inner
    assert all(getattr(api, name) is not None for name in api.__all__)


def test_help_names_the_exit_statuses(run_cli: Cli) -> None:
    told = run_cli("--help").stdout
    assert all(f"\n  {number}  " in told for number in STATUSES)
    assert "130, 143" in told


def _with_below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for below, sub in command.commands.items():
        yield from _with_below(f"{name} {below}", sub)


COMMANDS_THAT_END = [one for name in COMMANDS for one in _with_below(name, load(name))]


@pytest.mark.parametrize(("name", "command"), COMMANDS_THAT_END, ids=[name for name, _ in COMMANDS_THAT_END])
def test_each_command_says_in_its_own_words_what_it_ends_with(
    name: str, command: click.Command, run_cli: Cli
) -> None:
    told = run_cli(*name.split(), "--help").stdout
    assert max(map(len, told.splitlines())) <= 80
    statuses = dict(re.findall(r"^ {4}(\d+) +(.+)$", told.partition("Exit status:\n")[2], re.MULTILINE))
    assert "2" in statuses
    # Only the program as a whole may use the words that fit every command.
    assert not {STATUSES[number] for number in (0, 1, 2, 3)} & set(statuses.values())


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("rollback", 1, "rows stay (of a preview: would stay) that others changed"),
        ("rollback", 4, "the same command resumes the rollback"),
        ("doctor", 1, "something is still disabled"),
        ("resolve edit", 130, "ended by Ctrl-C"),
    ],
)
def test_a_status_means_what_this_command_does(name: str, status: int, words: str, run_cli: Cli) -> None:
    told = run_cli(*name.split(), "--help").stdout
    assert re.search(rf"\n {{4}}{status} +.*{re.escape(words)}", told)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run_cli: Cli, shell: str) -> None:
    told = run_cli("completion", shell)
    assert told.status == 0
    assert f"_TRANSHIP_COMPLETE={shell}_complete" in told.stdout


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("tranship mig", "plain,migrate"),
        ("tranship migrate --verify ha", "plain,hash"),
        ("tranship analyze ", "file,"),
    ],
)
def test_what_is_completed(run_cli: Cli, typed: str, completed: str) -> None:
    env = {
        "_TRANSHIP_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
    }
    assert completed in run_cli(env=env).stdout.splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    command = load(name)
    assert command.help
    assert len(command.help.splitlines()[0]) > 20


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("nope",), "no such command"),
        (("analyse",), "did you mean 'analyze'"),
        (("migrate", "c.json", "--lve"), "--live"),
        (("migrate", "c.json", "--jobs", "0"), "--jobs"),
        (("migrate", "c.json", "--jobs", "many"), "'many' is not a valid whole number"),
        (("analyze", "c.json", "--probe-seconds", "long"), "'long' is not a valid number"),
        (("migrate", "c.json", "--max-rejects", "x"), "percentage"),
        (("analyze", "c.json", "--prefix", "a/b"), "path separator"),
        (("analyze", "c.json", "more"), "unexpected extra argument"),
        (("analyze", "postgresql://a/x"), "two URLs"),
        (("ping", "c.json", "postgresql:/me:hunter2@b/y"), "two URLs"),
        (("ping", "postgresql:/me:hunter2@a/x"), "two URLs"),
        (("ping", "me:hunter2@a/x"), "two URLs"),
        (("ping", "host=a password=hunter2"), "two URLs"),
        (("ping", "postgresql//me:hunter2@a/x", "postgresql//me:hunter2@b/y"), "two URLs"),
        (("analyze", "c.json", "postgresql://a/x"), "two URLs"),
        (("analyze", "postgresql://a/x", "postgresql://me:hunter2@b/y"), "NEW_URL: the URL holds a password"),
        (("migrate", "c.json", "--live", "--dry-run"), "give one of the two"),
        (("init", "--old", "postgresql://me:hunter2@b/y"), "the URL holds a password"),
        (("init", "--old-password", "hunter2"), "variable:NAME"),
        (("init", "c.json"), "without a terminal"),
        (("migrate", "c.json"), "file not found: c.json"),
        (("resolve", "validate", "a.json", "b.json"), "file not found: b.json"),
        (("explain", "TS39"), "did you mean TS3"),
        (("explain", "TX301"), "did you mean TS301?"),
        (("explain", "TS3O1"), "did you mean TS301?"),
        (("explain", "TS 301"), "did you mean TS301?"),
        (("explain", "TS031"), "did you mean TS301?"),
        (("explain", "TS3301"), "did you mean TS301"),
        (("explain", "lock"), "tranship explain lists all codes"),
    ],
)
def test_usage_errors(run_cli: Cli, words: tuple[str, ...], part: str) -> None:
    done = run_cli(*words)
    assert done.status == 2, done
    assert done.stdout == ""
    assert part in done.stderr
    assert done.stderr.startswith("TS1")
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("URL", "no such command: 'postgresql://…'"),
        ("explain URL", "there is no error code 'postgresql://…'"),
        ("resolve URL", "No such command 'postgresql://…'"),
        ("resolve generate URL", "file not found: …"),
        ("resolve validate URL c.json", "file not found: c.json"),
        ("resolve edit c.json URL", "file not found: …"),
        ("resolve generate URL --format json", "file not found: …"),
        ("resolve URL --format json", "No such command 'postgresql://…'"),
        ("completion URL", "'postgresql://…' is not one of"),
        ("schema URL", "'postgresql://…' is not one of"),
        ("migrate --jobs=URL c.json", "'postgresql://…' is not a valid whole number"),
        ("migrate --jobs URL c.json", "'postgresql://…' is not a valid whole number"),
        ("migrate --URL c.json", "No such option '…'"),
        ("demo URL", "(postgresql://…)"),
    ],
)
def test_a_password_in_a_wrong_place_is_not_repeated(run_cli: Cli, words: str, said: str) -> None:
    done = run_cli(*words.replace("URL", "postgresql://me:hunter2@h/d").split())
    assert "hunter2" not in done.stderr + done.stdout
    assert said in done.stderr, done


def test_a_variable_in_place_of_a_password_is_named(run_cli: Cli) -> None:
    assert "'postgresql://me:${PW}@h/d'" in run_cli("explain", "postgresql://me:${PW}@h/d").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ping", "Missing argument: CONFIG|OLD_URL NEW_URL."),
        ("migrate", "Missing argument: CONFIG|OLD_URL NEW_URL."),
        ("resolve validate", "Missing arguments: RESOLUTIONS, CHANGES."),
        ("resolve", "Missing command."),
        ("schema", "Missing argument: {config|changes|resolutions}."),
    ],
)
def test_a_call_without_arguments_says_what_is_missing_above_the_help(
    run_cli: Cli, words: str, said: str
) -> None:
    done = run_cli(*words.split())
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith(f"TS101 {said}\n\nUsage: tranship {words} "), done


def test_the_program_by_itself_shows_its_help(run_cli: Cli) -> None:
    assert run_cli().stderr.startswith("Usage: tranship ")


def test_error_as_json(run_cli: Cli) -> None:
    for words in (
        ("migrate", "c.json", "--format", "json"),
        ("migrate", "--format=json", "c.json"),
        ("analyze", "--format=json"),
    ):
        done = run_cli(*words)
        answer = json.loads(done.stdout)
        assert (done.status, answer["exit_status"]) == (2, 2)
        assert answer["problems"][0]["code"].startswith("TS1")
        assert (answer["format_version"], answer["tool_version"]) == (1, __version__)
        assert (answer["command"], answer["result"]) == (words[0], None)


def test_explain(run_cli: Cli) -> None:
    told = run_cli("explain", "ts204")
    assert (told.status, told.stderr) == (0, "")
    assert told.stdout.startswith("TS204  Authentication failed, or the role may not connect.\n")
    assert "GRANT CONNECT ON DATABASE" in told.stdout
    answer = json.loads(run_cli("explain", "204", "--format", "json").stdout)
    assert (answer["command"], answer["exit_status"]) == ("explain", 0)
    assert (answer["result"]["code"], answer["result"]["exit_status"]) == ("TS204", [2])
    told = run_cli("explain", "TS999")
    assert "did you mean" not in told.stderr and "tranship explain lists all codes" in told.stderr
    assert json.loads(run_cli("explain", "TS999", "--format=json").stdout)["problems"][0]["code"] == "TS101"
    assert run_cli("explain").stdout.count("\nTS") > 100
    told = run_cli("explain", "22p02")
    assert told.stdout.startswith(
        "22P02  An SQLSTATE of PostgreSQL; of a rejected row it says: Not readable as"
    )
    assert "  What to do: Read the old value by an expression (transform_sql)." in told.stdout
    answer = json.loads(run_cli("explain", "23514", "--format", "json").stdout)
    assert (answer["result"]["code"], answer["exit_status"]) == ("23514", 0)


def test_options_anywhere_reach_the_configuration(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{")
    for words in (
        ("migrate", "c.json", "--prefix", "p"),
        ("migrate", "--prefix=p", "c.json"),
        ("migrate", "--live", "c.json", "--prefix=p"),
    ):
        assert "c.json:1: not JSON" in run_cli(*words).stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_parse_on_old_pythons(name: str) -> None:
    ast.parse((ROOT / "scripts" / name).read_text(), feature_version=(3, 7))


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_without_the_libraries(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-I", ROOT / "scripts" / name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "dev.py" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_have_help(run_script: Cli, name: str) -> None:
    done = run_script(name, "--help")
    assert done.status == 0
    assert name in done.stdout


@pytest.mark.parametrize("file", ["config", "changes", "resolutions"])
def test_schemas(run_cli: Cli, file: str) -> None:
    assert json.loads(run_cli("schema", file).stdout)


def test_signs_and_steering() -> None:
    assert shown("→ ⚠ ✓ é", "utf-8") == "→ ⚠ ✓ é"
    assert shown("→ ⚠ ✓ é", "ascii") == "-> ! ok \\xe9"
    assert shown("a\x1b[31m\u202eb\nc", "utf-8") == "a\\x1b[31m\\u202eb\nc"


def test_terminal_that_cannot_show_signs(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(
        '{"old_database": {"password": "x", "host": "→"}, "new_database": {"hosst": "→"}}'
    )
    done = run_cli("migrate", "c.json", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.status == 2


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STOPPABLE],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.stdout.readline() == "stop\n"
        process.send_signal(number)
        assert process.wait(10) == status


def test_nothing_holds_up_a_command_that_only_asks() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "cancelled\n"
        assert process.wait(20) == 130


def test_a_code_of_other_length_is_not_guessed(run_cli: Cli) -> None:
    done = run_cli("explain", "99999")
    assert done.status == 2, done
    assert "did you mean" not in done.stderr
