"""Texts of another kind under the same name: codes and labels, secrets in clear and as digests."""

from __future__ import annotations

import re

from tranship.model.evidence import ColumnFacts
from tranship.planning.comparing.meaning.context import Concern, PairContext
from tranship.planning.printed.listed_values import listed_values

_CODED_WORDS = """
country nation nationality currency language locale state province region gender sex status title
salutation unit category department land sprache
"""
_CODED = frozenset(_CODED_WORDS.split())
_CODE_WORDS = frozenset({"code", "iso", "abbr", "abbreviation", "short", "acronym", "id", "key"})
_LABEL_WORDS = frozenset({"name", "label", "description", "full", "long"})
_CODE = re.compile(r"[A-Za-z0-9]{1,3}(?:[-_][A-Za-z0-9]{1,3})?")
_LONG_CODE, _SHORT_LABEL, _LABEL_LENGTH = 3, 20, 4
"""Characters of the longest code (ISO 4217, ISO 3166), of the shortest room for labels, and of a code as it
is held.
"""
_SECRETS = frozenset(
    {
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "token",
        "pin",
        "ssn",
        "iban",
        "passwort",
        "kennwort",
        "key",
        "card",
    }
)
_DIGESTED_WORDS = """
hash hashed hmac digest md5 sha sha1 sha256 sha512 bcrypt argon2 scrypt pbkdf2 encrypted crypted
cipher ciphertext
"""
_DIGESTED = frozenset(_DIGESTED_WORDS.split())
_PLAIN_WORDS = frozenset({"plain", "plaintext", "cleartext", "clear", "unencrypted", "decrypted"})
_WIDTHS = frozenset({32, 40, 56, 60, 64, 96, 128})
"""Characters of hexadecimal digests (MD5 to SHA-512) and of bcrypt (60)."""
_DIGEST = re.compile(
    r"\$(?:1|2[abxy]?|5|6|y|7|argon2(?:id|i|d)|scrypt|pbkdf2[-\w]*)\$.+"
    r"|\{(?:SSHA|SHA|MD5|CRYPT|BCRYPT)\d*\}.+"
    r"|SCRAM-SHA-\d+\$.+|(?:pbkdf2|bcrypt|argon2|scrypt)[_:$].+|md5[0-9a-f]{32}|-----BEGIN PGP.*"
    r"|(?:\\x)?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}"
    r"|[0-9a-fA-F]{128})|[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==",
    re.DOTALL,
)
"""Modular crypt strings, LDAP schemes, SCRAM verifiers, frameworks' prefixes, and MD5 to SHA-512 in hex or
base64.
"""
_DEMANDS = re.compile(
    r"\\\$2|\$2[aby]|argon2|\[0-9a-f\]\{(?:32|40|56|64|96|128)\}"
    r"|(?:length\([^)]*\)+|char_length\([^)]*\)+) = (?:32|40|56|60|64|96|128)\b"
)
_MARKS = ("$2", "$argon2")
_LISTABLE = ("text", "integer", "boolean")
_MOSTLY = 0.9


def readable(pair: PairContext) -> bool:
    """Returns whether frequent values could tell that these two columns mean different things."""
    if pair.families[1] != "text" or pair.families[0] not in _LISTABLE or pair.is_key:
        return False
    telling = pair.old_words | pair.new_words
    if pair.families[0] != "text" or not telling & (_CODED | _SECRETS):
        return bool(pair.checks)
    changed = pair.old.type != pair.new.type or pair.old.comment != pair.new.comment
    return changed or bool(pair.checks) or pair.after.pages > 0


def text_concern(pair: PairContext) -> Concern | None:
    """Returns a concern where the same name stands for another kind of text."""
    if pair.families[1] != "text" or pair.families[0] not in _LISTABLE or pair.is_key:
        return None
    if pair.families[0] != "text":
        return _outside(pair)
    return _secret(pair) or _named_otherwise(pair) or _coded(pair) or _outside(pair)


# --- codes and labels


def _named_otherwise(pair: PairContext) -> Concern | None:
    """Returns a concern where one name speaks of a code, the other of a label: ``country_code`` and
    ``country_name``.
    """
    old, new = pair.old_words - pair.new_words, pair.new_words - pair.old_words
    if (old & _CODE_WORDS and new & _LABEL_WORDS) or (old & _LABEL_WORDS and new & _CODE_WORDS):
        return Concern(
            (f"one of '{pair.old.name}' and '{pair.new.name}' speaks of a code, the other of a label",)
        )
    return None


def _coded(pair: PairContext) -> Concern | None:
    """Returns a concern where OLD holds short codes and NEW is made for names."""
    if not (pair.old_words | pair.new_words) & _CODED or pair.new_words & _CODE_WORDS:
        return None
    held, there = pair.held, pair.held_there
    if held is None or not held.values or not held.filled:
        return None
    kind = f"'{pair.old.name}': OLD holds {_kind(held)}"
    if there is not None and len(there.values) > 1:
        return None if _are_alike(held, there) else Concern((f"{kind}, NEW's own rows hold {_kind(there)}",))
    room = _room_for_labels(pair) if _are_codes(held) else None
    if room is None:
        return None
    width = _width(pair.old.type.leaf.modifiers)
    return Concern((f"{kind} of at most {width} characters, NEW has room for {room}: does it want names?",))


def _room_for_labels(pair: PairContext) -> int | None:
    """Returns the width of the new column where it grew from that of a code to that of a label; else None."""
    width, room = _width(pair.old.type.leaf.modifiers), _width(pair.new.type.leaf.modifiers)
    if width is None or room is None or width > _LONG_CODE or room < _SHORT_LABEL:
        return None
    return None if _widened_everywhere(pair, room) else room


