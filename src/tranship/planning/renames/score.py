"""How likely two columns are the same, from their features."""

from __future__ import annotations

import math
from collections.abc import Mapping

WEIGHTS: Mapping[str, float] = {
    "bias": -6.0,
    "ratio": 3.0,
    "partial": 1.0,
    "tokens": 2.0,
    "contained": 0.5,
    "head": 0.8,
    "first": 0.3,
    "disjoint": -0.5,
    "token_veto": -1.5,
    "type_same": 0.5,
    "family_same": 2.0,
    "family_rare": 1.0,
    "null_same": 0.5,
    "default_same": 0.5,
    "default_differs": -0.7,
    "roles_same": 0.7,
    "roles_differ": -0.7,
    "target_same": 2.0,
    "target_differs": -2.0,
    "target_lost": -0.7,
    "gap_single": 3.0,
    "gap_tail_single": 1.0,
    "gap_rank": 2.0,
    "gap_shared": 0.5,
    "gap_other": -1.5,
    "lonely": 1.0,
}
"""Logistic weights, fitted by benchmarks/fit_renames.py."""

THRESHOLD = 0.5
"""Probability from which a pair is worth asking about."""


def probability(features: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """The logistic of the weighted sum."""
    total = sum(weights.get(name, 0.0) * value for name, value in features.items())
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total))))


TABLE_WEIGHTS: Mapping[str, float] = {
    "bias": -6.0,
    "name_tokens": 1.5,
    "name_ratio": 2.0,
    "name_head": 0.5,
    "columns": 2.0,
    "columns_relative": 3.0,
    "contained": 1.0,
    "typed": 2.0,
    "sequence": 1.0,
    "small": -1.0,
    "repointed": 4.0,
    "not_repointed": -0.5,
    "kind_same": 0.5,
}
"""Logistic weights for tables, fitted by benchmarks/fit_renames.py."""

TABLE_THRESHOLD = 0.5
"""Probability from which a pair of tables is worth asking about."""
