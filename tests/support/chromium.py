"""A headless Chromium, driven over its pipe: no library and no port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--remote-debugging-pipe",
)
_KEYS = {"Tab": 9, "Enter": 13, "ArrowUp": 38, "ArrowDown": 40, " ": 32}
_LEFT = "Inspected target navigated or closed"


class PageLeft(Exception):
    """The page was left while it was asked."""


class Page:
    """One page, and everything that its console and its network said."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._number, self._rest, self._session = 0, b"", ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._loads = 0

    def begin(self) -> None:
        """Makes the page and listens to it."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """Sends a command and returns its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if answer.get("error", {}).get("message") == _LEFT:
                    raise PageLeft(method)
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            part = os.read(self._back, 1 << 16)
            assert part, "Chromium ended"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def _note(self, event: Any) -> None:
        given = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Runtime.exceptionThrown":
                self.errors.append(str(given["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if given["type"] in ("error", "warning", "assert"):
                self.errors.append(str(given["args"]))
            case "Log.entryAdded" if _matters(given["entry"]):
                self.errors.append(str(given["entry"]))
            case "Network.requestWillBeSent":
                self.requests.append(given["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.errors.append(f"dialog: {given['message']}")

    def run(self, script: str) -> Any:
        """The value of an expression of the page, awaited."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Waits until an expression of the page is true, at most 60 seconds."""
        looking = (
            "new Promise((done) => { let n = 0; const look = () => { let good = false;"
            f" try {{ good = Boolean({condition}); }} catch (error) {{ good = false; }}"
            " if (good || n++ > 1200) done(good); else setTimeout(look, 50); }; look(); })"
        )
        try:
            found = self.run(looking)
        except PageLeft:
            # A link was followed while the page was asked: the next page is asked anew.
            found = self.run(looking)
        assert found, f"{condition}\n{self.run('document.body.innerText')}"

    def load(self, address: str) -> None:
        """Goes to an address and waits until all of it has been read, scripts or none."""
        before = self._loads
        self.send("Page.navigate", url=address)
        while self._loads == before:
            self._note(self._next())

    def press(self, key: str) -> None:
        """Presses a key."""
        code = {"key": key, "windowsVirtualKeyCode": _KEYS[key], "code": "Space" if key == " " else key}
        text = {"text": {"Enter": "\r", " ": " "}[key]} if key in ("Enter", " ") else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def tab_to(self, what: str) -> None:
        """Presses Tab until the element with the focus meets a condition over ``it``."""
        for _ in range(200):
            self.press("Tab")
            if self.run(f"((it) => Boolean({what}))(document.activeElement)"):
                return
        raise AssertionError(f"no way by keyboard to {what}")

    def type(self, text: str) -> None:
        """Types a text where the focus is."""
        self.send("Input.insertText", text=text)


def _matters(entry: Any) -> bool:
    """Whether an entry of the log tells a fault of the page: a wrong answer of a person is refused with 422."""
    refused = entry["source"] == "network" and "status of 422" in entry["text"]
    return entry["level"] in ("error", "warning") and not refused


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A page of a browser with a new profile in a folder; skips where there is no Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    to_read, to = os.pipe()
    back, back_write = os.pipe()
    # The browser reads its commands from descriptor 3 and answers on 4; a shell puts the pipes there.
    line = f'exec "$@" 3<&{to_read} 4>&{back_write}'
    process = subprocess.Popen(
        ["bash", "-c", line, "bash", program, *_FLAGS, f"--user-data-dir={folder / 'profile'}"],
        pass_fds=(to_read, back_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(back_write)
    try:
        page = Page(to, back)
        page.begin()
        yield page
        page.send("Page.navigate", url="about:blank")
    finally:
        os.close(to)
        process.terminate()
        process.wait(30)
        os.close(back)
