"""The exit statuses of all commands, for their help."""

from __future__ import annotations

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


def rows() -> list[tuple[str, str]]:
    """Returns every status with its meaning, as the help of the program lists them."""
    return [*((str(number), meaning) for number, meaning in STATUSES.items()), INTERRUPTED]


def exits(*numbers: int) -> str:
    """Returns the last paragraph of a command's help: the statuses with which it can end."""
    # \b keeps click from joining the lines.
    return "\n".join(["\b", "Exit status:", *(f"  {number}  {STATUSES[number]}" for number in numbers)])
