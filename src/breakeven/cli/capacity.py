"""capacity: tokens per second, latency and memory of a model on GPUs, with a measured error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from breakeven.reports.capacity_answer import CapacityQuestion
    from breakeven.serving.measured_facts import MeasuredFacts


@click.command(
    epilog="Example: breakeven capacity --model Llama-3.3-70B --gpu H100 --gpus 4 --precision fp8 --input-tokens 1000"
    " --output-tokens 300 --ttft-ms 500 --tpot-ms 40   |   breakeven capacity --points in.csv --out out.csv"
)
@click.option("--model", metavar="NAME", help="An open model, by any of its usual names.")
@click.option("--gpu", metavar="NAME", help="A GPU, by any of its usual names.")
@click.option("--gpus", "gpus_count", type=int, default=1, show_default=True, help="How many GPUs.")
@click.option("--tp", "tensor_parallel_count", type=int, help="GPUs of one replica; all of them when absent.")
@click.option("--precision", default="", help="bf16, fp8, fp4, int4, ...; as the model is published when absent.")
@click.option("--engine", default="vllm", show_default=True, help="vllm, sglang or trtllm.")
@click.option("--engine-version", default="", help="Its version.")
@click.option("--input-tokens", type=float, help="Tokens of a prompt.")
@click.option("--output-tokens", type=float, help="Tokens of an answer.")
@click.option("--concurrency", "concurrency_count", type=float, help="Requests in flight; a table when absent.")
@click.option("--ttft-ms", type=float, help="Target: mean time to first token.")
@click.option("--tpot-ms", type=float, help="Target: mean time per output token after the first.")
@click.option("--measured", type=click.Path(path_type=Path), help="Your measurement, written by breakeven calibrate.")
@click.option("--points", type=click.Path(path_type=Path), help="A CSV table of points in place of one.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the table with predictions goes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the page.")
def command(points: Path | None, out: Path | None, measured: Path | None, as_json: bool, **given: Any) -> None:
    """Predict what a model delivers on GPUs: output tokens per second, latencies, what fits, tokens per joule.

    With --concurrency at that load; with targets the largest load that meets them; else a table. With --points, every
    row of a CSV file (columns model, gpu, isl, osl; optionally n_gpus, precision, tp, pp, ep, dp_attn, engine,
    engine_version, concurrency, batch, scenario, qps) gets pred_out_tok_s_total, its 80 % interval, pred_ttft_ms,
    pred_tpot_ms, a status and its reason; a row that does not fit, or names something unknown, gets no guess.
    """
    facts = _measured(measured)
    if points is not None:
        _predict_table(points, out, facts, as_json, given)
        return
    if out is not None:
        raise click.UsageError("--out goes with --points")
    missing = [name for name in ("model", "gpu", "input_tokens", "output_tokens") if given[name] is None]
    if missing:
        wanted = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise click.UsageError(f"missing {wanted} (or --points FILE)")
    from breakeven.reports.capacity_answer import CapacityQuestion

    _predict_one(CapacityQuestion(measured=facts, **given), as_json)


def _measured(path: Path | None) -> MeasuredFacts | None:
    if path is None:
        return None
    from breakeven.serving.measured_facts import read_facts

    return read_facts(path)


def _predict_one(question: CapacityQuestion, as_json: bool) -> None:
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, stdout_console
    from breakeven.clock import today
    from breakeven.reports.capacity_answer import answer_capacity
    from breakeven.reports.capacity_document import to_json

    with progress(as_json) as say:
        say("predicting (the very first run compiles the simulation: half a minute)")
        document = answer_capacity(question, load_catalog(today()))
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.capacity_terminal import render_capacity

    render_capacity(document, stdout_console())


def _predict_table(
    points: Path, out: Path | None, facts: MeasuredFacts | None, as_json: bool, given: dict[str, Any]
) -> None:
    if out is None:
        raise click.UsageError("--points needs --out FILE")
    context = click.get_current_context()
    asked = [
        each.opts[0]
        for each in context.command.params
        if each.name in given and context.get_parameter_source(each.name) is not ParameterSource.DEFAULT
    ]
    if asked:
        raise click.UsageError(f"each row of --points says its own; leave {', '.join(asked)} out")
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, write_text
    from breakeven.clock import today
    from breakeven.serving.prediction.points_file import read_points, with_predictions
    from breakeven.serving.prediction.points_predicted import predict_table

    with progress(as_json) as say:
        table = read_points(points)
        corrections = tuple(facts.corrections.values()) if facts else ()
        predicted = predict_table(table, load_catalog(today()), measured=corrections, say=say)
        write_text(out, with_predictions(table, predicted.cells()))
    summary = {
        "points": str(points),
        "out": str(out),
        "rows_count": len(table.rows),
        "statuses": predicted.status_counts(),
        "taken_for_granted": predicted.assumed_counts(),
    }
    _print_summary(summary, as_json)


def _print_summary(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    from breakeven.cli.console import safe

    rows, done = summary["rows_count"], summary["statuses"].get("ok", 0)
    click.echo(f"{done:,} of {rows:,} points predicted; wrote {safe(summary['out'])}")
    others = {name: count for name, count in summary["statuses"].items() if name != "ok"}
    if others:
        told = ", ".join(f"{count:,} {name}" for name, count in others.items())
        click.echo(
            f"warning: {rows - done:,} without a prediction: {told}; the columns `status` and `status_reason` say why",
            err=True,
        )
    for what, count in summary["taken_for_granted"].items():
        click.echo(f"taken for granted in {count:,} rows: {safe(what)}")
