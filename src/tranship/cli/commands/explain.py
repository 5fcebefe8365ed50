"""``tranship explain``."""

from __future__ import annotations

import re
from collections.abc import Collection

import click

from tranship.cli.context import CliContext, answering
from tranship.cli.exit_status import exits

_TYPED = re.compile(r"[A-Z]{0,3}[-_ ]?([0-9OIL]{2,4})")
"""A code as somebody may have typed it, in capitals: its number."""
_LIKE_DIGITS = str.maketrans("OIL", "011")
_EXITS = {
    0: "explained",
    2: "a wrong option, or there is no such code",
}


@click.command(epilog=exits(_EXITS))
@click.argument("code", required=False)
@answering
@click.pass_context
def command(context: click.Context, code: str | None) -> None:
    """Explain what the error CODE means and what to do about it, or the SQLSTATE of rejected rows. Without
    CODE it lists every code with its meaning.
    """
    from tranship.cli.answer import answer_json
    from tranship.cli.terminal import say
    from tranship.errors import UsageError, table
    from tranship.errors.codes.usage import UnknownCode
    from tranship.report.error_codes import codes_text, explain, explain_state, explanation_text, state_text

    call = context.ensure_object(CliContext)
    known = tuple(table.rows())
    state = explain_state(code.upper()) if code is not None else None
    if state is not None:
        if call.json:
            answer_json(call, state)
        else:
            say(state_text(state))
        return
    wanted = _spelled_out(code) if code is not None else ""
    if code is not None and wanted not in known:
        near = _meant(wanted, known)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(UnknownCode(code, hint, call.invocation))
    if call.json:
        answer_json(call, explain(wanted) if wanted else [explain(one) for one in known])
    else:
        say(explanation_text(explain(wanted)) if wanted else codes_text())


def _meant(code: str, known: Collection[str]) -> list[str]:
    """Returns the codes that a mistyped one may mean: by other letters before its number, by a digit that is
    missing at the end or typed twice, or by two digits in the wrong order.

    A number of three other digits is no slip: nearly each has a neighbour in the table, about something else.
    """
    typed = _TYPED.fullmatch(code)
    if typed is None:
        return []
    number = typed[1].translate(_LIKE_DIGITS)
    if f"TS{number}" in known:
        return [f"TS{number}"]
    match len(number):
        case 2:
            return [one for one in known if one.startswith(f"TS{number}")]
        case 3:
            slips = {number[1] + number[0] + number[2], number[0] + number[2] + number[1]}
        case _:
            slips = {number[:place] + number[place + 1 :] for place in range(len(number))}
    return [one for one in known if one.removeprefix("TS") in slips]


def _spelled_out(code: str) -> str:
    """Returns a code as the table has it: capitals, and ``TS`` before bare digits."""
    return f"TS{code}" if code.isdigit() else code.upper()
