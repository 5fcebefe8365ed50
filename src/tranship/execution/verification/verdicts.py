"""What is known of the rows of a flow, from what was found."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from tranship.execution.verification.recorded import Recorded
from tranship.execution.verification.scene import Found
from tranship.model.difference import Difference, RowsBefore, SecondOpinion, differing
from tranship.model.verification import VerifiedTable, VerifyOptions
from tranship.sql.expression import shipped


def told(options: VerifyOptions, flow: Recorded, found: Found | None) -> VerifiedTable:
    """Returns the verdict about one flow; ``found``: None where nothing could be compared."""
    verified, why = _verdict(options, flow, found)
    cells = flow.rows * _columns(flow, found)
    differences = tuple(found.differences) if found is not None else ()
    return VerifiedTable(
        flow.run.id,
        str(flow.flow.old),
        str(flow.table),
        flow.rows,
        verified,
        why,
        cells=cells,
        cells_verified=cells if verified and not differences else 0,
        differences=differences,
        second_opinion=_opinion(flow, found) or UNSET,
        rows_before=_before(flow, found) or UNSET,
        rows_changed_in_old=found.changed_in_old if found is not None else 0,
        flow=flow.flow.name or UNSET,
        rejected=sum(batch.rejected for batch in flow.done),
        not_asked=flow.task.unsettled,
    )


def _opinion(flow: Recorded, found: Found | None) -> SecondOpinion | None:
    """Returns the second opinion: where nothing could be compared, that of the run itself."""
    if found is not None and found.proven:
        return found.second_opinion
    said = flow.task.proof.second_opinion if flow.task.proof is not None else None
    return replace(said, not_repeated=_verdict_unknown(flow, found)) if said is not None else None


def _before(flow: Recorded, found: Found | None) -> RowsBefore | None:
    """Returns the same of the rows that NEW held before the run."""
    if found is not None and found.proven:
        return found.rows_before
    said = flow.task.proof.rows_before if flow.task.proof is not None else None
    return replace(said, not_repeated=_verdict_unknown(flow, found)) if said is not None else None


def _verdict_unknown(flow: Recorded, found: Found | None) -> str:
    """Returns why nothing could be compared."""
    return found.why if found is not None else flow.unprovable


def wrong_ones(options: VerifyOptions, differences: Sequence[Difference]) -> list[Difference]:
    """Returns the differences that mean that NEW is not as it should be: where others may write to it, what
    they added or changed does not count.
    """
    return [one for one in differences if not (options.new_in_use and one.by_others)]


def _columns(flow: Recorded, found: Found | None) -> int:
    """Returns how many columns of a row are compared, or would be."""
    if found is not None and found.of is not None:
        return len(found.of.columns)
    return len(shipped(flow.plan)) if flow.plan is not None else 0


def _verdict(options: VerifyOptions, flow: Recorded, found: Found | None) -> tuple[bool | str | None, str]:
    """Returns what is known of the rows, and why no more."""
    if found is None or not found.proven:
        return None, _verdict_unknown(flow, found)
    wrong = wrong_ones(options, found.differences)
    if wrong:
        return False, found.why or differing(wrong)
    if flow.partly:
        return None, flow.partly
    if found.differences:
        rows = sum(one.rows for one in found.differences)
        return f"except rows that others added or changed since: {rows}", found.why
    apart = _apart(flow, found)
    return (f"except {', '.join(apart)}" if apart else True), found.why


def _apart(flow: Recorded, found: Found) -> list[str]:
    """Returns what nobody can say of rows that are equal otherwise."""
    apart = list(found.of.filled.apart) if found.of is not None else []
    if found.updated_later:
        apart.append(f"rows of {flow.table} that a later run updated: {found.updated_later}")
    return apart
