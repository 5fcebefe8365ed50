"""Texts of another kind under the same name: codes and labels, secrets in clear and as digests. Pure."""

from __future__ import annotations

import re

from tranship.model.evidence import ColumnFacts
from tranship.planning.comparing.meaning.scene import Doubt, Sight
from tranship.planning.printed.listed_values import listed_values

_CODED_WORDS = """
country nation nationality currency language locale state province region gender sex status title salutation unit category department
land sprache
"""
_CODED = frozenset(_CODED_WORDS.split())
_CODE_WORDS = frozenset({"code", "iso", "abbr", "abbreviation", "short", "acronym", "id", "key"})
_LABEL_WORDS = frozenset({"name", "label", "description", "full", "long"})
_CODE = re.compile(r"[A-Za-z0-9]{1,3}(?:[-_][A-Za-z0-9]{1,3})?")
_LONG_CODE, _SHORT_LABEL, _LABEL_LENGTH = 3, 20, 4
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
hash hashed hmac digest md5 sha sha1 sha256 sha512 bcrypt argon2 scrypt pbkdf2 encrypted crypted cipher ciphertext
"""
_DIGESTED = frozenset(_DIGESTED_WORDS.split())
_PLAIN_WORDS = frozenset({"plain", "plaintext", "cleartext", "clear", "unencrypted", "decrypted"})
_WIDTHS = frozenset({32, 40, 56, 60, 64, 96, 128})
"""Characters of hexadecimal digests and of bcrypt."""
_DIGEST = re.compile(
    r"\$(?:1|2[abxy]?|5|6|y|7|argon2(?:id|i|d)|scrypt|pbkdf2[-\w]*)\$.+|\{(?:SSHA|SHA|MD5|CRYPT|BCRYPT)\d*\}.+|SCRAM-SHA-\d+\$.+"
    r"|(?:pbkdf2|bcrypt|argon2|scrypt)[_:$].+|md5[0-9a-f]{32}|-----BEGIN PGP.*|(?:\\x)?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}"
    r"|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})|[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==",
    re.DOTALL,
)
_DEMANDS = re.compile(
    r"\\\$2|\$2[aby]|argon2|\[0-9a-f\]\{(?:32|40|56|64|96|128)\}|(?:length\([^)]*\)+|char_length\([^)]*\)+) = (?:32|40|56|60|64|96|128)\b"
)
_MARKS = ("$2", "$argon2")
_LISTABLE = ("text", "integer", "boolean")
_MOSTLY = 0.9


def readable(sight: Sight) -> bool:
    """Whether frequent values could tell that these two columns mean different things."""
    if sight.families[1] != "text" or sight.families[0] not in _LISTABLE or sight.is_key:
        return False
    telling = sight.old_words | sight.new_words
    if sight.families[0] != "text" or not telling & (_CODED | _SECRETS):
        return bool(sight.checks)
    return (
        sight.old.type != sight.new.type
        or sight.old.comment != sight.new.comment
        or bool(sight.checks)
        or sight.after.pages > 0
    )


def text_doubt(sight: Sight) -> Doubt | None:
    """The same name for another kind of text."""
    if sight.families[1] != "text" or sight.families[0] not in _LISTABLE or sight.is_key:
        return None
    if sight.families[0] != "text":
        return _outside(sight)
    return _secret(sight) or _named_otherwise(sight) or _coded(sight) or _outside(sight)


# --- codes and labels --------------------------------------------------------------------------------------------------------------


def _named_otherwise(sight: Sight) -> Doubt | None:
    """One name speaks of a code, the other of a label: ``country_code`` and ``country_name``."""
    old, new = sight.old_words - sight.new_words, sight.new_words - sight.old_words
    if (old & _CODE_WORDS and new & _LABEL_WORDS) or (old & _LABEL_WORDS and new & _CODE_WORDS):
        return Doubt(
            (f"one of '{sight.old.name}' and '{sight.new.name}' speaks of a code, the other of a label",)
        )
    return None


def _coded(sight: Sight) -> Doubt | None:
    """OLD holds short codes where NEW is made for names."""
    if not (sight.old_words | sight.new_words) & _CODED or sight.new_words & _CODE_WORDS:
        return None
    held, there = sight.held, sight.held_there
    if held is None or not held.values or not held.filled:
        return None
    told = f"'{sight.old.name}': OLD holds {'codes' if _are_codes(held) else 'longer texts'}"
    if there is not None and there.values:
        if _are_codes(held) == _are_codes(there) or {v.value for v in held.values} & {
            v.value for v in there.values
        }:
            return None
        return Doubt((f"{told}, NEW's own rows hold {'codes' if _are_codes(there) else 'longer texts'}",))
    width, room = _width(sight.old.type.leaf.modifiers), _width(sight.new.type.leaf.modifiers)
    if (
        not _are_codes(held)
        or width is None
        or width > _LONG_CODE
        or room is None
        or room < _SHORT_LABEL
        or _widened_everywhere(sight, room)
    ):
        return None
    return Doubt((f"{told} of at most {width} characters, NEW has room for {room}: does it want names?",))


def _are_codes(facts: ColumnFacts) -> bool:
    """Short letters in one case, or digits."""
    values = [counted.value.strip() for counted in facts.values]
    return all(_CODE.fullmatch(value) for value in values) and max(map(len, values)) <= _LABEL_LENGTH + 1


def _width(modifiers: tuple[int, ...]) -> int | None:
    return modifiers[0] if modifiers else None


def _widened_everywhere(sight: Sight, room: int) -> bool:
    """A width that most texts of NEW's table have is a habit, not a hint."""
    widths = [
        c.type.leaf.modifiers[0]
        for c in sight.after.columns
        if c.type.leaf.base == "character varying" and c.type.leaf.modifiers
    ]
    return room == 255 or (len(widths) > 2 and widths.count(room) * 2 > len(widths))


