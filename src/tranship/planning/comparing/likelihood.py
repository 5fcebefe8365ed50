"""How sure a rename is that is only proposed, in words that fit its score."""

from __future__ import annotations

from tranship.model.change import EVEN
from tranship.planning.names.tokens import squashed

_SURE = 0.95
"""Score from which on hardly one proposal in twenty is wrong."""
_MOST = 0.99
"""The highest score that is shown: of a rename that the data do not prove none is certain."""


def likelihood(old: str, new: str, score: float) -> str:
    """Returns what is known of a proposed rename: whether the names are the same but for their spelling, else
    how likely it is.
    """
    shown = f"score {min(score, _MOST):.2f}"
    if squashed(old) == squashed(new):
        return f"the same name in another spelling ({shown})"
    if score >= _SURE:
        return f"very likely by names, types and places ({shown})"
    return f"likely, but not proven ({shown})" if score >= EVEN else f"not proven ({shown})"
