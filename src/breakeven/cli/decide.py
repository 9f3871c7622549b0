"""decide: one page: what to do, how sure, the three numbers that matter, Monday, and what would change our mind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.comparison_source import compared
from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.document import Document

NEXT_COMMAND = "breakeven compare --out report.json --pdf decision.pdf"


@click.command(
    epilog="Example: breakeven decide --usage calls.jsonl   |   breakeven decide --report report.json --json"
)
@source_options
@scenario_options
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="COMPARISON.json",
    help="Take the comparison from this document instead of a log.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
def command(source: UsageSource, scenario: Scenario, report: Path | None, as_json: bool) -> None:
    """Print the decision on one page: recommendation and odds, three numbers, Monday, what would change our mind.

    The same figures as `compare`, from a log, the store, or a document of `breakeven compare --out`.
    """
    from breakeven.cli.console import stdout_console
    from breakeven.reports.decide_json import decide_json
    from breakeven.reports.decide_terminal import render_decision

    document = _document(source, scenario, report)
    if as_json:
        click.echo(decide_json(document), nl=False)
        return
    render_decision(document, stdout_console())


def _document(source: UsageSource, scenario: Scenario, report: Path | None) -> Document:
    if report is not None:
        from breakeven.reports.document import read_document

        if source.usage or source.store:
            raise click.UsageError("give --report, or --usage or --store, not both")
        return read_document(report)
    from breakeven.cli.console import progress
    from breakeven.reports.warm_up import warm_up

    warm_up(draws_charts=False)
    with progress() as say:
        return compared(source, scenario, NEXT_COMMAND, say)
