"""Words that name different things: a price is no cost, however alike two columns are otherwise."""

from __future__ import annotations

from functools import lru_cache

from tranship.planning.names.tokens import squashed, stems, words

# Words that schemas use for several of these things (amount, value, total, state, number, user) are left out:
# they say nothing for sure. Order within a line does not matter; / stands between two things.
_WORDS = """
price / cost / fee / tax vat / discount rebate / salary wage / revenue turnover / profit / margin / expense
refund / deposit / commission / bonus / budget / subtotal / balance
name title label caption heading / subtitle
description summary remark note comment content body message text
phone mobile cell telephone / fax / email mail / url link uri website homepage / slug / identifier ident
password passwd / login username / firstname forename / middlename / lastname surname / nickname / initial
birthdate birthday / age / gender sex
zip postal / city town / street / county / province / country nation / timezone / language locale / currency
latitude / longitude / altitude elevation
barcode ean / sku / isbn / iban / bic swift / ssn / passport / ip / browser
color colour / size / weight mass / width / height / depth / length / area / volume / radius / diameter
temperature / humidity / pressure / speed velocity / distance / duration / voltage
quantity count / stock inventory / rating score grade / version / type kind / status / level
like / view / click / visit / download / upload / follower / following / share
created inserted / updated modified changed edited / deleted removed discarded / archived / published released
approved / rejected declined refused / cancelled canceled / abandoned / recovered / resolved / processed
ordered / shipped / delivered / paid / invoiced billed / refunded / submitted / reviewed / sent / received
started begun / finished completed ended / expired expiry expire / due / scheduled / read / seen viewed
activated / locked / suspended / banned / revoked / confirmed verified / failed / hired / fired / died
hourly / daily / weekly / monthly / quarterly / yearly annual annually
logo / avatar / favicon icon / thumbnail / banner
organization company / team / project / product / supplier vendor / customer client / employee / department
category / tag
"""
_THINGS = tuple(
    frozenset(thing.split()) for line in _WORDS.strip().splitlines() for thing in line.split(" / ")
)
_THING_OF = {word: place for place, thing in enumerate(_THINGS) for word in thing}


@lru_cache(maxsize=65536)
def different_things(before: str, after: str) -> bool:
    """Returns whether the words that only one of two names has speak of different things on both sides."""
    if squashed(before) == squashed(after):
        return False
    left, right = _said(before), _said(after)
    here, there = _things(left - right), _things(right - left)
    return bool(here) and bool(there) and not here & there


def _said(name: str) -> frozenset[str]:
    # As written and as a stem: "status" and "fax" are no plurals, "prices" and "lang" are words of the table.
    return frozenset((*stems(name), *words(name)))


def _things(said: frozenset[str]) -> frozenset[int]:
    return frozenset(_THING_OF[word] for word in said if word in _THING_OF)
