"""pilot: prove on your own traffic that a cheaper model keeps the success and saves money, and keep proving it."""

from __future__ import annotations

import click

from breakeven.cli.command_group import CommandGroup
from breakeven.cli.pilot.designing import init
from breakeven.cli.pilot.judging import report, verdict
from breakeven.cli.pilot.labelling import label
from breakeven.cli.pilot.watching import restore, run, start, status, stop


@click.group(
    cls=CommandGroup,
    epilog="Example: breakeven pilot init faq --baseline gpt-4o --candidate qwen-7b --task faq --gateway gateway.yaml"
    "   |   breakeven pilot start faq   |   breakeven pilot run faq   |   breakeven pilot verdict faq",
)
def command() -> None:
    """Design a pilot, let a gateway carry it out, and say when it is proven: yes, no, or not yet.

    A pilot lives in a folder (pilots/NAME): its design with a hash, a journal, labels. The gateway is told by its
    policy folder alone, and a stop is a new version of that policy.
    """


for _each in (init, start, run, status, label, verdict, report, stop, restore):
    command.add_command(_each)
