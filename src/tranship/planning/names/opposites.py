"""Words that are each other's opposites, and names that ask one question the other way round."""

from __future__ import annotations

from tranship.planning.names.tokens import words

_FILLERS = frozenset({"is", "has", "was", "are", "be", "can", "flag", "ind", "indicator", "status"})
_NEGATIONS = frozenset({"not", "no", "non", "never", "without", "optout", "exempt"})
_PREFIXES = frozenset({"un", "in", "im", "non", "dis"})
_ONE_WORD = {"opted": "opt", "opting": "opt"}
_ANSWERS = """
active enabled enable activated on / \
inactive disabled disable deactivated off suspended deleted archived removed
visible public shown show published listed displayed / \
hidden invisible private unlisted hide draft unpublished
allowed allow permitted granted / denied forbidden disallowed blocked banned prohibited
available / unavailable
open / closed
required mandatory / optional
online / offline
included include / excluded exclude
accepted approved / rejected declined
paid settled / unpaid outstanding
succeeded success successful / failed failure
subscribed / unsubscribed
in optin / out optout
production live / test testing staging sandbox
"""
_SIDES = """
enable disable enabled disabled visible hidden show hide shown hidden public private public hidden open
closed allow deny allowed denied include exclude included excluded on off accept reject accepted rejected
succeeded failed success failure online offline locked unlocked required optional first last min max minimum
maximum start end begin end start finish from to old new lower upper debit credit buy sell source target
sender receiver sender recipient increase decrease up down left right before after latitude longitude lat
lng width height upvotes downvotes likes dislikes billing shipping buyer seller net gross created updated
created modified home work income expense arrival departure opened closed subject body
in out inbound outbound incoming outgoing input output inner outer internal external import export imported
exported src dst src dest source destination source dest parent child ancestor descendant predecessor
successor mother father primary secondary used left used remaining used available used free spent remaining
sold remaining done remaining read unread read write given received sent received best worst high low
highest lowest early late earliest latest opening closing gain loss profit loss won lost win loss wins
losses winner loser positive negative odd even inside outside entry exit deposit withdrawal lender borrower
payer payee teacher student employer employee landlord tenant host guest male female north south east west
long short production test production staging production sandbox live test live sandbox prod test prod
staging planned actual estimated actual expected actual budgeted actual asked answered
x y y z x z
"""
_GROUPS = tuple(
    (frozenset(a.split()), frozenset(b.split()))
    for line in _ANSWERS.strip().split("\n")
    for a, b in [line.split(" / ")]
)
_PAIRS = frozenset(pair for one in zip(*[iter(_SIDES.split())] * 2, strict=True) for pair in (one, one[::-1]))


def opposite(a: str, b: str) -> bool:
    """Returns whether of two words one is the opposite of the other, or names the other side of it."""
    short, long = sorted((a, b), key=len)
    # Three letters behind a negating prefix are rarely a word: "inset" is not the opposite of "set".
    negated = len(short) > 3 and long.endswith(short) and long[: -len(short)] in _PREFIXES
    return negated or (a, b) in _PAIRS


def opposed(left: str, right: str) -> bool:
    """Returns whether two names ask the same question the other way round.

    Examples are ``is_active`` and ``disabled``, ``hidden`` and ``is_not_hidden``, ``newsletter`` and
    ``newsletter_optout``.
    """
    return _turned_round(left, right) is True


def asks_the_same(left: str, right: str) -> bool:
    """Returns whether two names ask the same question: ``active`` and ``is_active``, ``hidden`` and
    ``not_shown``.
    """
    return _turned_round(left, right) is False


def _turned_round(left: str, right: str) -> bool | None:
    """Returns whether two names ask one question the other way round; None: they ask two questions."""
    a, b = _asked(left), _asked(right)
    odd = (_negated(left) + _negated(right)) % 2 == 1
    if a == b and a:
        return odd
    gone, come = a - b, b - a
    if len(gone) != 1 or len(come) != 1:
        return None
    (before,), (after,) = gone, come
    related = _relation(before, after)
    # A negation on one side turns the relation of the two words round.
    return None if related is None else related != odd


def _relation(before: str, after: str) -> bool | None:
    """Returns whether two words are opposites (True) or mean the same (False); None if neither is known."""
    for yes, no in _GROUPS:
        if (before in yes and after in no) or (before in no and after in yes):
            return True
        if {before, after} <= yes or {before, after} <= no:
            return False
    short, long = sorted((before, after), key=len)
    negated = len(short) > 3 and any(long == prefix + short for prefix in _PREFIXES)
    return True if negated else None


def _asked(name: str) -> frozenset[str]:
    said = frozenset(_ONE_WORD.get(word, word) for word in words(name))
    return said - _FILLERS - _NEGATIONS


def _negated(name: str) -> int:
    said = words(name)
    # Behind the word that it would negate it stands for "number": phone_no.
    said = said[:-1] if len(said) > 1 and said[-1] == "no" else said
    return sum(1 for word in said if word in _NEGATIONS)
