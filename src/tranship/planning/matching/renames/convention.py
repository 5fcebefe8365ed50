"""A naming convention that changed over a whole schema proves the renames that follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded, singular, squashed, words

MIN_TABLES = 3
MIN_COLUMNS = 6
MIN_SHARE = 0.9
MIN_TABLE_SHARE = 0.75
"""Fewer than of columns: a pair of tables must also share half of its columns, and tables come and go."""
_TYPE_TAGS = """
str s txt t c ch chr char vc vch mem memo int i n num nr lng l sml byt byte dbl d dec cur ccy flt f sng bln bl bol bool b bit is
dt dtm date datetime dte tm ts tim time bin blob obj ole img arr enm lst guid uid id pk fk
"""
_TAGS = frozenset(_TYPE_TAGS.split())
"""Words that the Hungarian way of naming puts before a name, by its type."""
_MARKS = frozenset({"t", "tb", "tbl", "tab", "table", "c", "col", "column", "f", "fld", "field"})
"""Words behind a name that only say what it names. Others (``_html``, ``_archive``) say something of the values: they are no convention."""


class NameRule(Struct, frozen=True):
    """How an old and a new name are brought to one form. Prefixes and suffixes are words joined without separators."""

    old_prefix: str = ""
    new_prefix: str = ""
    old_suffix: str = ""
    new_suffix: str = ""
    number: bool = False
    """Singular and plural count as the same."""
    own_prefix: str = ""
    """``old`` or ``new``: on that side every table's columns begin with its name or with a word of its own."""
    tagged: str = ""
    """``old`` or ``new``: on that side names begin with a tag that tells their type (``strName``, ``int_total``)."""

    def old_key(self, name: str, own: tuple[str, ...] = ()) -> str:
        """The common form of an old name; ``own`` are the table's own prefixes (see ``own_prefixes``)."""
        return self._key(
            self._untagged(name, "old"),
            (self.old_prefix, *(own if self.own_prefix == "old" else ())),
            self.old_suffix,
        )

    def new_key(self, name: str, own: tuple[str, ...] = ()) -> str:
        """The common form of a new name."""
        return self._key(
            self._untagged(name, "new"),
            (self.new_prefix, *(own if self.own_prefix == "new" else ())),
            self.new_suffix,
        )

    def _untagged(self, name: str, side: str) -> str:
        first, *rest = words(name) or ("",)
        return "_".join(rest) if self.tagged == side and first in _TAGS and rest else name

    def _key(self, name: str, prefixes: tuple[str, ...], suffix: str) -> str:
        bare = squashed(name)
        if suffix and bare.endswith(suffix) and bare != suffix:
            bare = name = bare[: -len(suffix)]
        for prefix in prefixes:
            if prefix and bare.startswith(prefix) and bare != prefix:
                bare = bare[len(prefix) :]
                break
        else:
            return folded(name) if self.number else bare
        return singular(bare) if self.number else bare

    def __str__(self) -> str:
        parts = ["case and separators"]
        if self.old_prefix or self.new_prefix:
            parts.append(f"prefix {self.old_prefix or 'none'} → {self.new_prefix or 'none'}")
        if self.old_suffix or self.new_suffix:
            parts.append(f"suffix {self.old_suffix or 'none'} → {self.new_suffix or 'none'}")
        if self.number:
            parts.append("singular and plural")
        if self.own_prefix:
            parts.append(f"a prefix of each table's own in {self.own_prefix.upper()}")
        if self.tagged:
            parts.append(f"a tag of the type in {self.tagged.upper()}")
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


