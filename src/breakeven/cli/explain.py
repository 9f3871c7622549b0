"""explain: print the tree behind a number, down to its sources."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="Example: breakeven explain report.json rented_on_demand.engineering_labour   |   "
    "breakeven explain report.json horizon.rented_on_demand.present_cost_usd"
)
@click.argument("report", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("line", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the tree as JSON.")
def command(report: Path, line: str | None, as_json: bool) -> None:
    """Print the tree behind LINE of a REPORT.json: formulas, inputs, sources, and which layer supplied each value.

    LINE is OPTION.LINE (a cost line), OPTION (its total a month), OPTION.cost_usd_per_success, or the name of any
    fact; or a number of the parts on time, doubt and the questions: horizon.OPTION.present_cost_usd,
    risk.FACT.evppi_usd, answers.five_questions.volume, answers.volume_bands.3 (the third). Without LINE, all are
    listed.
    """
    from breakeven.cli.console import stdout_console
    from breakeven.reports.document import read_document
    from breakeven.reports.explain import explainable, find_trace, trace_tree
    from breakeven.reports.explain_parts import explain_path, explained_json, is_part_path, part_paths

    document = read_document(report)
    if line is None:
        names = [*explainable(document), *part_paths(document)]
        click.echo(json.dumps(names, indent=2) if as_json else "\n".join(names))
        return
    if is_part_path(document, line):
        found = explain_path(document, line)
        if as_json:
            click.echo(json.dumps(explained_json(found), indent=2, ensure_ascii=False))
            return
        from breakeven.reports.terminal_explain import render_explained

        render_explained(found, stdout_console(), str(report))
        return
    root = find_trace(document, line)
    if as_json:
        click.echo(json.dumps(trace_tree(document, root), indent=2))
        return
    from breakeven.reports.terminal import render_trace

    render_trace(document, root, stdout_console())
