"""From a pair of schemas to its plan, without a server: what the tests of ``build`` and ``hazards`` begin
with.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from support.build import catalog
from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Problem, Resolution, ResolutionFile
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import decide
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.planning.plan.build import build


def planned(
    old: Catalog | Sequence[Table], new: Catalog | Sequence[Table], *entries: Resolution
) -> tuple[Plan, tuple[Problem, ...]]:
    """Returns the plan of a pair of schemas under these decisions, and what keeps it from running."""
    before = old if isinstance(old, Catalog) else catalog(*old)
    after = new if isinstance(new, Catalog) else catalog(*new)
    scope, problems = make_scope(before, after, None)
    assert problems == ()
    file = ResolutionFile(tuple(replace(entry, path=f"$[{n}]") for n, entry in enumerate(entries)))
    answers, decided, wrong = decide(file, before, after, scope)
    assert wrong == ()
    matching = match(before, after, scope, decided)
    return build(before, after, compare(before, after, matching, answers), answers)


def table_plans(plan: Plan) -> dict[str, TablePlan]:
    """Returns the table plans by the name of their old table."""
    return {table.old.name: table for group in plan.groups for table in group.tables}


def hazard_words(
    old: Catalog | Sequence[Table], new: Catalog | Sequence[Table], *entries: Resolution
) -> dict[str, list[str]]:
    """Returns per old table its hazards as ``kind columns|constraint``, and ``held`` if OLD has the same."""
    plan, _ = planned(old, new, *entries)
    found: dict[str, list[str]] = {}
    for name, table in table_plans(plan).items():
        found[name] = []
        for hazard in table.hazards:
            words = [hazard.kind.value, hazard.constraint or ",".join(hazard.columns)]
            found[name].append(" ".join(words if hazard.new else [*words, "held"]))
    return found


def public(name: str) -> TableName:
    """Returns the name of a table in the schema public."""
    return TableName("public", name)