def _outside(sight: Sight) -> Doubt | None:
    """NEW lists what it allows, and nothing that OLD holds is among it: the same thing is called otherwise."""
    held = sight.held
    allowed = next((values for expression in sight.checks if (values := listed_values(expression))), ())
    if (
        len(allowed) < 2
        or held is None
        or not held.values
        or any(counted.value in allowed for counted in held.values)
    ):
        return None
    return Doubt(
        (f"NEW's CHECK on '{sight.new.name}' lists {len(allowed)} values, and OLD holds none of them",)
    )


# --- secrets -----------------------------------------------------------------------------------------------------------------------


def _secret(sight: Sight) -> Doubt | None:
    if not (sight.old_words | sight.new_words) & (_SECRETS | _DIGESTED | _PLAIN_WORDS):
        return None
    old, new = _said(sight, old=True), _said(sight, old=False)
    held = _digested(sight.held)
    if old != new and "" not in (old, new):
        return Doubt((f"'{sight.old.name}' says {old}, '{sight.new.name}' says {new}",))
    if held is None:
        differs = old != new and sight.old.name != sight.new.name
        return (
            Doubt(
                (f"one of '{sight.old.name}' and '{sight.new.name}' says {old or new}, the other does not",)
            )
            if differs
            else None
        )
    there = _digested(sight.held_there)
    wanted = (
        {"a digest": True, "plain text": False}.get(new)
        if new
        else there
        if there is not None
        else _wants_digest(sight)
    )
    if held and _of_another_kind(sight):
        return Doubt(
            (
                f"'{sight.old.name}': OLD's values look like digests, but of another kind than NEW's CHECK asks for",
            )
        )
    if wanted is None or wanted == held:
        return None
    is_now, becomes = ("digests", "plain text") if held else ("plain text", "digests")
    why = (
        f"'{sight.new.name}' of NEW says so"
        if new
        else "NEW's own rows do"
        if there is not None
        else "NEW's type or CHECK asks for it"
    )
    told = f"'{sight.old.name}': OLD's values look like {is_now}, NEW wants {becomes} ({why})"
    return Doubt(
        (
            told,
            "no expression undoes a digest"
            if held
            else "to digest them is no one's guess (crypt() of pgcrypto, or by the application)",
        )
    )


def _said(sight: Sight, *, old: bool) -> str:
    """What name and comment say: ``a digest``, ``plain text`` or nothing."""
    column = sight.old if old else sight.new
    said = (sight.old_words if old else sight.new_words) | frozenset(
        re.findall(r"[a-z0-9]+", (column.comment or "").lower())
    )
    if said & _PLAIN_WORDS:
        return "plain text"
    return "a digest" if said & _DIGESTED else ""


def _digested(facts: ColumnFacts | None) -> bool | None:
    """Whether nearly all values look like digests; None: some do, or nothing is known."""
    if facts is None or not facts.values:
        return None
    rows = sum(counted.rows for counted in facts.values)
    alike = sum(counted.rows for counted in facts.values if _DIGEST.fullmatch(counted.value))
    return True if alike >= rows * _MOSTLY else False if alike == 0 else None


def _of_another_kind(sight: Sight) -> bool:
    """NEW asks for bcrypt or argon2, and no value is."""
    marks = [mark for expression in sight.checks for mark in _MARKS if mark in expression.replace("\\", "")]
    held = sight.held
    return (
        bool(marks)
        and held is not None
        and not any(counted.value.startswith(tuple(marks)) for counted in held.values)
    )


def _wants_digest(sight: Sight) -> bool | None:
    width = _width(sight.new.type.leaf.modifiers)
    fixed = (
        sight.new.type.leaf.base == "character"
        and width in _WIDTHS
        and sight.old.type.leaf.modifiers != sight.new.type.leaf.modifiers
    )
    return True if fixed or any(_DEMANDS.search(expression) for expression in sight.checks) else None
