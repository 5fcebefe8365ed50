"""Reads and writes whole files. Written ones are complete or not there at all, and only their owner may read
them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

import msgspec

from tranship.codec.jsonc import Located, SyntaxProblem, parse
from tranship.errors import UsageError
from tranship.errors.codes.usage import (
    CannotWrite,
    FileEmpty,
    FileInPlaceOfFolder,
    FileIsFolder,
    FileMissing,
    FileTooLarge,
    FileUnreadable,
    KeyTwice,
    NotJson,
    NotUtf8,
    PrefixTooLong,
)
from tranship.errors.message import UsageMessage
from tranship.model.visible import json_text

MAX_BYTES = 256 * 1024 * 1024
"""A configuration, changes or resolutions file above this size is refused."""

_LONGEST_PREFIX = 190
"""Bytes: a file system takes names of 255 bytes, and the longest name of ours has 60 behind the prefix."""
_LONGEST_KEY = 300
"""Characters of a key in a path: more than a schema, a table and their quotes can have.

Every value below a key repeats it.
"""
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def child(path: str, key: str | int) -> str:
    """Returns the JSON path of a member or an element: ``$.a``, ``$.a[0]``, ``$.a["crm.orders"]``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if len(key) > _LONGEST_KEY:
        key = f"{key[:_LONGEST_KEY]}…{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return f"{path}.{key}" if _BARE_KEY.match(key) else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


class Document:
    """A JSON file as read: its value, and the line of every part of it."""

    def __init__(self, file: Path, located: Located) -> None:
        self.file = file
        self.root = located.root
        self.comments = located.comments
        self._lines = located.lines
        self._ends = located.ends
        self._spans = located.spans

    def line(self, path: str) -> int:
        """Returns the line of a JSON path, from 1; where the path does not exist, that of its nearest
        parent.
        """
        while path not in self._lines and len(path) > 1:
            path = path[: max(path.rfind("."), path.rfind("["), 1)]
        return self._lines.get(path, 1)

    def end(self, path: str) -> int:
        """Returns the line on which an object ends; of anything else the line on which it begins."""
        return self._ends.get(path, self.line(path))

    def span(self, path: str) -> tuple[int, int]:
        """Returns where an object or a list begins in the text, and where the text behind it begins.

        Raises:
            KeyError: there is none at this path.
        """
        return self._spans[path]

    def error(self, path: str, what: UsageMessage) -> UsageError:
        """Returns an error that names file, line and JSON path, for the caller to raise; its fields must hold
        no secret.
        """
        return UsageError(what, place=f"{self.file}:{self.line(path)}: {path}: ", object=path)


