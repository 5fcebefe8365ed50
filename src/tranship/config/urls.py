"""Configurations without a file: two URLs of a command line, or values that become a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tranship.codec import Document, child
from tranship.codec.jsonc import Located, parse
from tranship.config import libpq
from tranship.errors import UsageError
from tranship.errors.codes.configuration import PasswordOnCommandLine
from tranship.errors.message import UsageMessage

_FROM_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}\Z")
_SECRETS = ("password", "sslpassword")


class UrlDocument(Document):
    """The configuration that two URLs stand for. Its errors name the URL and not a line."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(Path(), _located({"old_database": {"url": old}, "new_database": {"url": new}}))
        self._urls = (("$.old_database.url", old), ("$.new_database.url", new))

    def urls(self) -> Iterator[tuple[str, str]]:
        """Yields the JSON path and the text of each URL."""
        return iter(self._urls)

    def fail_at(self, path: str) -> libpq.Fail:
        """Returns a function that makes errors about a JSON path."""
        return lambda what: self.error(path, what)

    def error(self, path: str, what: UsageMessage) -> UsageError:
        """Returns an error that names the URL, for the caller to raise."""
        name = "NEW_URL" if path.startswith("$.new") else "OLD_URL"
        return UsageError(what, place=f"{name}: ", object=name)


def document_of(values: Mapping[str, object]) -> Document:
    """Returns a configuration that is written in no file yet, in the form in which files are read."""
    return Document(Path(), _located(values))


def _located(values: Mapping[str, object]) -> Located:
    return parse(json.dumps(values), child)


def refuse_password(url: str, fail: libpq.Fail) -> None:
    """Refuses a password in a URL, unless it is a variable's name: other users see a command line.

    Raises:
        UsageError: it holds one, or cannot be read. The message does not repeat it.
    """
    for name in _SECRETS:
        value = libpq.parse_url(url, fail).get(name, "")
        if value and not _FROM_VARIABLE.match(value):
            raise fail(PasswordOnCommandLine())
