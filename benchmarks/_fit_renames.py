"""Fits the weights of planning/matching/renames/score.py.

    _fit_renames.py DEV SCHEMA_DEV [--folds 6 [--repeats 3] | --rules]

It prints the weights to paste. With ``--folds`` it prints cross-validated figures instead: every case is
judged by weights that have not seen its family of repositories, and each repeat divides the families anew.
With ``--rules`` it prints how often each automatic rule was right over all cases with a known order, and the
95 % interval (Wilson).
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import renames as bench

from tranship.model.names import TableName
from tranship.planning.matching.renames import RenameContext, score
from tranship.planning.matching.renames.assign import choose
from tranship.planning.matching.renames.columns import order_proven, prove
from tranship.planning.matching.renames.features import features
from tranship.planning.matching.renames.overlap import make_tables_context
from tranship.planning.matching.renames.table_features import NEGATIVE
from tranship.planning.matching.renames.tables import known_pairs, weighed

Row = tuple[int, int, bench.Pair, dict[str, float]]
Weights = Mapping[str, float]

LESS = 0.3
"""Weight of a case that repeats another one (``primary`` false)."""
CERTAIN = 1e-4
"""A pair that is as good as decided hardly bends the likelihood, so it counts in the gradient only, which
saves most of the work.
"""


@dataclass
class Case:
    """One benchmark case as rows of features."""

    family: str
    primary: bool
    known: bool
    truth: set[bench.Pair]
    ambiguous: set[bench.Pair]
    derived: set[bench.Pair]
    automatic: set[bench.Pair]
    rows_under: Callable[[Weights], list[Row]]
    """The pairs worth weighing with their features; those of tables depend on what the first weighing
    finds.
    """
    rows: list[Row] = field(default_factory=list)

    def samples(self) -> Iterable[Sample]:
        """Features, label and weight of every pair that has a clear label."""
        for _, _, pair, values in self.rows:
            if pair in self.truth or pair not in self.ambiguous | self.derived:
                yield values, float(pair in self.truth), 1.0 if self.primary else LESS


def column_case(case: bench.Json, ordered: bool) -> Case | None:
    """A pair of tables seen with or without its order; None where it has no order to see."""
    old, new = bench.make_table(case["old"]), bench.make_table(case["new"])
    known = bool(case.get("position_known", True))
    context = RenameContext(order_known=known and ordered, table_pairs=bench.known_tables(case))
    order = order_proven(old, new, context)
    if order != ordered:
        return None
    progress = prove(old, new, kept=bench.kept_names(old, new), context=context)
    shared = progress.columns_context(order)
    olds, news = shared.old.columns, shared.new.columns
    rows = [(i, j, (olds[i].name, news[j].name), features(shared, olds[i], news[j])) for i, j in shared.pairs]
    automatic = {(p.old, p.new) for p in progress.found}
    truth, ambiguous, derived = (bench.pairs(case.get(key)) for key in ("renames", "ambiguous", "derived"))
    return Case(
        family(case),
        case.get("primary", True),
        known,
        truth,
        ambiguous,
        derived,
        automatic,
        lambda _: rows,
        rows,
    )


def table_case(case: bench.Json) -> Case:
    """A pair of schemas."""
    old, new = [bench.make_table(t) for t in case["old"]], [bench.make_table(t) for t in case["new"]]
    pairs: dict[TableName, TableName] = known_pairs(old, new, {})
    shared = make_tables_context(old, new, pairs)

    def rows(weights: Weights) -> list[Row]:
        _, found = weighed(shared, old, new, pairs, weights)
        return [
            (i, j, (shared.olds[i].name.name, shared.news[j].name.name), values)
            for (i, j), values in found.items()
        ]

    truth, ambiguous = bench.pairs(case.get("table_renames")), bench.pairs(case.get("ambiguous_tables"))
    return Case(family(case), True, True, truth, ambiguous, set(), set(), rows)


def family(case: bench.Json) -> str:
    """Repositories of one owner are not independent of each other."""
    return str(case.get("family") or case.get("repo") or case.get("id"))


@dataclass(frozen=True)
class Task:
    """One set of weights: the cases they are fitted on, and how."""

    name: str
    cases: list[Case]
    ridge: float
    threshold: float
    one_way: bool = False
    """Every feature may speak in one direction only, and is left out where the data would turn it round."""

    def fit(self, cases: Sequence[Case]) -> dict[str, float]:
        """Fit twice: the features of tables rest on a first weighing."""
        weights: dict[str, float] = {"bias": -10.0}
        for _ in range(2):
            for case in cases:
                case.rows = case.rows_under(weights)
            weights = fit(cases, self.ridge, one_way=self.one_way)
        return weights


Sample = tuple[dict[str, float], float, float]
"""Features of a pair, its label (0 or 1), and its weight."""


def fit(cases: Iterable[Case], ridge: float, *, one_way: bool) -> dict[str, float]:
    """Returns weights by ridge-regularised logistic regression, rounded to two digits; zeros are left out.

    ``one_way`` drops the features whose weight has the wrong sign, the largest first, and fits again after
    each.
    """
    samples = [sample for case in cases for sample in case.samples()]
    names = ["bias", *sorted({name for values, _, _ in samples for name in values} - {"bias"})]
    while True:
        weights = dict(zip(names, regress(samples, names, ridge), strict=True))
        wrong = [name for name in names[1:] if has_wrong_sign(name, weights[name])]
        if not one_way or not wrong:
            return {name: round(weight, 2) for name, weight in weights.items() if abs(weight) >= 0.005}
        names.remove(max(wrong, key=lambda name: (abs(weights[name]), name)))


def has_wrong_sign(name: str, weight: float) -> bool:
    """Returns whether a feature speaks against what it is made to say."""
    return weight != 0 and (weight < 0) != (name in NEGATIVE)


def regress(samples: Sequence[Sample], names: Sequence[str], ridge: float, rounds: int = 12) -> list[float]:
    """Returns the weights of these features, by Newton's method. 12 rounds are far more than it needs to
    converge.
    """
    vectors = [
        ([(k, values[n]) for k, n in enumerate(names) if values.get(n)], label, weight)
        for values, label, weight in samples
    ]
    theta = [0.0] * len(names)
    # The bias is hardly penalised: it says how rare renames are, not how much a feature counts.
    ridges = [1e-3, *[ridge] * (len(names) - 1)]
    for _ in range(rounds):
        gradient = [r * t for r, t in zip(ridges, theta, strict=True)]
        hessian = [[r * (i == j) for j in range(len(names))] for i, r in enumerate(ridges)]
        for vector, label, weight in vectors:
            add_sample(gradient, hessian, theta, vector, (label, weight))
        theta = [t - d for t, d in zip(theta, solve(hessian, gradient), strict=True)]
    return theta


def add_sample(
    gradient: list[float],
    hessian: list[list[float]],
    theta: Sequence[float],
    vector: Sequence[tuple[int, float]],
    labelled: tuple[float, float],
) -> None:
    """Adds one sample's part to gradient and Hessian. ``vector`` holds positions and values of its
    features.
    """
    label, weight = labelled
    # 30 is beyond what a float can tell from certainty, and keeps exp() from overflowing.
    chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, sum(theta[k] * v for k, v in vector)))))
    error, bend = weight * (chance - label), weight * chance * (1 - chance)
    for k, v in vector:
        gradient[k] += error * v
    if bend < CERTAIN:
        return
    for k, v in vector:
        line, scaled = hessian[k], bend * v
        for m, u in vector:
            line[m] += scaled * u


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Returns the solution of a system of linear equations, by Gaussian elimination with pivoting."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, size):
            factor = rows[k][i] / rows[i][i]
            if factor:
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    answer = [0.0] * size
    for i in reversed(range(size)):
        answer[i] = (rows[i][size] - sum(rows[i][k] * answer[k] for k in range(i + 1, size))) / rows[i][i]
    return answer


def proposed(case: Case, weights: Weights, threshold: float) -> set[bench.Pair]:
    """What the assignment asks about under these weights."""
    rows = case.rows_under(weights)
    names = {(i, j): pair for i, j, pair, _ in rows}
    chances = {(i, j): score.probability(values, weights) for i, j, _, values in rows}
    return {names[c.row, c.column] for c in choose(chances, threshold)}


def judge(
    cases: Iterable[Case], weights_of: Callable[[Case], Weights], threshold: float
) -> tuple[float, float, float]:
    """Precision, recall and F1 of what is automatic and asked together."""
    truth = found = right = 0
    for case in cases:
        pairs = proposed(case, weights_of(case), threshold) | case.automatic
        pairs -= case.ambiguous | (case.derived - case.truth)
        expected = case.truth - case.ambiguous
        truth, found, right = truth + len(expected), found + len(pairs), right + len(pairs & expected)
    return right / max(found, 1), right / max(truth, 1), 2 * right / max(found + truth, 1)


def deal(cases: Sequence[Case], folds: int, seed: int) -> dict[str, int]:
    """A fold for every family."""
    families = sorted({case.family for case in cases})
    random.Random(seed).shuffle(families)
    return {name: i % folds for i, name in enumerate(families)}


Figures = tuple[float, float, float]
"""Precision, recall and F1."""


def cross_validate(task: Task, folds: int, repeats: int) -> None:
    """Prints the figures over all folds: the mean of the repeats, and the least and the greatest."""
    primary = [case for case in task.cases if case.primary]
    groups = {
        "order known": [case for case in primary if case.known],
        "order unknown": [case for case in primary if not case.known],
    }
    results: dict[str, list[Figures]] = {label: [] for label, chosen in groups.items() if chosen}
    for seed in range(repeats):
        weights_of = fitted_elsewhere(task, folds, seed)
        for label, found in results.items():
            found.append(judge(groups[label], weights_of, task.threshold))
    for label, found in results.items():
        print(f"{task.name}, {label}: {spread(found)}", flush=True)


def fitted_elsewhere(task: Task, folds: int, seed: int) -> Callable[[Case], Weights]:
    """Returns a function that gives each case weights fitted on the other folds."""
    fold = deal(task.cases, folds, seed)
    fitted = [task.fit([c for c in task.cases if fold[c.family] != k]) for k in range(folds)]
    return lambda case: fitted[fold[case.family]]


def spread(found: Sequence[Figures]) -> str:
    """Returns each figure's mean with its least and its greatest value."""
    named = zip(("P", "R", "F1"), zip(*found, strict=True), strict=True)
    return "  ".join(f"{n} {statistics.mean(v):.3f} ({min(v):.3f}-{max(v):.3f})" for n, v in named)


