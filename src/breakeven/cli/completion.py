"""completion: print the script that completes verbs, options and files in your shell."""

from __future__ import annotations

import json
from typing import Final

import click

SHELLS: Final = ("bash", "zsh", "fish")
_WHERE: Final = {
    "bash": 'eval "$(breakeven completion bash)"   # in ~/.bashrc; bash 4.4 or newer',
    "zsh": 'eval "$(breakeven completion zsh)"   # in ~/.zshrc, after compinit',
    "fish": "breakeven completion fish > ~/.config/fish/completions/breakeven.fish",
}


@click.command(epilog="Example: breakeven completion fish > ~/.config/fish/completions/breakeven.fish")
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "as_json", is_flag=True, help="Print the script and where it goes as JSON.")
def command(shell: str, as_json: bool) -> None:
    """Print the script that completes verbs, options and file names in SHELL.

    Bash: put `eval "$(breakeven completion bash)"` into ~/.bashrc. Zsh: the same with zsh in ~/.zshrc, after compinit.
    Fish: save the script as ~/.config/fish/completions/breakeven.fish.
    """
    from click.shell_completion import get_completion_class

    from breakeven.cli.main import group

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(group, {}, "breakeven", "_BREAKEVEN_COMPLETE").source()
    click.echo(json.dumps({"shell": shell, "script": script, "install": _WHERE[shell]}) if as_json else script)
