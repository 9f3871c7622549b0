"""evaluate: how a policy does on outcomes that it was not learnt from, beside every simpler way to choose."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from breakeven.cli.learning_extra import Amount


@click.command(
    epilog="Example: breakeven evaluate --policy policy --outcomes later.csv   |   "
    "breakeven evaluate --policy policy --outcomes later.csv --incumbent gpt-5 --json"
)
@click.option("--policy", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of a policy.")
@click.option(
    "--outcomes",
    "files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="File of outcomes (CSV, JSONL, Parquet; long or wide); may be given several times.",
)
@click.option("--reference", metavar="MODEL", help="Model the floor is a part of; the policy's own when absent.")
@click.option("--incumbent", metavar="MODEL", help="Model in use today; the policy's own when absent.")
@click.option("--quality-floor", type=float, help="Part of the reference's success; the policy's own when absent.")
@click.option(
    "--price", "prices", multiple=True, metavar="MODEL=USD", help="USD per call, or IN/OUT per million tokens."
)
@click.option("--output-tokens", type=Amount(), help="Tokens of an answer, where the file has none.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices of this date.")
@click.option("--lost-cache-usd", type=Amount(), help="Prompt-cache hits lost, USD per request.")
@click.option("--judge-usd", type=Amount(), help="Judge that labels, USD per request.")
@click.option("--shadow-usd", type=Amount(), help="Shadow calls, USD per request.")
@click.option("--router-usd", type=Amount(), help="The router itself, USD per request.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(
    policy: Path,
    files: tuple[Path, ...],
    prices: tuple[str, ...],
    as_of: datetime | None,
    output_tokens: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Let a policy decide every request of a file and compare what came of it with every simpler way to choose.

    Each request counts that all of the policy's models were tried on. Where the file is a log that was routed by known
    chances (a column `propensity`, one model for each request), the policy is judged off-policy instead. Drift of the
    requests against those learnt from is said.
    """
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, stdout_console
    from breakeven.cli.learning_extra import quality_floor, set_aside
    from breakeven.clock import today
    from breakeven.learning.pricing import given_price
    from breakeven.outcomes.reading import read_outcomes
    from breakeven.reports.evaluation_answer import evaluate_outcomes
    from breakeven.routing.policy_file import load

    if options["quality_floor"] is not None:
        quality_floor(options["quality_floor"])
    with progress() as say:
        loaded = load(policy)
        say("outcomes")
        read = read_outcomes(list(files))
        catalog = load_catalog(as_of.date() if as_of else today())
        given = dict(map(given_price, prices))
        done = evaluate_outcomes(loaded, read, catalog, options, given, output_tokens, say)
    warnings = (*done.warnings, *set_aside(read, files))
    if as_json:
        click.echo(done.found.to_json(warnings))
        return
    from breakeven.reports.evaluation_terminal import render_evaluated

    render_evaluated(done.found, stdout_console(), warnings=warnings)
