"""Describes an analysis: every change by its class, then what else differs, then a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Evidence
from tranship.model.names import TableName
from tranship.report.describe.alike import Alike, alike, the_same_for
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
_MOST_TABLES = 10
"""Tables that the head of a report names."""


def describe_analysis(
    comparison: Comparison, old: Catalog, new: Catalog, evidence: Evidence = NO_EVIDENCE
) -> Document:
    """Returns the report of a comparison.

    ``old`` and ``new`` are the catalogs it was made from, ``evidence`` is what the data says about the
    changes.
    """
    counts = {cls: len(comparison.of(cls)) for cls in ChangeClass}
    schemas = _bare_schemas(old, new)
    renumbered = [held.table for held in evidence.in_new if held.renumbered]
    constraints = any(note.kind == _NEW_CONSTRAINT for note in comparison.notes)
    verdict = _verdict(counts, constraints, renumbered)
    first = (("Verdict", verdict.lines[0]), *_to_decide(comparison, schemas))
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
    return Document(TITLE, tuple(blocks))


def _sections(comparison: Comparison, schemas: frozenset[str], facts: ColumnWords) -> Iterator[Section]:
    """Yields the changes by their class, then the notes."""
    for cls, title, tone in _SECTIONS:
        yield Section(title, tuple(_item(change, schemas, facts) for change in comparison.of(cls)), tone)
    constraints = [note for note in comparison.notes if note.kind == _NEW_CONSTRAINT]
    others = [note for note in comparison.notes if note.kind != _NEW_CONSTRAINT]
    for title, notes, tone in (
        ("NEW CONSTRAINTS (rows that break them are rejected)", constraints, Tone.CHANGED),
        ("ALSO DIFFERENT OR NOT MOVED (nothing to decide)", others, Tone.PLAIN),
    ):
        # A constraint has counts of its own, so that each is named.
        said = [Alike(note) for note in notes] if notes is constraints else alike(notes)
        yield Section(title, tuple(_note_item(one, schemas, facts) for one in said), tone)


def _note_item(one: Alike, schemas: frozenset[str], facts: ColumnWords) -> Item:
    item = _item(one.first, schemas, facts)
    if not one.others:
        return item
    others = [(_label(note, schemas), note.old_column or note.new_column) for note in one.others]
    return Item(item.text, item.label, (*item.notes, Note(the_same_for(others))))


def _to_decide(comparison: Comparison, schemas: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Returns the tables whose changes need a decision, those with most of them first."""
    tables = Counter(_label(change, schemas) for change in comparison.of(ChangeClass.BREAKING))
    if not tables:
        return ()
    named = [f"{table} ({count})" for table, count in tables.most_common(_MOST_TABLES)]
    more = len(tables) - len(named)
    return (("To decide", ", ".join(named) + (f" and {more} more tables" if more > 0 else "")),)


def _facts(comparison: Comparison, old: Catalog, new: Catalog) -> tuple[tuple[str, str], ...]:
    matching = comparison.matching
    tables = len(matching.pairs) + len(matching.only_old)
    facts = [
        ("Old database", f"{_database(old)}, {tables} {'table' if tables == 1 else 'tables'} compared"),
        ("New database", _database(new)),
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


def _item(change: Change, schemas: frozenset[str], facts: ColumnWords) -> Item:
    notes = []
    if change.requires_manual:
        notes.append(Note("Manual action required!", Sign.WARNING))
    elif change.auto_action is not None:
        notes.append(Note(f"Action: {change.auto_action}", Sign.ACTION))
    notes += [Note(text) for text in (*change.evidence, *facts.of(change))]
    return Item(change.description, _label(change, schemas), tuple(notes))


def _label(change: Change, schemas: frozenset[str]) -> str:
    schema, _, name = change.table.partition(".")
    return name if name and schema in schemas else change.table


def _verdict(
    counts: dict[ChangeClass, int], constraints: bool, renumbered: Sequence[TableName] = ()
) -> Banner:
    breaking = counts[ChangeClass.BREAKING]
    if breaking:
        count = "1 change needs" if breaking == 1 else f"{breaking} changes need"
        return Banner(
            (
                f"{count} a decision before anything can be moved.",
                "Next: write the resolutions file, decide, and migrate with it.",
            ),
            Tone.BAD,
        )
    if renumbered:
        return Banner(
            (
                f"Not as it is: NEW holds names of OLD under other ids ({', '.join(map(str, renumbered))}).",
                "Rows that refer to them would refer to others: decide the columns that do, by a lookup.",
            ),
            Tone.BAD,
        )
    watch = (
        ("Rows that break a new constraint are rejected: the dry run counts them.",) if constraints else ()
    )
    if not any(counts.values()):
        return Banner(("No changes: the data can be moved as it is.", *watch), Tone.GOOD)
    return Banner(("Ready: everything is handled automatically, nothing to decide.", *watch), Tone.GOOD)
