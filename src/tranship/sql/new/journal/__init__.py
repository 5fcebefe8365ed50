"""Every statement on the journal in NEW, in named sections of the ``.sql`` files beside this one; a section's
comment says what its parameters are.

``create.sql`` holds the tables of the present format; ``schema.sql`` what is asked of and done to the schema;
``upgrade.sql`` how a journal of the earlier format becomes one of this; the others one topic each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from tranship.sql.quote import ident

FORMAT = 2
"""The format that this version writes. Format 1 was written by 0.1.0 and is still read."""

_SECTION = re.compile(r"^-- name: (\w+)\n((?:--.*\n)*)", re.MULTILINE)
_WORD = re.compile(r"\{(\w+)\}")

TABLES: Mapping[int, Mapping[str, str]] = MappingProxyType(
    {
        1: MappingProxyType(
            {
                "run": "old_identity",
                "heartbeat": "backends",
                "task": "old_table",
                "batch": "xids",
                "foreseen": "rank",
                "reject": "old_row",
                "undo": "index",
                "sequence": "before_value",
            }
        ),
        2: MappingProxyType(
            {
                "format": "tool_version",
                "run": "old_identity",
                "heartbeat": "backends",
                "cluster": "exports",
                "task": "old_table",
                "batch": "xids",
                "predicted_reject": "rank",
                "reject": "old_row",
                "held": "outcome",
                "image": "held",
                "lead": "new_key",
                "undo": "facts",
                "sequence": "before_value",
                "rolled_back": "stays",
            }
        ),
    }
)
"""Per format the journal's tables, each with a column by which it is known."""

_WORDS: Mapping[int, Mapping[str, str]] = MappingProxyType(
    {
        1: MappingProxyType(
            {
                "predicted": "foreseen",
                "rolling_back": "'back'",
                "run_format": "1",
                "decided_by": "NULL::pg_catalog.bytea",
                "phase": "'copy'",
                "hashing": "NULL::pg_catalog.text",
                "copied_again": "",
                "relation": "NULL::pg_catalog.text",
                "flow_name": "''",
                "old_rows": "NULL::pg_catalog.int8",
                "item_and_key": "",
                "proof": "NULL::pg_catalog.bytea",
                "kept": "0",
                "merged": "0",
                "updated": "0",
                "no_updates": "",
                "rejects_of": "NULL::pg_catalog.text",
                "workers": "'{}'::pg_catalog.int4[]",
            }
        ),
        2: MappingProxyType(
            {
                "predicted": "predicted_reject",
                "rolling_back": "'rolling back'",
                "run_format": "r.format",
                "decided_by": "r.decided_by",
                "phase": "r.phase",
                "hashing": "r.hashing",
                "copied_again": ", phase = 'copy'",
                "relation": "relation",
                "flow_name": "flow_name",
                "old_rows": "old_rows",
                "item_and_key": ", item, key",
                "proof": "proof",
                "kept": "kept",
                "merged": "merged",
                "updated": "updated",
                "no_updates": ", kept = NULL, updated = NULL, update_xids = '{}'",
                "rejects_of": "rejects_of",
                "workers": "h.workers",
            }
        ),
    }
)
"""What one statement says differently in each format."""


class JournalSql:
    """The statements on one journal: ``sql("insert_run")``."""

    def __init__(self, schema: str, format: int = FORMAT) -> None:
        self.format = format
        tables = ", ".join(f"{ident(schema)}.{name}" for name in TABLES[format])
        self._words = {**_WORDS[format], "journal": ident(schema), "tables": tables}

    def __call__(self, name: str) -> str:
        """Returns the text of a section for this journal."""
        return _WORD.sub(lambda found: self._words[found[1]], sections()[name])

    @property
    def forget_run(self) -> tuple[str, ...]:
        """Statements with $1 run that remove one run, but for the record that it was rolled back."""
        owner = {"run": "id"}
        journal = self._words["journal"]
        return tuple(
            f"DELETE FROM {journal}.{table} WHERE {owner.get(table, 'run')} = $1"
            for table in TABLES[self.format]
            if table not in ("format", "rolled_back")
        )

    def revoke_from(self, role: str, *, reading: bool) -> str:
        """Takes from a role what default privileges gave it. ``role`` is quoted, as the section ``granted``
        has it; ``reading``: that, too.
        """
        journal = self._words["journal"]
        if reading:
            tables = f"REVOKE ALL ON ALL TABLES IN SCHEMA {journal} FROM {role}"
            return f"{tables}; REVOKE ALL ON SCHEMA {journal} FROM {role}"
        return (
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON ALL TABLES IN SCHEMA {journal} FROM {role}"
        )


@cache
def sections() -> Mapping[str, str]:
    """Returns every section's statement by its name."""
    found: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        heads = list(_SECTION.finditer(text))
        for head, following in zip(heads, [*heads[1:], None], strict=True):
            end = following.start() if following is not None else len(text)
            found[head[1]] = text[head.end() : end].strip().rstrip(";")
    return MappingProxyType(found)
