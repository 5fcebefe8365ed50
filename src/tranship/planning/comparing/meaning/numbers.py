"""Numbers whose unit changes: cents and units, percent and fraction, seconds and milliseconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from tranship.model.evidence import NumberFacts
from tranship.planning.comparing.meaning.context import Concern, PairContext
from tranship.planning.comparing.meaning.units import UNITS, Unit, converted, same_unit, times

_NUMBERS = ("integer", "decimal")
_MONEY_WORDS = """
price amount total subtotal balance cost fee salary wage pay payment revenue turnover deposit budget
charge refund rent income expense discount tax vat net gross money tip premium preis betrag summe
saldo gehalt kosten
"""
_MONEY = frozenset(_MONEY_WORDS.split())
_COUNTED_WORDS = """
count counter quantity qty item point score vote page year age rank position seat stock piece user
row line hour day minute second week month weight length height width distance size percent rate
ratio
"""
_COUNTED = frozenset(_COUNTED_WORDS.split())
_SHARES_WORDS = """
percent percentage pct rate ratio share fraction probability discount tax vat margin commission
utilization utilisation completion progress confidence satz anteil rabatt
"""
_SHARES = frozenset(_SHARES_WORDS.split())
_MINOR = frozenset({"cent", "cents", "ct", "cts", "minor", "pence", "penny"})
"""Words that say of amounts of money that they are counted in the smaller unit."""
_MOMENTS = frozenset(
    {"epoch", "unix", "ts", "timestamp", "time", "at", "created", "updated", "modified", "expires", "expiry"}
)
_BOUND = re.compile(r"(?:<=?|AND)\s*\(*'?(-?[0-9]+(?:\.[0-9]+)?)'?")
_ENOUGH_THERE = 5
"""Numbers other than 0 that NEW's own rows must hold before their magnitude says something."""
_DECIMALS = (2, 3, 4)
_DECIMALS_IN = re.compile(r"[0-9][.][0-9]")
_PER_UNIT = 100
_SECONDS = (5e8, 5e9)
"""Magnitudes of seconds since 1970 between 1985 and 2128."""


def measures(pair: PairContext) -> bool:
    """Returns whether magnitudes could tell that these two columns mean different things."""
    if any(kind not in _NUMBERS for kind in pair.families) or pair.is_key:
        return False
    telling = pair.old_words | pair.new_words
    if not telling & (_MONEY | _SHARES | _MOMENTS) and pair.units == (None, None):
        return False
    return pair.after.pages > 0 or _declared_otherwise(pair)


def only_beside(pair: PairContext) -> bool:
    """Returns whether OLD's magnitudes tell something only beside those of NEW's own rows.

    Then amounts stay amounts by their declarations, and counts stay counts.
    """
    return not _declared_otherwise(pair)


def _declared_otherwise(pair: PairContext) -> bool:
    unitless = pair.units == (None, None)
    alike = (
        pair.families[0] == pair.families[1] and unitless and not (pair.old_words | pair.new_words) & _SHARES
    )
    return (
        (pair.old.type != pair.new.type and not alike)
        or pair.old.comment != pair.new.comment
        or bool(pair.checks)
    )


def number_concern(pair: PairContext) -> Concern | None:
    """Returns a concern where the unit of a number changes, or may."""
    if any(kind not in _NUMBERS for kind in pair.families) or pair.is_key:
        return None
    # Names first, then declarations, then magnitudes: from what a person wrote to what only the rows suggest.
    for rule in (_by_units, _to_decimals, _to_whole, _to_fraction, _to_percent, _by_magnitude):
        concern = rule(pair)
        if concern is not None:
            return concern
    return None


def _rounded(pair: PairContext, sql: str) -> str:
    """Returns SQL for a number that NEW takes: whole where it holds whole numbers, which refuse ``125.00``,
    too.
    """
    whole = pair.families == ("integer", "integer") and " / " not in sql and _DECIMALS_IN.search(sql) is None
    return sql if whole or pair.families[1] != "integer" else f"round({sql})"


def _amount(pair: PairContext) -> str:
    """Returns SQL for an old number that is computed with as it is printed.

    A float of 1.005 is a little less, and a hundred times it is rounded down. CAST to numeric keeps 15 digits
    of a double and 6 of a real, whose text has all (PostgreSQL documentation, "Floating-Point Types").
    """
    if pair.new.type.leaf.base in ("real", "double precision"):
        return pair.value
    match pair.old.type.leaf.base:
        case "money" | "double precision":
            return f"CAST({pair.value} AS numeric)"
        case "real":
            return f"CAST(CAST({pair.value} AS text) AS numeric)"
        case _:
            return pair.value


def _by_units(pair: PairContext) -> Concern | None:
    left, right = pair.units
    if left is None or right is None or left.dimension != right.dimension:
        return _unit_lost(pair, left, right)
    if same_unit(left, right):
        return None
    reasons = f"OLD's '{pair.old.name}' says {left.word}, NEW's '{pair.new.name}' says {right.word}"
    sql = converted(_amount(pair), left, right)
    if left.dimension == "size":
        return Concern((reasons, "a kilobyte is taken for 1024 bytes"), sql)
    rate = () if sql is not None else ("there is no fixed rate between the two",)
    return Concern((reasons, *rate), _rounded(pair, sql) if sql is not None else None)


