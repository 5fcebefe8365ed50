"""Real servers for tests: one per major version and session, started when first asked for,
and a pair of databases per test in milliseconds.

    async def test_something(pair: Pair, tmp_path: Path) -> None:
        # 17 → 18; the oldest and newest at hand otherwise
        await pair.old.run("CREATE TABLE t (id int PRIMARY KEY)")
        await pair.new.run(...)
        path = pair.config(tmp_path, tables=["t"])

    async def test_more(make_pair: MakePair) -> None:
        pair = await make_pair(old_sql, new_sql, majors=(15, 18), encodings=("LATIN1", "UTF8"))

Test functions may be coroutines. A version that is not on the machine skips the test, saying so.
"""

from __future__ import annotations

import asyncio
import inspect
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from support import (
    ROOT,
    CliResult,
    MakePair,
    Pair,
    Servers,
    connected,
    portions,
    run_here,
    run_python,
)
from support.observe import Observe

# The default run draws the same examples every time, so that a change is judged by itself; the campaigns draw others.
# No test has a deadline: a loaded machine is no fault of the code.
settings.register_profile("same-examples", derandomize=True, deadline=None)
settings.load_profile("same-examples")


DRAWN = 5
"""Of so many tests with servers ``--drawn`` runs one. All of them take about forty minutes on two cores, which nobody
waits for before each commit; one in five and every unit test take ten.
"""
WITH_SERVERS = ("cases", "databases", "interrupted", "long", "cli")
ALWAYS = ("cli/classic", "cli/docs")
"""What users were promised word by word is tested in every run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option of the default run (``dev.py test``)."""
    parser.addoption("--drawn", action="store_true", help=f"of the tests with servers one in {DRAWN}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Thins out variants, and with ``--drawn`` the tests with servers."""
    _thin(items)
    if config.getoption("--drawn"):
        left_out = [item for item in items if not _is_drawn(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _is_drawn(item)]


def _is_drawn(item: pytest.Item) -> bool:
    """Tells by the name alone, so that every process and every run of a commit draws the same tests."""
    folder = item.path.relative_to(ROOT / "tests").as_posix()
    with_servers = folder.startswith(tuple(f"{name}/" for name in WITH_SERVERS))
    if not with_servers or folder.startswith(tuple(f"{name}/" for name in ALWAYS)):
        return True
    return zlib.crc32(item.nodeid.encode()) % DRAWN == 0


def _thin(items: list[pytest.Item]) -> None:
    """Marks as campaign all variants of a test but the first of each so many that its ``thinned`` says."""
    seen: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("thinned")
        if mark is not None:
            function = item.nodeid.partition("[")[0]
            if seen[function] % mark.args[0]:
                item.add_marker(pytest.mark.campaign)
            seen[function] += 1


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a coroutine test to its end."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    arguments = {
        name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.function).parameters
    }
    asyncio.run(pyfuncitem.function(**arguments))
    return True


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """All servers of the session, by major version."""
    with Servers() as started:
        yield started


@pytest.fixture
def make_pair(servers: Servers) -> Iterator[MakePair]:
    """Makes pairs of databases that are dropped after the test."""
    maker = MakePair(servers)
    yield maker
    asyncio.run(maker.drop_all())


@pytest.fixture
def pair(make_pair: MakePair) -> Pair:
    """An empty pair on the default versions."""
    return asyncio.run(make_pair())


@pytest.fixture
def observe() -> Iterator[Observe]:
    """Lets a test act at the failpoints that a run in this process passes."""
    observing = Observe()
    yield observing
    observing.stop()


@pytest.fixture
def run_cli(tmp_path: Path) -> Callable[..., CliResult]:
    """Runs ``tranship`` in a process of its own, in ``tmp_path`` (or ``cwd``)."""

    def run(
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> CliResult:
        return run_python("-m", "tranship", *arguments, cwd=cwd or tmp_path, env=env, timeout=timeout)

    return run


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., CliResult]:
    """Runs a classic script (``db_migration_tool.py`` …) the way its users do."""

    def run(
        script: str,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> CliResult:
        return run_python(
            ROOT / "scripts" / script, *arguments, cwd=cwd or tmp_path, env=env, timeout=timeout
        )

    return run


@pytest.fixture
def invoke(tmp_path: Path) -> Callable[..., CliResult]:
    """Runs ``tranship`` in this process, in ``tmp_path``: quicker than ``run_cli``.

    Not for coroutine tests: it runs its own loop.
    """

    def run(*arguments: str | Path) -> CliResult:
        return run_here(*arguments, cwd=tmp_path)

    return run


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each table is counted beside the copy, page by page."""
    portions.shrink(monkeypatch)


@pytest.fixture
def quiet(servers: Servers) -> Iterator[None]:
    """Nobody but the test uses OLD's server: each transaction that writes makes another snapshot."""
    old = servers.get(servers.default_majors[0])

    async def set_autovacuum(state: str) -> None:
        async with connected(old) as conn:
            await conn.execute(f"ALTER SYSTEM SET autovacuum = {state}")
            await conn.execute("SELECT pg_reload_conf()")

    asyncio.run(set_autovacuum("off"))
    yield
    asyncio.run(set_autovacuum("on"))
