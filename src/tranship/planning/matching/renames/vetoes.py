"""What forbids taking two columns for the same without asking, however well they fit otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from math import inf

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.names import TableName
from tranship.planning.matching.renames.context import RenameContext
from tranship.planning.matching.renames.data import misfits
from tranship.planning.names.families import family
from tranship.planning.names.likeness import AUXILIARIES, compare_names
from tranship.planning.names.opposites import opposite
from tranship.planning.names.things import different_things
from tranship.planning.names.tokens import numbers, singular, squashed, stems, words

_ENCRYPTION = """
encrypted encryption crypted crypt cipher ciphertext cyphertext hash hashed hmac digest digested fingerprint
md5 sha sha1 sha256 sha512 bcrypt argon2 scrypt salt salted iv nonce plain plaintext cleartext obfuscated
masked redacted anonymized anonymised pseudonym tokenized
"""
_CONFIRMATION = "unconfirmed unverified pending confirmed verified"
_DERIVATION = """
html rendered parsed normalized normalised sanitized sanitised formatted cached computed derived converted
cleaned cleansed
"""
_ZONE = "utc gmt cet cest est edt pst pdt"
_CODE = frozenset({"code", "iso", "abbr", "abbreviation", "acronym"})
_LABEL = frozenset({"name", "label", "title", "description"})
_KEYS = frozenset({"id", "uuid", "guid"})
_NEGATIONS = frozenset({"not", "non", "without", "never", "optout", "exempt"})
_UNIT = """
cent penny pence dollar euro usd eur gbp percent permille basis bps ratio
ms msec millis millisecond usec microsecond ns nanosecond sec second minute hour hrs day week month year
byte kb mb gb tb kib mib gib bit kilobyte megabyte gigabyte
mm cm km meter metre mile inch feet foot ft yard mg kg gram kilogram lb pound oz ounce
celsius fahrenheit kelvin kmh kph mph knot rpm bpm hz khz mhz ghz pa kpa hpa mbar psi kw mw kwh mwh kcal
ml cl dl litre liter gallon gal pct px dpi
"""

_CODE_WIDTH, _TEXT_WIDTH = 4, 20
"""Characters of the widest code and of the narrowest room for a text."""
OTHER_FAMILY = "type family differs"
UNRELATED_BOOLEANS = "two booleans whose names share no word"
_KINDS: Mapping[str, frozenset[str]] = {
    "encryption": frozenset(_ENCRYPTION.split()),
    "confirmation": frozenset(_CONFIRMATION.split()),
    "derivation": frozenset(_DERIVATION.split()),
    "a time zone": frozenset(_ZONE.split()),
    "negation": _NEGATIONS,
}
_UNITS = frozenset(_UNIT.split())
_QUALIFYING = """
hint reserved min max minimum maximum avg average median limit threshold quota net gross old previous prev
former legacy original orig initial final planned actual estimated expected target budgeted forecast remaining
left used available free sold returned due overdue paid unpaid opening closing backup bkp bak obsolete
deprecated code internal external emergency billing shipping
"""
_QUALIFIERS = frozenset(_QUALIFYING.split())
"""Words that make another value of a thing: a stock has a minimum, and a password a hint."""


def vetoes(old: Table, new: Table, before: Column, after: Column, context: RenameContext) -> Iterator[str]:
    """Yields every reason why a pair may only be asked about."""
    if family(before.type) != family(after.type):
        yield f"{OTHER_FAMILY} ({before.type.text} → {after.type.text})"
    yield from token_vetoes(before.name, after.name)
    yield from _width_veto(before, after)
    yield from _qualified(before.name, after.name)
    if different_things(before.name, after.name):
        yield "the names speak of different things"
    if _unrelated_booleans(before, after):
        yield UNRELATED_BOOLEANS
    if target_veto(old, new, before.name, after.name, context.table_pairs):
        yield "the foreign key points to another table"
    yield from misfits(before, after, *context.statistics_of(old.name, before.name, new.name, after.name))


@lru_cache(maxsize=65536)
def token_vetoes(before: str, after: str) -> tuple[str, ...]:
    """Returns what the words of two names forbid.

    A word on one side only speaks of encryption, confirmation, a derived value, a time zone or a negation;
    numbers or units differ; one word is the opposite of another; or one name is a code or a key and the other
    is not.
    """
    return () if _same_but_for_separators(before, after) else tuple(_word_vetoes(before, after))


def _word_vetoes(before: str, after: str) -> list[str]:
    left, right = frozenset(words(before)), frozenset(words(after))
    found = [
        f"a word of {kind} stands on one side only"
        for kind, marks in _KINDS.items()
        if bool(left & marks) != bool(right & marks)
    ]
    if numbers(before) != numbers(after):
        found.append("numbers in the names differ")
    if frozenset(map(singular, left)) & _UNITS != frozenset(map(singular, right)) & _UNITS:
        found.append("units in the names differ")
    changes = product(sorted(left - right), sorted(right - left))
    found += [f"{a} is the opposite of {b}" for a, b in changes if opposite(a, b)]
    differing = left ^ right
    if left and right and differing and differing <= _KEYS:
        found.append(_of_keys(before, after, (left - right, right - left)))
    if {_nature(left), _nature(right)} == {"a code", "a label"}:
        found.append("one name speaks of a code, the other of a label")
    return found


def _of_keys(before: str, after: str, own: tuple[frozenset[str], frozenset[str]]) -> str:
    """Returns what the words for keys say that only one of two names has, given these words of each name."""
    if all(own):
        return f"{before!r} and {after!r} look like keys of two kinds"
    key, other = (before, after) if own[0] else (after, before)
    return f"{key!r} looks like a key, {other!r} does not"


def _same_but_for_separators(before: str, after: str) -> bool:
    """A glued name has no words to compare; numbers are the one part that separators can make different."""
    return squashed(before) == squashed(after) and numbers(before) == numbers(after)


def _width_veto(before: Column, after: Column) -> Iterator[str]:
    """Yields that one column has room for a code and the other for a text, under names without a common
    word.
    """
    both_texts = family(before.type) == family(after.type) == "text"
    if not both_texts or _related(before, after):
        return
    narrow, wide = sorted((_room(before), _room(after)))
    if narrow <= _CODE_WIDTH and wide >= _TEXT_WIDTH:
        most = f"{narrow:.0f} character{'s' if narrow > 1 else ''}"
        yield f"one holds {most} at most, the other has room for texts"


def _qualified(before: str, after: str) -> Iterator[str]:
    """Yields what makes two values of one thing out of two names: a further word of one, or one letter of
    each.
    """
    if squashed(before) == squashed(after):
        return
    (left, right), (a, b) = (tuple(map(frozenset, (of(before), of(after)))) for of in (words, stems))
    if a < b or b < a:
        name, said = (after, right - left) if a < b else (before, left - right)
        yield from (f"only {name!r} says {word!r}" for word in sorted(said & _QUALIFIERS))
    if left & right and all(len(said) == 1 and len(min(said)) == 1 for said in (left - right, right - left)):
        yield "one letter tells the names apart"


def _unrelated_booleans(before: Column, after: Column) -> bool:
    """Returns whether two booleans share no word but ``is`` or ``has``: any two booleans fit, so their place
    alone proves nothing.
    """
    both = family(before.type) == family(after.type) == "boolean"
    return both and not _related(before, after) and not compare_names(before.name, after.name).synonyms


def _related(before: Column, after: Column) -> bool:
    """Returns whether two names share a word, or are the same but for separators."""
    shared = (set(stems(before.name)) & set(stems(after.name))) - AUXILIARIES
    return bool(shared) or squashed(before.name) == squashed(after.name)


def _room(column: Column) -> float:
    modifiers = column.type.leaf.modifiers
    return modifiers[0] if modifiers else inf


def _nature(name: frozenset[str]) -> str:
    if bool(name & _CODE) == bool(name & _LABEL):
        return ""
    return "a code" if name & _CODE else "a label"


def target_veto(
    old: Table, new: Table, before: str, after: str, table_pairs: Mapping[TableName, TableName]
) -> bool:
    """Returns whether both columns are foreign keys, to tables that are not the same one."""
    left, right = targets(old, before), targets(new, after)
    return bool(left) and bool(right) and not any(table_pairs.get(t, t) in right for t in left)


def targets(table: Table, column: str) -> frozenset[TableName]:
    """Returns the tables that a column's own foreign keys (of this one column) point to."""
    keys: tuple[ForeignKey, ...] = table.foreign_keys
    return frozenset(k.target for k in keys if k.columns == (column,))