def _unit_lost(pair: PairContext, left: Unit | None, right: Unit | None) -> Concern | None:
    """Returns a concern for a unit in one of two different names, or one that the other side's type
    contradicts.
    """
    unit = left or right
    if unit is None or (left is not None and right is not None):
        return None
    cents = _cents_lost(pair, left, right)
    if cents is not None or pair.old.name == pair.new.name or unit not in _named(pair):
        return cents
    side, other = (pair.old.name, pair.new.name) if left else (pair.new.name, pair.old.name)
    return Concern((f"'{side}' says its unit ({unit.word}), '{other}' says none: is it the same?",))


def _cents_lost(pair: PairContext, left: Unit | None, right: Unit | None) -> Concern | None:
    """Returns a concern where one side counts cents and the other has decimals: those are amounts in whole
    units.
    """
    if left is not None and _is_cent(left) and pair.families[1] == "decimal":
        words = f"OLD's '{pair.old.name}' says {left.word}, NEW's '{pair.new.name}' has decimals"
        return Concern((words,), times(pair.value, Fraction(1, _PER_UNIT)))
    if right is not None and _is_cent(right) and pair.families[0] == "decimal":
        words = f"OLD's '{pair.old.name}' has decimals, NEW's '{pair.new.name}' says {right.word}"
        return Concern((words,), f"round({times(_amount(pair), Fraction(_PER_UNIT))})")
    return None


def _is_cent(unit: Unit) -> bool:
    return unit.dimension == "money" and unit.factor == UNITS["cent"].factor


def _named(pair: PairContext) -> Sequence[Unit]:
    return [unit for word in pair.old_words ^ pair.new_words if (unit := UNITS.get(word)) is not None]


def _is_money(pair: PairContext) -> bool:
    both = pair.old_words | pair.new_words
    return bool(both & _MONEY) and not both & _COUNTED


def _scale(pair: PairContext) -> int | None:
    leaf = pair.new.type.leaf
    return (
        leaf.modifiers[1]
        if leaf.base == "numeric" and len(leaf.modifiers) > 1
        else 2
        if leaf.base == "money"
        else None
    )


def _to_decimals(pair: PairContext) -> Concern | None:
    """Returns a concern where whole numbers become amounts with decimals: were they cents?

    Only the data can speak for it; the type alone is converted without a question.
    """
    if pair.families[0] != "integer" or _scale(pair) not in _DECIMALS or not _is_money(pair):
        return None
    reasons = f"'{pair.old.name}' speaks of money: whole numbers in OLD, {pair.new.type.text} in NEW"
    sql = times(pair.value, Fraction(1, _PER_UNIT))
    facts, there = pair.numbers, pair.numbers_there
    if facts is None or facts.median is None:
        return None
    if there is not None and there.median and there.nonzero >= _ENOUGH_THERE:
        ratio = facts.median / there.median
        # Two samples of one thing differ by less than five times; cents by a hundred, less the same five.
        if 1 / 5 <= ratio <= 5:
            return None
        if ratio >= _PER_UNIT / 5:
            return Concern(
                (
                    reasons,
                    f"the typical number of OLD is {ratio:.0f} times that of NEW's own rows: "
                    "OLD seems to count cents",
                ),
                sql,
            )
    if facts.median < _PER_UNIT:
        return None
    return Concern(
        (reasons, f"most of OLD's {facts.nonzero} numbers are {_PER_UNIT} or more: are they cents?"),
        sql,
        guess=True,
    )


def _to_whole(pair: PairContext) -> Concern | None:
    """Returns a concern where amounts with decimals become whole numbers: does NEW count cents?"""
    if pair.families != ("decimal", "integer") or not _is_money(pair):
        return None
    facts = pair.numbers
    if facts is not None and not facts.fractional:
        return None
    many = (
        "the data were not asked"
        if facts is None
        else f"{facts.fractional} of {facts.rows} numbers have decimals that whole numbers would lose"
    )
    reasons = f"'{pair.new.name}' speaks of money: {pair.old.type.text} in OLD, whole numbers in NEW"
    sql = f"round({times(_amount(pair), Fraction(_PER_UNIT))})"
    minor = sorted(pair.new_words & _MINOR)
    if minor:
        return Concern((reasons, many, f"NEW's name says {minor[0]}"), sql)
    ratio = _ratio_there(pair)
    if ratio is None:
        return Concern((reasons, many, "does NEW count cents?"), sql, guess=True)
    # Amounts of one unit are rounded, which the change of the types says.
    if ratio < _PER_UNIT / 5:
        return None
    seems = f"the typical number of NEW's own rows is {ratio:.0f} times that of OLD: NEW seems to count cents"
    return Concern((reasons, many, seems), sql)


