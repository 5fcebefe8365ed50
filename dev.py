#!/usr/bin/env python3
"""Everything a checkout needs, with the standard library alone: it makes .venv on first use, then runs a
command in it.

    python3 dev.py demo [--keep]     the whole workflow on two embedded PostgreSQL servers with generated data
    python3 dev.py test              unit tests, the manual, a fifth of the tests that start servers, drawn by
                                     name; one process per core
    python3 dev.py test --whole      all tests, one process per core
    python3 dev.py test ARGS         these tests in one process; ARGS go to pytest
    python3 dev.py test --campaign faults [--seed N] [--runs M]
    python3 dev.py test --campaign verify [--seed N] [--mutations M] [--clean C]
                                     long and seeded; other names are tests that pytest marks as campaign
    python3 dev.py lint              ruff, mypy, import contracts, density
    python3 dev.py cases [NAMES]     the cases as a table: expected and seen
    python3 dev.py bench [NAMES] [OPTIONS]
                                     the benchmarks of these names, or all; the options go to each
    python3 dev.py manual            the generated pages: commands, files, codes, Python API, man page
    python3 dev.py docs [FOLDER]     the manual as a site, by default where the wheel takes it from
    python3 dev.py pictures          docs/img from real runs; needs Chromium
    python3 dev.py wheel             sdist and wheel in dist/, with the manual's site and the man page

The environment is made anew when pyproject.toml, the pinned requirements or the Python version change.
Old versions of Python read this file, too, to say that they are too old, so it keeps to their syntax.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements-dev.txt"
OLDEST = (3, 11)
NEWEST = 20

MOST_PROCESSES = 4
"""Of a whole test run. Each process starts PostgreSQL servers of its own, which need memory and cores,
too.
"""

CAMPAIGNS = {"faults": "long.campaign", "verify": "long.mutations"}
"""Campaigns with a program of their own."""

LINT = ("ruff check .", "ruff format --check .", "mypy", "lint-imports", "python checks/density.py")


def say(message: str) -> None:
    """Prints one line on stderr."""
    print("dev.py: " + message, file=sys.stderr, flush=True)


def give_up(message: str) -> NoReturn:
    """Prints what to do and ends with status 2."""
    say(message)
    raise SystemExit(2)


def find_python() -> str:
    """Returns a Python that is new enough: this one, else the newest on PATH."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(NEWEST, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    there = sys.version.split()[0]
    give_up(
        f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, and this is {there}."
        " Install one (Debian: apt-get install python3 python3-venv)."
    )


