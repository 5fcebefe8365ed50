"""How likely two columns or two tables are the same, from their features."""

from __future__ import annotations

import math
from collections.abc import Mapping

ORDERED_THRESHOLD = 0.25
UNORDERED_THRESHOLD = 0.3
TABLES_THRESHOLD = 0.2
"""Probability from which a pair is worth asking about; chosen where cross-validated precision and recall are about equal."""

# The logistic weights were found by benchmarks/_fit_renames.py on the development part of the rename benchmark.
ORDERED: Mapping[str, float] = {
    "bias": -2.88,
    "ahead": 1.84,
    "contained": 1.22,
    "crowd": 0.35,
    "crowd_old": -0.62,
    "default_differs": -0.85,
    "default_same": 0.48,
    "disjoint": -1.12,
    "family_rare": 1.32,
    "family_same": -0.16,
    "gap_aligned": 2.24,
    "gap_moved_in": -1.52,
    "gap_other": -3.73,
    "gap_possible": 0.76,
    "gap_shared": -1.51,
    "gap_single": 2.32,
    "lonely": -0.26,
    "null_same": 1.04,
    "one_id": -1.07,
    "outdone_new": -1.95,
    "outdone_old": -2.14,
    "pattern": 0.61,
    "ratio": -0.18,
    "roles_differ": -0.54,
    "roles_same": 1.1,
    "synonyms": 1.11,
    "tail_aligned": 1.84,
    "tail_possible": -0.9,
    "tail_rank": 0.21,
    "tail_shared": -2.98,
    "tail_single": 0.39,
    "target_differs": -1.42,
    "token_veto": -0.1,
    "tokens": 0.27,
    "type_same": 1.4,
    "with_table": 0.72,
}
UNORDERED: Mapping[str, float] = {
    "bias": -3.57,
    "ahead": 2.45,
    "contained": 0.61,
    "crowd": -0.03,
    "crowd_old": -0.42,
    "default_differs": -1.63,
    "default_same": 0.81,
    "disjoint": -1.19,
    "family_rare": 1.28,
    "family_same": 0.22,
    "lonely": 0.88,
    "null_same": 0.34,
    "one_id": -0.87,
    "outdone_new": -2.51,
    "outdone_old": -3.31,
    "pattern": 1.78,
    "ratio": -0.02,
    "roles_differ": -0.9,
    "roles_same": 0.7,
    "synonyms": 1.7,
    "target_differs": -1.57,
    "token_veto": -1.13,
    "tokens": 0.82,
    "type_same": 1.66,
    "with_table": 0.74,
}
TABLES: Mapping[str, float] = {
    "bias": -4.95,
    "ahead": 4.37,
    "columns": 1.56,
    "contained": 0.09,
    "crowd": -0.45,
    "crowd_old": -0.59,
    "echo": 1.47,
    "exact": 0.73,
    "explained": 0.72,
    "keys_same": 0.94,
    "lonely": 0.06,
    "name_ratio": 1.21,
    "name_tokens": 2.26,
    "outdone": -3.77,
    "pattern": 1.61,
    "repointed": 0.29,
    "soft": 1.62,
    "synonyms": 0.86,
}


def probability(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The logistic of the weighted sum."""
    total = sum(weights.get(name, 0.0) * value for name, value in features.items())
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total))))


def log_odds(chance: float) -> float:
    """The inverse of the logistic, kept finite."""
    bounded = min(max(chance, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))
