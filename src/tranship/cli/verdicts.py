"""The first line of what `status`, `doctor` and `verify` say at their end, with the next command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import UNSET

from tranship.errors.codes.stale_references import of_references
from tranship.model.options import command_line
from tranship.report.verdict import NOT_ONE_MOMENT, NOTHING_LEFT, REFERENCES, UNASKED
from tranship.report.verification import grouped

if TYPE_CHECKING:
    from tranship.api import Diagnosis, Purged, RolledBack, RunState
    from tranship.model.verification import Verification


def status_verdict(states: Sequence[RunState], words: Sequence[str]) -> str:
    """Returns where the runs stand. ``words`` name the databases on the command line."""
    running = next((state for state in states if state.running), None)
    if running is not None:
        return f"{_share(running)} Watch it: {command_line('tranship', 'status', *words, '--watch')}"
    waiting = next((state for state in reversed(states) if state.run.state != "finished"), None)
    if waiting is not None:
        return _unfinished(waiting, words)
    return _all_finished(states, words)


def no_run_verdict(gone: Sequence[RolledBack], place: str, words: Sequence[str]) -> str:
    """Returns why no run is on record, and what comes next.

    Args:
        gone: the runs that were rolled back.
        place: NEW and the journal's schema, as messages name them.
        words: they name the databases on the command line.
    """
    if not gone:
        return f"No run is on record in {place}. A dry run: {command_line('tranship', 'migrate', *words)}"
    last = gone[-1]
    again = last.again or command_line("tranship", "migrate", *words, "--live")
    purge = command_line("tranship", "purge", *words)
    return (
        f"No run is on record in {place} any more: {_back(last)}. "
        f"Move the rows again: {again}; or remove the journal: {purge}"
    )


def purge_words(done: Purged, *, dry_run: bool) -> str:
    """Returns what the journal held that was removed, or what it holds that would be."""
    no_longer = "could then no longer" if dry_run else "can no longer"
    parts = []
    if done.runs:
        one = len(done.runs) == 1
        count = "1 finished run" if one else f"{len(done.runs)} finished runs"
        parts.append(f"{count}, whose rows stay and {no_longer} be rolled back or verified")
        if done.without_key:
            tables = ", ".join(map(str, done.without_key))
            parts.append(f"moved again, rows would be there twice where NEW has no key for them: {tables}")
    if done.rejected:
        them = "it" if done.rejected == 1 else "them"
        parts.append(f"{_rows(done.rejected)} on record as rejected: --rejects-only {no_longer} move {them}")
    parts += [_back(one) for one in done.rolled_back]
    return "; ".join(parts) or f"it {'holds' if dry_run else 'held'} no run any more"


def _back(run: RolledBack) -> str:
    back = f"run {run.id} was rolled back on {run.at:%Y-%m-%d %H:%M:%S %Z}"
    if not run.stays:
        return back
    was = "was" if run.stays == 1 else "were"
    return f"{back}, and {_rows(run.stays)} that others wrote or changed {was} left"


def _all_finished(states: Sequence[RunState], words: Sequence[str]) -> str:
    # The whole library is loaded where an answer needs it, and not for --help.
    from tranship.api import still_rejected

    if any(state.switched_off for state in states):
        restore = command_line("tranship", "doctor", *words, "--restore")
        return f"Every run is finished, and something is still switched off. Next: {restore}"
    written = sum(table.written for state in states for table in state.tables)
    rejected = still_rejected(states)
    all_ = {1: "The run is", 2: "Both runs are"}.get(len(states), f"All {len(states)} runs are")
    verify = command_line("tranship", "verify", *words)
    mixed = f" {NOT_ONE_MOMENT}" if any(state.run.mixed for state in states) else ""
    return (
        f"{all_} finished: {_rows(written)} written, {grouped(rejected)} rejected.{mixed}"
        f" Compare them at any time: {verify}"
    )


def _share(state: RunState) -> str:
    if state.rolling_back:
        return f"The rollback of run {state.run.id} is at work: {_to_delete(state)}."
    handled, rows = state.rows
    if not rows:
        return "A run is at work."
    return f"A run is at work: {100 * handled // rows} % of {_rows(rows)}."


def _to_delete(state: RunState) -> str:
    are = "is" if state.to_delete == 1 else "are"
    return f"{_rows(state.to_delete)} that the run wrote {are} not deleted yet"


def _unfinished(state: RunState, words: Sequence[str]) -> str:
    if state.rolling_back:
        told = (
            f"The rollback of run {state.run.id} was interrupted: {_rows(state.to_delete)} still to delete."
        )
        return f"{told} Next: {_rollback(state.run.id, words)}"
    handled, rows = state.rows
    decided = state.run.decided_by
    again = decided.again if decided is not None and decided.again else "the same migrate --live command"
    word = "stopped" if state.run.state == "stopped" else "was interrupted"
    told = f"Run {state.run.id} {word} after {grouped(handled)} of {_rows(rows)}."
    return f"{told} Resume it: {again}; or roll it back: {_rollback(state.run.id, words)}"


def _rollback(run: str, words: Sequence[str]) -> str:
    return command_line("tranship", "rollback", *words, "--run", run, "--live")


def doctor_verdict(
    found: Sequence[Diagnosis], accepted: int, *, restored: bool, new: str, words: Sequence[str]
) -> str:
    """Returns what is switched off in NEW.

    Args:
        found: what is, or was before it was restored.
        accepted: things that stay as they are by this call.
        restored: the call was to restore everything.
        new: NEW, as messages name it.
        words: they name the databases on the command line.
    """
    off = [diagnosis for diagnosis in found if diagnosis.off]
    kept = (
        f"{_things(accepted)} {_is(accepted)} left as {'it is' if accepted == 1 else 'they are'}. "
        if accepted
        else ""
    )
    if not off:
        done = f"{_things(len(found))} restored" if found and restored else "Nothing is switched off"
        status = command_line("tranship", "status", *words)
        return f"{kept}{done} in {new}. Where the runs stand: {status}"
    count = f"{kept}{_things(len(off))} of {new} {_is(len(off))}"
    if all(diagnosis.running for diagnosis in off):
        watch = command_line("tranship", "status", *words, "--watch")
        return f"{count} switched off by a run that is at work, which restores it. Watch it: {watch}"
    if restored:
        return f"{count} still switched off: the lines below say what stands in the way of each."
    return f"{count} switched off. Next: {command_line('tranship', 'doctor', *words, '--restore')}"


def verify_verdict(result: Verification, words: Sequence[str]) -> str:
    """Returns whether NEW holds what OLD's rows became. ``words`` name the databases on the command line."""
    if not result.tables:
        return "No run on record wrote a row into NEW: there is nothing to compare."
    rows = _compared(result)
    match result.status:
        case "verified":
            apart = any(isinstance(table.verified, str) for table in result.tables)
            verified = "verified but for what is named above" if apart else "verified"
            held = f"NEW holds what OLD's rows became: {rows}, {verified}."
            aside = [NOT_ONE_MOMENT] if result.mixed is True else []
            aside += [f"{REFERENCES}, below."] if of_references(result.problems) else []
            left = " ".join([*aside, *_written_since(result), *_rejected(result, words)])
            return f"{held} {left or NOTHING_LEFT}"
        case "differs" if result.exit_status == 1:
            return "Others changed rows of NEW since the runs: look at those that are named above."
        case "differs":
            return _differs(result)
        case "not verified":
            return _not_verified(result, words)


