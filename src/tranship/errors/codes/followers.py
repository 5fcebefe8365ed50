"""TS309 and TS305 about rows that follow others: what an entry says of the children of rows that a filter
leaves out cannot be done, and what merged rows had each.
"""

from __future__ import annotations

from tranship.errors.codes.shapes import NewKeyUnused, NotExecuted
from tranship.errors.message import RefusalMessage
from tranship.model.flow import FlowId
from tranship.model.names import TableName


class FollowedInCycle(RefusalMessage, frozen=True):
    code = NotExecuted.code
    about = "{flow}"
    message = "{flow}: 'children': 'leave_out' goes round in a circle over tables that refer to each other"
    hint = (
        "say of one of these tables what becomes of rows that refer to it:"
        ' {{"action": "filter", "where": "true", "children": "null"}}, or "reject"'
    )
    flow: FlowId


class NoReferenceToLose(RefusalMessage, frozen=True):
    code = NotExecuted.code
    about = "{flow}"
    message = "{flow}: 'children': 'null' of {parent} would leave {columns} as it is: NEW has no key there"
    hint = (
        "say by a transform_sql what becomes of it; or name the tables whose rows lose their"
        ' reference, and leave this one out: "children": {{"other_table": "null"}}'
    )
    flow: FlowId
    parent: TableName
    columns: str


class NamedChildNotBelow(RefusalMessage, frozen=True):
    code = NotExecuted.code
    about = "{flow}"
    message = "{flow}: 'children' says {word!r} of {child}, whose rows no foreign key leads to this table"
    hint = (
        "take {child} out of 'children'; where its rows are to be left out, too, give it a filter of its own"
    )
    flow: FlowId
    child: TableName
    word: str


class OnePartEach(RefusalMessage, frozen=True):
    code = NewKeyUnused.code
    warning = True
    about = "{flow}"
    message = (
        "{flow}: rows of {table} are merged, and NEW holds one row for each ({key} is unique): of two, the"
        " first in the order of OLD's key arrives, and the others are rejected;"
        " {entry}{chosen} says otherwise"
    )
    hint = "an entry of this flow says which of them arrives"
    flow: FlowId
    table: TableName
    key: str
    entry: str
    chosen: str
    """What has to be added to the entry."""
