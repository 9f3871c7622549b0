"""compare: cost every way to serve a workload, with ranges, odds and break-even volumes."""

from __future__ import annotations

from pathlib import Path

import click

from breakeven.cli.console import usage_options


@click.command(epilog="Example: breakeven compare --usage calls.jsonl --html report.html --json > report.json")
@usage_options
@click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="Scenario file (`breakeven init`).")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Override a fact, e.g. engineer_usd_per_year=180000.")
@click.option("--options", help="Options to compare, separated by commas; all by default.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices and facts of this date.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the draws.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a self-contained HTML report.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON document to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(**arguments: object) -> None:
    """Cost every way to serve the workload in a usage log.

    With --usage the log is read into a temporary store; without it, the store that `breakeven import` filled is used.
    """