def _differs(result: Verification) -> str:
    """Returns that NEW is wrong, with the option for a NEW in use where only others wrote what is wrong."""
    broken = {one.kind for one in result.constraints if one.broken}
    wrong = [table.differences for table in result.tables if table.verified is False]
    told = f"{_wrong(broken, rows=bool(wrong))}. Do not use it before you have looked at what is named here."
    others = all(found and all(one.by_others for one in found) for found in wrong)
    if broken or not wrong or not others:
        return told
    return f"{told} All of it was written by others since: if they may write to NEW by now, add --new-in-use."


def _wrong(broken: AbstractSet[str], *, rows: bool) -> str:
    """Returns what is wrong with NEW: kinds of ``broken`` constraints, or ``rows`` that differ."""
    behind = "a sequence is behind the values of its column, and would give them again"
    if broken and not broken <= {"sequence"}:
        return "NEW breaks constraints of its own" + (", and rows of it differ" if rows else "")
    if not broken:
        return "NEW does not hold what OLD's rows became"
    return f"NEW does not hold what OLD's rows became, and {behind}" if rows else f"In NEW, {behind}"


def _compared(result: Verification) -> str:
    """Returns the number of rows that were compared, in words."""
    before = sum(table.rows_before.compared for table in result.tables if table.rows_before)
    held = f" and {grouped(before)} that NEW held before" if before else ""
    return f"{_rows(sum(table.rows for table in result.tables))}{held}"


def _not_verified(result: Verification, words: Sequence[str]) -> str:
    if result.at_work:
        watch = command_line("tranship", "status", *words, "--watch")
        return f"A run is at work, so its rows cannot be compared before it has ended. Watch it: {watch}"
    if result.rolling_back:
        run = result.rolling_back
        told = f"The rollback of run {run} was interrupted, and rows are compared when it is done."
        return f"{told} Next: {_rollback(run, words)}"
    if result.resume:
        return f"A run is not finished, so its rows cannot be compared yet. Resume it: {result.resume}"
    return "Not every table could be compared: the reason stands beside each."


def _written_since(result: Verification) -> Iterator[str]:
    """Yields that NEW is not up to date, where that was seen."""
    last: dict[tuple[str, str], bool] = {}
    for table in result.tables:
        said = table.second_opinion
        last[table.label, table.new_table] = said is not UNSET and bool(said.old_written)
    if any(last.values()):
        yield "OLD was written to since, and NEW does not have that: repeat the live run, which counts it."
    elif any(one.second_opinion is not UNSET and one.second_opinion.old_written for one in result.tables):
        # Rejected rows may have been mended for the run that moved them: their values are in NEW.
        yield (
            "OLD was written to since the first run; the rows that a later run moved have that."
            " Whether more was written, the repeated live run counts."
        )


def _rejected(result: Verification, words: Sequence[str]) -> Iterator[str]:
    """Yields what is to be done about rows that the runs rejected: of each flow the last run tells."""
    last = {(table.label, table.new_table): table.rejected for table in result.tables}
    rejected, report = sum(last.values()), command_line("tranship", "report", *words)
    if rejected:
        yield f"{_rows(rejected)} {'was' if rejected == 1 else 'were'} rejected: {report}"
    elif any(table.not_asked for table in result.tables):
        yield f"{UNASKED}: {report}"


def _things(count: int) -> str:
    return "1 thing" if count == 1 else f"{count} things"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{grouped(count)} rows"
