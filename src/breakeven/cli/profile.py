"""profile: tokens, requests, models and spend per day, hours of the week, and what the data allow to conclude."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, opened_calls, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario


@click.command(epilog="Example: breakeven profile --usage calls.jsonl")
@source_options
@scenario_options
@click.option("--json", "as_json", is_flag=True, help="Print the profile as JSON.")
def command(
    source: UsageSource,
    scenario: Scenario,
    as_json: bool,
) -> None:
    """Summarise the calls of a log: tokens per day, models, spend at each day's prices, the hours of the week."""
    from breakeven.cli.console import progress, stdout_console
    from breakeven.clock import today
    from breakeven.reports.answer import profile
    from breakeven.reports.comparison_source import comparison_question
    from breakeven.reports.workload_part import workload_part

    with progress() as say, opened_calls(source, say) as calls:
        question = comparison_question(calls, scenario, today())
        part = workload_part(
            profile(question, say),
            calls.label,
            scenario.as_of or question.today,
            synthetic=question.synthetic,
            imported=question.imported,
        )
        warnings = calls.warnings
    if as_json:
        click.echo(json.dumps(part.model_dump(mode="json"), indent=2, ensure_ascii=False))
        return
    from breakeven.reports.safe_text import safe
    from breakeven.reports.terminal import render_workload

    render_workload(part, stdout_console())
    for warning in warnings:
        click.echo(f"! {safe(warning)}")
