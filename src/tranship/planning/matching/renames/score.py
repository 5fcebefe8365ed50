"""How likely two columns or two tables are the same, from their features."""

from __future__ import annotations

import math
from collections.abc import Mapping

ORDERED_THRESHOLD = 0.3
UNORDERED_THRESHOLD = 0.27
TABLES_THRESHOLD = 0.2
"""Probability from which a pair is worth asking about.

All three were chosen where precision and recall, cross-validated on the rename benchmark, are about equal.
"""

# The logistic weights were fitted by benchmarks/_fit_renames.py on the development part of the rename
# benchmark. Without an order the features of place are missing, and names and types have to say more: so two
# sets of weights.
ORDERED: Mapping[str, float] = {
    "bias": -4.87,
    "ahead": 1.86,
    "contained": 1.26,
    "crowd": 0.48,
    "crowd_old": -0.54,
    "default_differs": -0.65,
    "default_same": 0.48,
    "disjoint": -0.79,
    "family_rare": 1.56,
    "family_same": 0.13,
    "gap_aligned": 2.47,
    "gap_moved_in": -1.33,
    "gap_other": -3.44,
    "gap_possible": 1.08,
    "gap_shared": -1.22,
    "gap_single": 2.71,
    "lonely": -0.03,
    "null_same": 1.58,
    "one_id": -0.89,
    "outdone_new": -1.79,
    "outdone_old": -2.04,
    "pattern": 0.51,
    "ratio": 0.44,
    "roles_differ": -0.42,
    "roles_same": 1.2,
    "synonyms": 1.3,
    "tail_aligned": 1.95,
    "tail_possible": -0.69,
    "tail_rank": 0.54,
    "tail_shared": -2.75,
    "tail_single": 0.67,
    "target_differs": -1.38,
    "token_veto": -0.3,
    "tokens": 0.46,
    "type_same": 1.41,
    "with_table": 0.7,
}
UNORDERED: Mapping[str, float] = {
    "bias": -5.5,
    "ahead": 2.54,
    "contained": 0.62,
    "crowd": 0.1,
    "crowd_old": -0.34,
    "default_differs": -1.52,
    "default_same": 0.78,
    "disjoint": -0.83,
    "family_rare": 1.64,
    "family_same": 0.63,
    "lonely": 1.08,
    "null_same": 0.78,
    "one_id": -0.5,
    "outdone_new": -2.34,
    "outdone_old": -3.13,
    "pattern": 1.65,
    "ratio": 0.78,
    "roles_differ": -0.77,
    "roles_same": 0.8,
    "synonyms": 1.95,
    "target_differs": -1.54,
    "token_veto": -1.21,
    "tokens": 1.01,
    "type_same": 1.7,
    "with_table": 0.72,
}
TABLES: Mapping[str, float] = {
    "bias": -7.84,
    "ahead": 4.0,
    "appended": 0.94,
    "changed_alike": 1.68,
    "columns": 1.41,
    "copied": -1.82,
    "crowd": -0.26,
    "crowd_old": -0.6,
    "echo": 1.18,
    "exact": 1.71,
    "fk_moved": 1.03,
    "fk_same": 1.02,
    "keys_same": 1.52,
    "name_ratio": 1.72,
    "name_tokens": 1.42,
    "order": 0.97,
    "outdone": -3.29,
    "soft": 2.37,
    "synonyms": 0.95,
}


# exp overflows from about 710 on; at 40 the logistic differs from 1 by less than the precision of a float.
MOST_LOG_ODDS = 40.0


def probability(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Returns the logistic of the weighted sum, 0 to 1; a feature without a weight counts nothing."""
    total = sum(weights.get(name, 0.0) * value for name, value in features.items())
    return _logistic(total)


def shifted(chance: float, by: float) -> float:
    """Returns a probability moved by log-odds."""
    return chance if not by else _logistic(log_odds(chance) + by)


def _logistic(total: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-MOST_LOG_ODDS, min(MOST_LOG_ODDS, total))))


def log_odds(chance: float) -> float:
    """Returns the log-odds of a probability; those of 0 and 1 are kept finite."""
    bounded = min(max(chance, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))
