"""TS388 and TS396 to TS398: what forbids to move the rejected rows of earlier runs again, and what forbids to
roll those runs back.
"""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.names import TableName


class TakenUpLater(RefusalMessage, frozen=True):
    code = "TS388"
    meaning = "a later run moved rows that the run had rejected"
    cure = "roll that one back first"
    about = "{run}"
    message = (
        "the run {later} moved rows that the run {run} had rejected: "
        "without {run} they would be a part of a table"
    )
    hint = "roll that one back first: {command}"
    run: str
    later: str
    command: str


class NothingMoved(RefusalMessage, frozen=True):
    code = "TS396"
    meaning = "`--rejects-only`, and no finished run from the same OLD left rejected rows"
    cure = "leave `--rejects-only` out"
    message = "no finished run from this OLD moved one of these tables, so there are no rejected rows"
    hint = "leave --rejects-only out: migrate --live moves all rows"


class NothingRejected(NothingMoved, frozen=True):
    message = "no row of these tables is rejected: there is nothing to move again"
    hint = "leave --rejects-only out"


class OtherValues(RefusalMessage, frozen=True):
    code = "TS397"
    meaning = (
        "`--rejects-only`, and the decisions would give other values to rows that are in NEW already: "
        "the table would hold rows of two kinds"
    )
    cure = "decide only about rejected rows, or roll the earlier runs back and run again"
    about = "{table}"
    message = (
        "{table}: {rows:# row|# rows} that the run {run} wrote would have other values "
        "under these decisions, "
        "in {columns}"
    )
    hint = (
        "keep the earlier decisions for those rows and decide only about the rejected ones, "
        "or roll the earlier runs back (tranship rollback CONFIG --live) and move all rows"
    )
    table: TableName
    run: str
    rows: int
    columns: tuple[str, ...]


class ValuesNotCompared(RefusalMessage, frozen=True):
    code = OtherValues.code
    about = "{table}"
    message = (
        "{table}: whether rows that the run {run} wrote would have other values in {column} "
        "cannot be told: {why}"
    )
    hint = OtherValues.hint
    table: TableName
    run: str
    column: str
    why: str


class OtherRowsTaken(RefusalMessage, frozen=True):
    code = OtherValues.code
    about = "{table}"
    message = "{table}: these decisions take other rows of OLD than those of the run {run}"
    hint = OtherValues.hint
    table: TableName
    run: str


class NotFoundAgain(RefusalMessage, frozen=True):
    code = "TS398"
    meaning = "`--rejects-only`, and nothing tells which rows of OLD are the rejected ones"
    cure = "roll the earlier run back and run again, or leave the table out of `tables`"
    about = "{table}"
    message = "the {rows:# rejected row|# rejected rows} of {table} cannot be found in OLD again: {why}"
    hint = (
        "roll the earlier run back and move all rows: {command}; "
        'or name the other tables alone in "tables" of the configuration'
    )
    table: str
    """The table of OLD, or the name of the flow."""
    rows: int
    why: str
    command: str


class ParentsNotOnRecord(NotFoundAgain, frozen=True):
    message = (
        "the {rows:# rejected row|# rejected rows} of {table} cannot be moved alone: {why}, and the "
        "journal does not hold which row of NEW stands for each of these"
    )
    hint = (
        "correct the decisions, then roll the run back: {command}; and move all rows: {again}; "
        'to move only the rejected rows of other tables, name those in "tables" of the configuration, '
        "or leave this one out with -T"
    )
    again: str


class RejectedInEarlierFormat(NotFoundAgain, frozen=True):
    message = (
        "the {rows:# rejected row|# rejected rows} of {table} cannot be moved under mended decisions: "
        "tranship {why} wrote the run, and its journal does not hold the decisions of then"
    )
