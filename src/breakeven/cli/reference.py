"""Reference: print docs/reference/cli.md from the verbs' own help. Run as `python -m breakeven.cli.reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from breakeven.cli.main import group

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
HELP_WIDTH = 100


def page() -> str:
    """The reference page as Markdown, the same on every machine."""
    width: dict[str, Any] = {"terminal_width": HELP_WIDTH, "max_content_width": HELP_WIDTH}
    parent = click.Context(group, info_name="breakeven", help_option_names=["-h", "--help"], **width)
    parts = ["# Command line", "", "Printed by `make docs` from the commands themselves.", ""]
    parts += _block("breakeven", group.get_help(parent))
    for name in group.list_commands(parent):
        verb = group.get_command(parent, name)
        assert verb is not None
        context = click.Context(verb, info_name=name, parent=parent, **width)
        parts += _block(f"breakeven {name}", verb.get_help(context))
        if isinstance(verb, click.Group):
            for each in verb.list_commands(context):
                below = verb.get_command(context, each)
                assert below is not None
                parts += _block(
                    f"breakeven {name} {each}",
                    below.get_help(click.Context(below, info_name=each, parent=context, **width)),
                )
    return "\n".join(parts)


def _block(title: str, text: str) -> list[str]:
    return [f"## {title}", "", "```text", *(line.rstrip() for line in text.splitlines()), "```", ""]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