def unique_pairs(
    old: Iterable[str], new: Iterable[str], old_key: Callable[[str], str], new_key: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Pairs whose keys are equal and held by no other name on either side."""
    left, right = _by_key(old, old_key), _by_key(new, new_key)
    return [
        (names[0], right[key][0])
        for key, names in left.items()
        if key and len(names) == 1 and len(right.get(key, ())) == 1
    ]


def _by_key(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return found


def own_prefixes(table: Table) -> tuple[str, ...]:
    """What a table's columns may begin with: its name in some form, or the first word that nearly all of them share."""
    name = table.name.name
    last = words(name)[-1:]
    return tuple(
        dict.fromkeys(
            (
                squashed(name),
                folded(name),
                _common_word([c.name for c in table.columns], 0),
                *map(singular, last),
            )
        )
    )


def column_pairs(
    rule: NameRule, old: Table, new: Table, lost: Iterable[str], fresh: Iterable[str]
) -> list[tuple[str, str]]:
    """The columns of two tables that the rule makes equal, one to one."""
    here, there = own_prefixes(old), own_prefixes(new)
    return unique_pairs(
        lost, fresh, lambda name: rule.old_key(name, here), lambda name: rule.new_key(name, there)
    )


def _common_word(names: Sequence[str], place: int) -> str:
    """The word at this place (0 the first, -1 the last) that at least nine of ten names have (and are more than)."""
    met = Counter(w[place] for w in map(words, names) if len(w) > 1)
    if not met:
        return ""
    word, count = min(met.items(), key=lambda item: (-item[1], item[0]))
    return word if count >= MIN_SHARE * len(names) else ""


def _table_rule(old: Sequence[Table], new: Sequence[Table], evidence: list[str]) -> NameRule | None:
    before, after = {t.name.name for t in old}, {t.name.name for t in new}
    lost, fresh = sorted(before - after), sorted(after - before)
    if len(lost) < MIN_TABLES:
        return None
    kept = len(before & after)
    for rule in _candidates(lost, fresh, own=False):
        pairs = unique_pairs(lost, fresh, rule.old_key, rule.new_key)
        if (
            len(pairs) >= MIN_TABLES
            and _consistent(len(pairs), len(lost), len(fresh), MIN_TABLE_SHARE)
            and len(pairs) >= kept
        ):
            evidence.append(f"{len(pairs)} of {len(lost)} renamed tables follow one convention: {rule}")
            return rule
    return None


def _consistent(followed: int, lost: int, fresh: int, share: float) -> bool:
    """Nearly all that could follow do: what the other side has no name left for was dropped or added."""
    return followed >= share * min(lost, fresh) and 2 * followed >= lost


def _paired(old: Sequence[Table], new: Sequence[Table], rule: NameRule | None) -> list[tuple[Table, Table]]:
    by_name = {t.name.name: t for t in new}
    old_by_name = {t.name.name: t for t in old}
    pairs = [(t, by_name[name]) for name, t in old_by_name.items() if name in by_name]
    lost, fresh = sorted(set(old_by_name) - set(by_name)), sorted(set(by_name) - set(old_by_name))
    chosen = rule or NameRule()
    pairs += [
        (old_by_name[a], by_name[b]) for a, b in unique_pairs(lost, fresh, chosen.old_key, chosen.new_key)
    ]
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
    for rule in _candidates(lost, fresh, own=True):
        followed = sum(_followers(rule, old, new, a, b) for old, new, a, b in changed)
        if (
            followed >= MIN_COLUMNS
            and _consistent(followed, len(lost), len(fresh), MIN_SHARE)
            and followed >= kept
        ):
            evidence.append(f"{followed} of {len(lost)} renamed columns follow one convention: {rule}")
            return rule
    return None


def _followers(rule: NameRule, old: Table, new: Table, lost: Sequence[str], fresh: Sequence[str]) -> int:
    left: Mapping[str, str] = {c.name: family(c.type) for c in old.columns}
    right: Mapping[str, str] = {c.name: family(c.type) for c in new.columns}
    return sum(left[a] == right[b] for a, b in column_pairs(rule, old, new, lost, fresh))


def _candidates(lost: Sequence[str], fresh: Sequence[str], *, own: bool) -> list[NameRule]:
    """Rules from the plainest to the boldest; the first that holds is taken."""
    prefixes, suffixes = ((_common_word(lost, place), _common_word(fresh, place)) for place in (0, -1))
    rules = [NameRule()]
    if prefixes[0] != prefixes[1]:
        rules.append(NameRule(old_prefix=prefixes[0], new_prefix=prefixes[1]))
    if suffixes[0] != suffixes[1] and {"", *_MARKS}.issuperset(suffixes):
        rules.append(NameRule(old_suffix=suffixes[0], new_suffix=suffixes[1]))
    if own:
        rules += [
            NameRule(own_prefix="old"),
            NameRule(own_prefix="new"),
            NameRule(tagged="old"),
            NameRule(tagged="new"),
        ]
    plain = [rule for rule in rules if not rule.own_prefix and not rule.tagged]
    return rules + [replace(rule, number=True) for rule in plain]
