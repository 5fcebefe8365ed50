"""TS300 to TS303, TS316, TS330, TS339 to TS342 and TS387: open decisions, stale files, and what OLD refuses
to compute.
"""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.names import Side, TableName


class OpenQuestion(RefusalMessage, frozen=True):
    code = "TS330"
    meaning = "a placeholder is left"
    cure = "decide it"
    message = "open question: {question}"
    hint = "replace the placeholder by a decision, or delete the entry where it is settled"
    question: str


class PlaceholderLeft(OpenQuestion, frozen=True):
    message = "a placeholder (SPECIFY_…) is left in the answer{of}"
    hint = "replace it by a value"
    question: str = ""
    of: str = ""


class SuggestionNotTaken(RefusalMessage, frozen=True):
    code = "TS316"
    meaning = (
        "part of the file has no effect: an entry takes the action of its `_suggestion` and not the field "
        "that says how, or keeps a placeholder although another entry answers it"
    )
    cure = (
        "copy the field out of `_suggestion` into the entry, or delete the entry that is answered elsewhere; "
        "nothing has to be done where the file means what it says"
    )
    warning = True
    message = "{action!r} alone: the {field} in _suggestion is a comment, and is not used"
    hint = "copy {field} out of _suggestion into the entry, or delete _suggestion if it is not meant"
    action: str
    field: str


class AnsweredElsewhere(SuggestionNotTaken, frozen=True):
    message = (
        "a placeholder (SPECIFY_…) is left, but other entries decide what it asks: they count, and this "
        "entry has no effect"
    )
    hint = "nothing has to be done; delete this entry, or decide it and delete the others if they are wrong"
    action: str = ""
    field: str = ""


class Undecided(RefusalMessage, frozen=True):
    code = "TS301"
    meaning = "a breaking change has no decision"
    cure = "[decide it](decisions.md)"
    message = "{change}"
    hint = "decide it in the resolutions file"
    change: str


class OutputOfOtherType(Undecided, frozen=True):
    message = (
        "{change}; cast it in the SELECT of the query, as in CAST(… AS the new type) AS {column}, or decide"
        " it beside the query, under {flow!r}: {entry}"
    )
    column: str
    flow: str
    entry: str


class OutputUnused(Undecided, frozen=True):
    message = (
        "{change}; leave {column} out of the SELECT of the query, or call it as the new column that it fills"
    )
    column: str


class OutputWanted(Undecided, frozen=True):
    message = (
        "{change}; give the SELECT of the query an output column {column}, or decide a 'default' beside it"
    )
    column: str


class UndecidedMeaning(Undecided, frozen=True):
    hint = (
        "decide 'transform', with what gives the new values (a lookup, a mapping or an expression); 'rename' "
        "says nothing about them"
    )


class PerhapsMeant(Undecided, frozen=True):
    hint = (
        "decide 'transform', with what gives the new values, or with the same columns alone if the values "
        "themselves are meant; 'rename' says nothing about them"
    )


class UndecidedChanges(RefusalMessage, frozen=True):
    code = "TS300"
    meaning = "breaking changes have no decision"
    cure = "[decide them](decisions.md)"
    message = "Breaking changes detected: {count}"
    hint = "decide each of them; to write them down with suggestions: {command}"
    count: int
    command: str


class UndecidedWithoutTables(UndecidedChanges, frozen=True):
    hint = "NEW has no tables at all: create the new schema there first, then: {command}"


class OutputsLeft(UndecidedChanges, frozen=True):
    hint = "they are output columns of queries: mend these in {path} as the message says, then run this again"
    path: str


class LeftOpen(UndecidedChanges, frozen=True):
    hint = (
        "{path} leaves them open. Answer its questions: {edit}"
        " (those that it lacks are written to {usual} by {command};"
        " where rows or the choice of tables changed since, after {analyze})"
    )
    path: str
    edit: str
    usual: str
    analyze: str


class DecisionsNotPassed(UndecidedChanges, frozen=True):
    hint = "{path} was not passed and decides nothing. With it: {command}"
    path: str


class StaleChanges(RefusalMessage, frozen=True):
    code = "TS302"
    meaning = "the changes file is stale: a schema changed since"
    cure = "run `analyze` and `resolve generate` again; decisions are kept"
    about = "{path}"
    message = "{path} is stale: {change}"
    hint = "compare again: {command} (resolve generate keeps the decisions already made)"
    path: str
    change: str
    command: str


class ChangesOfTheOppositeDirection(StaleChanges, frozen=True):
    message = "{path} was made for the opposite direction: its OLD is now NEW. {change}"
    hint = "check old_database and new_database of the configuration; to compare again: {command}"


class StaleResolutions(RefusalMessage, frozen=True):
    code = "TS303"
    meaning = "the resolutions file is stale: a schema changed since"
    cure = "run `analyze` and `resolve generate` again; decisions are kept"
    about = "{path}"
    message = "{path} was made for another {side} schema"
    hint = "run analyze and resolve generate again: decisions are kept"
    path: str
    side: Side


class ResolutionsOfTheOppositeDirection(StaleResolutions, frozen=True):
    message = "{path} was made for the opposite direction: its {side} is now the other database"
    hint = "old_database and new_database of the configuration may have changed places"


class NoChangesYet(RefusalMessage, frozen=True):
    code = "TS340"
    meaning = "there is no changes file: the schemas are compared now"
    cure = "nothing has to be done: this is a warning"
    warning = True
    about = "{path}"
    message = "no changes file at {path}: the schemas are compared now"
    path: str


