"""fleet: replicas, paid hours and service for the real traffic of a log, and the cheapest way to commit to them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from breakeven.cli.usage_source import UsageSource, opened_calls, pairs, source_options


@click.command(epilog="Example: breakeven fleet --usage calls.jsonl --model Llama-3.3-70B --gpu H100 --ttft-ms 1000")
@source_options
@click.option("--model", required=True, help="Open model to serve, as the catalogue, a hub or a benchmark names it.")
@click.option("--gpu", required=True, help="GPU to serve it on, e.g. H100-SXM-80 or L4.")
@click.option("--precision", help="How weights are stored: bf16, fp8, fp4; 8 bits where the GPU can, when absent.")
@click.option(
    "--gpus", type=click.IntRange(1), help="GPUs of one replica; the size that needs fewest in all when absent."
)
@click.option("--ttft-ms", type=click.FloatRange(0, min_open=True), help="Target for the time to the first token.")
@click.option("--tpot-ms", type=click.FloatRange(0, min_open=True), help="Target for the time per output token.")
@click.option(
    "--share",
    "met_fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Share of the requests that must meet both targets.",
)
@click.option("--min-replicas", type=click.IntRange(0), default=1, show_default=True, help="Never fewer replicas.")
@click.option("--spare", type=click.IntRange(0), default=0, show_default=True, help='On top of the need; 1 is "N+1".')
@click.option("--autoscale/--always-on", default=False, help="Follow the load, or run what the peak needs (default).")
@click.option("--cold-start-s", type=click.FloatRange(0), help="From asking for a replica until it serves.")
@click.option("--scale-to-zero", is_flag=True, help="Run nothing while no request comes; the first one then waits.")
@click.option("--idle-timeout-s", type=click.FloatRange(0), help="How long nothing must come before it sleeps.")
@click.option("--spot", is_flag=True, help="Rent on spot: cheaper, and taken away at times.")
@click.option(
    "--rent",
    "rents",
    multiple=True,
    metavar="TERM=USD",
    help="Your price of a GPU hour: on_demand, spot, one_year or three_years; may be repeated.",
)
@click.option(
    "--horizon-months",
    type=click.FloatRange(0, min_open=True),
    default=12.0,
    show_default=True,
    help="How long the load will be there; a commitment is paid for its whole term.",
)
@click.option("--measured", type=click.Path(path_type=Path), help="Your measurement, written by breakeven calibrate.")
@click.option("--calls-of", multiple=True, metavar="MODEL", help="Only the log's calls of this model; may be repeated.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the rents and facts of this date.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of what is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(
    source: UsageSource,
    model: str,
    gpu: str,
    precision: str | None,
    gpus: int | None,
    ttft_ms: float | None,
    tpot_ms: float | None,
    met_fraction: float,
    min_replicas: int,
    spare: int,
    autoscale: bool,
    cold_start_s: float | None,
    scale_to_zero: bool,
    idle_timeout_s: float | None,
    spot: bool,
    rents: tuple[str, ...],
    horizon_months: float,
    measured: Path | None,
    calls_of: tuple[str, ...],
    as_of: datetime | None,
    seed: int,
    as_json: bool,
) -> None:
    """Size a fleet of identical replicas for the requests of a log, each at its own time and of its own length.

    The busiest hour is simulated request by request to find the fewest replicas that meet the targets; then the whole
    log is, on the fleet as it would be run. Without a target, the queue must not grow.
    """
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, stdout_console
    from breakeven.clock import today
    from breakeven.reports.fleet_document import to_json
    from breakeven.reports.fleet_request import FleetRequest, fleet_of_calls

    catalog = load_catalog(as_of.date() if as_of else today())
    request = FleetRequest(
        model,
        gpu,
        precision,
        gpus,
        ttft_ms,
        tpot_ms,
        met_fraction,
        min_replicas,
        spare,
        autoscale,
        cold_start_s,
        scale_to_zero,
        idle_timeout_s,
        spot,
        {term: _usd(term, text) for term, text in pairs(rents, "--rent", "one_year=2.10")},
        horizon_months,
        measured,
        calls_of,
        seed,
    )
    with progress(as_json) as say, opened_calls(source, say) as calls:
        found = fleet_of_calls(request, calls.store, catalog, label=calls.label, warnings=calls.warnings, say=say)
    if as_json:
        click.echo(to_json(found.document), nl=False)
        return
    from breakeven.reports.fleet_terminal import render_fleet

    render_fleet(found.answer, found.document, stdout_console())


def _usd(term: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"--rent {term}={text}: wanted a number, USD per GPU hour") from None