def _kind(facts: ColumnFacts) -> str:
    return "codes" if _are_codes(facts) else "longer texts"


def _are_alike(held: ColumnFacts, there: ColumnFacts) -> bool:
    """Returns whether both hold codes or both do not, or share a value."""
    shared = {counted.value for counted in held.values} & {counted.value for counted in there.values}
    return bool(shared) or _are_codes(held) == _are_codes(there)


def _are_codes(facts: ColumnFacts) -> bool:
    """Returns whether values are short letters or digits."""
    values = [counted.value.strip() for counted in facts.values]
    return all(_CODE.fullmatch(value) for value in values) and max(map(len, values)) <= _LABEL_LENGTH + 1


def _width(modifiers: tuple[int, ...]) -> int | None:
    return modifiers[0] if modifiers else None


def _widened_everywhere(pair: PairContext, room: int) -> bool:
    """Returns whether most texts of NEW's table have this width: then it is a habit, not a hint."""
    leaves = [column.type.leaf for column in pair.after.columns]
    widths = [leaf.modifiers[0] for leaf in leaves if leaf.base == "character varying" and leaf.modifiers]
    # 255 is what frameworks write when nobody says a width.
    return room == 255 or (len(widths) > 2 and widths.count(room) * 2 > len(widths))


def _outside(pair: PairContext) -> Concern | None:
    """Returns a concern where NEW lists what it allows and OLD holds none of it: the same thing has other
    words there.
    """
    held = pair.held
    lists = (listed_values(expression) for expression in pair.checks)
    allowed = next(filter(None, lists), ())
    if len(allowed) < 2 or held is None or not held.values:
        return None
    if any(counted.value in allowed for counted in held.values):
        return None
    listed = f"NEW's CHECK on '{pair.new.name}' lists {len(allowed)} values"
    return Concern((f"{listed}, and OLD holds none of them",))


# --- secrets


def _secret(pair: PairContext) -> Concern | None:
    """Returns a concern where one side holds a secret in clear and the other a digest of it."""
    if not (pair.old_words | pair.new_words) & (_SECRETS | _DIGESTED | _PLAIN_WORDS):
        return None
    old, new = _said(pair, old=True), _said(pair, old=False)
    if old != new and "" not in (old, new):
        return Concern((f"'{pair.old.name}' says {old}, '{pair.new.name}' says {new}",))
    held = _digested(pair.held)
    if held is None:
        return _said_once(pair, old, new)
    if held and _of_another_kind(pair):
        kind = "OLD's values look like digests, but of another kind than NEW's CHECK asks for"
        return Concern((f"'{pair.old.name}': {kind}",))
    wanted, why = _wanted(pair, new)
    if wanted is None or wanted == held:
        return None
    is_now, becomes = ("digests", "plain text") if held else ("plain text", "digests")
    undone = "to digest them is no one's guess (crypt() of pgcrypto, or by the application)"
    if held:
        undone = "no expression undoes a digest"
    values = f"'{pair.old.name}': OLD's values look like {is_now}"
    return Concern((f"{values}, NEW wants {becomes} ({why})", undone))


def _said_once(pair: PairContext, old: str, new: str) -> Concern | None:
    """Returns a concern if one of two different names says what its values are, and no value tells."""
    if old == new or pair.old.name == pair.new.name:
        return None
    names = f"one of '{pair.old.name}' and '{pair.new.name}'"
    return Concern((f"{names} says {old or new}, the other does not",))


def _wanted(pair: PairContext, said: str) -> tuple[bool | None, str]:
    """Returns whether NEW wants digests, and why: by its name, by its own rows, or by its declaration."""
    if said:
        return said == "a digest", f"'{pair.new.name}' of NEW says so"
    there = _digested(pair.held_there)
    if there is not None:
        return there, "NEW's own rows do"
    return _wants_digest(pair), "NEW's type or CHECK asks for it"


def _said(pair: PairContext, *, old: bool) -> str:
    """Returns what name and comment say of the values: ``a digest``, ``plain text`` or nothing."""
    column, names = (pair.old, pair.old_words) if old else (pair.new, pair.new_words)
    said = names | frozenset(re.findall(r"[a-z0-9]+", (column.comment or "").lower()))
    if said & _PLAIN_WORDS:
        return "plain text"
    return "a digest" if said & _DIGESTED else ""


def _digested(facts: ColumnFacts | None) -> bool | None:
    """Returns whether nearly all values look like digests; None where some do, or nothing is known."""
    if facts is None or not facts.values:
        return None
    rows = sum(counted.rows for counted in facts.values)
    alike = sum(counted.rows for counted in facts.values if _DIGEST.fullmatch(counted.value))
    if alike >= rows * _MOSTLY:
        return True
    return False if alike == 0 else None


def _of_another_kind(pair: PairContext) -> bool:
    """Returns whether NEW asks for bcrypt or argon2, and no value is such a digest."""
    marks = [mark for expression in pair.checks for mark in _MARKS if mark in expression.replace("\\", "")]
    values = pair.held.values if pair.held is not None else ()
    known = pair.held is not None and bool(marks)
    return known and not any(counted.value.startswith(tuple(marks)) for counted in values)


def _wants_digest(pair: PairContext) -> bool | None:
    leaf, before = pair.new.type.leaf, pair.old.type.leaf
    fixed = leaf.base == "character" and _width(leaf.modifiers) in _WIDTHS
    narrowed = fixed and before.modifiers != leaf.modifiers
    return True if narrowed or any(_DEMANDS.search(expression) for expression in pair.checks) else None
