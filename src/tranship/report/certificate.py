"""The certificate as one page: for a manager to read, to print, and with the whole document in it for a
program to check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from tranship.codec.certificate import in_page
from tranship.model.certificate import Certificate, CertifiedRun, CertifiedTable
from tranship.model.count import count_of
from tranship.model.verification import AskedConstraint
from tranship.report.causes import cause_words
from tranship.report.document import Banner, Block, Document, Facts, Item, Note, Section, Tone, Totals
from tranship.report.html import render_html
from tranship.report.verdict import NOT_ONE_MOMENT
from tranship.report.verification import before_lines, grouped, moment, opinion_lines


def certificate_page(certificate: Certificate) -> str:
    """Returns the whole page."""
    tables = tuple(dict.fromkeys(table.new_table for table in certificate.tables))
    page = render_html(Document("Certificate of a data migration", tuple(_blocks(certificate)), tables))
    return page.replace("</body>", f"{in_page(certificate)}\n</body>")


def _blocks(certificate: Certificate) -> Iterator[Block]:
    tables = certificate.tables
    new = certificate.new
    yield Banner(("Certificate of a data migration",))
    cells = grouped(certificate.cells)
    said = f"{cells} values in NEW were compared with what OLD's rows became. All are equal."
    apart = [f"Not compared: {table.apart}" for table in tables if table.apart]
    limits = caveats(certificate)
    yield Banner((said, *limits, *apart), Tone.CHANGED if limits else Tone.GOOD)
    yield Facts(
        (
            ("OLD", certificate.old),
            ("NEW", f"{new.host}:{new.port}/{new.database}, PostgreSQL {new.server_version // 10000}"),
            ("Compared", f"{moment(certificate.made)}, by tranship {certificate.tool_version} as {new.user}"),
            ("SHA-256", certificate.sha256),
            ("Check it", "tranship verify --certificate FILE"),
            *_read_again(tables),
        )
    )
    yield _totals(tables)
    yield Section("Tables", tuple(map(_table, tables)), Tone.GOOD)
    yield Section("Runs", tuple(map(_run, certificate.runs)))
    asked = tuple(_constraints(certificate))
    title = "Constraints and sequences of NEW, checked for every row"
    yield Section(title, asked, stands_for=len(certificate.constraints))


def _totals(tables: Sequence[CertifiedTable]) -> Totals:
    """Returns what became of each row once: a row that one run rejected and a later one took up counts only
    as what the later one made of it.
    """
    counted = ("written", "rejected", "already_there", "kept", "updated", "merged")
    sums = {name: sum(getattr(table, name) for table in tables) for name in counted}
    sums["rejected"] = _rejected(tables)
    parts = ((name.replace("_", " "), rows) for name, rows in sums.items())
    return Totals("rows", sum(sums.values()), tuple(part for part in parts if part[1]))


def _read_again(tables: Sequence[CertifiedTable]) -> Iterator[tuple[str, str]]:
    again = sum(table.rejected for table in tables) - _rejected(tables)
    if again:
        yield "Taken up again", f"{count_of(again, 'row', write=grouped)} that a run rejected, by a later run"


def caveats(certificate: Certificate) -> list[str]:
    """Returns what a certificate does not promise: rows that are in NEW, tables of one moment, and references
    that lead to the rows to which they led in OLD.
    """
    mixed = any(run.mixed is True for run in certificate.runs)
    references = [line for run in certificate.runs for line in run.references or ()]
    return [
        *_rejected_line(certificate.tables),
        *([NOT_ONE_MOMENT] if mixed else []),
        *(f"Compared as values only: {line}" for line in dict.fromkeys(references)),
    ]


def _rejected_line(tables: Sequence[CertifiedTable]) -> list[str]:
    """Returns the line about rows that were rejected and that no later run took up, or no line."""
    rows = _rejected(tables)
    if not rows:
        return []
    was, them = ("was", "it") if rows == 1 else ("were", "them")
    return [f"{count_of(rows, 'row', write=grouped)} {was} rejected: NEW does not hold {them}."]


def _rejected(tables: Sequence[CertifiedTable]) -> int:
    return sum(table.rejected for table in last_runs(tables))


def last_runs(tables: Sequence[CertifiedTable]) -> tuple[CertifiedTable, ...]:
    """Returns of each flow what its last run did: what it rejected is still not in NEW."""
    return tuple({(table.flow, table.table, table.new_table): table for table in tables}.values())


def rejected_by_cause(table: CertifiedTable) -> tuple[str, ...]:
    """Returns why rows are rejected that others do not take along, and how many; in codes where the
    certificate is of a version that told no words.
    """
    if table.causes is UNSET:
        return tuple(f"{reason}: {grouped(rows)}" for reason, rows in table.rejected_by_reason.items())
    return tuple(cause_words(one, values=False) for one in table.causes if not one.consequence)


def rejected_beside(table: CertifiedTable) -> tuple[str, ...]:
    """Returns why rows are rejected because of other rejected rows."""
    causes = () if table.causes is UNSET else table.causes
    return tuple(cause_words(one, values=False) for one in causes if one.consequence)


def _table(table: CertifiedTable) -> Item:
    used = f"{count_of(table.read, 'row', write=grouped)} of OLD, {grouped(table.left_out)} left out"
    arrived = f"{grouped(table.written)} written, {grouped(table.rejected)} rejected"
    reasons = (f"rejected, {words}" for words in (*rejected_by_cause(table), *rejected_beside(table)))
    texts = [
        f"{used}; {arrived}; {table.columns} columns, {grouped(table.cells)} values equal",
        *reasons,
        *([f"compared {table.how}"] if table.how else []),
        f"sums of the rows' hashes ({table.hashing}): {' '.join(table.sums)}",
        *before_lines([table]),
        *opinion_lines([table]),
    ]
    return Item(f"from {table.flow or table.table}", table.new_table, tuple(map(Note, texts)))


def _run(run: CertifiedRun) -> Item:
    decided = (
        f"decisions {run.resolutions}, SHA-256 {run.resolutions_sha256}"
        if run.resolutions
        else "no decisions"
    )
    texts = [
        f"by {run.os_user} as {run.role}; {decided}",
        f"plan {run.plan_hash}",
        f"OLD {run.old_identity}, snapshot {run.snapshot}; NEW {run.new_identity}",
        *(
            f"left out by decision: {name}, {count_of(rows, 'row', write=grouped)}"
            for name, rows in run.left_out.items()
        ),
    ]
    when = f"{moment(run.started)} to {moment(run.finished)}, tranship {run.tool_version}"
    return Item(when, run.id, tuple(map(Note, texts)))


def _constraints(certificate: Certificate) -> Iterator[Item]:
    """Yields one line per table and kind."""
    kinds = dict.fromkeys((one.table, one.kind) for one in certificate.constraints)
    for table, kind in kinds:
        mine = [one for one in certificate.constraints if (one.table, one.kind) == (table, kind)]
        met = ", ".join(one.name for one in mine if one.rows == 0)
        yield Item(f"{kind}: {met or 'none'}", table, tuple(_not_met(mine)))


def _not_met(constraints: Sequence[AskedConstraint]) -> Iterator[Note]:
    """Yields which constraints are not met by every row as far as anybody knows, and why."""
    unasked = ", ".join(one.name for one in constraints if one.rows is None)
    if unasked:
        yield Note(f"could not be asked: {unasked}")
    for one in constraints:
        if one.tolerated and one.rows:
            yield Note(f"broken by {count_of(one.rows, 'row')} that a decision keeps: {one.name}")
