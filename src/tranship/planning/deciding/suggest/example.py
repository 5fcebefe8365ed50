"""A whole entry beside each open question, for people who write the file in an editor: the keys that another
answer than the suggested one takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.words import SPECIFY_NEW_COLUMN_NAME
from tranship.planning.matching.scope import quoted

Entry = dict[str, object]
_MAPPING = {"an old value": "its new value", "another": None}
_RENAMED = {"action": "rename_table", "new_table": "its name in the new database"}
_LEFT_OUT = {"action": "drop_table", "because": "why its rows stay behind"}


def example(sources: Sequence[str], new_column: str | None, suggested: Mapping[str, object]) -> Entry:
    """Returns an entry that answers a question about these old columns and this new one, by another way than
    the ``suggested`` one. Without columns the question is about a whole table.
    """
    if suggested.get("action") == Action.EXISTING:
        return {**suggested, "rows": "update"}
    if not sources and new_column is None:
        left_out = suggested.get("action") == Action.RENAME_TABLE
        return dict(_LEFT_OUT if left_out else _RENAMED)
    if not sources:
        constant = suggested.get("action") != Action.DEFAULT
        return {"new_column": new_column, **(_constant() if constant else _computed("lower(old.a_column)"))}
    names = {"old_columns": [*sources]} if len(sources) > 1 else {"old_column": sources[0]}
    named: Entry = {**names, "new_column": new_column or SPECIFY_NEW_COLUMN_NAME}
    values = [f"old.{quoted(name)}" for name in sources]
    if len(values) > 1:
        return {**named, **_computed(f"concat_ws(', ', {', '.join(values)})")}
    if "transform_sql" in suggested:
        return {**named, "action": "transform", "value_mapping": _MAPPING}
    return {**named, **_computed(values[0])}


def _constant() -> Entry:
    return {"action": "default", "default_value": "a value for every row"}


def _computed(expression: str) -> Entry:
    return {"action": "transform", "transform_sql": expression}
