"""Tells the files of tranship apart, so that one that is passed in the place of another is named."""

from __future__ import annotations

from collections.abc import Mapping

_KINDS: Mapping[str, tuple[frozenset[str], str]] = {
    "a changes file": (
        frozenset({"format_version", "old", "new", "changes"}),
        "analyze writes it, and it is the second one where a command takes two files",
    ),
    "a result file": (
        frozenset({"format_version", "tool_version", "status", "exit_status"}),
        "a run writes it for people to read",
    ),
    "a resolutions file": (
        frozenset({"resolutions"}),
        "it follows --resolutions, and is the first one where a command takes two files",
    ),
    "a configuration": (
        frozenset({"old_database", "new_database"}),
        "it stands behind the name of the command, as in: tranship migrate CONFIG",
    ),
}
"""By name: the keys by which a file of this kind is known, and its place."""


def other_kind(root: object, expected: str) -> tuple[str, str] | None:
    """Returns which other file of tranship a document is, and its place on a command line; None: it is of the
    expected kind, or of none that is known.
    """
    keys = root.keys() if isinstance(root, dict) else frozenset[str]()
    for kind, (known, place) in _KINDS.items():
        if known <= keys:
            return None if kind == expected else (kind, place)
    return None
