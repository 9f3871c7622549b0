"""How wrong is the small serving model? Its typical values against public measurements, never fitted to them.

    python benchmarks/serving_prior.py [path/to/measured_throughput.csv]

Prints the median and the 90 % absolute percentage error of output tokens per second by regime, and how often the
measurement falls into the model's own 90 % range, beside a bandwidth-only rule of thumb.
"""

from __future__ import annotations

import csv
import sys
from datetime import date
from pathlib import Path

import numpy as np

from breakeven.catalog.load import Catalog, load_catalog
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Binder
from breakeven.options.assembly.deployment import deployment
from breakeven.serving import memory, roofline

DATA = Path(__file__).parents[2] / "shared" / "data" / "serving" / "measured_throughput.csv"
PRECISIONS = {"fp4": "fp4", "mxfp4": "fp4", "nvfp4": "fp4", "fp8": "fp8", "bf16": "bf16", "fp16": "bf16"}


def catalogue_model(catalog: Catalog, name: str) -> str | None:
    """The catalogue's name for a measured model."""
    tail = name.split("/")[-1].lower()
    for suffix in ("-instruct", "-fp8", "-2507", "-nvfp4", "-fp4"):
        tail = tail.replace(suffix, "")
    tail = tail.replace("llama-3.1-70b", "llama-3.3-70b").replace("meta-", "")
    return next((each for each in catalog.models if each.lower() == tail), None)


def predict(catalog: Catalog, row: dict[str, str], draws: DrawSet) -> np.ndarray | None:
    """Output tokens per second of one replica on the row's terms, one value per draw; None: not in the catalogue."""
    model = catalogue_model(catalog, row["model"])
    precision = PRECISIONS.get(row["precision"].split("(")[0].lower())
    if model is None or precision is None or row["gpu"] not in catalog.gpus:
        return None
    if precision not in catalog.models[model].weights_gb_by_precision:
        return None
    gpus, concurrency = float(row["n_gpus"]), float(row["concurrency"] or row["batch"] or 0)
    if concurrency <= 0:
        return None
    facts = deployment(catalog, model, row["gpu"], precision).facts
    binder = Binder(draws.of, catalog.assumptions, facts)
    binder.derive("gpus_per_replica_count", gpus, "measured row")
    binder.derive("input_tokens_per_request", float(row["isl"]), "measured row")
    binder.derive("output_tokens_per_request", float(row["osl"]), "measured row")
    binder.derive("cached_input_fraction", 0.0, "measured row")
    binder.derive("max_batch_count", concurrency, "measured row")
    for each in (memory.sequence_gb, memory.kv_cache_gb, memory.batch_count):
        binder.evaluate(each)
    if float(binder.value("kv_cache_gb").min()) <= 0:
        return None
    for each in (
        roofline.prefill_tokens_per_request,
        roofline.prefill_s_per_request,
        roofline.weights_read_gb,
        roofline.step_overhead_ms,
        roofline.decode_s_per_token,
        roofline.decode_s_per_request,
    ):
        binder.evaluate(each)
    return binder.evaluate(roofline.replica_capacity_req_per_s).value * float(row["osl"])


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not path.is_file():
        sys.exit(f"no measurements at {path}; give the path of measured_throughput.csv")
    catalog, draws = load_catalog(date(2026, 11, 23)), DrawSet(draws_log2=9)
    errors: dict[str, list[tuple[float, bool, float]]] = {}
    skipped = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            closed = row["scenario"] == "closed_loop" and row["out_tok_s_total"] and row["isl"] and row["osl"]
            values = predict(catalog, row, draws) if closed else None
            if values is None:
                skipped += 1
                continue
            measured = float(row["out_tok_s_total"])
            low, typical, high = np.quantile(values, (0.05, 0.5, 0.95))
            model, gpu = catalog.models[catalogue_model(catalog, row["model"]) or ""], catalog.gpus[row["gpu"]]
            batch = float(row["concurrency"] or row["batch"])
            smallest_gb = min(model.weights_gb_by_precision.values())
            thumb = batch * gpu.bandwidth_gb_per_s * float(row["n_gpus"]) / smallest_gb
            entry = (typical / measured - 1, bool(low <= measured <= high), thumb / measured - 1)
            for regime in ("all", "mixture of experts" if model.is_moe else "dense", row["gpu"]):
                errors.setdefault(regime, []).append(entry)
    head = f"{'regime':24}{'rows':>6}{'median APE':>12}{'p90 APE':>10}{'bias':>9}"
    print(f"{head}{'in 90 % range':>15}{'rule of thumb':>15}")
    for regime, entries in sorted(errors.items(), key=lambda each: -len(each[1])):
        error, inside, thumb = (np.array(each) for each in zip(*entries, strict=True))
        print(
            f"{regime:24}{error.size:6d}{np.median(np.abs(error)):12.1%}{np.quantile(np.abs(error), 0.9):10.1%}"
            f"{np.median(error):+9.1%}{inside.mean():15.1%}{np.median(np.abs(thumb)):15.1%}"
        )
    print(f"{skipped} rows skipped: another scenario, or a model, GPU or precision that the catalogue does not hold")


if __name__ == "__main__":
    main()
