"""Reads the fields of one entry of a resolutions file: which there are, and of which shape each must be."""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import UNSET, Struct, UnsetType

from tranship.codec.files import Document, child
from tranship.codec.jsonc import JsonValue, Number
from tranship.errors.codes.entries import Malformed, NoScalar, UnknownField, UnknownValue, WrongShape
from tranship.errors.message import Message
from tranship.model.resolution import JsonText, LookupTable, Problem, Resolution
from tranship.model.shape import Children, KeyKind, NewKey
from tranship.model.text import nearest

COMMENTS = "_comments"
"""Key of an entry under which the ``//`` comments are kept when the file is written again."""
_NAMES = (
    *("action", "old_column", "new_column", "transform_sql", "new_table", "new_schema", "constraint"),
    *("where", "from", "order_by", "keep", "column", "rows", "sql", "cut_by", "description", "because"),
)
FIELDS = (
    *_NAMES,
    *("default_value", "null_value", "old_columns", "value_mapping", "lookup_table"),
    *("key_sql", "children", "key", "repoint_children", "as"),
)
"""The fields of an entry under a table's name or a flow's."""
OF_A_PATTERN = (
    *("tables", "when", "action", "value_mapping", "lookup_table", "transform_sql"),
    *("default_value", "null_value", "description", "because"),
)
"""The fields of an entry of ``for_all``: it names no columns, because it is about all of two types."""
_LOOKUP = ("table", "key_column", "key_columns", "value_column", "schema", "database", "add_missing")
NEW_VALUES = '"uuid", {"uuid": "a namespace"}, {"offset": 1000000} or "number"'


