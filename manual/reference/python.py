"""The reference of the Python library, read from `tranship.api`."""

from __future__ import annotations

import enum
import inspect
import re
from types import FunctionType
from typing import get_args

from manual.reference.structs import Field, cell, fields, head, sentences
from tranship import api


def page() -> str:
    """Returns the page in Markdown."""
    functions, errors, types = [], [], []
    for name in api.__all__:
        one = getattr(api, name)
        if inspect.isfunction(one):
            functions += [f"### {name}", _signature(one), _prose(one)]
        elif members := get_args(one):
            types += [f"### {name}", "One of " + ", ".join(f"`{each.__name__}`" for each in members) + "."]
        elif issubclass(one, Exception):
            errors += [f"### {name}", f"A `{one.__bases__[0].__name__}`. {_prose(one)}"]
        else:
            types += [f"### {name}", _prose(one), *_body(one)]
    titles = ("## Functions", "## Exceptions", "## Types")
    parts = [head("python.md"), titles[0], *functions, titles[1], *errors, titles[2], *types]
    return "\n\n".join(part for part in parts if part) + "\n"


def _signature(function: FunctionType) -> str:
    """Returns the head of a function as its source has it."""
    found = re.search(r"(?:async )?def .*?\) ->[^:]*:", inspect.getsource(function), re.DOTALL)
    assert found
    return f"```text\n{found[0].removesuffix(':')}\n```"


def _prose(thing: object) -> str:
    """Returns a docstring, its lists of arguments and exceptions as lists of Markdown."""
    lines: list[str] = []
    for line in sentences(thing).splitlines():
        if re.fullmatch(r"(Args|Raises|Returns|Attributes):", line):
            lines += [f"**{line.removesuffix(':')}**", ""]
        elif item := re.match(r"    ([\w, ]+): (.*)", line):
            lines.append(f"- `{item[1]}`: {item[2]}")
        else:
            lines.append(f"  {line.strip()}" if line.startswith("        ") else line)
    return "\n".join(lines).strip()


def _body(cls: type) -> list[str]:
    """Returns the members of an enumeration, or the fields of a type, and its methods."""
    if issubclass(cls, enum.Enum):
        return ["\n".join(f"- `{one.name}` = `{one.value!r}`" for one in cls)]
    methods = [
        f"- `{name}{'' if isinstance(one, property) else '()'}`: {sentences(one).partition(chr(10))[0]}"
        for name, one in vars(cls).items()
        if _is_public_method(name, one)
    ]
    rows = [f"| `{one.name}` | {_type(one)} | {cell(one.text)} |" for one in fields(cls)]
    head = ["| Field | Type | Meaning |", "|---|---|---|"]
    return ["\n".join([*head, *rows]) if rows else "", "\n".join(methods)]


def _is_public_method(name: str, member: object) -> bool:
    is_method = isinstance(member, property | classmethod | FunctionType)
    return is_method and not name.startswith("_") and bool(inspect.getdoc(member))


def _type(field: Field) -> str:
    default = "" if field.default is None else f" = {field.default}"
    return f"`{field.type}{default}`".replace("|", "\\|")
