"""A naming convention that changed over a whole schema proves the renames that follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.planning.renames.families import family
from tranship.planning.renames.tokens import folded, singular, squashed, words

MIN_TABLES = 3
MIN_COLUMNS = 6
MIN_SHARE = 0.9


class NameRule(Struct, frozen=True):
    """How an old and a new name are brought to one form. Prefixes and suffixes are words joined without separators."""

    old_prefix: str = ""
    new_prefix: str = ""
    number: bool = False
    """Singular and plural count as the same."""
    table_prefix: str = ""
    """``old`` or ``new``: that side's columns begin with the name of their table."""

    def old_key(self, name: str, table: str = "") -> str:
        """The common form of an old name."""
        return self._key(name, self.old_prefix, table if self.table_prefix == "old" else "")

    def new_key(self, name: str, table: str = "") -> str:
        """The common form of a new name."""
        return self._key(name, self.new_prefix, table if self.table_prefix == "new" else "")

    def _key(self, name: str, prefix: str, table: str) -> str:
        bare = squashed(name)
        if prefix and bare.startswith(prefix) and bare != prefix:
            bare = bare[len(prefix) :]
            name = bare
        if table:
            bare = _without_table(bare, table)
            name = bare
        return folded(name) if self.number else bare

    def __str__(self) -> str:
        parts = ["case and separators"]
        if self.old_prefix or self.new_prefix:
            parts.append(f"prefix {self.old_prefix or 'none'} → {self.new_prefix or 'none'}")
        if self.number:
            parts.append("singular and plural")
        if self.table_prefix:
            parts.append("the table's name in front of its columns")
        return ", ".join(parts)


class Convention(Struct, frozen=True):
    """The change of names that a whole schema went through, for its tables and for its columns."""

    tables: NameRule | None = None
    columns: NameRule | None = None
    evidence: tuple[str, ...] = ()


def naming_convention(old: Sequence[Table], new: Sequence[Table]) -> Convention | None:
    """The convention both schemas agree on, or None where too little changed or too much does not follow it."""
    evidence: list[str] = []
    table_rule = _table_rule(old, new, evidence)
    column_rule = _column_rule(_paired(old, new, table_rule), evidence)
    if table_rule is None and column_rule is None:
        return None
    return Convention(table_rule, column_rule, tuple(evidence))


def unique_pairs(old: Iterable[str], new: Iterable[str], old_key: Callable[[str], str], new_key: Callable[[str], str]) -> list[tuple[str, str]]:
    """Pairs whose keys are equal and held by no other name on either side."""
    left, right = _by_key(old, old_key), _by_key(new, new_key)
    return [(names[0], right[key][0]) for key, names in left.items() if len(names) == 1 and len(right.get(key, ())) == 1]


def _by_key(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return found


def _without_table(bare: str, table: str) -> str:
    for form in (squashed(table), folded(table), singular(squashed(table))):
        if bare.startswith(form) and bare != form:
            return bare[len(form) :]
    return bare


def _common_prefix(names: Sequence[str]) -> str:
    """The first word that at least nine of ten names begin with (and are more than)."""
    first = Counter(w[0] for w in map(words, names) if len(w) > 1)
    if not first:
        return ""
    word, count = min(first.items(), key=lambda item: (-item[1], item[0]))
    return word if count >= MIN_SHARE * len(names) else ""


def _table_rule(old: Sequence[Table], new: Sequence[Table], evidence: list[str]) -> NameRule | None:
    before, after = {t.name.name for t in old}, {t.name.name for t in new}
    lost, fresh = sorted(before - after), sorted(after - before)
    if len(lost) < MIN_TABLES:
        return None
    kept = len(before & after)
    prefixes = (_common_prefix(lost), _common_prefix(fresh))
    for rule in _candidates(prefixes, table_prefix=False):
        pairs = unique_pairs(lost, fresh, rule.old_key, rule.new_key)
        if len(pairs) >= MIN_TABLES and len(pairs) >= MIN_SHARE * len(lost) and len(pairs) >= kept:
            evidence.append(f"{len(pairs)} of {len(lost)} renamed tables follow one convention: {rule}")
            return rule
    return None


def _paired(old: Sequence[Table], new: Sequence[Table], rule: NameRule | None) -> list[tuple[Table, Table]]:
    by_name = {t.name.name: t for t in new}
    old_by_name = {t.name.name: t for t in old}
    pairs = [(t, by_name[name]) for name, t in old_by_name.items() if name in by_name]
    lost, fresh = sorted(set(old_by_name) - set(by_name)), sorted(set(by_name) - set(old_by_name))
    chosen = rule or NameRule()
    pairs += [(old_by_name[a], by_name[b]) for a, b in unique_pairs(lost, fresh, chosen.old_key, chosen.new_key)]
    return pairs


def _column_rule(pairs: Sequence[tuple[Table, Table]], evidence: list[str]) -> NameRule | None:
    changed: list[tuple[Table, Table, list[str], list[str]]] = []
    kept = 0
    for old, new in pairs:
        before, after = {c.name for c in old.columns}, {c.name for c in new.columns}
        kept += len(before & after)
        if before - after:
            changed.append((old, new, sorted(before - after), sorted(after - before)))
    lost = [name for _, _, names, _ in changed for name in names]
    fresh = [name for _, _, _, names in changed for name in names]
    if len(lost) < MIN_COLUMNS or len(changed) < MIN_TABLES:
        return None
    for rule in _candidates((_common_prefix(lost), _common_prefix(fresh)), table_prefix=True):
        followed = sum(_followers(rule, old, new, a, b) for old, new, a, b in changed)
        if followed >= MIN_COLUMNS and followed >= MIN_SHARE * len(lost) and followed >= kept:
            evidence.append(f"{followed} of {len(lost)} renamed columns follow one convention: {rule}")
            return rule
    return None


def _followers(rule: NameRule, old: Table, new: Table, lost: Sequence[str], fresh: Sequence[str]) -> int:
    left: Mapping[str, str] = {c.name: family(c.type) for c in old.columns}
    right: Mapping[str, str] = {c.name: family(c.type) for c in new.columns}
    pairs = unique_pairs(lost, fresh, lambda n: rule.old_key(n, old.name.name), lambda n: rule.new_key(n, new.name.name))
    return sum(left[a] == right[b] for a, b in pairs)


def _candidates(prefixes: tuple[str, str], *, table_prefix: bool) -> list[NameRule]:
    """Rules from the plainest to the boldest; the first that holds is taken."""
    old_prefix, new_prefix = prefixes
    rules = [NameRule()]
    if old_prefix != new_prefix:
        rules.append(NameRule(old_prefix=old_prefix, new_prefix=new_prefix))
    if table_prefix:
        rules += [NameRule(table_prefix="old"), NameRule(table_prefix="new")]
    rules.append(NameRule(number=True))
    if old_prefix != new_prefix:
        rules.append(NameRule(old_prefix=old_prefix, new_prefix=new_prefix, number=True))
    return rules
