"""UUIDs of rows that had none: made of OLD's key, so that every run makes the same."""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.model.change import Change
from tranship.model.references import references
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.deciding.suggest.guesses import text_literal
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family


def own_uuid(tables: TablePairContext, change: Change) -> Draft | None:
    """Returns the draft of an expression that makes a new UUID key of OLD's key; None where the new column is
    no key by itself or refers to another row, and where OLD's rows have no key.
    """
    name = change.new_column or ""
    column = tables.after.column(name)
    if column is None or family(column.type) != "uuid" or not _is_own_key(tables.after, name):
        return None
    key = _key(tables.before)
    if not key:
        return None
    parts = ", ".join(f"old.{quoted(part)}" for part in key)
    row = f"ROW({text_literal(str(tables.before.name))}, {parts})"
    made = f"CAST(md5(CAST({row} AS text)) AS uuid)"
    return Draft(
        change.description,
        None,
        name,
        {"new_column": name, "action": "transform", "transform_sql": made},
        complete=False,
        confidence=Confidence.GUESS,
        evidence=(*change.evidence, f"a UUID made of OLD's key ({', '.join(key)}), the same in every run"),
    )


def _is_own_key(table: Table, column: str) -> bool:
    alone = any(key.columns == (column,) for key in table.keys)
    return alone and not any(column in key.columns for key in references(table))


def _key(table: Table) -> tuple[str, ...]:
    """Returns the columns of the primary key, else of the first key without NULL; nothing where there is
    none.
    """
    if table.primary_key is not None:
        return table.primary_key.columns
    strict = {column.name for column in table.columns if column.refuses_null}
    found = sorted((key for key in table.keys if set(key.columns) <= strict), key=lambda key: key.name)
    return found[0].columns if found else ()
