"""claims: test the guide's claims on today's prices, on an invented workload or on your own log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, opened_calls, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario


@click.command(
    epilog="Example: breakeven claims   |   breakeven claims --only hybrid-saves --usage calls.jsonl   |   "
    "breakeven claims --set gpu_rent_usd_per_gpu_hour=1.65"
)
@source_options
@scenario_options
@click.option("--only", multiple=True, metavar="ID", help="Test this claim alone, with its tables; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document, traces included, instead of the page.")
def command(source: UsageSource, scenario: Scenario, only: tuple[str, ...], as_json: bool) -> None:
    """Test what the guide claims: its figure, ours with its range, and whether it holds, depends or does not hold.

    Without --usage or --store the traffic is an invented reference workload, and every page says so.
    """
    from breakeven.cli.console import progress, stdout_console
    from breakeven.clock import today
    from breakeven.reports.answer import Question
    from breakeven.reports.guide_answer import answer_claims, reference_answer
    from breakeven.reports.guide_document import to_json

    if scenario.options:
        raise click.UsageError("each claim says which options it compares: leave --options out")
    with progress() as say:
        if source.usage or source.store:
            with opened_calls(source, say) as calls:
                warnings = calls.warnings
                question = Question(
                    calls.store, calls.label, scenario, today(), warnings=warnings, next_command=_compare(source)
                )
                document = answer_claims(question, only, say)
        else:
            from breakeven.catalog.load import load_catalog

            say("testing the claims")
            document = reference_answer(load_catalog(scenario.as_of or today()), scenario, only)
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.guide_terminal import render_guide

    render_guide(document, stdout_console())


def _compare(source: UsageSource) -> str:
    """The comparison of all ways to serve the same calls."""
    given = [f"--usage {path}" for path in source.usage] + ([f"--store {source.store}"] if source.store else [])
    return " ".join(["breakeven compare", *given])
