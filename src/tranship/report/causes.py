"""Why rows are rejected, in words: causes first, then rows that are rejected because of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tranship.model.count import count_of
from tranship.model.reported_run import ReportedTable
from tranship.model.verdict import RejectCause, TableResult
from tranship.model.visible import printed
from tranship.report.error_codes import explain_state
from tranship.report.why import Why, why_words

EXISTING = '{"action": "existing", "rows": "keep"}'
"""The entry of the resolutions file that lets rows stay that NEW held before."""
OTHER_KEY = (
    'The entry finds rows by NEW\'s primary key. Where rows meet by another key, or "new_key" gives the '
    'primary key new values, it also has "key": ["column", …].'
)
"""When such an entry has to name a key, in one line."""
RAISING = "Defaults of the new database that raise, so that their rows are rejected"
HELD = frozenset({"HeldByNew", "HeldByOtherKey", "HeldBefore", "HeldOtherwise", "NotChangeable"})
"""Kinds of reasons for which a row of NEW's own stands in the way, and no decision about values helps."""
_SHOWN = 5
"""Values of one cause that are named on the terminal."""
_DEMAND = 200
"""Characters of a constraint's text that are shown; the result file has all of it."""


def cause_lines(
    tables: Sequence[TableResult | ReportedTable], *, values: bool, live: bool | None = False
) -> Iterator[str]:
    """Yields why rows are rejected. ``values``: values of rows may be shown; ``live``: the other rows
    arrived, None: the run was refused, and what can be done about rows is not said.
    """
    found = [(table.label, cause) for table in tables for cause in table.causes]
    found.sort(key=lambda one: -one[1].rows)
    parts = (
        ("Rejected rows by cause:", [one for one in found if not one[1].consequence]),
        ("Rejected because of these:", [one for one in found if one[1].consequence]),
    )
    for title, group in parts:
        yield from _group(title, group, values=values)
        if live is not None:
            yield from (f"  {line}" for line in choices([cause for _, cause in group], live=live))


def _group(title: str, group: Sequence[tuple[str, RejectCause]], *, values: bool) -> Iterator[str]:
    if group:
        yield title
    for label, cause in group:
        yield f"  [{_shown(label)}] {_shown(cause_words(cause, values=values))}"


def choices(causes: Sequence[RejectCause], *, live: bool) -> tuple[str, ...]:
    """Returns what a person can do where rows of NEW's own stand in the way; nothing for other causes.

    ``live``: the other rows arrived, so a decision about their table takes a rollback.
    """
    held = [cause for cause in causes if cause.what in HELD]
    if not held:
        return ()
    again = "move the rejected rows" if live else "repeat this command"
    remove = f"About rows that NEW holds: delete or change them there, and {again}"
    kinds = {cause.what for cause in held}
    # An exclusion constraint finds no one row that could stand for OLD's.
    if all(cause.sqlstate == "23P01" for cause in held):
        return (f"{remove}.",)
    if kinds <= _DECIDED.keys():
        return (f"{remove};", *(f"or {_DECIDED[kind]}." for kind in sorted(kinds)))
    first = "roll this run back, decide" if live else "decide"
    last = "run again" if live else again
    return (
        f"{remove};",
        f"or {first} that they stand for OLD's rows, and {last}. The resolutions file says so for a table:",
        f"{EXISTING}: NEW's row stays as it is; \"update\": it gets OLD's values.",
        OTHER_KEY,
    )


def explained_states(tables: Sequence[TableResult]) -> tuple[str, ...]:
    """Returns each SQLSTATE about which ``tranship explain`` says what can be done, the one of most rows
    first.
    """
    causes = [cause for table in tables for cause in table.causes]
    rows: Counter[str] = Counter()
    for cause in causes:
        if not cause.consequence and cause.what not in HELD and explain_state(cause.sqlstate) is not None:
            rows[cause.sqlstate] += cause.rows
    return tuple(state for state, _ in rows.most_common())


def only_held(causes: Sequence[RejectCause]) -> bool:
    """Returns whether nothing but rows of NEW's own stands in the way of the rejected rows."""
    held = [cause.what in HELD for cause in causes if not cause.consequence]
    return bool(held) and all(held)


def raising_lines(tables: Sequence[TableResult]) -> Iterator[str]:
    """Yields which defaults of NEW raise, so that a dry run predicts their rows to be rejected."""
    found = [(table.label, words) for table in tables for words in table.raising_defaults or ()]
    if found:
        yield f"{RAISING}:"
    for label, words in told_once(found):
        yield f"  [{_shown(label)}] {_shown(words)}"


def told_once(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yields each of the words once, in their order, with the first table of which they are said and how many
    more there are: the same is often said of every partition that moves by itself.

    Args:
        found: tables, each with what is said of it.
    """
    tables: dict[str, list[str]] = {}
    for label, words in found:
        tables.setdefault(words, []).append(label)
    for words, (first, *more) in tables.items():
        yield (f"{first} and {len(more)} more" if more else first), words


def not_asked_lines(tables: Sequence[TableResult | ReportedTable]) -> Iterator[str]:
    """Yields which checks were not possible before a run."""
    found = [(table.label, words) for table in tables for words in table.not_asked]
    if found:
        yield "Could not be asked beforehand:"
    for label, words in told_once(found):
        yield f"  [{_shown(label)}] {_shown(words)}"


def cause_words(cause: RejectCause, *, values: bool) -> str:
    """Returns why rows are rejected, and how many. ``values``: values of rows may be shown."""
    words = why_words(Why(cause.what, cause.sqlstate, cause.column, cause.constraint, cause.table))
    return f"{words}: {count_of(cause.rows, 'row')}{_values(cause, values=values)}{_demand(cause)}"


def _demand(cause: RejectCause) -> str:
    if cause.rule is None:
        return ""
    return f"; it demands {cause.rule[:_DEMAND]}{'…' if len(cause.rule) > _DEMAND else ''}"


_DECIDED = {
    "HeldByOtherKey": (
        "find rows of NEW by the columns of this constraint: the decision about them finds them by another "
        'key, which its entry names in "key"'
    ),
    "NotChangeable": (
        'let NEW\'s rows stay ("rows": "keep"): "update" is decided, and it leaves keys, and columns to '
        "which other tables refer, as they are"
    ),
}
"""What helps beside that where a decision is made that would help otherwise, by the kind of reason."""


def _values(cause: RejectCause, *, values: bool) -> str:
    if not cause.distinct_values:
        return ""
    count = "1 value" if cause.distinct_values == 1 else f"{cause.distinct_values} different values"
    if not values:
        return f", {count}"
    first = list(cause.values.items())[:_SHOWN]
    more = cause.distinct_values - len(first)
    named = ", ".join(f"{value!r} ({rows})" for value, rows in first)
    return f", {count}: {named}" + (f" and {more} more" if more else "")


def _shown(text: str) -> str:
    return printed(text).replace("\n", "\\n").replace("\t", "\\t")
