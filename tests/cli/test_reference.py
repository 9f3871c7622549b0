"""The command reference is printed from the commands; commands shown in README and docs exist as shown."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from breakeven.cli.main import group
from breakeven.cli.reference import PAGE, page
from breakeven.errors import PilotError

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_verb_has_help_with_an_example_and_json() -> None:
    for name, verb in all_verbs():
        assert verb.epilog
        assert verb.epilog.startswith("Example: breakeven ")
        if not isinstance(verb, click.Group):
            assert any("--json" in parameter.opts for parameter in verb.params), f"{name} has no --json"


def all_verbs() -> list[tuple[str, click.Command]]:
    """Every verb, and those below one: ``catalog``, ``catalog list``."""
    context = click.Context(group, info_name="breakeven")
    found: list[tuple[str, click.Command]] = []
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        assert verb is not None
        found.append((name, verb))
        if isinstance(verb, click.Group):
            found += [(f"{name} {each}", command) for each, command in verb.commands.items()]
    return found


def shown_commands() -> list[tuple[str, str]]:
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if path.name == "cli.md":
            continue
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.S):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(path.name, line) for line in lines if line.startswith("breakeven ")]
    return found


@pytest.mark.parametrize(("page_name", "line"), shown_commands())
def test_a_command_in_the_docs_parses(page_name: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    context = click.Context(group, info_name="breakeven")
    verb = group.get_command(context, words[0])
    assert verb is not None, f"{page_name} shows an unknown verb: {line}"
    parsed = verb.make_context(words[0], words[1:], parent=context, resilient_parsing=False)
    if isinstance(verb, click.Group) and (
        not verb.invoke_without_command or words[1:2] in ([each] for each in verb.commands)
    ):
        below = verb.get_command(parsed, words[1])
        assert below is not None, f"{page_name} shows an unknown verb: {line}"
        with suppress(PilotError):  # the pilot of the page is not here; its options were read
            below.make_context(words[1], words[2:], parent=parsed, resilient_parsing=False)


def test_the_readme_shows_a_command() -> None:
    assert any(page_name == "README.md" for page_name, _ in shown_commands())


def test_the_readme_has_a_row_for_every_verb() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `breakeven (\w+)` \|", text, re.M)
    assert sorted(rows) == sorted(group.list_commands(click.Context(group, info_name="breakeven")))
