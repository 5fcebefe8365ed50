"""The hash of a table plan for the journal: equal hashes mean that the same rows arrive with the same
content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from tranship.model.plan import TablePlan


def plan_hash(plan: TablePlan) -> str:
    """SHA-256 over what decides the content; what only says how it travels (hazards, format, OIDs) is left
    out.
    """
    sources = tuple((s.relation, s.root) for s in plan.sources)
    content = (plan.old, plan.new, plan.columns, plan.key, sources, plan.zone, plan.inserts_defaults)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def run_hash(plans: Iterable[TablePlan]) -> str:
    """Returns the SHA-256 over all tables of a run, whatever their order, in hexadecimal."""
    return hashlib.sha256("\n".join(sorted(plan_hash(p) for p in plans)).encode()).hexdigest()