class NoFingerprints(RefusalMessage, frozen=True):
    code = "TS341"
    meaning = "a resolutions file without fingerprints, written by hand"
    cure = "nothing has to be done: this is a warning"
    warning = True
    about = "{path}"
    message = "{path} does not say for which schemas it was written (no fingerprints), and is used as it is"
    path: str


class NotChecked(RefusalMessage, frozen=True):
    code = "TS342"
    meaning = "a data check was not made for lack of time or privilege"
    cure = (
        "nothing has to be done: a suggestion lacks some evidence. `--probe-seconds` gives more time, and "
        "`ping` names privileges that are missing"
    )
    warning = True
    message = "not asked: {what}"
    what: str


class RefusedSql(RefusalMessage, frozen=True):
    code = "TS339"
    meaning = "SQL of an entry that OLD does not run, or that does not give the same each time"
    cure = "see [what an expression may be](decisions.md)"
    message = "{field} {sql!r}: {said}"
    hint = "try the expression in a query of yours on OLD, with the table under the alias old"
    sql: str
    said: str = ""
    """In the server's words."""
    field: str = "transform_sql"
    """The field of the entry that holds the SQL."""


class AggregateInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "an aggregate is no value of one row; put it into a subselect"


class WindowInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "a window function is no value of one row; put it into a subselect"


class NoSingleValueInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "write an expression that gives exactly one value for each row"


class FunctionNotFoundInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "only pg_catalog is on the search path: write schema.function(…)"


class TableNotFoundInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "only pg_catalog is on the search path: write schema.table"


class NotAllowedInSql(RefusedSql, frozen=True):
    hint = (
        "OLD's role lacks a right: grant it; where row-level security applies to the role, use one that"
        " bypasses it (BYPASSRLS): in psql the same query shows only the rows that the policies leave"
    )


class ViewInSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: views and foreign tables are not read ({said})"
    hint = "write the SELECT of the view in its place; copy a foreign table into one of OLD's before the run"


class MaterializedViewInSql(RefusedSql, frozen=True):
    message = (
        "{field} {sql!r}: it reads the materialized view {views}, which cannot be locked: "
        "a REFRESH during the run would change what it holds"
    )
    hint = "write the SELECT of the view in its place, or copy it into a table of OLD before the run"
    views: tuple[TableName, ...] = ()


class TypeNotFoundInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "only pg_catalog is on the search path: write schema.type"


class ColumnNotFoundInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "the old row is called old: old.x is its column x, in for_all old.{{old_column}} is each column"


class ColumnMisspeltInSql(ColumnNotFoundInSql, frozen=True):
    hint = "did you mean {near}?"
    near: str = ""
    """The column that the server takes to be meant, as it names it."""


class ParametersInSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: it has parameters that nobody fills"
    hint = "write the values themselves"


class SeveralValuesFromSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: it gives several values at once"
    hint = "write an expression that gives exactly one value for each row"


class VolatileSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: it calls a volatile function ({functions}): one row could give two values"
    hint = "use functions that are IMMUTABLE or STABLE"
    functions: tuple[str, ...] = ()


class CurrentTimeSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: it reads the current time ({function}), which is another one in each batch"
    hint = (
        "write run.started, the time at which the run began,"
        " or the moment that is meant as a constant: timestamptz '2026-01-31 12:00+00'"
    )
    function: str = ""


class TransactionInSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: {function} is a value of the session or transaction, not of the row"
    hint = "write the value as a constant, or compute it from the row"
    function: str = ""


class ReachesOutInSql(RefusedSql, frozen=True):
    message = "{field} {sql!r}: {function} reaches outside the row, or changes something"
    hint = "copy what it reads into a table of OLD before the run, and read that in a subselect"
    function: str = ""


class KeysNotComparable(RefusalMessage, frozen=True):
    code = "TS387"
    meaning = "OLD cannot compare a column with the key of its lookup table"
    cure = "look the value up with a `transform_sql` that casts the column"
    message = "OLD cannot look up {keys} in {table}: {said}"
    hint = "give a transform_sql: a subselect from {table} that compares {first} with CAST(old.column AS …)"
    table: TableName
    keys: tuple[str, ...]
    first: str
    said: str


class NoFromItemInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "the old row is called old, and what 'rows' makes of it is called item there"


class NoConditionInSql(RefusedSql, frozen=True):
    message = RefusedSql.message
    hint = "write a condition: it is true for the rows that are taken"


class ItemsWithoutName(RefusedSql, frozen=True):
    message = "{field} {sql!r}: its result has to be called item"
    hint = "write {corrected!r}"
    corrected: str = ""


class OutputWithoutName(RefusedSql, frozen=True):
    message = "{field} {sql!r}: output column {place} has no name"
    hint = "write AS and the name of the column of NEW that it fills"
    place: int = 0


class OutputNamedTwice(RefusedSql, frozen=True):
    message = "{field} {sql!r}: two columns are called {column!r}"
    hint = "give each its own name"
    column: str = ""


class NamedAsNumber(RefusedSql, frozen=True):
    message = "{field} {sql!r}: 'item_number' is the number of the item within its old row"
    hint = "give the column another name"


class UnseenReads(RefusalMessage, frozen=True):
    code = "TS306"
    meaning = "SQL of an entry calls a function that is not built in"
    cure = "nothing has to be done: this is a warning"
    warning = True
    message = "{field} calls {functions}: which tables that reads cannot be seen"
    hint = "once its snapshot is lost, a run goes on only where the whole old server is proven unwritten"
    field: str
    functions: tuple[str, ...]
