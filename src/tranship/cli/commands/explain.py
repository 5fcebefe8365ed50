"""``tranship explain``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from tranship.cli.context import CliContext, answering


@click.command()
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
    from tranship.model.text import nearest
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
        near = nearest(wanted, _of_like_length(wanted, known))
        hint = f"did you mean {near}? " if near is not None else ""
        raise UsageError(UnknownCode(code, hint, call.invocation))
    if call.json:
        answer_json(call, explain(wanted) if wanted else [explain(one) for one in known])
    else:
        say(explanation_text(explain(wanted)) if wanted else codes_text())


def _of_like_length(code: str, known: Iterable[str]) -> Iterator[str]:
    """Yields the codes that may be meant by a mistyped one: digits of others are alike by accident."""
    return (one for one in known if abs(len(one) - len(code)) <= 1)


def _spelled_out(code: str) -> str:
    """Returns a code as the table has it: capitals, and ``TS`` before bare digits."""
    return f"TS{code}" if code.isdigit() else code.upper()
