"""A naming convention that changed over a whole schema proves the renames that follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded, singular, squashed, words

# Fewer examples follow many rules at once, so that none of them would be proven.
MIN_TABLES = 3
MIN_COLUMNS = 6
MIN_SHARE = 0.9
"""Share of the renamed columns that must follow a convention: the tenth that is left are real renames."""
MIN_TABLE_SHARE = 0.75
"""The same for tables.

It is lower than for columns, because a pair of tables must also share half of its columns, and because tables
come and go.
"""
_TYPE_TAGS = """
str s txt t c ch chr char vc vch mem memo int i n num nr lng l sml byt byte dbl d dec cur ccy flt f sng bln
bl bol bool b bit is dt dtm date datetime dte tm ts tim time bin blob obj ole img arr enm lst guid uid id pk
fk
"""
_TAGS = frozenset(_TYPE_TAGS.split())
"""Words that the Hungarian notation puts before a name to tell its type."""
_MARKS = frozenset({"t", "tb", "tbl", "tab", "table", "c", "col", "column", "f", "fld", "field"})
"""Words behind a name that only say what it names.

Other words there (``_html``, ``_archive``) say something of the values, and are no convention.
"""


class NameRule(Struct, frozen=True):
    """How an old and a new name are brought to one form.

    Prefixes and suffixes are words joined without separators.
    """

    old_prefix: str = ""
    new_prefix: str = ""
    old_suffix: str = ""
    new_suffix: str = ""
    number: bool = False
    """Whether singular and plural count as the same."""
    own_prefix: str = ""
    """The side (``old`` or ``new``) where the columns of every table begin with its name or with a word of
    its own.
    """
    tagged: str = ""
    """The side (``old`` or ``new``) where names begin with a tag that tells their type (``strName``,
    ``int_total``).
    """

    def old_key(self, name: str, own: tuple[str, ...] = ()) -> str:
        """Returns the common form of an old name; ``own`` are the table's own prefixes (see
        ``own_prefixes``).
        """
        return self._key(
            self._untagged(name, "old"),
            (self.old_prefix, *(own if self.own_prefix == "old" else ())),
            self.old_suffix,
        )

    def new_key(self, name: str, own: tuple[str, ...] = ()) -> str:
        """Returns the common form of a new name."""
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
    """Returns the convention that both schemas agree on.

    None means that too little changed, or that too much does not follow one convention.
    """
    evidence: list[str] = []
    table_rule = _table_rule(old, new, evidence)
    column_rule = _column_rule(_paired(old, new, table_rule), evidence)
    if table_rule is None and column_rule is None:
        return None
    return Convention(table_rule, column_rule, tuple(evidence))


def unique_pairs(
    old: Iterable[str], new: Iterable[str], old_key: Callable[[str], str], new_key: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Returns the pairs of names whose keys are equal and held by no other name on either side."""
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
    """Returns what a table's columns may begin with.

    That is the table's name in some form, or the first word that nearly all columns share.
    """
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
    """Returns the columns of two tables that the rule makes equal, one to one."""
    here = own_prefixes(old) if rule.own_prefix == "old" else ()
    there = own_prefixes(new) if rule.own_prefix == "new" else ()
    return unique_pairs(
        lost, fresh, lambda name: rule.old_key(name, here), lambda name: rule.new_key(name, there)
    )


def _common_word(names: Sequence[str], place: int) -> str:
    """Returns the word at a place (0 the first, -1 the last) that at least nine of ten names have; empty
    without one.

    A name of a single word does not count for it, since nothing would be left of that name.
    """
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
        enough = len(pairs) >= MIN_TABLES and len(pairs) >= kept
        if enough and _consistent(len(pairs), len(lost), len(fresh), MIN_TABLE_SHARE):
            evidence.append(f"{len(pairs)} of {len(lost)} renamed tables follow one convention: {rule}")
            return rule
    return None


def _consistent(followed: int, lost: int, fresh: int, share: float) -> bool:
    """Returns whether nearly all that could follow do: a name beyond the other side's number was dropped or
    added.
    """
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
    changed = [change for old, new in pairs if (change := _changed_names(old, new)).lost]
    lost = list(chain.from_iterable(change.lost for change in changed))
    fresh = list(chain.from_iterable(change.fresh for change in changed))
    kept = sum(_kept_count(old, new) for old, new in pairs)
    if len(lost) < MIN_COLUMNS or len(changed) < MIN_TABLES:
        return None
    # At least as many columns as kept their names: what the smaller part of a schema does is no convention of
    # it.
    enough = max(MIN_COLUMNS, kept)
    for rule in _candidates(lost, fresh, own=True):
        followed = sum(_followers(rule, change) for change in changed)
        if followed >= enough and _consistent(followed, len(lost), len(fresh), MIN_SHARE):
            evidence.append(f"{followed} of {len(lost)} renamed columns follow one convention: {rule}")
            return rule
    return None


class _ChangedNames(Struct, frozen=True):
    """A pair of tables with the names that only one of them has."""

    old: Table
    new: Table
    lost: list[str]
    fresh: list[str]


def _changed_names(old: Table, new: Table) -> _ChangedNames:
    before, after = {c.name for c in old.columns}, {c.name for c in new.columns}
    return _ChangedNames(old, new, sorted(before - after), sorted(after - before))


def _kept_count(old: Table, new: Table) -> int:
    return len({c.name for c in old.columns} & {c.name for c in new.columns})


def _followers(rule: NameRule, change: _ChangedNames) -> int:
    """Returns how many columns the rule pairs within one type family."""
    pairs = column_pairs(rule, change.old, change.new, change.lost, change.fresh)
    columns = ((change.old.column(a), change.new.column(b)) for a, b in pairs)
    return sum(a is not None and b is not None and family(a.type) == family(b.type) for a, b in columns)


def _candidates(lost: Sequence[str], fresh: Sequence[str], *, own: bool) -> list[NameRule]:
    """Returns the possible rules from the plainest to the boldest; the caller takes the first that holds."""
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
