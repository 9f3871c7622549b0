"""calibrate: correct the predicted capacity of a deployment by what was measured on it, and keep that as Facts."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: breakeven calibrate results.json --model llama-3.1-8b --gpu H100 --out measured.yaml")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="NAME", help="The model, as the catalogue or a model hub calls it.")
@click.option("--gpu", required=True, metavar="NAME", help="The GPU, e.g. H100-SXM-80.")
@click.option("--gpus", type=int, default=1, show_default=True, help="GPUs of one replica.")
@click.option("--replicas", type=int, default=1, show_default=True, help="Replicas behind the endpoint.")
@click.option("--precision", default="", metavar="NAME", help="As weights are stored: bf16, fp8, fp4. [as published]")
@click.option("--engine", default="", metavar="NAME", help="vllm, sglang, trtllm or other, with a version or without.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the Facts (.yaml or .json).")
@click.option("--json", "as_json", is_flag=True, help="Print predicted, measured and corrected figures as JSON.")
def command(
    results: tuple[Path, ...],
    model: str,
    gpu: str,
    gpus: int,
    replicas: int,
    precision: str,
    engine: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Correct what is predicted of a deployment by RESULTS of breakeven bench, vllm bench serve, guidellm or aiperf.

    Few points move the prediction little, many points win, and one outlier hardly counts. "After" is the error of each
    point when the others correct it. Points that are faster than the hardware can be, or with failures, are refused.
    """
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, safe, stdout_console
    from breakeven.clock import today
    from breakeven.reports.calibration_answer import CalibrationQuestion, answer_calibration
    from breakeven.reports.calibration_document import to_json
    from breakeven.serving.measured_facts import write_facts

    question = CalibrationQuestion(results, model, gpu, gpus, precision, engine, replicas)
    with progress(as_json) as say:
        say("asking the model about the same points")
        found = answer_calibration(question, load_catalog(today()), today())
    if out:
        write_facts(out, found.corrections, found.source)
    if as_json:
        click.echo(to_json(found.document), nl=False)
        return
    from breakeven.reports.calibration_terminal import render_calibration

    render_calibration(found.document, stdout_console())
    click.echo(f"Wrote {safe(str(out))}" if out else "Nothing was kept: --out measured.yaml writes the Facts.")
