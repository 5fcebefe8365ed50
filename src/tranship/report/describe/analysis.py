"""Describes an analysis: the verdict, every change by its class, then what else differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.change_kind import ChangeKind
from tranship.model.count import count_of
from tranship.model.evidence import Evidence
from tranship.model.names import TableName
from tranship.planning.deciding.suggest import Question, Suggestions
from tranship.planning.matching.renames.columns import by_place
from tranship.report.describe.alike import MOST_NAMES, Alike, alike, the_same_for
from tranship.report.describe.facts import NO_EVIDENCE, ColumnWords, column_facts
from tranship.report.describe.sides import table_sides
from tranship.report.document import Banner, Block, Document, Facts, Item, Note, Section, Sign, Tone, Totals

TITLE = "DATABASE MIGRATION ANALYSIS REPORT"
_SECTIONS = (
    (ChangeClass.SAFE, "SAFE CHANGES (Can be handled automatically)", Tone.GOOD),
    (ChangeClass.TRANSFORMABLE, "TRANSFORMABLE CHANGES (Can be converted automatically)", Tone.CHANGED),
    (ChangeClass.BREAKING, "BREAKING CHANGES (MANUAL INTERVENTION REQUIRED)", Tone.BAD),
)
_NEW_CONSTRAINT = ChangeKind.NEW_CONSTRAINT
_FOLDED_ABOVE = 20
"""Changes that are said one by one, and in the order of the classic report."""
_SEVERAL = "several tables at once"
_MOST_TABLES = 10
"""Tables that the head of a report names."""


class Decided(Struct, frozen=True):
    """What a file of decisions leaves of the questions."""

    path: str
    questions: tuple[Question, ...]
    """Those that are open."""

    @property
    def left(self) -> int:
        """The number of open questions."""
        return len(self.questions)


def describe_analysis(
    comparison: Comparison,
    sides: tuple[Catalog, Catalog],
    suggestions: Suggestions,
    evidence: Evidence = NO_EVIDENCE,
    *,
    decided: Decided | None = None,
) -> Document:
    """Returns the report of a comparison.

    ``sides`` are the catalogs it was made from, ``suggestions`` what ``resolve generate`` asks without a
    file of decisions, ``evidence`` is what the data says about the changes, and ``decided`` what an existing
    file leaves of the questions.
    """
    old, new = sides
    counts = {cls: len(comparison.of(cls)) for cls in ChangeClass}
    schemas = _bare_schemas(old, new)
    renumbered = [held.table for held in evidence.in_new if held.renumbered]
    constraints = any(note.kind == _NEW_CONSTRAINT for note in comparison.notes)
    verdict = _verdict(counts, constraints, renumbered, len(evidence.not_asked))
    if suggestions.questions:
        verdict = _questions(suggestions.questions, counts[ChangeClass.BREAKING])
        verdict = _left_of(verdict, decided)
    if counts[ChangeClass.BREAKING] and not new.tables:
        verdict = _without_tables(new)
    # What a file of decisions has taken of the suggestions, it says itself.
    if suggestions.shapes and verdict.tone is not Tone.BAD and decided is None:
        verdict = Banner((*verdict.lines, _also_possible(len(suggestions.shapes))), verdict.tone)
    first = (
        ("Verdict", verdict.lines[0]),
        *_to_decide(suggestions.questions if decided is None else decided.questions, schemas),
        *_by_place(comparison.changes),
    )
    blocks: list[Block] = [
        Banner((TITLE,)),
        Facts((*first, *_facts(comparison, old, new))),
        Totals(
            "Total Changes",
            len(comparison.changes),
            (
                ("Safe (auto-handled)", counts[ChangeClass.SAFE]),
                ("Transformable (auto-converted)", counts[ChangeClass.TRANSFORMABLE]),
                ("Breaking (manual required)", counts[ChangeClass.BREAKING]),
            ),
        ),
        *_sections(comparison, schemas, column_facts(evidence)),
        *table_sides(comparison, old, new),
        verdict,
    ]
    return Document(TITLE, tuple(blocks), _tables(comparison, schemas))


def _tables(comparison: Comparison, schemas: frozenset[str]) -> tuple[str, ...]:
    """Returns the tables of both sides that the report may be about, by name."""
    matching = comparison.matching
    pairs = (name for pair in matching.pairs for name in (pair.flow, str(pair.old)))
    named = {*pairs, *map(str, (*matching.only_old, *matching.only_new))}
    return tuple(sorted(_label(name, schemas) for name in named))


def _sections(comparison: Comparison, schemas: frozenset[str], facts: ColumnWords) -> Iterator[Section]:
    """Yields the changes by their class, then the notes; in a long report what needs a person comes first."""
    counts = {cls: len(comparison.of(cls)) for cls in ChangeClass}
    changes = {
        cls: Section(title, tuple(_changes(comparison.of(cls), schemas, facts)), tone, counts[cls])
        for cls, title, tone in _SECTIONS
    }
    constraints = [note for note in comparison.notes if note.kind == _NEW_CONSTRAINT]
    others = [note for note in comparison.notes if note.kind != _NEW_CONSTRAINT]
    new = Section(
        "NEW CONSTRAINTS (rows that break them are rejected)",
        tuple(_folded(alike(constraints, facts.at_stake), schemas, facts)),
        Tone.CHANGED,
        len(constraints),
        classic=False,
    )
    if len(comparison.changes) > _FOLDED_ABOVE:
        yield from (changes[ChangeClass.BREAKING], new, changes[ChangeClass.TRANSFORMABLE])
        yield changes[ChangeClass.SAFE]
    else:
        # All of it is on one screen: the order is that of the classic report.
        yield from (*changes.values(), new)
    items = tuple(_said(one, schemas, facts) for one in alike(others))
    title = "ALSO DIFFERENT OR NOT MOVED (nothing to decide)"
    yield Section(title, items, Tone.PLAIN, len(others), classic=False)


def _changes(found: Sequence[Change], schemas: frozenset[str], facts: ColumnWords) -> Iterator[Item]:
    """Yields the changes of one class; where there are many, those that say the same as one item."""
    said = alike(found, facts.at_stake) if len(found) > _FOLDED_ABOVE else [Alike(change) for change in found]
    yield from _folded(said, schemas, facts)


def _folded(said: Sequence[Alike], schemas: frozenset[str], facts: ColumnWords) -> Iterator[Item]:
    for one in said:
        # What a person decides, what rejects rows, and new names that no rule tells are named wholly.
        weighty = one.first.requires_manual or one.first.kind == _NEW_CONSTRAINT
        weighty = weighty or by_place(one.first.evidence)
        yield _said(one, schemas, facts, most=None if weighty else MOST_NAMES)


def _said(one: Alike, schemas: frozenset[str], facts: ColumnWords, *, most: int | None = MOST_NAMES) -> Item:
    if not one.others:
        return _item(one.first, schemas, facts.of(one.first))
    item = _item(one.first, schemas, facts.at_stake(one.first))
    others = [(_label(note.table, schemas), _column(note)) for note in one.others]
    notes = (*item.notes, Note(the_same_for(others, most=most)))
    return Item(item.text, item.label, notes, tuple(table for table, _ in others))


def _column(note: Change) -> str | None:
    """Returns the column that a note is about, and under which name it goes on."""
    if note.kind is ChangeKind.COLUMN_RENAMED:
        return f"{note.old_column} → {note.new_column}"
    return note.old_column or note.new_column


def _to_decide(questions: Sequence[Question], schemas: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Returns the tables that questions are about, those with most of them first."""
    tables = Counter(_SEVERAL if one.table == "*" else _label(one.table, schemas) for one in questions)
    if not tables:
        return ()
    named = [f"{table} ({count})" for table, count in tables.most_common(_MOST_TABLES)]
    more = len(tables) - len(named)
    return (("To decide", ", ".join(named) + (f" and {count_of(more, 'more table')}" if more > 0 else "")),)


