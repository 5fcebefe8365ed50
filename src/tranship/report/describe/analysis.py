"""Describes an analysis: every change by its class, then what else differs, then a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Evidence
from tranship.model.names import TableName
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


def describe_analysis(
    comparison: Comparison, old: Catalog, new: Catalog, evidence: Evidence = NO_EVIDENCE
) -> Document:
    """Returns the report of a comparison.

    ``old`` and ``new`` are the catalogs it was made from, ``evidence`` is what the data says about the
    changes.
    """
    counts = {cls: len(comparison.of(cls)) for cls in ChangeClass}
    schemas = _bare_schemas(old, new)
    facts = column_facts(evidence)
    constraints = [note for note in comparison.notes if note.kind == _NEW_CONSTRAINT]
    others = [note for note in comparison.notes if note.kind != _NEW_CONSTRAINT]
    blocks: list[Block] = [
        Banner((TITLE,)),
        Facts(_facts(comparison, old, new)),
        Totals(
            "Total Changes",
            len(comparison.changes),
            (
                ("Safe (auto-handled)", counts[ChangeClass.SAFE]),
                ("Transformable (auto-converted)", counts[ChangeClass.TRANSFORMABLE]),
                ("Breaking (manual required)", counts[ChangeClass.BREAKING]),
            ),
        ),
    ]
    blocks += [
        _section(title, comparison.of(cls), tone, schemas, facts)
        for cls, title, tone in _SECTIONS
        if counts[cls]
    ]
    if constraints:
        blocks.append(
            _section(
                "NEW CONSTRAINTS (rows that break them are rejected)",
                constraints,
                Tone.CHANGED,
                schemas,
                facts,
            )
        )
    if others:
        blocks.append(
            _section("ALSO DIFFERENT OR NOT MOVED (nothing to decide)", others, Tone.PLAIN, schemas, facts)
        )
    blocks += table_sides(comparison, old, new)
    renumbered = [held.table for held in evidence.in_new if held.renumbered]
    blocks.append(_verdict(counts, bool(constraints), renumbered))
    return Document(TITLE, tuple(blocks))


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


def _section(
    title: str, changes: Sequence[Change], tone: Tone, schemas: frozenset[str], facts: ColumnWords
) -> Section:
    return Section(title, tuple(_item(change, schemas, facts) for change in changes), tone)


def _item(change: Change, schemas: frozenset[str], facts: ColumnWords) -> Item:
    schema, _, name = change.table.partition(".")
    notes = []
    if change.requires_manual:
        notes.append(Note("Manual action required!", Sign.WARNING))
    elif change.auto_action is not None:
        notes.append(Note(f"Action: {change.auto_action}", Sign.ACTION))
    notes += [Note(text) for text in (*change.evidence, *facts.of(change))]
    return Item(change.description, name if name and schema in schemas else change.table, tuple(notes))


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
