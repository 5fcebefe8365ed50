"""What speaks for a rename that is only proposed, in words that fit its score.

How sure a suggestion is stands beside it: "likely" or "a guess", by all that is known. Other words are used
here, so that one question does not say both.
"""

from __future__ import annotations

from tranship.model.change import EVEN
from tranship.planning.names.tokens import squashed

_SURE = 0.95
"""Score from which on hardly one proposal in twenty is wrong."""
_MOST = 0.99
"""The highest score that is shown: of a rename that the data do not prove none is certain."""


def likelihood(old: str, new: str, score: float) -> str:
    """Returns what is known of a proposed rename: whether the names are the same but for their spelling, else
    how much speaks for it.
    """
    shown = f"score {min(score, _MOST):.2f}"
    if squashed(old) == squashed(new):
        return f"the same name in another spelling ({shown})"
    if score >= _SURE:
        return f"names, types and places speak for it ({shown})"
    if score >= EVEN:
        return f"more speaks for it than against it, but nothing proves it ({shown})"
    return f"little speaks for it ({shown})"
