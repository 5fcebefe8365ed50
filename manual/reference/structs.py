"""The fields of a type and the sentences that stand below them in its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path

_HEADS = Path(__file__).resolve().parent / "heads"


def head(name: str) -> str:
    """Returns what stands above the generated part of a page."""
    return (_HEADS / name).read_text(encoding="utf-8").rstrip()


@dataclass(frozen=True)
class Field:
    """A field of a type."""

    name: str
    type: str
    """As the source says it."""
    default: str | None
    """As the source says it; None: there is none."""
    text: str
    """Its docstring in one line, or nothing."""


def fields(cls: type) -> list[Field]:
    """Returns the fields of a type in the order of its source; those of the types it extends come first."""
    found: dict[str, Field] = {}
    for one in reversed(cls.__mro__):
        if one.__module__.startswith("tranship."):
            found |= {field.name: field for field in _own(one)}
    return list(found.values())


def _own(cls: type) -> list[Field]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    found = []
    for node, following in zip(definition.body, [*definition.body[1:], None], strict=True):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                default = None if value is None else ast.unparse(value)
                found.append(Field(name, ast.unparse(annotation), default, _docstring(following)))
    return found


def _docstring(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(inspect.cleandoc(text).split())
    return ""


def sentences(thing: object) -> str:
    """Returns a docstring as Markdown: double backticks become single ones, ``Args:`` and the like lists."""
    return (inspect.getdoc(thing) or "").replace("``", "`")


def cell(text: str) -> str:
    """Returns a text as a cell of a Markdown table."""
    return text.replace("``", "`").replace("|", "\\|").replace("<", "&lt;")
