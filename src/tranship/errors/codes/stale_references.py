"""TS308: references that lead to nothing or to another row, where NEW has no foreign key that would notice,
or nobody can compare the keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.errors.message import RefusalMessage
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.resolution import Problem


class ReferenceStays(RefusalMessage, frozen=True):
    code = "TS308"
    meaning = (
        "a reference that NEW does not check leads to nothing or to another row: its key becomes other values"
        " or is not moved, or its parent does not arrive"
    )
    cure = (
        "give the reference the same expression or mapping, or look the parent's new key up, if it is to lead"
        " to the same row; it is a warning unless a foreign key of NEW is concerned"
    )
    warning = True
    about = "{flow}"
    message = (
        "{flow}: {column!r} keeps the values of OLD's {table}.{key}, which {becomes} {parent}; no"
        " foreign key of NEW would notice"
    )
    hint = (
        "give it the same expression or mapping, or look the parent's new key up ('lookup_table' with"
        ' "database": "old"), if it is to lead to the same row'
    )
    flow: FlowId
    column: str
    table: TableName
    key: str
    becomes: str
    parent: FlowId


class ReferenceUndeclared(RefusalMessage, frozen=True):
    code = ReferenceStays.code
    warning = True
    about = "{flow}"
    message = (
        "{flow}: {column!r} looks like a reference to OLD's {table}, whose rows get other keys in {parent}:"
        " it keeps the old ones, for no foreign key says that it follows"
    )
    hint = "declare the foreign key in NEW, and the values follow; or decide an expression or a mapping"
    flow: FlowId
    column: str
    table: TableName
    parent: FlowId


class ReferenceOfAnyTable(RefusalMessage, frozen=True):
    code = ReferenceStays.code
    warning = True
    about = "{flow}"
    message = (
        "{flow}: {column!r} may refer to {tables} beside {kind!r}, and rows there get other keys: it keeps"
        " the old ones"
    )
    hint = "decide a transform_sql that gives the new key for each kind; an 'offset' is one that SQL can add"
    flow: FlowId
    column: str
    kind: str
    tables: str


class ReferenceComputed(RefusalMessage, frozen=True):
    code = ReferenceStays.code
    warning = True
    about = "{flow}"
    message = (
        "{flow}: an expression fills {column!r}, which refers to {parent}, and rows of OLD's {tables} get"
        " other ids there: an old id would lead to whichever row has it in NEW"
    )
    hint = (
        "look at what the expression gives for rows of {tables}: it has to make the same ids; an 'offset' is"
        " one that SQL can add; a preview shows the rows"
    )
    flow: FlowId
    column: str
    parent: TableName
    tables: tuple[TableName, ...]


class RowsWithoutParent(RefusalMessage, frozen=True):
    code = ReferenceStays.code
    warning = True
    about = "{place}"
    message = (
        "{place}: {rows} without a parent in {parents} ({columns}): OLD has a foreign key there, and NEW has"
        " none"
    )
    hint = (
        "they are kept; rejected parents can arrive later (--rejects-only), and where a filter leaves the"
        ' parents out, "children": "leave_out" in its entry leaves these rows out, too'
    )
    place: str
    """The flow; the table of NEW where several flows fill it."""
    rows: str
    parents: str
    columns: str


class ReferenceNotCompared(RefusalMessage, frozen=True):
    code = ReferenceStays.code
    about = "{flow}"
    message = (
        "{flow}: what foreign key {key!r} refers to keeps the values of OLD's {table}, which become others in"
        " {parent}, and neither database can compare them"
    )
    hint = (
        "give the reference the same expression or mapping; or 'adopt' constraint {key!r} where NEW's rows"
        " under the old values are meant"
    )
    flow: FlowId
    key: str
    table: TableName
    parent: FlowId


def of_references(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Returns those of the problems that are about references of this kind."""
    return tuple(problem for problem in problems if problem.code == ReferenceStays.code)
