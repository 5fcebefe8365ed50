"""Scores column and table renames against recorded truth.

    benchmarks/renames.py [FILE…] [--format json] [--errors]

A file holds one case per line, plain or compressed by xz: a pair of tables (``renames``, ``derived``,
``ambiguous`` …) or a pair of schemas (``table_renames``). Without a file it takes those of
``../shared/renames`` beside the checkout. It prints the table of docs/renames.md.

Automatic pairs are applied without a question; proposed pairs are the automatic ones and the questions. An
ambiguous pair counts neither way. A derived pair (the new column is computed from the old one) may be a
question but never automatic. ``exact`` is the share of cases in which the proposed pairs are exactly the true
ones.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from tranship.model.builtin_types import builtin_called  # noqa: E402
from tranship.model.catalog import Column, ForeignKey, Index, Key, Table  # noqa: E402
from tranship.model.names import TableName  # noqa: E402
from tranship.model.types import PgType, TypeKind  # noqa: E402
from tranship.planning.matching.renames import (  # noqa: E402
    RenameContext,
    column_renames,
    naming_convention,
    table_renames,
)

SHARED = ROOT.parent / "shared" / "renames"
XZ = b"\xfd7zXZ\x00"
Json = dict[str, Any]
Pair = tuple[str, str]

_BUILT_IN = """
smallint integer bigint oid numeric real money text character bpchar name citext date json jsonb inet
cidr macaddr bytea uuid boolean xml hstore tsvector tsquery interval point line lseg box path polygon
circle geometry geography ltree int4range int8range numrange daterange tsrange tstzrange bit USER-DEFINED
"""
_TWO_WORDS = (
    "double precision",
    "character varying",
    "bit varying",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
)
_KNOWN_TYPES = frozenset(_BUILT_IN.split()) | frozenset(_TWO_WORDS)


class Unreadable(Exception):
    """A file that holds no cases of this format; says where and why."""


@dataclass(frozen=True)
class Labels:
    """What is known of a case's pairs."""

    truth: set[Pair]
    ambiguous: set[Pair]
    """Neither right nor wrong."""
    derived: set[Pair]
    """May be a question, never automatic."""


@dataclass
class Score:
    """Counts of one group of cases."""

    cases: int = 0
    truth: int = 0
    automatic: int = 0
    automatic_right: int = 0
    derived: int = 0
    proposed: int = 0
    proposed_right: int = 0
    exact: int = 0
    errors: list[str] = field(default_factory=list)

    def figures(self) -> Json:
        """The metrics by name; a share of nothing is 1."""
        precision = _share(self.proposed_right, self.proposed)
        recall = _share(self.proposed_right, self.truth)
        return {
            "auto_precision": _share(self.automatic_right, self.automatic),
            "auto_recall": _share(self.automatic_right, self.truth),
            "auto_derived": self.derived,
            "proposed_precision": precision,
            "proposed_recall": recall,
            "proposed_f1": round(2 * precision * recall / (precision + recall), 4)
            if precision + recall
            else 0.0,
            "exact": _share(self.exact, self.cases),
            "cases": self.cases,
            "renames": self.truth,
            "automatic": self.automatic,
            "proposed": self.proposed,
        }

    def add(
        self,
        case: Json,
        labels: Labels,
        automatic: set[Pair],
        asked: set[Pair],
        where: str,
    ) -> None:
        """Counts one case: the pairs that were found automatically, and those that were asked about."""
        truth, ambiguous, derived = labels.truth, labels.ambiguous, labels.derived
        scored = automatic - ambiguous
        proposed = (automatic | asked) - ambiguous - (derived - truth)
        self.cases += 1
        self.truth += len(truth - ambiguous)
        self.automatic += len(scored)
        self.automatic_right += len(scored & truth)
        self.derived += len(scored & (derived - truth))
        self.proposed += len(proposed)
        self.proposed_right += len(proposed & truth)
        self.exact += proposed == truth - ambiguous
        label = f"{case.get('repo', '?')} {case.get('span_kind', '?')} {case.get('id', '?')} {where}"
        self.errors += [f"automatic {_arrow(p)}  [{label}]" for p in sorted(scored - truth)]
        self.errors += [f"proposed  {_arrow(p)}  [{label}]" for p in sorted(proposed - truth - scored)]
        self.errors += [f"missed    {_arrow(p)}  [{label}]" for p in sorted(truth - ambiguous - proposed)]


