"""TS101 to TS190: the command line, files, and what a configuration names."""

from __future__ import annotations

from pathlib import Path

from tranship.errors.message import UsageMessage


class WrongCommandLine(UsageMessage, frozen=True):
    code = "TS101"
    meaning = "the command line is wrong"
    cure = "see `--help` of the command"
    message = "{reason}"
    hint = "{program} --help"
    reason: str
    """In the words of the command-line parser."""
    program: str


class UnknownCode(UsageMessage, frozen=True):
    code = WrongCommandLine.code
    message = "there is no error code {name!r}"
    hint = "{suggestion}{program} explain lists all codes"
    name: str
    suggestion: str
    program: str


class FileUnreadable(UsageMessage, frozen=True):
    code = "TS102"
    meaning = "a file cannot be read"
    cure = "check the path; it is relative to the working directory"
    about = "{path}"
    message = "cannot read {path}: {reason}"
    path: Path
    reason: str = ""


class FileIsFolder(FileUnreadable, frozen=True):
    message = "{path} is a folder, not a file"


class FileMissing(FileUnreadable, frozen=True):
    message = "file not found: {path}"
    hint = "paths are relative to the working directory{writer}"
    writer: str = ""
    """``; COMMAND writes it``, or empty."""


class FileTooLarge(FileUnreadable, frozen=True):
    message = "{path} is larger than {reason}: this is not a file of ours"


class NotJson(UsageMessage, frozen=True):
    code = "TS103"
    meaning = "a file is not JSON, is empty, or is of another kind"
    cure = "correct the line it names, or write the file again"
    about = "{path}"
    message = "{path}:{line}: {reason}"
    hint = "{suggestion}"
    path: Path
    line: int
    reason: str
    suggestion: str = ""


class FileEmpty(UsageMessage, frozen=True):
    code = NotJson.code
    about = "{path}"
    message = "{path}:1: the file is empty"
    path: Path


class NoChangesFile(UsageMessage, frozen=True):
    code = NotJson.code
    about = "{path}"
    message = "{path}: not a changes file"
    hint = "run analyze again"
    path: Path


class NoCertificate(UsageMessage, frozen=True):
    code = NotJson.code
    about = "{path}"
    message = "{path}: not a certificate ({reason})"
    hint = "tranship verify CONFIG makes one, where all rows are verified"
    path: Path
    reason: str


class KeyTwice(NotJson, frozen=True):
    code = "TS104"
    meaning = "a key stands twice in one object"
    cure = "keep one"


class ChangesKeyTwice(UsageMessage, frozen=True):
    code = KeyTwice.code
    about = "{path}"
    message = "{path}: the key {key} stands twice in one object"
    hint = "run analyze again"
    path: Path
    key: str


class NotUtf8(UsageMessage, frozen=True):
    code = "TS105"
    meaning = "a file is not UTF-8"
    cure = "save it as UTF-8"
    about = "{path}"
    message = "{path}:{line}: not UTF-8 text"
    hint = "save the file as UTF-8"
    path: Path
    line: int


class ForeignChangesFile(UsageMessage, frozen=True):
    code = "TS112"
    meaning = "the changes file comes from another tool or version"
    cure = "run `analyze` again"
    about = "{path}"
    message = "{path} is not a changes file of this tool and version ({reason}): run analyze again"
    hint = "analyze writes it as results/[P_]migration_changes.json; of two files, the resolutions come first"
    path: Path
    reason: str


class OtherInPlaceOfChanges(ForeignChangesFile, frozen=True):
    message = "{path} is {reason}, and a changes file is expected here"
    hint = "{reason}: {place}; analyze writes a changes file"
    place: str


class CannotWrite(UsageMessage, frozen=True):
    code = "TS113"
    meaning = "a result file cannot be written"
    cure = "check the folder, or give another with `--results-dir`"
    about = "{path}"
    message = "cannot write {path}: {reason}"
    path: Path
    reason: str


class PrefixTooLong(CannotWrite, frozen=True):
    message = "cannot write to {path}: the prefix is longer than {most:# byte|# bytes}"
    hint = "give a shorter --prefix"
    reason: str = ""
    most: int = 0


class FileThere(CannotWrite, frozen=True):
    message = "{path} exists and is not overwritten"
    hint = "give another path, or remove the file"
    reason: str = ""


class FileInPlaceOfFolder(CannotWrite, frozen=True):
    message = "cannot write {path}: a file stands where a folder is needed"
    reason: str = ""


class ChangedMeanwhile(UsageMessage, frozen=True):
    code = "TS140"
    meaning = "somebody else changed the resolutions file while it was being answered"
    cure = "read what changed, and give the answer again"
    about = "{path}"
    message = "{path} was changed meanwhile, so nothing was saved: {changes}"
    hint = "the file is read again: look at what changed, then answer again"
    path: Path
    changes: str


class EntryGone(ChangedMeanwhile, frozen=True):
    message = "{path} has no entry at {place} any more"
    changes: str = ""
    place: str = ""


class NoDemoServer(UsageMessage, frozen=True):
    code = "TS190"
    meaning = "no PostgreSQL was found for the demo"
    cure = "install one: `pip install 'tranship[demo]'`"
    message = "no PostgreSQL is at hand for the demo"
    hint = "install one with: pip install 'tranship[demo]'"