def _by_place(changes: Sequence[Change]) -> tuple[tuple[str, str], ...]:
    """Returns how many columns are taken for others because of their places: nobody is asked about them."""
    placed = [change for change in changes if not change.requires_manual and by_place(change.evidence)]
    if not placed:
        return ()
    return (("To read", f"{count_of(len(placed), 'column')} taken for renamed because of the place"),)


def _facts(comparison: Comparison, old: Catalog, new: Catalog) -> tuple[tuple[str, str], ...]:
    matching = comparison.matching
    tables = len(matching.pairs) + len(matching.only_old)
    facts = [
        ("Old database (OLD)", f"{_database(old)}, {tables} {'table' if tables == 1 else 'tables'} compared"),
        ("New database (NEW)", _database(new)),
    ]
    if matching.out_of_scope:
        facts.append(
            ("Out of scope", f"{matching.out_of_scope} old tables are not among the configured tables")
        )
    return tuple(facts)


def _database(catalog: Catalog) -> str:
    schemas = ", ".join(catalog.schemas) or "none"
    word = "schema" if len(catalog.schemas) == 1 else "schemas"
    return f"{catalog.database} (PostgreSQL {_version(catalog.server_version)}, {word} {schemas})"


def _version(number: int) -> str:
    # Before 10 a version had three parts (90624 is 9.6.24).
    return (
        f"{number // 10000}.{number % 10000}"
        if number >= 100000
        else f"{number // 10000}.{number // 100 % 100}"
    )


