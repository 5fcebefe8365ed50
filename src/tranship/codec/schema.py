"""The JSON Schema of the resolutions file, for editors. The reader in `codec.resolutions` decides what is
valid.
"""

from __future__ import annotations

from typing import Any

from tranship.model.resolution import Action
from tranship.model.shape import Children, ExistingRows

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
_COMMENTS: dict[str, Any] = {"^_": {}}
_PLACEHOLDER = "SPECIFY_ACTION"


SCHEMA_FILE = "resolutions.schema.json"
"""Name of the file that the ``$schema`` of a resolutions file beside it names. An editor finds it without a
network.
"""


def resolutions_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``[P_]manual_resolutions.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tranship resolutions",
        "type": "object",
        "properties": {
            "$schema": _TEXT,
            "format_version": {"type": "integer"},
            "tool_version": _TEXT,
            "old_fingerprint": _TEXT,
            "new_fingerprint": _TEXT,
            "for_all": {
                "type": "array",
                "description": "decisions about all columns that change from one type to another;"
                " an entry under a table's name beats them",
                "items": {"$ref": "#/$defs/pattern"},
            },
            "resolutions": {
                "type": "object",
                "description": "old table name (bare: the configured schema, else public), or a flow as"
                " 'old -> new', to its entries",
                "patternProperties": _COMMENTS,
                "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/entry"}},
            },
        },
        "patternProperties": _COMMENTS,
        "additionalProperties": False,
        "required": ["resolutions"],
        "$defs": {"entry": _entry(), "pattern": _pattern(), "lookup": _lookup()},
    }


def _entry() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "action": {"enum": [*(action.value for action in Action), _PLACEHOLDER]},
            "old_column": _TEXT,
            "old_columns": {"type": "array", "items": _TEXT, "description": "with key_columns of a lookup"},
            "new_column": _TEXT,
            "value_mapping": {
                "type": "object",
                "additionalProperties": _SCALAR,
                "description": "old value to new value",
            },
            "lookup_table": {"$ref": "#/$defs/lookup"},
            "transform_sql": {
                **_TEXT,
                "description": "an expression over the old row, its columns as old.x; run by OLD's server",
            },
            "default_value": {
                **_SCALAR,
                "description": "for a value not found; null is NULL; absent rejects the row;"
                " USE_SCHEMA_DEFAULT with action default",
            },
            "null_value": {**_SCALAR, "description": "what NULL becomes"},
            "new_table": _TEXT,
            "new_schema": _TEXT,
            **_of_rows(),
            "constraint": {**_TEXT, "description": "of NEW's table, with actions adopt and tolerate"},
            "description": _TEXT,
            "because": _TEXT,
        },
        "patternProperties": _COMMENTS,
        "additionalProperties": False,
        "required": ["action"],
    }


def _of_rows() -> dict[str, Any]:
    """Returns the fields of actions that are about the rows of a flow."""
    children = {"enum": [word.value for word in Children]}
    return {
        "key_sql": {**_TEXTS, "description": "with a lookup: expressions in place of old columns"},
        "where": {**_TEXT, "description": "filter: over old; rows: over item. NULL does not select"},
        "children": {
            "description": "of rows that a filter leaves out: for all, or by old table",
            "anyOf": [children, {"type": "object", "additionalProperties": children}],
        },
        "from": {**_TEXT, "description": "rows: what makes the items, named item"},
        "order_by": {**_TEXT, "description": "rows: how items are numbered"},
        "key": {
            **_TEXTS,
            "description": "merge: expressions over old; existing: columns of NEW; query: output columns",
        },
        "keep": {**_TEXT, "description": "merge: the order in which the first row survives"},
        "repoint_children": {"type": "boolean"},
        "column": {**_TEXT, "description": "new_key: the old column that gets new values"},
        "as": {
            "description": "new_key",
            "anyOf": [
                {"enum": ["uuid", "number"]},
                _object({"uuid": _TEXT}),
                _object({"offset": {"type": "integer"}}),
            ],
        },
        "rows": {
            "enum": [word.value for word in ExistingRows],
            "description": "existing: what becomes of an old row that NEW holds already",
        },
        "sql": {**_TEXT, "description": "query: a SELECT over OLD"},
        "cut_by": {**_TEXT, "description": "query: the output column by whose ranges it is cut"},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": list(properties),
    }


def _pattern() -> dict[str, Any]:
    entry = _entry()
    of_columns = (
        "old_column",
        "old_columns",
        "new_column",
        "new_table",
        "new_schema",
        "constraint",
        *_of_rows(),
    )
    kept = {name: shape for name, shape in entry["properties"].items() if name not in of_columns}
    own = {
        "tables": {**_TEXT, "description": "old tables: * stands for any characters, ? for one"},
        "when": {**_TEXT, "description": "old and new type: timestamp -> timestamptz"},
        "action": {"enum": [Action.TRANSFORM.value, _PLACEHOLDER]},
        "transform_sql": {
            **_TEXT,
            "description": "an expression over the old row; {old_column} stands for each column's name",
        },
    }
    return {**entry, "properties": {**kept, **own}, "required": ["tables", "when", "action"]}


def _lookup() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "table": _TEXT,
            "key_column": _TEXT,
            "key_columns": {"type": "array", "items": _TEXT, "minItems": 1},
            "value_column": _TEXT,
            "schema": _TEXT,
            "database": {"enum": ["new", "old"], "default": "new"},
            "add_missing": {"type": "boolean", "description": "add the values that it lacks first"},
        },
        "patternProperties": _COMMENTS,
        "additionalProperties": False,
        "required": ["table", "value_column"],
    }
