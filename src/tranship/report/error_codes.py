"""The table of error codes in words: for ``tranship explain`` and for the manual."""

from __future__ import annotations

import re
from string import Formatter
from typing import get_type_hints

from msgspec import Struct

from tranship.errors import Message, table
from tranship.report.why import says

_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


class ExplainedMessage(Struct, frozen=True):
    """One message of a code as it is printed, with ``<field>`` where a run fills something in."""

    message: str
    hint: str
    object: str
    fields: dict[str, str]
    """Each field of the message with its type."""
    warning: bool = False
    """The message is shown and refuses nothing."""


class Explanation(Struct, frozen=True):
    """What an error code means and what to do."""

    code: str
    meaning: str
    what_to_do: str
    exit_status: tuple[int, ...]
    """Of the messages that are no warnings, which end nothing; empty: all are warnings."""
    messages: tuple[ExplainedMessage, ...]


def explain(code: str) -> Explanation:
    """Returns what a code of the table means; the manual's links become paths."""
    head, messages = table.rows()[code], table.messages(code)
    return Explanation(
        code=code,
        meaning=_sentence(head.meaning),
        what_to_do=_sentence(head.cure),
        exit_status=tuple(sorted({one.exit_status for one in messages if not one.warning})),
        messages=tuple(_message(one) for one in messages),
    )


_BY_EXPRESSION = "read the old value by an expression (transform_sql)"
_BY_FUNCTION = (
    "look at what the function or trigger of NEW demands (the rejects file has its words), and change the "
    "value by an expression (transform_sql), or the function"
)
_STATES = {
    "21000": "make the subquery of the expression give one row: by LIMIT 1, an aggregate or a condition",
    "22000": _BY_EXPRESSION,
    "22001": "widen the column of NEW, or shorten the text by an expression (transform_sql)",
    "22003": _BY_EXPRESSION,
    "22007": _BY_EXPRESSION,
    "22008": _BY_EXPRESSION,
    "22012": "divide by NULLIF(…, 0) in the expression",
    "22021": (
        "read the bytes by an expression (transform_sql). Where OLD is SQL_ASCII and holds Latin-1, too, "
        "this one reads the rejected rows: CASE WHEN old.id IN (…) THEN convert_from(convert(convert_to("
        "old.name, 'SQL_ASCII'), 'LATIN1', 'UTF8'), 'SQL_ASCII') ELSE old.name END"
    ),
    "22023": "add the value to the value_mapping or to the lookup table",
    "22P02": _BY_EXPRESSION,
    "22P05": "remove it by an expression, such as replace(old.doc, '\\u0000', '')",
    "23502": "give a null_value or a default_value, or leave such rows out by a filter",
    "23503": (
        "correct or delete the row in OLD, or make the column NULL by an expression; a row whose parent was "
        "rejected arrives once the parent does (--rejects-only)"
    ),
    "23505": (
        "make equal rows of OLD one by a merge; where NEW holds another row, delete or change that row, or "
        "decide about it with the action existing"
    ),
    "23514": "change the value by an expression (transform_sql), or the constraint of NEW",
    "23P01": "delete or change the row of NEW or of OLD that stands in the way",
    "42501": "grant what the message names to the role of the run",
    "42601": "make the text follow the syntax of the type by an expression (transform_sql)",
    "42704": "set what the row needs for the role of the run, or decide default for the column",
    "54000": "shorten the value by an expression (transform_sql), or drop the index that it is too long for",
    "57014": "give the role of the run more time (statement_timeout), and move the rejected rows again",
}
"""What to do about rows that are rejected with an SQLSTATE; `why` says what the most usual ones mean."""
_STATES_OF_CLASSES = {
    "0A": _BY_EXPRESSION,
    "21": "make the expression give one row",
    "22": _BY_EXPRESSION,
    "23": "change the value by an expression (transform_sql), or the constraint of NEW",
    "25": _BY_FUNCTION,
    "38": _BY_FUNCTION,
    "39": _BY_FUNCTION,
    "42": (
        "make NEW hold what the row needs (the rejects file names it), or change the value by an expression "
        "(transform_sql)"
    ),
    "44": "change the value by an expression (transform_sql), or the view of NEW",
    "54": "make the value smaller by an expression (transform_sql)",
    "P0": _BY_FUNCTION,
}
"""The same for every other SQLSTATE of a class, of those with which a server can refuse a row."""
_STATE = re.compile(r"[0-9A-Z]{2}[0-9A-Z]{3}")