def _arrow(pair: Pair) -> str:
    return f"{pair[0]} → {pair[1]}"


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def make_type(text: str) -> PgType:
    """A type from its printed name; a name that is no built-in counts as an enum."""
    if text.endswith("[]"):
        element = make_type(text[:-2])
        return PgType(text, element.base + "[]", TypeKind.ARRAY, element=element)
    before, _, rest = text.partition("(")
    numbers, _, after = rest.partition(")")
    base = (before.strip() + (" " + after.strip() if after.strip() else "")).strip()
    modifiers = tuple(int(n) for n in numbers.split(",") if n.strip().isdigit())
    row = builtin_called(base)
    name = TableName("pg_catalog", row.name) if row is not None else None
    return PgType(text, base, TypeKind.BASE if base in _KNOWN_TYPES else TypeKind.ENUM, modifiers, name)


def make_table(case: Json) -> Table:
    """A catalog table from a benchmark's table."""
    columns = tuple(
        Column(
            c["name"],
            i,
            make_type(c.get("type") or "text"),
            not_null=c.get("nullable") is False,
            default=None if c.get("default") is None else str(c["default"]),
        )
        for i, c in enumerate(case.get("columns") or (), 1)
    )
    keys = [Key("primary", True, tuple(case["primary_key"]))] if case.get("primary_key") else []
    indexes = []
    for i, entry in enumerate(case.get("indexes") or ()):
        names = tuple(entry.get("columns") or ())
        indexes.append(Index(f"index_{i}", "", unique=bool(entry.get("unique")), keys=names, columns=names))
        if entry.get("unique"):
            keys.append(Key(f"unique_{i}", False, names, constraint=False))
    foreign = tuple(
        ForeignKey(f"foreign_{i}", (column,), TableName("public", target), ("id",))
        for i, (column, target, *_) in enumerate(case.get("foreign_keys") or ())
    )
    return Table(
        table_name(case), "r", columns, keys=tuple(keys), foreign_keys=foreign, indexes=tuple(indexes)
    )


def table_name(case: Json) -> TableName:
    """The name of a benchmark's table; one without a name has the empty one."""
    return TableName("public", case.get("table") or "")


def pairs(entries: Sequence[Sequence[str]] | None) -> set[Pair]:
    """The first two names of every entry.

    Raises:
        ValueError: an entry is no list of two names or more.
    """
    wrong = [entry for entry in entries or () if not isinstance(entry, list) or len(entry) < 2]
    if wrong:
        raise ValueError(f"{json.dumps(wrong[0])} is no pair of names")
    return {(entry[0], entry[1]) for entry in entries or ()}


def known_tables(case: Json) -> dict[TableName, TableName]:
    """What a case says about its tables: the pair itself."""
    return {table_name(case["old"]): table_name(case["new"])}


def column_context(case: Json) -> RenameContext:
    """The context of a column case."""
    return RenameContext(order_known=bool(case.get("position_known", True)), table_pairs=known_tables(case))


def kept_names(old: Table, new: Table) -> list[Pair]:
    """Columns of equal names."""
    here = {c.name for c in new.columns}
    return [(c.name, c.name) for c in old.columns if c.name in here]


def score_columns(case: Json, score: Score) -> None:
    """Run one pair of tables."""
    old, new = make_table(case["old"]), make_table(case["new"])
    found = column_renames(old, new, kept=kept_names(old, new), context=column_context(case))
    automatic = {(p.old, p.new) for p in found.automatic}
    asked = {(p.old, p.new) for p in found.proposals}
    labels = Labels(*(pairs(case.get(key)) for key in ("renames", "ambiguous", "derived")))
    score.add(case, labels, automatic, asked, old.name.name)


def score_tables(case: Json, score: Score) -> None:
    """Run one pair of schemas."""
    old, new = [make_table(t) for t in case["old"]], [make_table(t) for t in case["new"]]
    found = table_renames(old, new, context=RenameContext(convention=naming_convention(old, new)))
    automatic = {(p.old.name, p.new.name) for p in found.automatic}
    asked = {(p.old.name, p.new.name) for p in found.proposals}
    keys = ("table_renames", "ambiguous_tables", "derived_tables")
    labels = Labels(*(pairs(case.get(key)) for key in keys))
    score.add(case, labels, automatic, asked, f"{len(old)} tables")


