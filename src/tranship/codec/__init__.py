"""Nouns and files: JSON with comments and true line numbers in; JSON and text out, whole or not at all, mode 0600."""

from tranship.codec.changes import (
    CHANGES_FORMAT,
    ChangeRecord,
    ChangesFile,
    SideInfo,
    read_changes,
    write_changes,
)
from tranship.codec.files import (
    Document,
    check_folder,
    child,
    encode,
    free_path,
    read_jsonc,
    read_text,
    write_json,
    write_text,
)
from tranship.codec.jsonc import JsonValue, Number
from tranship.model.text import nearest

__all__ = [
    "CHANGES_FORMAT",
    "ChangeRecord",
    "ChangesFile",
    "Document",
    "JsonValue",
    "Number",
    "SideInfo",
    "check_folder",
    "child",
    "encode",
    "free_path",
    "nearest",
    "read_changes",
    "read_jsonc",
    "read_text",
    "write_changes",
    "write_json",
    "write_text",
]
