"""explain: print the tree behind a number, down to its sources."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: breakeven explain report.json rented_on_demand.engineering_labour")
@click.argument("report", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("line", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the tree as JSON.")
def command(report: Path, line: str | None, as_json: bool) -> None:
    """Print the tree behind LINE of a REPORT.json: formulas, inputs, sources, and which layer supplied each value.

    LINE is OPTION.LINE (a cost line), OPTION.total_usd_per_month, OPTION.cost_usd_per_success, or the name of any
    fact. Without LINE, the lines are listed.
    """
    from breakeven.cli.console import stdout_console
    from breakeven.reports.document import read_document
    from breakeven.reports.explain import explainable, find_trace, trace_tree

    document = read_document(report)
    if line is None:
        names = list(explainable(document))
        click.echo(json.dumps(names, indent=2) if as_json else "\n".join(names))
        return
    root = find_trace(document, line)
    if as_json:
        click.echo(json.dumps(trace_tree(document, root), indent=2))
        return
    from breakeven.reports.terminal import render_trace

    render_trace(document, root, stdout_console())
