"""Describes a run as its journal has it: the verdict, what needs a person, then when everything happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.count import count_of
from tranship.model.options import command_line, only_rejects
from tranship.model.reported_run import FoundCertificate, ReportedRun, ReportedTable
from tranship.model.verdict import RejectCause
from tranship.report.causes import only_held
from tranship.report.changed_values import changed_values
from tranship.report.describe.causes import cause_items, told_items
from tranship.report.describe.changed_values import changed_sections
from tranship.report.describe.warnings import warning_items
from tranship.report.document import (
    Banner,
    Bar,
    Block,
    Document,
    Facts,
    Item,
    Note,
    Section,
    Timeline,
    Tone,
    Totals,
)
from tranship.report.verdict import NOT_ONE_MOMENT, all_again, left_to_look_at, still_rejected_elsewhere
from tranship.report.verification import difference_lines, grouped, moment

_WORDS = {"already_there": "already there"}


def describe_run(run: ReportedRun, certificate: FoundCertificate | None, words: Sequence[str]) -> Document:
    """Returns the page of a run. ``words`` name the databases on the command line."""
    title = f"Run {run.id}"
    causes = [(table.label, cause) for table in run.tables for cause in table.causes]
    causes.sort(key=lambda one: -one[1].rows)
    blocks: list[Block] = [
        Banner((title,)),
        run_verdict(run, certificate, words),
        Facts(tuple(_facts(run, certificate))),
        Totals("rows", sum(table.read for table in run.tables), tuple(_totals(run))),
        Section("Differences", tuple(_differences(run)), Tone.BAD),
        Section("Still switched off", tuple(Item(what) for what in run.switched_off), Tone.BAD),
        Section("Warnings", tuple(warning_items(run.warnings)), Tone.CHANGED),
        Section("Rejected rows by cause", _causes(causes, consequences=False), Tone.BAD),
        Section("Rejected because of these", _causes(causes, consequences=True), Tone.CHANGED),
        Section("Could not be asked beforehand", tuple(_not_asked(run)), Tone.CHANGED),
        *changed_sections(run.tables, done=True),
        Timeline("Timeline", tuple(_bars(run)), *_span(run)),
        Section("Tables", tuple(map(_table, run.tables)), Tone.GOOD),
        Section("Left out by decision", tuple(_left_out(run)), Tone.PLAIN),
    ]
    return Document(title, tuple(blocks), tuple(table.label for table in run.tables))


def run_verdict(run: ReportedRun, certificate: FoundCertificate | None, words: Sequence[str]) -> Banner:
    """Returns what became of a run, and the next command."""
    if run.word == "running":
        return Banner((f"At work: {_progress(run)}.", _next("status", words, "--watch")), Tone.CHANGED)
    if run.word != "finished":
        back = command_line("tranship", "rollback", *words, "--run", run.id, "--live")
        again = run.again or "the same migrate --live command"
        return Banner(
            (f"Not finished: {_progress(run)}.", f"Resume it: {again}", f"Or roll it back: {back}"), Tone.BAD
        )
    return _with_moments(run, _with_elsewhere(run, _finished(run, certificate, words), words))


def _with_elsewhere(run: ReportedRun, banner: Banner, words: Sequence[str]) -> Banner:
    """Returns the verdict with what is rejected in other tables, of which it says nothing by itself."""
    if not run.rejected_elsewhere:
        return banner
    told = still_rejected_elsewhere(run.rejected_elsewhere, command_line("tranship", "status", *words))
    return Banner((*banner.lines, told), Tone.BAD)


def _with_moments(run: ReportedRun, banner: Banner) -> Banner:
    """Returns the verdict with the warning that the tables are not of one moment, where that is so."""
    if not run.mixed:
        return banner
    return Banner((*banner.lines, NOT_ONE_MOMENT), Tone.CHANGED if banner.tone is Tone.GOOD else banner.tone)


def _were_rejected(rows: int) -> str:
    return f"{grouped(rows)} {'was' if rows == 1 else 'were'} rejected"


def _finished(run: ReportedRun, certificate: FoundCertificate | None, words: Sequence[str]) -> Banner:
    verify = command_line("tranship", "verify", *words)
    written, rejected = grouped(run.total("written")), run.total("rejected")
    if any(table.proof is not None and table.proof.differences for table in run.tables):
        told = "NEW does not hold what OLD's rows became. Do not use it."
        return Banner((told, f"Compare again: {verify}"), Tone.BAD)
    if rejected:
        return _rejected(run, f"{written} rows arrived, {_were_rejected(rejected)}", words)
    unproven = [table for table in run.tables if table.proof is None or table.proof.sample]
    known = "verified" if not unproven else "counted on both servers; contents not all compared"
    again = ", rejected before" if run.rejects_of else ""
    changed = changed_values((loss for table in run.tables for loss in table.losses), done=True)
    told = f"Everything arrived: {written} rows{again}, {known}.{changed}"
    return Banner((told, *_left_to_do(run, certificate, verify)), Tone.GOOD)


def _left_to_do(run: ReportedRun, certificate: FoundCertificate | None, verify: str) -> Iterator[str]:
    """Yields what is left to do where everything arrived."""
    look = left_to_look_at(run.warnings, not_asked=any(table.not_asked for table in run.tables))
    if look:
        yield f"{look}, below."
    elif certificate and not run.rejected_elsewhere:
        yield "Nothing left to do."
    if not certificate:
        yield f"A certificate: {verify}"


def _rejected(run: ReportedRun, told: str, words: Sequence[str]) -> Banner:
    again = f"move only the rejected rows: {only_rejects(run.again or 'migrate --live')}"
    reasons = _not_alone(run)
    if reasons:
        again = all_again(command_line("tranship", "rollback", *words, "--run", run.id, "--live"), reasons)
    first = "Correct the decisions"
    if only_held([cause for table in run.tables for cause in table.causes]):
        first = "Choose there what becomes of rows that NEW holds"
    return Banner(
        (f"{told}: their causes stand below.", f"{first}, then {again}"),
        Tone.BAD,
    )


def _not_alone(run: ReportedRun) -> list[str]:
    """Returns why rejected rows of the run cannot be moved without the others."""
    of = [table.not_alone for table in run.tables if table.count("rejected") and table.not_alone is not None]
    return list(dict.fromkeys(of))


def _next(command: str, words: Sequence[str], *more: str) -> str:
    return f"Next: {command_line('tranship', command, *words, *more)}"


def _progress(run: ReportedRun) -> str:
    read, rows = sum(table.read for table in run.tables), sum(table.rows for table in run.tables)
    share = f" ({100 * read // rows} %)" if rows else ""
    return f"{grouped(read)} of {grouped(rows)} rows{share}"


def _facts(run: ReportedRun, certificate: FoundCertificate | None) -> Iterator[tuple[str, str]]:
    yield "OLD", run.old
    yield "NEW", run.new
    yield "Began", f"{run.started:%Y-%m-%d %H:%M:%S %Z}, tranship {run.tool_version}"
    if run.finished is not None:
        seconds = (run.finished - run.started).total_seconds()
        yield "Finished", f"{run.finished:%Y-%m-%d %H:%M:%S %Z}, after {seconds:.0f} s"
    if run.os_user:
        yield "By", f"{run.os_user} as {run.role}"
    yield "Decisions", f"{run.resolutions}, SHA-256 {run.resolutions_sha256}" if run.resolutions else "none"
    if run.rejects_of:
        yield "Only the rows rejected by", ", ".join(run.rejects_of)
    if certificate is not None:
        cells = grouped(certificate.cells)
        yield (
            "Certificate",
            f"{certificate.page}, {moment(certificate.made)}: {cells} values, SHA-256 {certificate.sha256}",
        )
    else:
        yield "Certificate", "none beside the results: tranship verify writes one where all is verified"
    yield "Snapshot of OLD", run.snapshot
    yield "Plan", run.plan_hash


def _totals(run: ReportedRun) -> Iterator[tuple[str, int]]:
    for word, _ in run.tables[0].counts if run.tables else ():
        if word in ("written", "rejected") or run.total(word):
            yield _WORDS.get(word, word), run.total(word)


def _differences(run: ReportedRun) -> Iterator[Item]:
    for table in run.tables:
        if table.proof is not None and table.proof.differences:
            rows = sum(one.rows for one in table.proof.differences)
            lines = tuple(Note(line.strip()) for line in difference_lines(table.proof.differences))
            yield Item(f"{grouped(rows)} rows differ", table.new_table, lines)


def _causes(causes: Sequence[tuple[str, RejectCause]], *, consequences: bool) -> tuple[Item, ...]:
    return cause_items(
        [(label, cause) for label, cause in causes if cause.consequence is consequences], live=True
    )


def _not_asked(run: ReportedRun) -> Iterator[Item]:
    found = [(table.label, words) for table in run.tables for words in table.not_asked]
    yield from told_items(found)


def _bars(run: ReportedRun) -> Iterator[Bar]:
    for table in run.tables:
        if table.began is not None and table.ended is not None:
            begin = (table.began - run.started).total_seconds()
            end = (table.ended - run.started).total_seconds()
            count = "1 batch" if table.batches_done == 1 else f"{table.batches_done} batches"
            yield Bar(
                table.label,
                max(begin, 0.0),
                end,
                f"{count_of(table.read, 'row', write=grouped)} in {count}, {end - begin:.1f} s",
            )
    ends = [table.ended for table in run.tables if table.ended is not None]
    if run.finished is not None and ends:
        begin, end = (max(ends) - run.started).total_seconds(), (run.finished - run.started).total_seconds()
        if end > begin:
            yield Bar(
                "after the copy", begin, end, f"indexes, keys, verification, sequences, {end - begin:.1f} s"
            )


def _span(run: ReportedRun) -> tuple[str, str]:
    ends = [table.ended for table in run.tables if table.ended is not None]
    last = run.finished or max(ends, default=run.started)
    return f"{run.started:%H:%M:%S}", f"{last:%H:%M:%S %Z}"


def _table(table: ReportedTable) -> Item:
    counted = (
        f"{grouped(rows)} {_WORDS.get(word, word)}"
        for word, rows in table.counts
        if rows or word in ("written", "rejected")
    )
    out = f", {grouped(table.left_out)} old rows left out" if table.left_out else ""
    text = f"{grouped(table.read)} read = {' + '.join(counted)}{out}"
    batches = "done" if table.done else f"{table.batches_done} of {table.batches} batches are done"
    return Item(text, table.label, (Note(f"{batches}; {_verified(table)}"),))


def _verified(table: ReportedTable) -> str:
    proof = table.proof
    if proof is None:
        return "contents not compared"
    if proof.differences:
        return "DIFFERS"
    cells = f"{grouped(proof.cells_compared)} values"
    if proof.sample:
        return f"a sample of {proof.sample} is verified, {cells}"
    apart = f" except {', '.join(proof.apart)}" if proof.apart else ""
    return f"verified{apart}, {cells}"


def _left_out(run: ReportedRun) -> Iterator[Item]:
    for table, rows in run.left_out.items():
        yield Item(count_of(rows, "row", write=grouped), table)
