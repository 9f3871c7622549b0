"""How wrong is the serving model on deployments, models and GPUs that it never saw?

    python benchmarks/capacity.py [path/to/measured_throughput.csv] [--plots docs/images]

Prints errors of output tokens per second by regime, beside a plain roofline fitted on the same rows and a
bandwidth-only rule of thumb; of time per output token and time to first token; the coverage of the 80 % intervals;
errors after measuring one to three points of one's own deployment; and MLPerf rows that the model was not fitted to.
Every split has a fixed seed and leaves whole groups out. Takes about four minutes.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import numpy as np

from breakeven.catalog.load import load_catalog
from breakeven.serving.calibrate import CorrectionPrior, DeploymentKey, fit_correction
from breakeven.serving.prediction.fitting.baselines import (
    bandwidth_alone_tok_per_s,
    fit_plain_roofline,
    plain_roofline_tok_per_s,
)
from breakeven.serving.prediction.fitting.model import fit_model, predict_rows
from breakeven.serving.prediction.fitting.rows import MeasuredRows, read_rows
from breakeven.serving.prediction.fitting.splits import SPLITS, HeldOut, Split, folds
from breakeven.serving.prediction.fitting.summary import all_splits, calibration_sd_ratios, coverage_fraction, errors

DATA = Path(__file__).parents[2] / "shared" / "data" / "serving" / "measured_throughput.csv"
GROUP = {"known": "deployment", "deployment": "deployment", "model": "model", "gpu": "gpu"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurements", type=Path, nargs="?", default=DATA)
    parser.add_argument("--plots", type=Path, help="folder for the calibration plots (SVG)")
    asked = parser.parse_args()
    if not asked.measurements.is_file():
        sys.exit(f"no measurements at {asked.measurements}; give the path of measured_throughput.csv")
    rows = read_rows(asked.measurements, load_catalog(date(2026, 11, 25)))
    print(f"{len(rows.rows)} rows; left out: {', '.join(f'{n} {rule}' for rule, n in rows.left_out.items())}\n")
    held = all_splits(rows, lambda text: print(f"\r{text:60}", end="", file=sys.stderr, flush=True))
    print(file=sys.stderr)
    throughput(rows, held)
    by_group(held["model"], "model")
    by_group(held["gpu"], "gpu")
    latencies(held)
    coverage(held)
    after_measuring(held)
    never_trained(rows)
    if asked.plots:
        from calibration_plots import write_plots

        write_plots(asked.plots, held)


def line(name: str, error: np.ndarray, note: str = "") -> str:
    found = errors(error)
    return (
        f"{name:46}{found.rows_count:6d}{found.median_error_fraction:9.1%}{found.p90_error_fraction:9.1%}"
        f"{found.bias_fraction:+9.1%}{found.within_quarter_fraction:11.1%}{note}"
    )


def head(title: str) -> None:
    print(f"\n{title}\n{'':46}{'rows':>6}{'median':>9}{'p90':>9}{'bias':>9}{'within 25%':>11}")


def throughput(rows: MeasuredRows, held: dict[Split, HeldOut]) -> None:
    head("Output tokens per second, |predicted / measured - 1|")
    for split, each in held.items():
        print(line(SPLITS[split], each.log_error))
        print(line("  dense models", each.log_error[~each.is_moe]))
        print(line("  mixtures of experts", each.log_error[each.is_moe]))
        print(line("  near the limit of the cache", each.log_error[each.near_limit]))
        plain, thumb = baselines(rows, split)
        print(line("  plain roofline, five numbers, same folds", plain))
        print(line("  bandwidth alone", thumb))


def baselines(rows: MeasuredRows, split: Split) -> tuple[np.ndarray, np.ndarray]:
    fold, closed = folds(rows, split), rows.labels("load") == "closed_loop"
    plain = []
    for each in np.unique(fold[closed]):
        test = rows[(fold == each) & closed]
        x = fit_plain_roofline(rows[(fold != each) & closed])
        plain.append(np.log(plain_roofline_tok_per_s(test.columns, x) / test.output_tok_per_s))
    loops = rows[closed]
    return np.concatenate(plain), np.log(bandwidth_alone_tok_per_s(loops.columns) / loops.output_tok_per_s)


def by_group(held: HeldOut, label: str) -> None:
    head(f"Each {label} left out")
    names = held.rows.labels(label)
    shown = {
        name: next(row for row, own in zip(held.rows.rows, names, strict=True) if own == name)
        for name in np.unique(names)
    }
    for name, row in shown.items():
        title = row.point.deployment.model.name if label == "model" else str(name)
        print(line(title, held.log_error[names == name]))


def latencies(held: dict[Split, HeldOut]) -> None:
    head("Latencies")
    for split in ("known", "deployment", "model", "gpu"):
        each = held[split]
        print(line(f"TPOT, {SPLITS[split]}", np.log(each.predicted.tpot_s / each.rows.tpot_s)))
    for split in ("known", "deployment", "model", "gpu"):
        each = held[split]
        print(line(f"TTFT, {SPLITS[split]}", np.log(each.predicted.ttft_s / each.rows.ttft_s)))


def coverage(held: dict[Split, HeldOut]) -> None:
    print("\nCoverage of 80 % intervals: half of the groups set the factor, the other half is counted, 40 times")
    for split, each in held.items():
        for kind, chosen in (("dense", ~each.is_moe), ("mixtures", each.is_moe)):
            inside = coverage_fraction(each, chosen, GROUP[split])
            factor = errors(each.log_error[chosen]).interval_ratio
            print(f"{SPLITS[split] + ', ' + kind:56}{inside:8.1%}   x/÷ {factor:.2f}")
    each = held["deployment"]
    inside = coverage_fraction(each, each.near_limit, "deployment")
    factor = errors(each.log_error[each.near_limit]).interval_ratio
    print(f"{'near the limit of the cache':56}{inside:8.1%}   x/÷ {factor:.2f}")


def after_measuring(held: dict[Split, HeldOut]) -> None:
    """Calibrate on designed points of each deployment (lowest, highest, middle concurrency), test on its others."""
    each = held["deployment"]
    level, slope, noise = calibration_sd_ratios(each)["output_tok_per_s"]
    prior = CorrectionPrior(level_sd_ratio=level, slope_sd_ratio=slope, noise_sd_ratio=noise)
    for title, source in (("new deployment", each), ("unseen model", held["model"])):
        head(f"After measuring one's own deployment ({title})")
        for count in (0, 1, 2, 3):
            print(line(f"{count} points", calibrated(source, count, prior)))


def calibrated(held: HeldOut, count: int, prior: CorrectionPrior) -> np.ndarray:
    labels, log_error = held.rows.labels("deployment"), held.log_error
    load = held.rows.columns.concurrency_count
    key = DeploymentKey("", "", 1, "")
    rest = []
    for name in np.unique(labels):
        mine = np.flatnonzero((labels == name) & np.isfinite(log_error))
        if mine.size < 6:
            continue
        order = mine[np.argsort(load[mine], kind="stable")]
        designed = [order[mine.size // 2], order[-1], order[0]][:count]
        left = np.setdiff1d(mine, [order[mine.size // 2], order[-1], order[0]])
        found = fit_correction(
            load[designed], np.exp(-log_error[designed]), np.ones(len(designed)), key=key,
            measured_on=date(2026, 11, 25), source_title="", prior=prior,
        )  # fmt: skip
        rest.extend(log_error[i] + np.log(found.factor(float(load[i]))) for i in left)
    return np.array(rest)


def never_trained(rows: MeasuredRows) -> None:
    head("MLPerf Inference 5.1 offline, by a model that was fitted to none of it")
    mlperf = rows.labels("scenario") == "mlperf_offline"
    model = fit_model(rows[~mlperf])
    test = rows[mlperf]
    error = np.log(predict_rows(model, test).output_tok_per_s / test.output_tok_per_s)
    print(line("all", error))
    gpus = test.labels("gpu")
    for name in np.unique(gpus):
        print(line(f"  {name}", error[gpus == name]))


if __name__ == "__main__":
    main()
