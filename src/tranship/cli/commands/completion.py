"""``tranship completion``."""

from __future__ import annotations

import click

from tranship.cli.exit_status import WRONG, exits


@click.command(no_args_is_help=True, epilog=exits({0: "printed", 2: WRONG}))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and files in a shell.

    \b
    bash:  eval "$(tranship completion bash)"      in ~/.bashrc
    zsh:   eval "$(tranship completion zsh)"       in ~/.zshrc
    fish:  tranship completion fish > ~/.config/fish/completions/tranship.fish
    """
    from click.shell_completion import get_completion_class

    from tranship.cli.terminal import say

    script = get_completion_class(shell)
    assert script is not None
    say(script(context.find_root().command, {}, "tranship", "_TRANSHIP_COMPLETE").source(), whole=True)
