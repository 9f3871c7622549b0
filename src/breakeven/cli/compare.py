"""compare: cost every way to serve a workload, with ranges, odds and break-even volumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, opened_calls, reading_warnings, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario


WITHOUT_OUT = "add --html report.html --out report.json, then breakeven explain report.json"


@click.command(epilog="Example: breakeven compare --usage calls.jsonl --html report.html --out report.json")
@source_options
@scenario_options
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a self-contained HTML report.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON document to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(
    source: UsageSource,
    scenario: Scenario,
    html: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Cost every way to serve the workload of a usage log, and say which is cheapest and how sure that is.

    With --usage the log is read for this question alone; without it, the store that `breakeven import` filled is
    used.
    """
    from breakeven.cli.console import progress, stdout_console, write_text
    from breakeven.clock import today
    from breakeven.reports.answer import Question, answer
    from breakeven.reports.document import to_json
    from breakeven.reports.warm_up import warm_up
    from breakeven.reports.workload_part import import_part

    warm_up(draws_charts=html is not None)
    with progress() as say, opened_calls(source, say) as calls:
        next_command = f"breakeven explain {out} frontier_api.total_usd_per_month" if out else WITHOUT_OUT
        question = Question(
            calls.store,
            calls.label,
            scenario,
            today(),
            imported=import_part(calls.report) if calls.report else None,
            warnings=reading_warnings(calls.report),
            next_command=next_command,
        )
        document = answer(question, say)
        if html:
            say("drawing the report")
            from breakeven.reports.html import render_html

            write_text(html, render_html(document))
        if out:
            write_text(out, to_json(document))
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.terminal import render_comparison

    render_comparison(document, stdout_console())
    for path in (html, out):
        if path:
            click.echo(f"Wrote {path}")
