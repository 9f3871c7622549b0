"""Man page: print docs/man/breakeven.1 from the verbs' own help. Run as `python -m breakeven.cli.man_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from breakeven import __version__
from breakeven.cli.main import group, verb_summary

PAGE = Path(__file__).parents[3] / "docs" / "man" / "breakeven.1"


def man_page() -> str:
    """The page in man(7), the same on every machine: all verbs on one page, so that one search finds any option.

    >>> man_page().startswith('.TH BREAKEVEN 1')
    True
    """
    top = click.Context(group, info_name="breakeven", help_option_names=["-h", "--help"])
    verbs = list(_commands(top))
    summary = escaped(_paragraphs(group.help or "")[0])
    lines = [
        f'.TH BREAKEVEN 1 "" "breakeven {__version__}" "User Commands"',
        *(".SH NAME", f"breakeven \\- {summary}"),
        *(".SH SYNOPSIS", ".B breakeven", "VERB [OPTIONS] [ARGUMENTS]"),
        *(".SH DESCRIPTION", summary, ".PP", "Each verb has its own help: breakeven VERB \\-\\-help."),
        ".SH VERBS",
    ]
    for context in verbs:
        lines += [".TP", f"\\fB{escaped(context.command_path)}\\fR", escaped(_short(context))]
    for context in verbs:
        lines += _section(context)
    lines += [".SH EXIT STATUS", "0 when all is well; 1 or more as a verb says; 2 for wrong usage or input."]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as man(7) takes it: no line begins with a control character, hyphens can be copied.

    >>> escaped(".5 --json")
    '\\\\&.5 \\\\-\\\\-json'
    """
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + plain if plain[:1] in {".", "'"} else plain


def _commands(top: click.Context) -> Iterator[click.Context]:
    """A context for each verb and each command below one."""
    assert isinstance(top.command, click.Group)
    for name in top.command.list_commands(top):
        command = top.command.get_command(top, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=top)
        yield context
        if isinstance(command, click.Group):
            yield from _commands(context)


def _short(context: click.Context) -> str:
    """What a command does, in a line."""
    if context.parent is not None and context.parent.command is group:
        return verb_summary(str(context.info_name))
    return _paragraphs(context.command.help or "")[0].partition(". ")[0].rstrip(".")


def _section(context: click.Context) -> list[str]:
    """One verb: synopsis, what it does, its options, its example."""
    command = context.command
    pieces = escaped(" ".join(command.collect_usage_pieces(context)))
    lines = [f".SH {escaped(context.command_path).upper()}", f"\\fB{escaped(context.command_path)}\\fR {pieces}"]
    for paragraph in _paragraphs(command.help or ""):
        lines += [".PP", escaped(paragraph)]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            lines += [".TP", f"\\fB{escaped(record[0])}\\fR", escaped(record[1]) or "\\&"]
    if command.epilog:
        lines += [".PP", escaped(command.epilog)]
    return lines


def _paragraphs(text: str) -> list[str]:
    return [each for each in text.replace("\b", "").split("\n\n") if each.strip()]


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(man_page(), encoding="utf-8")