def by_rule(raw: Iterable[bench.Json]) -> None:
    """Print how often each automatic rule was right."""
    right: Counter[str] = Counter()
    done: Counter[str] = Counter()
    families: dict[str, set[str]] = {}
    for case in (case for case in raw if case.get("position_known", True)):
        old, new = bench.make_table(case["old"]), bench.make_table(case["new"])
        truth, ambiguous = bench.pairs(case.get("renames")), bench.pairs(case.get("ambiguous"))
        for pair in prove(
            old, new, kept=bench.kept_names(old, new), context=bench.column_context(case)
        ).found:
            if (pair.old, pair.new) not in ambiguous - truth:
                words = pair.evidence[0]
                rule = (
                    "case and separators"
                    if words.startswith("names are equal")
                    else "gap of several"
                    if "same order" in words
                    else "gap"
                )
                done[rule] += 1
                right[rule] += (pair.old, pair.new) in truth
                families.setdefault(rule, set()).add(family(case))
    for rule, count in sorted(done.items()):
        low, high = wilson(right[rule], count)
        print(f"{rule}: {right[rule]} of {count} right, {len(families[rule])} families, {low:.3f}-{high:.3f}")


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds a share with 95 % confidence."""
    share, spread = right / count, z * math.sqrt(right * (count - right) / count**3 + (z / count / 2) ** 2)
    middle, whole = share + z * z / count / 2, 1 + z * z / count
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def main() -> None:
    """Read the cases, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dev", type=Path)
    parser.add_argument("schema_dev", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rules", action="store_true")
    arguments = parser.parse_args()
    raw = list(bench.read_cases(arguments.dev))
    if arguments.rules:
        by_rule(raw)
        return
    schemas = [table_case(case) for case in bench.read_cases(arguments.schema_dev)]
    tasks = (
        Task(
            "ORDERED",
            [c for c in (column_case(case, True) for case in raw) if c],
            1.0,
            score.ORDERED_THRESHOLD,
        ),
        Task(
            "UNORDERED",
            [c for c in (column_case(case, False) for case in raw) if c],
            3.0,
            score.UNORDERED_THRESHOLD,
        ),
        Task("TABLES", schemas, 1.0, score.TABLES_THRESHOLD, one_way=True),
    )
    for task in tasks:
        if arguments.folds:
            cross_validate(task, arguments.folds, arguments.repeats)
            continue
        print(f"{task.name}: Mapping[str, float] = {{")
        print("".join(f'    "{key}": {value},\n' for key, value in task.fit(task.cases).items()) + "}")


if __name__ == "__main__":
    main()
