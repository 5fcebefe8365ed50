"""``run.started`` in the SQL of a resolutions file: one moment for all rows of a run, however long it takes.

It becomes a constant before anything is made of the file. The journal keeps the plan with it, so that whoever
resumes the run reads the same moment.
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec.structs import replace

from tranship.model.resolution import Action, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.words import QUOTED, sql_texts

_STARTED = re.compile(r"(?<![\w$.\"])run\s*\.\s*started(?![\w$.\"(])", re.IGNORECASE)
_RUN = re.compile(r"(?<![\w$\"])(?<!\bold\.)(?<!\bitem\.)run(?![\w$\"])", re.IGNORECASE)
"""The word where it is no column of the row: ``run.started``, or a table or an alias of the person's own."""
_QUOTED_RUN = re.compile(r"(?<!\bold\.)(?<!\bitem\.)\"run\"")
"""The same in quotes: an alias that ``run.started`` would mean."""


def asks_for_start(file: ResolutionFile) -> bool:
    """Returns whether some SQL of a file reads the time at which the run began."""
    entries = (*file.entries, *(pattern.entry for pattern in file.for_all))
    return any(_places(text) for entry in entries for _, text in sql_texts(entry))


def constant(moment: datetime) -> str:
    """Returns a moment as it stands in SQL in place of ``run.started``."""
    return f"TIMESTAMPTZ '{moment.isoformat(sep=' ')}'"


def with_start(file: ResolutionFile, moment: str) -> ResolutionFile:
    """Returns the file with a constant in place of ``run.started``."""
    return replace(
        file,
        entries=tuple(_with(entry, moment) for entry in file.entries),
        for_all=tuple(replace(one, entry=_with(one.entry, moment)) for one in file.for_all),
    )


def _with(entry: Resolution, moment: str) -> Resolution:
    def filled(text: str | None) -> str | None:
        return None if text is None else _filled(text, moment)

    keys = tuple(_filled(text, moment) for text in entry.key) if entry.action == Action.MERGE else entry.key
    return replace(
        entry,
        transform_sql=filled(entry.transform_sql),
        key_sql=tuple(_filled(text, moment) for text in entry.key_sql),
        where=filled(entry.where),
        items=filled(entry.items),
        order_by=filled(entry.order_by),
        key=keys,
        keep=filled(entry.keep),
        query=filled(entry.query),
    )


def _filled(text: str, moment: str) -> str:
    for start, end in reversed(_places(text)):
        text = f"{text[:start]}{moment}{text[end:]}"
    return text


def _places(text: str) -> list[tuple[int, int]]:
    """Returns where a text reads ``run.started``; nowhere where ``run`` is a name of its own."""
    bare = QUOTED.sub(lambda found: found[0] if found[0] == '"run"' else " " * len(found[0]), text)
    if _QUOTED_RUN.search(bare):
        return []
    places = [found.span() for found in _STARTED.finditer(bare)]
    return places if len(places) == len(_RUN.findall(bare)) else []