def read_cases(path: Path) -> Iterator[Json]:
    """The cases of a plain or xz-compressed file, one JSON object a line.

    Raises:
        Unreadable: the file cannot be read, or a line is no case.
    """
    at = ""
    try:
        with path.open("rb") as start:
            packed = start.read(len(XZ)) == XZ
        with (
            lzma.open(path, "rt", encoding="utf-8-sig")
            if packed
            else path.open(encoding="utf-8-sig") as lines
        ):
            for number, line in enumerate(lines, 1):
                at = f":{number}"
                if line.strip():
                    yield as_case(json.loads(line))
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise Unreadable(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path}: neither UTF-8 text nor compressed by xz") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path}{at}: {error!r}") from None


def as_case(line: object) -> Json:
    """A line's object where it has both sides, each a table or a list of tables.

    Raises:
        ValueError: it has not.
    """
    sides = [line.get("old"), line.get("new")] if isinstance(line, dict) else []
    if not sides or not (
        all(isinstance(side, dict) for side in sides) or all(isinstance(side, list) for side in sides)
    ):
        raise ValueError('no case: "old" and "new" must both be tables, or both lists of tables')
    return dict(line) if isinstance(line, dict) else {}


def score_file(path: Path) -> dict[str, Score]:
    """All scores of one file: columns by whether their order is known, and tables."""
    scores = {"columns.known": Score(), "columns.unknown": Score(), "tables": Score()}
    for number, case in enumerate(read_cases(path), 1):
        try:
            score_case(case, scores)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(f"{path}: case {number} ({case.get('id', 'no id')}): {error!r}") from None
    return scores


def score_case(case: Json, scores: Mapping[str, Score]) -> None:
    """Run one case, counted where it belongs."""
    if isinstance(case["old"], list):
        score_tables(case, scores["tables"])
    elif case.get("primary", True):
        score_columns(
            case, scores["columns.known" if case.get("position_known", True) else "columns.unknown"]
        )


def as_json(scores: Mapping[str, Score], *, errors: bool) -> Json:
    """The figures of one file in the shape that is compared; with ``errors`` every wrong pair, too."""
    told = {
        group: score.figures() | ({"errors": score.errors} if errors else {})
        for group, score in scores.items()
    }
    return {
        "columns": {"known": told["columns.known"], "unknown": told["columns.unknown"]},
        "tables": told["tables"],
    }


HEAD = (
    "| file | cases | renames | automatic P | automatic R | derived"
    " | proposed P | proposed R | proposed F1 | exact |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)
TITLES = {
    "columns.known": "columns, order known",
    "columns.unknown": "columns, order unknown",
    "tables": "tables",
}


def print_table(scored: Mapping[str, Mapping[str, Score]]) -> None:
    """The figures as one table, a row per file and group that has cases."""
    print(HEAD)
    for path, scores in scored.items():
        for group, score in scores.items():
            if score.cases:
                f = score.figures()
                shares = (
                    "auto_precision",
                    "auto_recall",
                    "auto_derived",
                    "proposed_precision",
                    "proposed_recall",
                    "proposed_f1",
                    "exact",
                )
                cells = [f"{f[key]:.3f}" if isinstance(f[key], float) else str(f[key]) for key in shares]
                first = f"{Path(path).name.split('.')[0]}: {TITLES[group]}"
                print("| " + " | ".join([first, str(score.cases), str(score.truth), *cells]) + " |")


def print_errors(scored: Mapping[str, Mapping[str, Score]]) -> None:
    """Every wrong or missed pair."""
    for path, scores in scored.items():
        for group, score in scores.items():
            for line in score.errors:
                print(f"{Path(path).name} {group}: {line}")


def main() -> None:
    """Read the arguments, score every file, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--errors", action="store_true", help="print every wrong pair")
    arguments = parser.parse_args()
    files = arguments.files or sorted(SHARED.glob("*.jsonl*"))
    if not files:
        print(f"no benchmark files given, and none in {SHARED}", file=sys.stderr)
        return
    try:
        scored = {str(path): score_file(path) for path in files}
    except Unreadable as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    if arguments.format == "json":
        print(
            json.dumps(
                {name: as_json(scores, errors=arguments.errors) for name, scores in scored.items()}, indent=2
            )
        )
        return
    print_table(scored)
    if arguments.errors:
        print_errors(scored)


if __name__ == "__main__":
    main()