def _ratio_there(pair: PairContext) -> float | None:
    """Returns how many times larger the typical number of NEW's own rows is; None without enough of them."""
    facts, there = pair.numbers, pair.numbers_there
    enough = there is not None and there.nonzero >= _ENOUGH_THERE
    if facts is None or there is None or not enough or not facts.median or not there.median:
        return None
    return there.median / facts.median


def _to_fraction(pair: PairContext) -> Concern | None:
    """Returns a concern where percent become fractions of one."""
    facts = pair.numbers
    if (
        not (pair.old_words | pair.new_words) & _SHARES
        or facts is None
        or facts.highest is None
        or not 1 < facts.highest <= _PER_UNIT
    ):
        return None
    below = _upto_one(pair)
    if below is None or facts.lowest is None or facts.lowest < 0:
        return None
    reasons = (
        f"'{pair.old.name}' speaks of a share: OLD holds numbers above 1, up to {_PER_UNIT} at most; {below}"
    )
    return Concern((reasons,), times(pair.value, Fraction(1, _PER_UNIT)))


def _to_percent(pair: PairContext) -> Concern | None:
    """Returns a concern where fractions of one become percent."""
    facts = pair.numbers
    if not (pair.old_words | pair.new_words) & _SHARES or facts is None:
        return None
    if facts.highest is None or facts.lowest is None or not facts.fractional:
        return None
    why = _goes_to_hundred(pair) if facts.lowest >= 0 and facts.highest <= 1 else None
    if why is None:
        return None
    evidence = f"'{pair.old.name}' speaks of a share: OLD holds nothing above 1; {why}"
    return Concern((evidence,), _rounded(pair, times(_amount(pair), Fraction(_PER_UNIT))))


def _goes_to_hundred(pair: PairContext) -> str | None:
    """Returns how NEW says that it holds percent; None where nothing says so."""
    there, bounds = pair.numbers_there, _bounds(pair)
    if pair.families[1] == "integer":
        return "NEW holds whole numbers"
    highest = there.highest if there is not None and there.nonzero >= _ENOUGH_THERE else None
    if highest is not None and 1 < highest <= _PER_UNIT:
        return "NEW's own rows go beyond 1"
    return f"NEW allows up to {_PER_UNIT}" if bounds and max(bounds) == _PER_UNIT else None


def _bounds(pair: PairContext) -> list[float]:
    return [float(bound) for expression in pair.checks for bound in _BOUND.findall(expression)]


def _upto_one(pair: PairContext) -> str | None:
    """Returns how NEW says that it holds fractions of one; None where nothing says so."""
    leaf, there, bounds = pair.new.type.leaf, pair.numbers_there, _bounds(pair)
    if (
        leaf.base == "numeric"
        and len(leaf.modifiers) > 1
        and leaf.modifiers[1] > 0
        and leaf.modifiers[0] - leaf.modifiers[1] <= 1
    ):
        return f"{leaf.text} has no room for them"
    if bounds and max(bounds) == 1:
        return "NEW allows up to 1"
    if (
        there is not None
        and there.highest is not None
        and there.nonzero >= _ENOUGH_THERE
        and there.highest <= 1
        and there.fractional
    ):
        return "NEW's own rows hold nothing above 1"
    return None


def _by_magnitude(pair: PairContext) -> Concern | None:
    """Returns a concern where NEW's own rows are a hundred or a thousand times larger or smaller."""
    facts, there = pair.numbers, pair.numbers_there
    if (
        facts is None
        or there is None
        or not facts.median
        or not there.median
        or there.nonzero < _ENOUGH_THERE
    ):
        return None
    words = pair.old_words | pair.new_words
    if words & _MOMENTS:
        return _epoch(pair, facts, there)
    if not (_is_money(pair) and facts.nonzero >= _ENOUGH_THERE):
        return None
    ratio = there.median / facts.median
    if not _PER_UNIT / 2 <= max(ratio, 1 / ratio) <= _PER_UNIT * 2:
        return None
    sql = times(_amount(pair), Fraction(_PER_UNIT) if ratio > 1 else Fraction(1, _PER_UNIT))
    way = "larger" if ratio > 1 else "smaller"
    return Concern(
        (f"the numbers of NEW's own rows are about {_PER_UNIT} times {way} than OLD's: cents and units?",),
        _rounded(pair, sql),
    )


def _epoch(pair: PairContext, facts: NumberFacts, there: NumberFacts) -> Concern | None:
    before, after = facts.median or 0, there.median or 0
    low, high = _SECONDS
    # Seconds, milliseconds and microseconds: the moments of this time do not overlap between them.
    for thousand in (1, 1000, 1000000):
        if low <= before <= high and thousand > 1 and low <= after / thousand <= high:
            sql = times(pair.value, Fraction(thousand))
        elif low <= before / thousand <= high and thousand > 1 and low <= after <= high:
            sql = _rounded(pair, times(pair.value, Fraction(1, thousand)))
        else:
            continue
        return Concern(
            (
                f"seconds since 1970 on one side, {thousand} times as much in NEW's own rows or in OLD's"
                " on the other",
            ),
            sql,
        )
    return None
