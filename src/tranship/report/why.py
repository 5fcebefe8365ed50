"""Why a row is rejected, in a few words without values of the row, the same for one row and for many."""

from __future__ import annotations

from typing import NamedTuple

_WORDS = {
    "MappingGap": "no entry in the value mapping of {column}",
    "LookupGap": "no entry in lookup table {table} for {column}",
    "LookupRejected": "the entry of lookup table {table} for {column} was rejected",
    "LookupIsAnother": "the row of lookup table {table} was rejected",
    "CheckViolated": "check {constraint} refuses the row",
    "EmptyPeriod": "the period in {column} is empty, and its key takes none",
    "InvalidByte": "a byte of {column} is not valid UTF-8",
    "NoEquivalent": "NEW's encoding lacks a character of {column}",
    "NoPartition": "no partition takes the row",
    "NullRefused": "NULL in {column}, which is NOT NULL",
    "DomainRefusesNull": "NULL in {column}, whose domain is NOT NULL",
    "ComesSecond": "another row of OLD with the same key comes first",
    "HeldByNew": "NEW already holds another row with the same key",
    "HeldByOtherKey": "NEW already holds another row with the same key, which is not the key of the decision",
    "HeldBefore": "NEW already held a row with its key",
    "HeldOtherwise": "NEW already held a row with its key and other values",
    "HeldNoMore": "the row that NEW held under its key is gone",
    "NotChangeable": "NEW already held a row with its key, and an update does not change what differs",
    "HeldByAnother": "another row of OLD stands for NEW's row with its key",
    "SurvivorRejected": "the row into which they are merged was rejected",
    "NoParentInOld": "no parent in OLD, and NEW's row under the key is another one",
    "ParentMissing": "no parent in {table}",
    "ParentLeftOut": "the parent in {table} is left out",
    "ParentLeftOutAndHeld": (
        "the parent in {table} is left out, and NEW's row under its key counts as another one"
    ),
    "ParentRejected": "the parent in {table} was rejected",
    "ParentIsAnother": "the parent in {table} was rejected, and NEW's row under its key is another one",
    "ParentMerged": "the parent in {table} is merged into another row, to which the row is not led",
    "ParentElsewhere": "NEW holds the parent in {table} under another key",
    "ParentKeyChanged": "a decision gives the parent in {table} another key, and the row keeps OLD's",
    "ParentNotThere": "the parent in {table} did not arrive or was deleted",
    "OldCannotCompute": "OLD cannot compute the row",
}
"""By the kind of a reason. What a server said is worded by its SQLSTATE."""
_EXCLUDED = {
    "ComesSecond": "another row of OLD that excludes it comes first",
    "HeldByNew": "NEW already holds a row that excludes it",
    "HeldByOtherKey": "NEW already holds a row that excludes it",
}
"""The same where an exclusion constraint decides: the keys of both rows need not be equal."""
_EXCLUSION = "23P01"
"""SQLSTATE exclusion_violation."""
_SAYS = {
    "0A000": "NEW does not support the value",
    "21000": "a subquery gives more than one row",
    "22000": "NEW refuses the value, mostly by a check of a function, such as a range whose ends are swapped",
    "22001": "too long",
    "22003": "out of range",
    "22004": "NULL where a function takes none",
    "22007": "not readable as a date or time",
    "22008": "no such date or time",
    "22012": "division by zero",
    "2201B": "not readable as a regular expression",
    "2201E": "a logarithm of a number that has none",
    "2201F": "a power or root that the number has not",
    "22021": "not in NEW's encoding",
    "22023": "a function does not take the value",
    "22025": "an escape that is not complete",
    "2202E": "an array whose dimensions or subscripts do not fit",
    "22032": "not readable as JSON",
    "2200M": "not readable as an XML document",
    "2200N": "not readable as XML content",
    "2200S": "not readable as an XML comment",
    "22P01": "a number with fractions that is out of range",
    "22P02": "not readable as the new type",
    "22P03": "not readable as the new type",
    "22P05": "it holds a character that NEW cannot store, such as \\u0000 in JSON",
    "23000": "a constraint of NEW refuses it",
    "23502": "NULL in a NOT NULL column",
    "23503": "foreign key: the parent is missing",
    "23505": "duplicate key",
    "23514": "check or partition refuses it",
    "23P01": "exclusion constraint",
    "25006": "a function writes where nothing may be written",
    "38000": "a function of NEW that is written in another language raises an error",
    "428C9": "NEW computes the column by itself and takes no value",
    "42501": "the role lacks a privilege that the row needs",
    "42601": "the new type refuses its syntax, as tsquery refuses two words without an operator",
    "42602": "the new type refuses it as a name",
    "42703": "it names a column that NEW lacks",
    "42704": "it needs an object or a setting that NEW lacks",
    "42804": "a value has not the type that is needed",
    "42883": "it names a function that NEW lacks",
    "42P01": "it names a table that NEW lacks",
    "44000": "the view of NEW does not show such a row (WITH CHECK OPTION)",
    "54000": "too large for a page of NEW",
    "54001": "too deep or too complex for NEW, such as JSON with very many levels",
    "57014": "a time limit of NEW ended the statement",
    "P0001": "a function or trigger of NEW raises an error",
    "P0002": "a function or trigger of NEW finds no row that it needs",
    "P0004": "an ASSERT in a function or trigger of NEW fails",
}
"""What a server said, by SQLSTATE."""
_CLASSES = {
    "21": "an expression gives more than one row",
    "22": "NEW refuses the value",
    "23": "a constraint of NEW refuses it",
    "38": "a function of NEW raises an error",
    "39": "a function of NEW raises an error",
    "42": "NEW cannot evaluate what the row needs",
    "54": "too large for NEW",
    "P0": "a function or trigger of NEW raises an error",
}
"""The same for every other SQLSTATE of a class."""
_ANY_OTHER = "NEW refuses the row"


class Why(NamedTuple):
    """Why one or more rows are rejected, without their values."""

    what: str
    """The kind of the reason."""
    sqlstate: str
    column: str | None = None
    constraint: str | None = None
    table: str | None = None


def why_words(why: Why, *, lead: str = "") -> str:
    """Returns why a row is rejected, with SQLSTATE and constraint. ``lead`` stands before a column's name
    that the words do not hold by themselves.
    """
    excluded = _EXCLUDED.get(why.what) if why.sqlstate == _EXCLUSION else None
    template = excluded or _WORDS.get(why.what, "")
    names = {"column": why.column or "a column", "table": why.table, "constraint": why.constraint}
    words = template.format_map(names) if template else says(why.sqlstate)
    if why.column is not None and (lead or not template) and "{column}" not in template:
        words = f"{lead}{why.column}: {words}"
    beside = why.constraint if why.constraint and "{constraint}" not in template else None
    code = " ".join(filter(None, (why.sqlstate, beside)))
    return f"{words} ({code})"


def says(sqlstate: str) -> str:
    """Returns what a server says by an SQLSTATE, in words."""
    return _SAYS.get(sqlstate) or _CLASSES.get(sqlstate[:2], _ANY_OTHER)