def read_text(path: Path, written_by: str = "") -> str:
    """Returns the text of a UTF-8 file, without a byte-order mark. ``written_by`` is the command that writes
    such a file.

    Raises:
        UsageError: it is missing, unreadable, too large, empty or not UTF-8.
    """
    try:
        if path.is_dir():
            raise UsageError(FileIsFolder(path))
        with path.open("rb") as file:
            # One byte more than allowed shows that there are more; the size in the folder may be of a pipe,
            # or change.
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        writer = f"; {written_by} writes it" if written_by else ""
        raise UsageError(FileMissing(path, writer=writer)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the path is not usable"
        raise UsageError(FileUnreadable(path, reason)) from None
    if len(data) > MAX_BYTES:
        raise UsageError(FileTooLarge(path, f"{MAX_BYTES // 1024 // 1024} MB"))
    try:
        # Editors on Windows write a byte-order mark, which JSON does not know.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(NotUtf8(path, line)) from None
    if not text.strip():
        raise UsageError(FileEmpty(path))
    return text


def read_jsonc(path: Path, written_by: str = "") -> Document:
    """Returns a file of JSON with ``//`` comments; ``written_by`` as in `read_text`.

    Numbers keep their digits, as `Number`. Keys that begin with ``_`` are kept; readers treat them as
    comments.

    Raises:
        UsageError: the file cannot be read, is no JSON, or has a key twice in one object. It names the line.
    """
    return parse_jsonc(path, read_text(path, written_by))


def parse_jsonc(path: Path, text: str) -> Document:
    """Returns the same of a text that is, or is to be, the content of a file.

    Raises:
        UsageError: as :func:`read_jsonc`.
    """
    try:
        located = parse(text, child)
    except SyntaxProblem as problem:
        kind = KeyTwice if problem.duplicate else NotJson
        raise UsageError(kind(path, problem.line, problem.message, problem.hint)) from None
    return Document(path, located)


def encode(value: object) -> bytes:
    """Returns a noun as indented JSON with a final newline; it is safe to print."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return json_text(text).encode() + b"\n"


def write_json(path: Path, value: object, *, replace: bool = True) -> None:
    """Writes a noun as JSON, with mode 0600, whole or not at all. It makes the folder.

    Raises:
        FileExistsError: ``replace`` is False and the file exists.
        UsageError: the file cannot be written.
    """
    _write(path, [encode(value)], replace)


def write_text(path: Path, text: str, *, replace: bool = True) -> None:
    """Writes a text in UTF-8, in the same way and with the same exceptions."""
    _write(path, [text.encode("utf-8", errors="backslashreplace")], replace)


def write_lines(path: Path, lines: Iterable[str], *, replace: bool = True) -> int:
    """Writes lines as they come, in the same way and with the same exceptions. Returns the number of
    bytes.
    """
    return _write(path, _ended(lines), replace)


def _ended(lines: Iterable[str]) -> Iterator[bytes]:
    """Yields the parts of lines; a line may be large, and none is held while the next one is made."""
    for line in lines:
        part = line.encode("utf-8", errors="backslashreplace")
        del line
        yield part
        del part
        yield b"\n"


def check_folder(longest: Path, *, named: Path | None = None) -> None:
    """Makes the folder of a file and writes an empty file there, with a name as long as the file's, so that a
    run fails before hours of work and not after them. ``named`` is what errors name: the folder, where nobody
    knows yet what the file is called.

    Raises:
        UsageError: no such file can be written there.
    """
    probe = longest.with_name(f".{secrets.token_hex(6)}".ljust(len(os.fsencode(longest.name)), "_"))
    _write(probe, (), replace=True, named=named or longest)
    probe.unlink(missing_ok=True)


def free_path(path: Path) -> Path:
    """Returns the path itself, or with ``_2``, ``_3`` … before its suffix where a file of that name
    exists.
    """
    number, candidate = 1, path
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return candidate


def _write(path: Path, parts: Iterable[bytes], replace: bool, named: Path | None = None) -> int:
    """Writes a temporary file beside the path and renames it, which is atomic inside one folder. Returns the
    number of bytes. ``named`` is the path that errors name.

    The order matters after a crash of the machine: the data reaches the disk before the name does, and the
    folder's entry last. ``link`` in place of ``rename`` fails where the name is taken.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, since a rename is atomic inside one file system only; 100 characters leave room
        # for the rest of the name.
        temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}")
        # 0600 from the beginning: a file that is made first and restricted then can be opened in between.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                size = sum(file.write(part) for part in parts)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(path)
            else:
                os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
        return size
    except FileExistsError:
        if not replace:
            raise
        raise UsageError(FileInPlaceOfFolder(named or path)) from None
    except OSError as error:
        raise UsageError(CannotWrite(named or path, error.strerror or str(error))) from None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def result_path(results_dir: str, prefix: str | None, name: str) -> Path:
    """Returns the path of a result file: ``[P_]name`` in the results folder.

    Raises:
        UsageError: the prefix leaves no room for the name.
    """
    if prefix is not None and len(os.fsencode(PurePath(prefix).name)) > _LONGEST_PREFIX:
        raise UsageError(PrefixTooLong(Path(results_dir), most=_LONGEST_PREFIX))
    return Path(results_dir) / (f"{prefix}_{name}" if prefix else name)
