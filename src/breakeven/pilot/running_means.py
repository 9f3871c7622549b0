"""Running means: what earlier units say of the next one: predictions that no outcome of its own has touched.

A regression that is fitted on the past alone narrows the evidence where it predicts well and cannot bias it where it
does not. This one is a mean by stratum, drawn towards the mean of a wider one (as if `PRIOR_COUNT` outcomes had been
like it), which is drawn towards the plan in the same way.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.pilot.observations import Codes, Floats

PRIOR_COUNT: Final = 20.0
"""Outcomes that the plan (for all), and the mean of all (for a stratum), are worth."""
ROUNDED_TO_FRACTION: Final = 1 / 64
"""Predictions are rounded, so that many rows are equal and are counted instead of looped over."""


def earlier_means(
    values: Floats, weights: Floats, stratum: Codes, unit: Codes, planned: Floats, wider: Codes | None = None
) -> Floats:
    """For each row the mean of its stratum over all rows of units that appeared before its own, shape (rows,).

    `unit` is numbered in order of first appearance. Rows with a weight of 0 get a prediction and add nothing to it.
    `planned` is the prediction before anything was seen, `wider` the wider stratum (None: all rows).

    >>> import numpy as np
    >>> two = np.zeros(3, dtype=np.intp)
    >>> earlier_means(np.array([1.0, 1, 0]), np.ones(3), two, np.arange(3), np.full(3, 0.5)).tolist()
    [0.5, 0.546875, 0.59375]
    """
    around = np.zeros(len(values), dtype=np.intp) if wider is None else wider
    total, count = earlier_sums(values, weights, around, unit)
    overall = (total + PRIOR_COUNT * planned) / (count + PRIOR_COUNT)
    total, count = earlier_sums(values, weights, stratum, unit)
    return _rounded((total + PRIOR_COUNT * overall) / (count + PRIOR_COUNT))


def earlier_sums(values: Floats, weights: Floats, stratum: Codes, unit: Codes) -> tuple[Floats, Floats]:
    """Sum and count of the rows of the same stratum whose units appeared earlier, for each row."""
    order = np.lexsort((unit, stratum))
    by, who = stratum[order], unit[order]
    added = np.where(weights[order] > 0, weights[order] * np.nan_to_num(values[order]), 0.0)
    starts = np.arange(len(order))
    is_new_stratum = np.diff(by, prepend=-1) != 0
    is_new_unit = is_new_stratum | (np.diff(who, prepend=-1) != 0)
    stratum_start = np.maximum.accumulate(np.where(is_new_stratum, starts, 0))
    unit_start = np.maximum.accumulate(np.where(is_new_unit, starts, 0))
    found = []
    for column in (added, weights[order]):
        before = np.concatenate([[0.0], np.cumsum(column)])
        sums = np.empty(len(order))
        sums[order] = before[unit_start] - before[stratum_start]
        found.append(sums)
    return found[0], found[1]


def _rounded(fractions: Floats) -> Floats:
    return np.clip(np.round(fractions / ROUNDED_TO_FRACTION) * ROUNDED_TO_FRACTION, 0.0, 1.0)
