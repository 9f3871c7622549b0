"""Summary: errors of held-out rows in the words of the field, and the spreads that calibration starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.calibrate import CENTRE_CONCURRENCY_COUNT
from breakeven.serving.prediction.columns import Floats
from breakeven.serving.prediction.fitting.rows import MeasuredRows
from breakeven.serving.prediction.fitting.splits import SPLITS, HeldOut, Split, held_out
from breakeven.serving.prediction.regime import HeldOutErrors, Nearness

COVERAGE_FRACTION: Final = 0.8
ROWS_MIN_COUNT: Final = 4
"""Rows of a deployment that show a slope."""
_NEARNESS: Final[dict[Split, Nearness]] = {
    "known": Nearness.KNOWN_DEPLOYMENT,
    "deployment": Nearness.NEW_DEPLOYMENT,
    "model": Nearness.UNSEEN_MODEL,
    "gpu": Nearness.UNSEEN_GPU,
}
_MAD_TO_SD: Final = 1.4826


def all_splits(rows: MeasuredRows, say: Callable[[str], None] = lambda _: None) -> dict[Split, HeldOut]:
    """Hold out in every way."""
    return {split: held_out(rows, split, say=say) for split in SPLITS}


def errors(log_error: Floats) -> HeldOutErrors:
    """Errors of ln(predicted / measured); rows that do not fit are left out."""
    seen = log_error[np.isfinite(log_error)]
    share = np.abs(np.expm1(seen))
    return HeldOutErrors(
        int(seen.size),
        round(float(np.median(share)), 4),
        round(float(np.quantile(share, 0.9)), 4),
        round(float(np.expm1(np.median(seen))), 4),
        round(float((share < 0.25).mean()), 4),
        round(conformal_ratio(seen), 4),
    )


def conformal_ratio(log_error: Floats, coverage_fraction: float = COVERAGE_FRACTION) -> float:
    """Factor within which `coverage_fraction` of new rows fall: the ceil((n + 1) x)-th smallest error of n."""
    size = np.sort(np.abs(log_error[np.isfinite(log_error)]))
    rank = min(int(np.ceil((size.size + 1) * coverage_fraction)), size.size)
    return float(np.exp(size[rank - 1]))


def error_table(held: Mapping[Split, HeldOut], other_loads: HeldOut) -> dict[str, HeldOutErrors]:
    """Errors by regime, as `regime.ErrorTable` wants them."""
    table = {}
    for split, each in held.items():
        for name, chosen in (("dense", ~each.is_moe), ("moe", each.is_moe)):
            table[f"{_NEARNESS[split]}|{name}"] = errors(each.log_error[chosen])
    table["near_limit"] = errors(held["deployment"].log_error[held["deployment"].near_limit])
    table["other_load"] = errors(other_loads.log_error)
    return table


def coverage_fraction(held: HeldOut, chosen: NDArray[np.bool_], group: str, repeats: int = 40) -> float:
    """Share of rows inside intervals that other groups gave: half of the groups calibrate, the others are counted."""
    labels, log_error = held.rows.labels(group)[chosen], held.log_error[chosen]
    seen = np.isfinite(log_error)
    labels, log_error = labels[seen], log_error[seen]
    names = np.unique(labels)
    rng = np.random.default_rng(len(names))
    inside = []
    for _ in range(repeats):
        half = rng.permutation(names)[: max(len(names) // 2, 1)]
        calibrates = np.isin(labels, half)
        ratio = conformal_ratio(log_error[calibrates])
        inside.append((np.abs(log_error[~calibrates]) <= np.log(ratio)).mean())
    return float(np.mean(inside))


def calibration_sd_ratios(held: HeldOut) -> dict[str, tuple[float, float, float]]:
    """By figure: standard deviations of level, slope over ln(concurrency) and noise of held-out deployments."""
    rows, seen = held.rows, held.predicted
    pairs = {
        "output_tok_per_s": (rows.output_tok_per_s, seen.output_tok_per_s),
        "ttft_ms": (rows.ttft_s, seen.ttft_s),
        "tpot_ms": (rows.tpot_s, seen.tpot_s),
    }
    distance = np.log(rows.columns.concurrency_count / CENTRE_CONCURRENCY_COUNT)
    labels = rows.labels("deployment")
    return {
        name: _spreads(np.log(measured / predicted), distance, labels) for name, (measured, predicted) in pairs.items()
    }


def _spreads(log_ratio: Floats, distance: Floats, labels: NDArray[np.str_]) -> tuple[float, float, float]:
    lines, noise = [], []
    for name in np.unique(labels):
        mine = (labels == name) & np.isfinite(log_ratio)
        if mine.sum() < ROWS_MIN_COUNT or np.ptp(distance[mine]) < 1:
            continue
        slope, level = np.polyfit(distance[mine], log_ratio[mine], 1)
        lines.append((level, slope))
        noise.append(log_ratio[mine] - level - slope * distance[mine])
    levels, slopes = np.array(lines).T
    return (round(_robust_sd(levels), 4), round(_robust_sd(slopes), 4), round(_robust_sd(np.concatenate(noise)), 4))


def _robust_sd(values: Floats) -> float:
    """From the median absolute value: zero is where the model stands."""
    return float(_MAD_TO_SD * np.median(np.abs(values)))
