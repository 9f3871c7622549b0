"""compare: cost every way to serve the workload and say which is cheapest, with its odds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.baseline_options import MOVED, Baseline, baseline_options, show_watch
from breakeven.cli.comparison_source import compared
from breakeven.cli.output_files import OutputFiles, output_options
from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario


@click.command(
    epilog="Example: breakeven compare --usage calls.jsonl --html report.html --out report.json   |   "
    "breakeven compare --usage calls.jsonl --baseline last-month.json --bound 10% --md pull-request.md"
)
@source_options
@scenario_options
@output_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON document to a file.")
@baseline_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the page: the document, or the changes.")
@click.pass_context
def command(
    ctx: click.Context,
    source: UsageSource,
    scenario: Scenario,
    outputs: OutputFiles,
    out: Path | None,
    baseline: Baseline | None,
    as_json: bool,
) -> None:
    """Cost every way to serve the workload of a usage log, and say which is cheapest and how sure that is.

    With --usage the log is read for this question alone; without it, the store that `breakeven import` filled is
    used.

    With --baseline the exit code is 0 within the bound and 2 when something moved. An error has code 2 as everywhere;
    it writes to stderr and prints nothing to stdout.
    """
    from breakeven.cli.console import progress, stdout_console, write_text
    from breakeven.reports.document import to_json
    from breakeven.reports.warm_up import warm_up

    outputs.check(beside={"out": out}, reads=(*source.usage, baseline.path if baseline else None))
    warm_up(draws_charts=outputs.draws_charts)
    with progress() as say:
        next_command = f"breakeven explain {out} frontier_api.total_usd_per_month" if out else None
        document = compared(source, scenario, next_command, say)
        watch = baseline.watch(document) if baseline else None
        if out:
            write_text(out, to_json(document))
        outputs.write(document, say, watch)
    if watch:
        show_watch(watch, as_json=as_json)
    elif as_json:
        click.echo(to_json(document), nl=False)
    else:
        from breakeven.reports.terminal import render_comparison

        render_comparison(document, stdout_console())
    if not as_json:
        for path in (*outputs.asked.values(), out):
            if path:
                click.echo(f"Wrote {path}")
    if watch and watch.moved:
        ctx.exit(MOVED)
