"""One reading of a configuration file: texts, keys and lists, with errors that name file, line and path and
never a value.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from tranship.codec import Document, JsonValue, Number, child, nearest
from tranship.config import libpq
from tranship.errors import UsageError
from tranship.errors.codes.configuration import (
    BrokenPlaceholder,
    EmptyText,
    NamedTwice,
    NulInText,
    NumberOutOfRange,
    UnknownKey,
    VariableNotSet,
    WrongValue,
)
from tranship.errors.message import UsageMessage
from tranship.model.resolution import Problem

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
"""``${NAME}``, and ``$${``, which stands for a literal ``${``."""
_UNESCAPED = re.compile(r"(?<!\$)\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LIBPQ_NAMES = {"user": "username", "dbname": "database", "passwd": "password"}
"""What people write who know libpq, and the key that is meant; the spelling alone is too far away to suggest
it.
"""

Value = TypeVar("Value")
Instead = TypeVar("Instead")


class Reading:
    """The file, the environment, and the problems and warnings that reading has gathered."""

    def __init__(self, document: Document, environ: Mapping[str, str] | None) -> None:
        """``environ`` is in place of the process's environment; None: that one."""
        self.document = document
        # No default of a public function is the environment itself: `help()` would print it, with passwords.
        self.environ = os.environ if environ is None else environ
        self._warnings: list[str] = []
        self._plain_secret = False
        self._problems: list[Problem] = []

    def attempt(self, read: Callable[[], Value], instead: Instead) -> Value | Instead:
        """Returns what ``read`` returns. Where it raises, its problems are kept for `refuse`, and ``instead``
        is returned, so that the rest of the file is read, too.
        """
        try:
            return read()
        except UsageError as error:
            self._problems += error.problems
            return instead

    @property
    def is_right(self) -> bool:
        """Whether no problem was found so far."""
        return not self._problems

    def refuse(self) -> None:
        """Raises all problems that were found, in the order of their lines.

        Raises:
            UsageError: there is one.
        """
        if self._problems:
            found = dict.fromkeys(self._problems)
            raise UsageError(sorted(found, key=lambda problem: self.document.line(problem.object)))

    def error(self, path: str, what: UsageMessage) -> UsageError:
        """Returns an error about a JSON path, for the caller to raise."""
        return self.document.error(path, what)

    def fail_at(self, path: str) -> libpq.Fail:
        """Returns a function that makes errors about a JSON path."""
        return lambda what: self.document.error(path, what)

    def warn(self, message: str) -> None:
        """Adds a warning."""
        self._warnings.append(message)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings, each once, in their order."""
        file = self.document.file
        secret = self._plain_secret and os.name != "nt"
        if not secret or not file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            return tuple(dict.fromkeys(self._warnings))
        readable = (
            f"{file} holds a password and can be read by others:"
            f" chmod 600 {file}, or write ${{NAME}} and set the variable"
        )
        return tuple(dict.fromkeys([*self._warnings, readable]))

    def notice_secret(self, value: JsonValue) -> None:
        """Remembers that the file itself holds a secret, unless the value takes it from a variable."""
        if isinstance(value, str) and value and not _UNESCAPED.search(value):
            self._plain_secret = True

    def check_keys(self, path: str, value: Mapping[str, JsonValue], known: Iterable[str]) -> None:
        """Keeps a problem for each key that is neither known nor a comment (begins with ``_``)."""
        for key in value:
            if key in known or key.startswith("_"):
                continue
            near = nearest(key, known) or _LIBPQ_NAMES.get(key)
            hint = f"did you mean {near!r}?" if near else f"known keys: {', '.join(known)}"
            what = UnknownKey(json.dumps(key, ensure_ascii=False), hint)
            self._problems += self.error(child(path, key), what).problems

    def text(self, path: str, value: JsonValue, *, empty: bool = False) -> str:
        """Returns a text with its placeholders filled from the environment.

        Raises:
            UsageError: it is no text, a variable is not set, or it is empty without ``empty``. The message
                never repeats it.
        """
        if not isinstance(value, str):
            raise self.error(path, WrongValue("a text in quotes", kind(value)))
        filled = _PLACEHOLDER.sub(lambda match: self._variable(path, match), value)
        # No text of PostgreSQL's protocol can hold it: it would end the text there.
        if "\0" in filled:
            raise self.error(path, NulInText())
        if not filled and not empty:
            raise self.error(path, EmptyText())
        return filled

    def _variable(self, path: str, match: re.Match[str]) -> str:
        name, closed = match[1], match[2]
        if name is None:
            return "${"
        if not closed or not _NAME.match(name):
            raise self.error(path, BrokenPlaceholder())
        if name not in self.environ:
            raise self.error(path, VariableNotSet(name))
        return self.environ[name]

    def names(self, path: str, value: list[JsonValue]) -> tuple[str, ...]:
        """Returns the texts of a list, each once. What is no text, or stands there twice, is a problem."""
        names: dict[str, None] = {}
        for number, given in enumerate(value):
            where = child(path, number)
            name = self.attempt(partial(self.text, where, given), None)
            if name in names:
                self._problems += self.error(where, NamedTwice(str(name))).problems
            elif name is not None:
                names[name] = None
        return tuple(names)

    def number(self, path: str, key: str, text: str, most: int) -> int:
        """Returns a text as a number of 1 to ``most``. Raises UsageError at anything else."""
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            raise self.error(child(path, key), NumberOutOfRange(key, most))
        return int(text)


def kind(value: JsonValue) -> str:
    """Returns what a value is, in words for people."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case Number():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"