def plain_json(value: JsonValue) -> str:
    """Returns a value as JSON text on one line, with the digits of its numbers as they were written."""
    match value:
        case Number(text=text):
            return text
        case dict():
            members = (
                f"{json.dumps(key, ensure_ascii=False)}: {plain_json(member)}"
                for key, member in value.items()
            )
            return "{" + ", ".join(members) + "}"
        case list():
            return "[" + ", ".join(plain_json(member) for member in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _with_comments(entry: dict[str, JsonValue], comments: list[str]) -> dict[str, JsonValue]:
    """Returns the entry with its comments under a key, so that they are kept when the file is written
    again.
    """
    earlier = entry.get(COMMENTS)
    known: list[JsonValue] = earlier if isinstance(earlier, list) else [] if earlier is None else [earlier]
    return {**entry, COMMENTS: [*known, *comments]} if comments else entry


class _Scalar(Struct, frozen=True):
    text: JsonText | None


class EntryFields:
    """The reader of the entries of one document. It gathers the problems of all of them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def resolution(
        self, table: str, path: str, entry: dict[str, JsonValue], comments: list[str]
    ) -> Resolution:
        """Returns an entry as a noun; what is wrong with it is among the problems, and then it is of no
        use.
        """
        names = {field: self.name(entry, path, field) for field in _NAMES}
        return Resolution(
            table=table,
            path=path,
            line=self._document.line(path),
            source=plain_json(_with_comments(entry, comments)),
            action=names["action"] or "",
            old_column=names["old_column"],
            old_columns=self._list(entry, path, "old_columns"),
            new_column=names["new_column"],
            value_mapping=self._mapping(entry, path),
            lookup_table=self._lookup(entry, path),
            key_sql=self._one_or_more(entry, path, "key_sql"),
            transform_sql=names["transform_sql"],
            default_value=self._value(entry, path, "default_value"),
            null_value=self._value(entry, path, "null_value"),
            new_table=names["new_table"],
            new_schema=names["new_schema"],
            constraint=names["constraint"],
            where=names["where"],
            children=self._children(entry, path),
            items=names["from"],
            order_by=names["order_by"],
            key=self._one_or_more(entry, path, "key"),
            keep=names["keep"],
            repoint_children=self._flag(entry, path, "repoint_children"),
            column=names["column"],
            new_values=self._new_values(entry, path, names["column"] or ""),
            rows=names["rows"],
            query=names["sql"],
            cut_by=names["cut_by"],
            description=names["description"] or "",
            because=names["because"] or "",
        )

    def known_only(self, value: Mapping[str, JsonValue], path: str, known: tuple[str, ...]) -> None:
        """Adds a problem for every key that is neither known nor a comment."""
        for key in value:
            if key not in known and not key.startswith("_"):
                near = nearest(key, known)
                hint = f"did you mean {near!r}?" if near else f"known: {', '.join(known)}"
                self.problem(child(path, key), UnknownField(key, hint))

    def problem(self, path: str, what: Message) -> None:
        """Adds a problem about a place of the document."""
        self.problems.append(what.problem(f"{path}, line {self._document.line(path)}"))

    def name(self, entry: Mapping[str, JsonValue], path: str, field: str) -> str | None:
        """Returns the text of a field; None where it is absent, or no text, which is a problem."""
        value = entry.get(field)
        if value is None or isinstance(value, str):
            return value
        self.problem(child(path, field), WrongShape("a text"))
        return None

    def _list(self, entry: Mapping[str, JsonValue], path: str, field: str) -> tuple[str, ...]:
        value = entry.get(field)
        if value is None:
            return ()
        if isinstance(value, list) and value and all(isinstance(member, str) for member in value):
            return tuple(str(member) for member in value)
        self.problem(child(path, field), WrongShape("a list of texts that is not empty"))
        return ()

    def _one_or_more(self, entry: Mapping[str, JsonValue], path: str, field: str) -> tuple[str, ...]:
        value = entry.get(field)
        return (value,) if isinstance(value, str) else self._list(entry, path, field)

    def _flag(self, entry: Mapping[str, JsonValue], path: str, field: str) -> bool | None:
        value = entry.get(field)
        if value is None or isinstance(value, bool):
            return value
        self.problem(child(path, field), WrongShape("true or false"))
        return None

    def _scalar(self, value: JsonValue, path: str) -> _Scalar | None:
        match value:
            case None | str():
                return _Scalar(value)
            # Before numbers: in JSON true is no number, and servers read the word.
            case bool():
                return _Scalar("true" if value else "false")
            case Number(text=text):
                return _Scalar(text)
            case _:
                self.problem(path, NoScalar())
                return None

    def _value(self, entry: Mapping[str, JsonValue], path: str, field: str) -> JsonText | UnsetType | None:
        if field not in entry:
            return UNSET
        scalar = self._scalar(entry[field], child(path, field))
        return scalar.text if scalar is not None else UNSET

    def _mapping(
        self, entry: Mapping[str, JsonValue], path: str
    ) -> tuple[tuple[str, JsonText | None], ...] | None:
        value = entry.get("value_mapping")
        if value is None:
            return None
        inside = child(path, "value_mapping")
        if not isinstance(value, dict):
            self.problem(inside, WrongShape("an object: old value to new value"))
            return None
        scalars = [(key, self._scalar(result, child(inside, key))) for key, result in value.items()]
        return tuple((key, scalar.text) for key, scalar in scalars if scalar is not None)

    def _lookup(self, entry: Mapping[str, JsonValue], path: str) -> LookupTable | None:
        value = entry.get("lookup_table")
        if value is None:
            return None
        inside = child(path, "lookup_table")
        if not isinstance(value, dict):
            self.problem(inside, WrongShape(f"an object with {', '.join(_LOOKUP)}"))
            return None
        self.known_only(value, inside, _LOOKUP)
        self._needed(value, inside, ("table",), ("value_column",), ("key_column", "key_columns"))
        named = self.name(value, inside, "database")
        database = "new" if named is None else named
        if database not in ("new", "old"):
            self.problem(child(inside, "database"), WrongShape(f'"new" or "old", not {database!r}'))
        return LookupTable(
            table=self.name(value, inside, "table") or "",
            value_column=self.name(value, inside, "value_column") or "",
            key_column=self.name(value, inside, "key_column"),
            key_columns=self._list(value, inside, "key_columns"),
            schema=self.name(value, inside, "schema"),
            database="old" if database == "old" else "new",
            add_missing=self._flag(value, inside, "add_missing") or False,
        )

    def _needed(self, value: Mapping[str, JsonValue], path: str, *choices: tuple[str, ...]) -> None:
        """Adds a problem for each choice of fields of which none is there."""
        for fields in choices:
            if all(value.get(field) is None for field in fields):
                self.problem(path, Malformed(" or ".join(map(repr, fields))))

    def _children(self, entry: Mapping[str, JsonValue], path: str) -> tuple[tuple[str, Children], ...]:
        """Returns what becomes of children, by old table; an empty name stands for all of them."""
        value = entry.get("children")
        inside = child(path, "children")
        if value is None:
            return ()
        words: list[tuple[str, JsonValue]] = list(value.items()) if isinstance(value, dict) else [("", value)]
        found = []
        known = tuple(one.value for one in Children)
        for name, word in words:
            place = child(inside, name) if name else inside
            if isinstance(value, dict) and not name:
                # An empty name stands for all children where one word is given.
                self.problem(inside, Malformed("the name of an old table before each word"))
            elif not isinstance(word, str):
                self.problem(place, WrongShape("a word, or an object: old table to word"))
            elif word not in known:
                self.problem(place, UnknownValue(word, _did_you_mean(word, known)))
            else:
                found.append((name, Children(word)))
        return tuple(found)

    def _new_values(self, entry: Mapping[str, JsonValue], path: str, column: str) -> NewKey | None:
        """Returns how the new values of a key are made; None where the field is absent or wrong."""
        value = entry.get("as")
        match value:
            case None:
                return None
            case "uuid":
                return NewKey(column, KeyKind.UUID)
            case "number":
                return NewKey(column, KeyKind.NUMBER)
            case {"uuid": str(namespace), **rest} if not rest:
                return NewKey(column, KeyKind.UUID, namespace=namespace)
            case {"offset": Number(text=text), **rest} if not rest and text.lstrip("-").isdigit():
                return NewKey(column, KeyKind.OFFSET, offset=int(text))
            case str():
                near = nearest(value, ("uuid", "number"))
                meant = f"did you mean {near!r}? " if near else ""
                self.problem(child(path, "as"), UnknownValue(value, f"{meant}'as' is {NEW_VALUES}"))
            case _:
                self.problem(child(path, "as"), WrongShape(NEW_VALUES))
        return None


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else f"known: {', '.join(known)}"
