"""Values of a row as one JSON object that OLD writes: for people, and for the client to pass on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.model.catalog import Column
from tranship.sql.quote import ident, literal
from tranship.sql.types.strings import byte_text


def object_and_rest(texts: Mapping[int, str], wanted: Sequence[int]) -> list[str]:
    """Returns SQL for one JSON object, without its opening brace, of the wanted texts under the names
    ``c0, c1 …``, and for each other text whether it is NULL: it is computed all the same.
    """
    values = [f"COALESCE(CAST(pg_catalog.to_json({texts[n]}) AS pg_catalog.text), 'null')" for n in wanted]
    # From an array, as in `json_object`.
    fields = ", ".join(f"'\"c{n}\":' || {value}" for n, value in enumerate(values))
    joined = f"pg_catalog.array_to_string(ARRAY[{fields}], ',') || '}}'"
    return [joined, *(f"({text}) IS NULL" for n, text in texts.items() if n not in wanted)]


def json_object(columns: Sequence[Column], row: str = "old") -> str:
    """Returns SQL for columns of a row as one JSON object, as text.

    It is built from an array: a function takes no more than 100 arguments, so json_build_object would take 50
    columns, and a chain of 1,600 || exceeds the parser's stack.
    """
    if not columns:
        return "NULL::pg_catalog.text"
    pairs = []
    for column in columns:
        own = f"{row}.{ident(column.name)}"
        shown = byte_text(own) if column.type.leaf.typname == "char" else own
        value = f"CAST(pg_catalog.to_json({shown}) AS pg_catalog.text)"
        pairs.append(f"{literal(json_name(column.name))} || COALESCE({value}, 'null')")
    return f"'{{' || pg_catalog.array_to_string(ARRAY[{', '.join(pairs)}], ', ') || '}}'"


def json_name(name: str) -> str:
    """Returns a column's name as a JSON string with its colon."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + '": '
