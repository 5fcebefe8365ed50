"""A running studio, as a browser's or an attacker's requests see it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import ROOT


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


@dataclass
class Running:
    """A studio process and its links, by person."""

    process: subprocess.Popen[str]
    links: Mapping[str, str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(re.findall(r":(\d+)/", next(iter(self.links.values())))[0])

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends exactly this, with the Host of the studio unless the headers say otherwise."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def begin(self, path: str, headers: Mapping[str, str], body: bytes = b"") -> int:
        """Sends the head of a POST and a part of its body; returns the status."""
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            return int(connection.recv(4096).split()[1])

    def enter(self, name: str) -> Visitor:
        """Opens a person's link."""
        reply = self.ask("GET", self.links[name].partition(f":{self.port}")[2])
        assert reply.status == 303, reply
        return Visitor(self, reply.headers["set-cookie"].partition(";")[0])


@dataclass
class Visitor:
    """Somebody with a session, whose browser does everything right."""

    studio: Running
    cookie: str
    _token: str = ""

    @property
    def state(self) -> Any:
        """What the page shows."""
        return self.studio.ask("GET", "/api/state", headers={"Cookie": self.cookie}).json

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a write."""
        self._token = self._token or self.state["csrf"]
        return {
            "Cookie": self.cookie,
            "Origin": f"http://127.0.0.1:{self.studio.port}",
            "Content-Type": "application/json",
            "X-CSRF-Token": self._token,
        }

    def read(self, path: str) -> Reply:
        """A GET."""
        return self.studio.ask("GET", path, headers={"Cookie": self.cookie})

    def write(self, path: str, value: object, **changed: str | None) -> Reply:
        """A POST; ``changed`` headers are others, or are left out."""
        headers = {**self.headers, **{k.replace("_", "-"): v for k, v in changed.items()}}
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.studio.ask("POST", path, json.dumps(value), kept)

    def question(self, about: str) -> Any:
        """The question that names a column or a table."""
        return next(
            q for q in self.state["questions"] if about in (q["old_column"], q["new_column"], q["table"])
        )

    def given(self, about: str, fields: Mapping[str, object], **more: str) -> dict[str, object]:
        """An answer as the page sends it."""
        state = self.state
        place = self.question(about)["place"]
        return {
            "place": place,
            "fields": json.dumps(fields),
            "how": "fields",
            "version": state["version"],
            **more,
        }


@contextmanager
def studio(folder: Path, *arguments: str) -> Iterator[Running]:
    """Runs ``tranship studio`` in a folder for the block; a person called Ann is an editor, Bob an approver."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    invited = ["--invite", "editor:Ann", "--invite", "approver:Bob", "--invite", "editor:Eve"]
    with subprocess.Popen(
        [sys.executable, "-m", "tranship", "studio", *arguments, *invited],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield Running(process, _links(process))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _links(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None and process.stderr is not None
    links: dict[str, str] = {}
    while "Eve" not in links:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        found = re.fullmatch(r"(?:editor|approver) (.+): (http://\S+)", line.strip())
        if found:
            links[found[1]] = found[2]
    return links
