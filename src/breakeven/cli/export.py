"""export: the calls for other tools: FOCUS charges for finance, OpenTelemetry names for analysis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breakeven.cli.usage_source import UsageSource, opened_calls, source_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from breakeven.usage.opened_calls import OpenedCalls


@click.command(epilog="Example: breakeven export --as focus charges.csv   |   breakeven export --as otel calls.parquet")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@source_options
@click.option(
    "--as",
    "kind",
    type=click.Choice(["focus", "otel"]),
    required=True,
    help="focus: FOCUS 1.2 CSV, a row per day, model and kind of token. otel: Parquet, a row per call.",
)
@click.option("--account", default="default", show_default=True, help="FOCUS: name of the billing account.")
@click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="FOCUS: contract prices.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(source: UsageSource, out: Path, kind: str, account: str, scenario: Path | None, as_json: bool) -> None:
    """Write the calls that count to OUT; its folder is made where it is missing.

    What has no price has no cost in it, never 0; no cell is a formula.
    """
    from breakeven.cli.console import progress

    is_new_folder = not out.parent.exists()
    with progress(as_json) as say, opened_calls(source, say) as opened:
        written = _focus(opened, out, account, scenario, say) if kind == "focus" else _otel(opened, out, say)
        warnings = opened.warnings
    if as_json:
        told = {"path": str(out), "format": kind, "new_folder": is_new_folder, **written, "warnings": list(warnings)}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    from breakeven.reports.safe_text import safe

    new = f" (new folder {out.parent})" if is_new_folder else ""
    click.echo(safe(f"{written['rows']:,} rows in {out}{new}"))
    if written.get("unpriced_rows"):
        click.echo(f"! {written['unpriced_rows']:,} of them have no price: their costs are empty, x_Unpriced is true")
    for warning in warnings:
        click.echo(f"! {safe(warning)}")


def _focus(
    opened: OpenedCalls, out: Path, account: str, scenario: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    from breakeven.catalog.load import load_catalog, with_model_aliases
    from breakeven.cli.scenario_options import scenario_from
    from breakeven.clock import today
    from breakeven.reports.focus_csv import write_focus_csv
    from breakeven.workload.token_charges import token_charges

    say("pricing the calls")
    said = scenario_from(scenario, (), None, None, None)
    catalog = with_model_aliases(load_catalog(today()), said.aliases())
    charges = token_charges(opened.store.calls(), catalog, said.contract())
    say(f"writing {len(charges):,} rows")
    rows = write_focus_csv(charges, out, account)
    return {"rows": rows, "unpriced_rows": sum(each.paid_usd is None for each in charges)}


def _otel(opened: OpenedCalls, out: Path, say: Callable[[str], None]) -> dict[str, Any]:
    from breakeven.usage.export.otel_parquet import write_otel_parquet

    total = opened.store.calls_count
    rows = write_otel_parquet(
        opened.store.calls(), out, progress=lambda done: say(f"writing calls: {done:,} of {total:,}")
    )
    return {"rows": rows}