class ExplainedState(Struct, frozen=True):
    """What an SQLSTATE says of a rejected row, and what to do."""

    code: str
    meaning: str
    what_to_do: str


def explain_state(code: str) -> ExplainedState | None:
    """Returns what an SQLSTATE says of a rejected row; None: nothing can be said of it."""
    what_to_do = _STATES.get(code) or _STATES_OF_CLASSES.get(code[:2])
    if what_to_do is None or not _STATE.fullmatch(code):
        return None
    meaning = "no entry for the value" if code == "22023" else says(code)
    return ExplainedState(code, _sentence(meaning), _sentence(what_to_do))


def state_text(explained: ExplainedState) -> str:
    """Returns the same for a terminal."""
    return (
        f"{explained.code}  An SQLSTATE of PostgreSQL; of a rejected row it says: {explained.meaning}\n"
        f"  What to do: {explained.what_to_do}\n"
        "  The values are in the rejects file, whose name stands at the end of the run."
    )


def explanation_text(explained: Explanation) -> str:
    """Returns an explanation for a terminal."""
    lines = [
        f"{explained.code}  {explained.meaning}",
        f"  What to do: {explained.what_to_do}",
        f"  Exit status: {_ends_with(explained)}",
        "  It reads:",
    ]
    for one in explained.messages:
        lines.append(f"    {'⚠ ' if one.warning else ''}{one.message}")
        if one.hint:
            lines.append(f"      hint: {one.hint}")
    return "\n".join(lines)


def _ends_with(explained: Explanation) -> str:
    """Returns the exit status in words. Where some messages are warnings, their lines show which."""
    statuses = " or ".join(str(status) for status in explained.exit_status)
    if not statuses:
        return "none, this is a warning"
    warns = any(one.warning for one in explained.messages)
    return f"{statuses}; none where it is a warning (⚠)" if warns else statuses


def codes_text() -> str:
    """Returns every code with its meaning, one a line."""
    return "\n".join(f"{code}  {_sentence(row.meaning)}" for code, row in table.rows().items())


def manual_table() -> str:
    """Returns the table of ``docs/errors.md``: Markdown, one row per code."""
    rows = [f"| {code} | {row.meaning} | {row.cure} |" for code, row in table.rows().items()]
    return "\n".join(["| Code | What it means | What to do |", "|---|---|---|", *rows])


def _message(one: type[Message]) -> ExplainedMessage:
    types = get_type_hints(one)
    return ExplainedMessage(
        message=_open(one.message),
        hint=_open(one.hint),
        object=_open(one.about),
        fields={name: getattr(types[name], "__name__", str(types[name])) for name in one.__struct_fields__},
        warning=one.warning,
    )


def _open(template: str) -> str:
    """Returns the template with ``<field>`` in place of each field, its words as for several things."""
    parts = Formatter().parse(template)
    return "".join(
        text + ("" if field is None else _place(field, form or "")) for text, field, form, _ in parts
    )


def _place(field: str, form: str) -> str:
    _, agrees, many = form.partition("|")
    return many.replace("#", f"<{field}>") if agrees else f"<{field}>"


def _sentence(words: str) -> str:
    plain = _LINK.sub(r"\1 (docs/\2)", words)
    return f"{plain[0].upper()}{plain[1:]}."
