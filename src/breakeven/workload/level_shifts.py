"""Level shifts: days from which a log runs on another level, found by PELT in the whitened logarithm of its days.

The exact search of Killick, Fearnhead and Eckley (JASA 107, 2012) with squared errors. A shift must better the
log-likelihood by the logarithm of the number of days (2 log n in the cost that `ruptures` minimises, with errors of
variance 1). Days that resemble the day before look like shifts: how far they do is estimated, taken out, and estimated
again around the shifts found. Steady growth looks like a staircase: a slope without steps is tried beside it, and the
better of the two (Bayesian information criterion) is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.regression import Fit, Floats, fit, whitened

MIN_DAYS_COUNT: Final = 28
"""In fewer days no shift is looked for."""
SEGMENT_MIN_DAYS_COUNT: Final = 7
PENALTY_RATIO: Final = 2.0
"""Times the logarithm of the number of days: the price of a shift in squared standard errors."""
INTERVAL_QUANTILE_FRACTION: Final = 0.975
_ROUNDS: Final = 6
_CLIPPED_RATIO: Final = 3.0
"""Days further from the median than this many robust standard deviations are drawn in: one odd day is no level."""
_MAD_RATIO: Final = 1.4826


@dataclass(frozen=True, slots=True)
class LevelShift:
    """From one day on the log runs on another level."""

    offset_days: int
    """Days from the start of the series to the first day on the new level."""
    ratio: float
    """New level over old."""
    low_ratio: float
    """95 % interval of `ratio`."""
    high_ratio: float


@dataclass(frozen=True, slots=True)
class Levels:
    """What the logarithm of the days does besides scattering."""

    shifts: tuple[LevelShift, ...]
    means: Floats
    """Level of each day in logarithms (with the slope, where that describes the days better than steps)."""
    sloped: bool
    """True: a slope describes the days better than steps or nothing."""
    residuals: Floats
    """Days less their level."""
    memory_fraction: float
    """How far a day resembles the one before."""


def find_levels(logs: Floats) -> Levels:
    """Steps or slope of `logs`, one value per day with the days of the week taken out."""
    tame = tamed(logs)
    days_count = len(logs)
    if days_count < MIN_DAYS_COUNT:
        return _levels(logs, tame, [], sloped=False)
    starts = _steps(tame)
    steps, slope = _score(tame, starts, sloped=False), _score(tame, [], sloped=True)
    if slope < steps:
        return _levels(logs, tame, [], sloped=True)
    return _levels(logs, tame, starts, sloped=False)


def _levels(logs: Floats, tame: Floats, starts: list[int], *, sloped: bool) -> Levels:
    design = _design(len(logs), starts, sloped=sloped)
    found = fit(design, tame)
    means = design @ found.coefficients
    shifts = tuple(_shift(found, index, start) for index, start in enumerate(starts, start=1))
    return Levels(shifts, means, sloped, logs - means, found.memory_fraction)


def _shift(found: Fit, index: int, start: int) -> LevelShift:
    """The step between two neighbouring segments."""
    weights = np.zeros(len(found.coefficients))
    weights[index] = 1.0
    step = float(found.coefficients[index])
    half = found.half_width(weights, INTERVAL_QUANTILE_FRACTION)
    low, middle, high = (float(np.exp(each)) for each in (step - half, step, step + half))
    return LevelShift(start, middle, low, high)


def _design(days_count: int, starts: list[int], *, sloped: bool) -> Floats:
    """A constant, one step per start, and the day where `sloped`."""
    days = np.arange(days_count, dtype=np.float64)
    columns = [np.ones(days_count)] + [(days >= start).astype(np.float64) for start in starts]
    return np.stack([*columns, days - days.mean()] if sloped else columns, axis=1)


def _steps(logs: Floats) -> list[int]:
    """First days of new levels: search, estimate the memory around what was found, search again."""
    starts: list[int] = []
    memory = _memory_between_steps(logs)
    scatter = _scatter_between_days(logs, memory)
    for _ in range(_ROUNDS):
        found = _search(logs, memory, scatter)
        again = fit(_design(len(logs), found, sloped=False), logs).memory_fraction
        settled = found == starts and abs(again - memory) < _SETTLED
        starts, memory = found, again
        scatter = _scatter_around_steps(logs, memory, starts)
        if settled:
            break
    return starts


_SETTLED: Final = 0.01


def _search(logs: Floats, memory: float, scatter: float) -> list[int]:
    """PELT on the days less what the day before explains, in units of their scatter."""
    import ruptures

    scatter = max(scatter, _STILL_SCATTER_LOG)
    white = whitened(logs, memory)[1:]
    search = ruptures.KernelCPD(kernel="linear", min_size=SEGMENT_MIN_DAYS_COUNT)  # squared errors: exact PELT, in C
    ends = search.fit((white / scatter)[:, None]).predict(pen=PENALTY_RATIO * float(np.log(len(logs))))
    return [int(end) + 1 for end in ends[:-1]]


_SMALLEST: Final = 1e-9
_STILL_SCATTER_LOG: Final = 0.01
"""Days that scatter less are taken to scatter by 1 %: a step between equal days is a shift, their rounding is none."""


def _scatter_between_days(logs: Floats, memory: float) -> float:
    """Standard deviation of the whitened days from their differences, which a few steps hardly move."""
    return float(np.sqrt(np.mean(tamed(np.diff(whitened(logs, memory)[1:])) ** 2) / 2))


def _scatter_around_steps(logs: Floats, memory: float, starts: list[int]) -> float:
    """Standard deviation of the whitened days around steps."""
    found = fit(_design(len(logs), starts, sloped=False), logs, memory)
    design, white = _design(len(logs), starts, sloped=False), whitened(logs, memory)
    rest = white - whitened(design, memory) @ found.coefficients
    return float(np.sqrt(np.dot(rest, rest) / max(len(logs) - design.shape[1], 1)))


def _memory_between_steps(logs: Floats) -> float:
    """Memory from differences over two days and over one, which a few steps hardly move.

    After Chakar, Lebarbier, Levy-Leduc and Robin, Bernoulli 23 (2017): their ratio is one plus the memory.
    """
    one, two = (tamed(logs[lag:] - logs[:-lag]) for lag in (1, 2))
    spread = float(np.mean(one**2))
    return float(np.clip(np.mean(two**2) / spread - 1, 0.0, _MOST_AT_FIRST)) if spread > 0 else 0.0


_MOST_AT_FIRST: Final = 0.9


def _score(logs: Floats, starts: list[int], *, sloped: bool) -> float:
    """Bayesian information criterion: a step costs its day and its size, a slope its size."""
    design, days_count = _design(len(logs), starts, sloped=sloped), len(logs)
    found = fit(design, logs)
    rest = whitened(logs, found.memory_fraction) - whitened(design, found.memory_fraction) @ found.coefficients
    variance = max(float(np.dot(rest, rest)) / days_count, _SMALLEST**2)
    parameters = 2 * len(starts) + int(sloped)
    return float(days_count * np.log(variance) + parameters * np.log(days_count))


def tamed(values: Floats) -> Floats:
    """Values with the odd ones drawn in; judged by their distance from the median of the days around them."""
    around = _running_median(values)
    off = values - around
    robust = _MAD_RATIO * float(np.median(np.abs(off)))
    return values if robust <= 0 else around + np.clip(off, -_CLIPPED_RATIO * robust, _CLIPPED_RATIO * robust)


def _running_median(values: Floats) -> Floats:
    """Median of the 15 days around each day; the ends are mirrored."""
    half = min(SEGMENT_MIN_DAYS_COUNT, len(values) - 1)
    padded: NDArray[np.float64] = np.pad(values, half, mode="reflect")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
