"""Words that say yes or no, and words that name the state itself."""

from __future__ import annotations

_TRUE_WORDS = """
t true y yes 1 on active enabled j ja o oui v vrai s si sí sì sim vero verdadero verdadeiro tak
prawda ano да истина evet igen kyllä wahr waar はい 是
"""
_FALSE_WORDS = """
f false n no 0 off inactive disabled nein non faux falso não nao nie nej ne нет ложь hayır nem ei
falsch onwaar いいえ 否
"""
TRUE, FALSE = frozenset(_TRUE_WORDS.split()), frozenset(_FALSE_WORDS.split())
STATES = frozenset({"active", "inactive", "enabled", "disabled"})
"""Words that mean the same under every column name: ``active`` in a column ``disabled`` is no yes."""
_UNSURE = frozenset({"on", "off"})
"""Words that are a yes or a no in one program, and a state in another."""
_YES_OR_NO = (TRUE | FALSE) - STATES - _UNSURE


def truth_of(word: str) -> bool | None:
    """Returns what a word says, whatever its case and the blanks around it; None: neither yes nor no."""
    folded = word.strip().lower()
    return folded in TRUE if folded in TRUE | FALSE else None


def answers(word: str) -> bool:
    """Returns whether a word in small letters answers a question, so that its opposite has the other one."""
    return word in _YES_OR_NO
