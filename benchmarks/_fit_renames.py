"""Fit the weights of planning/renames/score.py by logistic regression: ``benchmarks/_fit_renames.py DEV SCHEMA_DEV [--folds 5]``.

Prints the weights to paste. With ``--folds`` it prints instead what the bars measure, cross-validated by family of repositories:
every case is judged by weights that have not seen its family.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import renames as bench

from tranship.planning.renames import RenameContext, score
from tranship.planning.renames.assign import choose
from tranship.planning.renames.columns import order_proven, prove
from tranship.planning.renames.features import features
from tranship.planning.renames.overlap import make_table_scene, table_features, worth_weighing
from tranship.planning.renames.tables import known_pairs

Row = tuple[int, int, bench.Pair, dict[str, float]]
Weights = Mapping[str, float]

LESS = 0.3
"""Weight of a case that repeats another one (``primary`` false)."""


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
    rows: list[Row]

    def samples(self) -> Iterable[tuple[dict[str, float], float, float]]:
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
    scene = progress.scene(order)
    olds, news = scene.old.columns, scene.new.columns
    rows = [(i, j, (olds[i].name, news[j].name), features(scene, olds[i], news[j])) for i, j in scene.pairs]
    automatic = {(p.old, p.new) for p in progress.found}
    truth, ambiguous, derived = (bench.pairs(case.get(key)) for key in ("renames", "ambiguous", "derived"))
    return Case(family(case), case.get("primary", True), known, truth, ambiguous, derived, automatic, rows)


def table_case(case: bench.Json) -> Case:
    """A pair of schemas."""
    old, new = [bench.make_table(t) for t in case["old"]], [bench.make_table(t) for t in case["new"]]
    scene = make_table_scene(old, new, known_pairs(old, new, {}))
    rows = [
        (i, j, (scene.olds[i].name.name, scene.news[j].name.name), table_features(scene, scene.olds[i], scene.news[j]))
        for i, j in worth_weighing(scene)
    ]
    truth, ambiguous = bench.pairs(case.get("table_renames")), bench.pairs(case.get("ambiguous_tables"))
    return Case(family(case), True, True, truth, ambiguous, set(), set(), rows)


def family(case: bench.Json) -> str:
    """Repositories of one owner are not independent of each other."""
    return str(case.get("family") or case.get("repo") or case.get("id"))


def fit(cases: Iterable[Case], ridge: float, rounds: int = 12) -> dict[str, float]:
    """Logistic regression by Newton's method, ridge-regularised but for the bias."""
    samples = [sample for case in cases for sample in case.samples()]
    names = ["bias", *sorted({name for values, _, _ in samples for name in values} - {"bias"})]
    vectors = [([(k, values[n]) for k, n in enumerate(names) if values.get(n)], label, weight) for values, label, weight in samples]
    theta = [0.0] * len(names)
    ridges = [1e-3, *[ridge] * (len(names) - 1)]
    for _ in range(rounds):
        gradient = [r * t for r, t in zip(ridges, theta, strict=True)]
        hessian = [[r * (i == j) for j in range(len(names))] for i, r in enumerate(ridges)]
        for vector, label, weight in vectors:
            chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, sum(theta[k] * v for k, v in vector)))))
            error, bend = weight * (chance - label), weight * chance * (1 - chance)
            for k, v in vector:
                gradient[k] += error * v
                line, scaled = hessian[k], bend * v
                for m, u in vector:
                    line[m] += scaled * u
        theta = [t - d for t, d in zip(theta, solve(hessian, gradient), strict=True)]
    return {name: round(t, 2) for name, t in zip(names, theta, strict=True) if abs(t) >= 0.005}


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivoting."""
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
    names = {(i, j): pair for i, j, pair, _ in case.rows}
    chances = {(i, j): score.probability(values, weights) for i, j, _, values in case.rows}
    return {names[c.row, c.column] for c in choose(chances, threshold)}


def judge(cases: Iterable[Case], weights_of: Callable[[Case], Weights], threshold: float) -> str:
    """Precision, recall and F1 of what is automatic and asked together."""
    truth = found = right = 0
    for case in cases:
        pairs = proposed(case, weights_of(case), threshold) | case.automatic
        pairs -= case.ambiguous | (case.derived - case.truth)
        expected = case.truth - case.ambiguous
        truth, found, right = truth + len(expected), found + len(pairs), right + len(pairs & expected)
    return f"P {right / max(found, 1):.3f}  R {right / max(truth, 1):.3f}  F1 {2 * right / max(found + truth, 1):.3f}  ({truth} renames)"


def fold_of(case: Case, folds: int) -> int:
    """A stable fold for a family."""
    return int(hashlib.sha256(case.family.encode()).hexdigest(), 16) % folds


def cross_validate(name: str, cases: Sequence[Case], ridge: float, threshold: float, folds: int) -> None:
    """Print the figures over all folds."""
    fitted = [fit([c for c in cases if fold_of(c, folds) != k], ridge) for k in range(folds)]
    for label, chosen in (("", [c for c in cases if c.primary]), (" (order unknown)", [c for c in cases if c.primary and not c.known])):
        if chosen:
            print(f"{name}{label}: {judge(chosen, lambda c: fitted[fold_of(c, folds)], threshold)}")


def main() -> None:
    """Read the cases, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dev", type=Path)
    parser.add_argument("schema_dev", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    arguments = parser.parse_args()
    raw = list(bench.read_cases(arguments.dev))
    sets = (
        ("ORDERED", [c for c in (column_case(case, True) for case in raw) if c], 1.0, score.ORDERED_THRESHOLD),
        ("UNORDERED", [c for c in (column_case(case, False) for case in raw) if c], 3.0, score.UNORDERED_THRESHOLD),
        ("TABLES", [table_case(case) for case in bench.read_cases(arguments.schema_dev)], 1.0, score.TABLES_THRESHOLD),
    )
    for name, cases, ridge, threshold in sets:
        if arguments.folds:
            cross_validate(name, cases, ridge, threshold, arguments.folds)
            continue
        weights = fit(cases, ridge)
        print(f"{name}: Mapping[str, float] = {{")
        print("".join(f'    "{key}": {value},\n' for key, value in weights.items()) + "}")


if __name__ == "__main__":
    main()