def stamp_of(python: str) -> str:
    """Returns a hash that changes when the environment has to be made anew."""
    version = subprocess.check_output([python, "-c", "import sys; print(sys.version)"])
    parts = [version, str(ROOT).encode(), (ROOT / "pyproject.toml").read_bytes(), REQUIREMENTS.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def check_call(command: list[str]) -> None:
    """Runs a step of the set-up. Its output is shown only when it fails."""
    done = subprocess.run(
        command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        give_up("this failed: " + " ".join(command))


def make_with_uv(uv: str, python: str) -> None:
    """Makes the environment with uv, where it is installed."""
    os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
    check_call([uv, "venv", "--quiet", "--clear", "--python", python, str(VENV)])
    install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    check_call([*install, "--require-hashes", "-r", str(REQUIREMENTS)])
    check_call([*install, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])


def make_with_pip(python: str) -> None:
    """Makes the environment with venv and pip."""
    if subprocess.call([python, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL) != 0:
        give_up(
            "this Python cannot make environments. Install its venv package"
            " (Debian, Ubuntu: apt-get install python3-venv) or uv, and try again."
        )
    check_call([python, "-m", "venv", "--clear", str(VENV)])
    # What is imported is compiled when it is (`environment`).
    install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    check_call([*install, "--require-hashes", "-r", str(REQUIREMENTS)])
    check_call([*install, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])


def ensure_environment() -> None:
    """Makes .venv if it is missing or out of date."""
    python = find_python()
    wanted, stamp = stamp_of(python), VENV / "tranship-stamp"
    if stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists():
        return
    if not os.access(str(ROOT), os.W_OK):
        give_up(
            f"cannot write to {ROOT}, where the environment .venv is to be made: use a checkout of your own."
        )
    uv = shutil.which("uv")
    say(f"making the environment in .venv with {'uv' if uv else 'pip'} (once) ...")
    if uv:
        make_with_uv(uv, python)
    else:
        make_with_pip(python)
    stamp.write_text(wanted)


def environment() -> dict[str, str]:
    """Returns the environment variables of a command. Compiled modules are kept beside the environment,
    whatever the caller's settings say: a process of tranship starts in 0.3 s with them and in 0.8 s
    without, and the tests start thousands.
    """
    paths = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONPYCACHEPREFIX": str(VENV / "compiled")}


def run(*command: str) -> int:
    """Runs a Python module or file in the environment and returns its exit status. Ctrl-C is left to it to
    answer.
    """
    child = subprocess.Popen([str(PYTHON), *command], cwd=str(ROOT), env=environment())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def lint() -> int:
    """Runs every check, even after one has failed; returns 1 when any has."""
    failed = []
    for check in LINT:
        say(check)
        program, *rest = check.split()
        if subprocess.call([str(VENV / "bin" / program), *rest], cwd=str(ROOT), env=environment()) != 0:
            failed.append(check)
    for check in failed:
        say("failed: " + check)
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """Runs the benchmarks that are named before the first option, all of them without a name, with the
    options; returns the worst exit status.
    """
    scripts = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[a-z]*.py"))}
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), arguments))
    options = arguments[len(names) :]
    unknown = [name for name in names if name not in scripts]
    if unknown:
        give_up(f"no benchmark {', '.join(unknown)}; there is: {', '.join(scripts)}")
    return max([run(str(scripts[name]), *options) for name in names or scripts], default=0)


def campaign(arguments: list[str]) -> int:
    """Runs a long, seeded campaign: some have a program of their own, everything else is a marked test."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name in CAMPAIGNS:
        return run("-m", CAMPAIGNS[name], *rest)
    return run("-m", "pytest", "-m", "campaign", *(["-k", name] if name else []), *rest)


def test(arguments: list[str]) -> int:
    """Runs the tests; the drawn ones or all side by side, chosen ones in one process."""
    if arguments[:1] == ["--campaign"]:
        return campaign(arguments[1:])
    if arguments and arguments != ["--whole"]:
        return run("-m", "pytest", *arguments)
    spread = ["-n", str(min(os.cpu_count() or 1, MOST_PROCESSES)), "--dist", "worksteal"]
    return run("-m", "pytest", *spread, *([] if arguments else ["--drawn"]))


def wheel() -> int:
    """Builds sdist and wheel anew, the manual's site first; returns the first exit status that is not 0."""
    shutil.rmtree(str(ROOT / "dist"), ignore_errors=True)
    return run("-m", "manual.site") or run("-m", "hatchling", "build", "-d", str(ROOT / "dist"))


COMMANDS = ("demo", "test", "lint", "cases", "bench", "manual", "docs", "pictures", "wheel")


def main(arguments: list[str]) -> int:
    """Runs one command and returns its exit status."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if command not in COMMANDS:
        print(__doc__)
        if command in {"-h", "--help", "help"}:
            return 0
        near = difflib.get_close_matches(command, COMMANDS, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        print(f"dev.py: there is no command {command!r}{meant}", file=sys.stderr)
        return 2
    ensure_environment()
    if command == "lint":
        return lint()
    if command == "wheel":
        return wheel()
    if command == "bench":
        return bench(rest)
    if command == "test":
        return test(rest)
    modules = {
        "demo": ["-m", "tranship", "demo"],
        "cases": ["-m", "support.cases.table"],
        "manual": ["-m", "manual.reference.write"],
        "docs": ["-m", "manual.site"],
        "pictures": ["-m", "manual.pictures"],
    }
    return run(*modules[command], *rest)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
