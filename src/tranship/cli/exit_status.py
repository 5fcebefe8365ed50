"""The exit statuses: what they mean for the program as a whole, and what each command ends with."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

STATUSES = {
    0: "done; where rows were moved: accounted for and verified",
    1: "a finding: rejected rows, open decisions, things left disabled",
    2: "an error before anything was written, such as a wrong option",
    3: "refused by a safety rule, or a privilege is missing",
    4: "stopped after the run began: the same command resumes it",
    5: "NEW does not hold what OLD's rows become",
}
"""Status and meaning. A second Ctrl-C or SIGTERM ends with 130 or 143, as shells have it."""

INTERRUPTED = ("130, 143", "ended by a second Ctrl-C or SIGTERM, or by one before the first batch")

WRONG_OR_UNREACHED = "a wrong option or file, or a server or database that is not reached"
"""Status 2 of commands that connect."""
WRONG_OR_NO_RUN = f"{WRONG_OR_UNREACHED}, or there is no such run"
WRONG = "a wrong option or argument"
JOURNAL_REFUSED = "refused: a privilege on the journal is missing, or it cannot be used"

_WIDTH = 70
"""Of a meaning in a terminal of 80 columns."""


def rows() -> list[tuple[str, str]]:
    """Returns every status with its meaning, as the help of the program lists them."""
    return [*((str(number), meaning) for number, meaning in STATUSES.items()), INTERRUPTED]


def exits(meanings: Mapping[int, str]) -> str:
    """Returns the last paragraph of a command's help: the statuses with which it can end, and what each of
    them means for this command.
    """
    lines, width = list[str](), max(len(str(number)) for number in meanings)
    for number, meaning in meanings.items():
        first, *rest = textwrap.wrap(meaning, _WIDTH, break_on_hyphens=False)
        lines += [f"  {number:<{width}}  {first}", *(f"  {'':{width}}  {line}" for line in rest)]
    # \b keeps click from joining the lines.
    return "\n".join(["\b", "Exit status:", *lines])
