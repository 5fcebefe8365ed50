"""The document that ``resolve generate`` writes: what people read first, the shapes, and an entry for each
question.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from msgspec import Raw, Struct

from tranship.codec.schema import SCHEMA_FILE
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.resolution import ResolutionFile
from tranship.planning.deciding.resolve.flows import place_of
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.for_all import ALL_TABLES
from tranship.planning.deciding.suggest.shapes.whole import Shape

_INSTRUCTIONS = (
    "One entry per open question. Passing this file with --resolutions is the decision: "
    "read every entry first.",
    "Replace SPECIFY_ACTION, SPECIFY_NEW_COLUMN_NAME and SPECIFY_DEFAULT_VALUE; "
    "a placeholder that is left is an open question. If another entry decides the same column, that one "
    "counts, the entry with the placeholder has no effect, and `resolve validate` says so.",
    "_suggestion is what the data supports, _evidence is why. To take one, copy its keys into the entry. "
    "_example shows the keys of another answer. "
    "An action that is filled in leaves no column or table behind. What it changes in values stands in its "
    "evidence, and a dry run counts it.",
    "Actions: rename, transform (with value_mapping, lookup_table or transform_sql, or bare), "
    "default, ignore, adopt, tolerate, rename_table, drop_table; "
    "filter, rows, merge, new_key, existing, query. _examples has one of each.",
    'A key is the name of an old table, or of a flow into one more new table: "members -> profiles".',
    "_suggestions are whole ways to give rows another shape: to take one, accept it in `resolve edit` or in "
    "the studio, or copy the keys of its resolutions.",
    "An entry of for_all decides all columns of its two types; one under a table's name beats it.",
    "Keys that begin with _ and // to the end of a line are comments.",
)

SUGGESTIONS = "_suggestions"
"""The key of the document under which shapes stand: a comment, until a person takes one over."""


def examples() -> str:
    """Returns an example of each action, by key of the file, as JSON. Its tables are those of no database."""
    return files(__package__).joinpath("examples.json").read_text(encoding="utf-8")


class Written(Struct, frozen=True):
    """One entry of the document."""

    table: TableName | None
    """None: it is an entry of ``for_all``."""
    flow: str
    """The name of the flow that it is about; empty for the pair of tables that was found."""
    text: str
    suggestion: str
    body: object
    open: bool
    answered: bool
    evidence: tuple[Fact, ...] = ()
    inserts: tuple[str, ...] = ()

    def key(self, old: Catalog) -> str:
        """Returns the key of the file under which it stands."""
        if self.table is None:
            return ALL_TABLES
        return self.flow or table_key(self.table, old)


def document(
    written: Sequence[Written],
    old: Catalog,
    new: Catalog,
    beside: tuple[ResolutionFile, Sequence[Shape]],
) -> dict[str, object]:
    """Returns the document; ``beside`` are the earlier file and the shapes that are proposed."""
    file, proposed = beside
    for_all = [one.body for one in written if one.table is None]
    return {
        "_instructions": list(_INSTRUCTIONS),
        "$schema": SCHEMA_FILE,
        **{key: Raw(text.encode()) for key, text in file.remarks},
        "_examples": Raw(examples().encode()),
        "format_version": 1,
        "old_fingerprint": old.fingerprint,
        "new_fingerprint": new.fingerprint,
        **({SUGGESTIONS: [shape.body() for shape in proposed]} if proposed else {}),
        **({"for_all": for_all} if for_all else {}),
        "resolutions": _resolutions(written, old, new, file),
    }


def _resolutions(
    written: Sequence[Written], old: Catalog, new: Catalog, file: ResolutionFile
) -> dict[str, list[object]]:
    tables: dict[str, list[object]] = {}
    for one in written:
        if one.table is not None:
            tables.setdefault(one.key(old), []).append(one.body)
    # A key without an entry still makes a flow.
    bare = (place for one in file.bare_keys if (place := place_of(one.table, old, new)) is not None)
    return tables | {flow: [] for _, flow in bare if flow and flow not in tables}