def _bare_schemas(old: Catalog, new: Catalog) -> frozenset[str]:
    """Returns the schemas whose tables are named without a schema: a side's only one, else ``public``."""
    return frozenset(c.schemas[0] if len(c.schemas) == 1 else "public" for c in (old, new))


def _item(change: Change, schemas: frozenset[str], facts: Sequence[str]) -> Item:
    notes = []
    if change.requires_manual:
        notes.append(Note("Manual action required!", Sign.WARNING))
    elif change.auto_action is not None:
        notes.append(Note(f"Action: {change.auto_action}", Sign.ACTION))
    notes += [Note(text) for text in (*change.evidence, *facts)]
    return Item(change.description, _label(change.table, schemas), tuple(notes))


def _label(table: str, schemas: frozenset[str]) -> str:
    schema, _, name = table.partition(".")
    return name if name and schema in schemas else table


def _without_tables(new: Catalog) -> Banner:
    where = ", ".join(new.schemas) or "none"
    return Banner(
        (
            f"NEW has no tables in schema {where}: tranship moves rows and creates no tables.",
            "Create the new schema there first, then compare again.",
        ),
        Tone.BAD,
    )


def _questions(questions: Sequence[Question], changes: int) -> Banner:
    """Returns the verdict where a person is asked: how many questions ``resolve generate`` will ask."""
    many, filled_in = len(questions), sum(one.answered for one in questions)
    they, needs = ("it", "1 question needs") if many == 1 else ("them", f"{many} questions need")
    asks = f"resolve generate asks {they}, with what the data suggests"
    if filled_in == many:
        asks = f"resolve generate asks {they} and fills {they} in: read what it writes before you go on"
    elif filled_in:
        asks = f"resolve generate asks {they}, and fills {filled_in} of {they} in"
    first = f"{needs} an answer before anything can be moved.{_deciding(many, changes)}"
    return Banner((first, f"{asks}."), Tone.BAD)


def _left_of(verdict: Banner, decided: Decided | None) -> Banner:
    """Returns the verdict with what a file of decisions leaves of the questions, where there is one."""
    if decided is None:
        return verdict
    if not decided.left:
        return Banner((f"{decided.path} answers every question about these changes.",), Tone.CHANGED)
    needs = "1 question needs" if decided.left == 1 else f"{decided.left} questions need"
    them = "it" if decided.left == 1 else "them"
    left = f"{needs} an answer before anything can be moved: {decided.path} leaves {them} open."
    return Banner((left, "resolve generate keeps the answers of the file, and asks what is left."), Tone.BAD)


def _deciding(questions: int, changes: int) -> str:
    """Returns how many breaking changes the questions decide; empty where there are as many of both."""
    if questions == changes or not changes:
        return ""
    decides = "It decides" if questions == 1 else "They decide"
    number = "the breaking change" if changes == 1 else f"all {changes} breaking changes"
    beside = ", and what else the data asks" if questions > changes else ""
    return f" {decides} {number}{beside}."


def _also_possible(many: int) -> str:
    what = "1 suggestion says" if many == 1 else f"{many} suggestions say"
    return f"{what} what else may become of rows: resolve generate shows {'it' if many == 1 else 'them'}."


def _verdict(
    counts: dict[ChangeClass, int],
    constraints: bool,
    renumbered: Sequence[TableName] = (),
    unanswered: int = 0,
) -> Banner:
    if renumbered:
        return Banner(
            (
                f"Not as it is: NEW holds values of OLD under other ids ({', '.join(map(str, renumbered))}).",
                "Rows that refer to them would refer to others: decide the columns that do, by a lookup.",
            ),
            Tone.BAD,
        )
    watch = (
        ("Rows that break a new constraint are rejected: the dry run counts them.",) if constraints else ()
    )
    if unanswered:
        count = "1 question" if unanswered == 1 else f"{unanswered} questions"
        watch = (*watch, f"{count} to the data had no answer: what they would have shown is not known.")
    if not any(counts.values()) and unanswered:
        return Banner(("No changes were found.", *watch), Tone.CHANGED)
    if not any(counts.values()):
        return Banner(("No changes: the data can be moved as it is.", *watch), Tone.GOOD)
    return Banner(("There is nothing to decide: everything is handled automatically.", *watch), Tone.GOOD)
