"""Nouns and files: JSON with comments and line numbers is read; JSON and text are written, whole or not at
all, with mode 0600.

What lives here: the formats of tranship's files. What may not live here: judgements about their content
(``planning/deciding/resolve``), words for people (``report/``), connections.

Begin with ``files.py``.

1. ``jsonc.py`` reads JSON as people write it; ``files.py`` reads and writes whole files.
2. ``changes.py`` is the changes file, ``resolutions.py`` the resolutions file, ``schema.py`` its JSON Schema;
   ``decision_file.py`` saves one entry of a resolutions file; ``kinds.py`` tells the files apart.
"""

from tranship.codec.changes import (
    CHANGES_FORMAT,
    ChangeRecord,
    ChangesFile,
    SideInfo,
    read_changes,
    read_words,
    write_changes,
)
from tranship.codec.files import (
    Document,
    check_folder,
    child,
    encode,
    free_path,
    parse_jsonc,
    read_jsonc,
    read_text,
    write_json,
    write_lines,
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
    "parse_jsonc",
    "read_changes",
    "read_jsonc",
    "read_text",
    "read_words",
    "write_changes",
    "write_json",
    "write_lines",
    "write_text",
]
