"""whatif: change some numbers and see what it does; or solve for the value at which two options cost the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, opened_calls, pairs, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario

EXAMPLE = "gpu_usd_per_hour=1.65"


@click.command(
    epilog="Example: breakeven whatif --usage calls.jsonl gpu_usd_per_hour=1.65 volume=5B   |   breakeven whatif "
    "--usage calls.jsonl --solve gpu_usd_per_hour --until self_host=api"
)
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@source_options
@scenario_options
@click.option("--solve", metavar="NAME", help="Find the value of this fact at which two options cost the same.")
@click.option("--until", metavar="A=B", help="The two options; the recommended one and its rival when absent.")
@click.option("--between", metavar="LOW,HIGH", help="Look for a solution between these values.")
@click.option(
    "--this-month",
    is_flag=True,
    help="Solve for one month at typical values, not for the present cost over the months.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(
    changes: tuple[str, ...],
    source: UsageSource,
    scenario: Scenario,
    solve: str | None,
    until: str | None,
    between: str | None,
    this_month: bool,
    as_json: bool,
) -> None:
    """Compare as things are and with some numbers changed: recommendation, costs, odds and break-even side by side.

    NAME is a fact (docs/reference/facts.md), a choice of the scenario (open_model, gpu, region, team, ...), volume
    (tokens a month: 5B, 300M), or api_price (a multiple of today's). Short names: gpu_usd_per_hour, salary, fte,
    electricity, success, peak. Options of --until: names as compare prints them, or api, tier, batch, broker, managed,
    self_host (the cheapest on GPUs of your own), best. --solve finds where the expected present costs over the horizon
    are equal, which is what the recommendation goes by.
    """
    from breakeven.cli.console import progress, stdout_console
    from breakeven.clock import today
    from breakeven.reports.comparison_source import comparison_question
    from breakeven.reports.whatif_answer import WhatIf, answer_whatif
    from breakeven.reports.whatif_document import to_json

    if not changes and solve is None:
        raise click.UsageError(f"nothing to change: give NAME=VALUE, e.g. {EXAMPLE}, or --solve NAME")
    if solve is None and (until or between or this_month):
        raise click.UsageError("--until, --between and --this-month go with --solve NAME")
    asked = WhatIf(tuple(pairs(changes, "whatif", EXAMPLE)), solve, _two(until), _bounds(between), this_month)
    with progress(as_json) as say, opened_calls(source, say) as calls:
        question = comparison_question(calls, scenario, today())
        document = answer_whatif(question, asked, say)
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.whatif_terminal import render_whatif

    render_whatif(document, stdout_console())


def _two(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    first, equals, second = text.partition("=")
    if not equals or not first.strip() or not second.strip():
        raise click.UsageError(f"--until {text}: wanted OPTION=OPTION, e.g. --until self_host=api")
    return first.strip(), second.strip()


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(each) for each in text.split(","))
    except ValueError:
        raise click.UsageError(f"--between {text}: wanted LOW,HIGH, e.g. --between 0.5,10") from None
    if not 0 <= low < high < float("inf"):
        raise click.UsageError(f"--between {text}: wanted 0 <= LOW < HIGH")
    return low, high
