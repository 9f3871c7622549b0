"""Regime: how near a point lies to what was measured, and the interval that held-out errors give it there.

Split conformal prediction (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005; Lei et al., JASA
2018): the factor of a regime is the 80 % quantile of |ln(predicted / measured)| of rows that were held out in that way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NEAR_LIMIT_FRACTION: Final = 0.8
"""Concurrency over what fits from which a point lies near the limit of its cache."""


class Nearness(StrEnum):
    """What of a point was measured publicly."""

    KNOWN_DEPLOYMENT = "known deployment"
    NEW_DEPLOYMENT = "known model and GPU, new deployment"
    UNSEEN_MODEL = "unseen model"
    UNSEEN_GPU = "unseen GPU"
    UNSEEN_BOTH = "unseen model and GPU"


@dataclass(frozen=True, slots=True)
class Regime:
    """Where a point lies."""

    nearness: Nearness
    is_moe: bool
    near_limit: bool
    is_closed_loop: bool
    """False: offline, static or open arrivals, which other tools measured."""

    def __str__(self) -> str:
        kind = "mixture of experts" if self.is_moe else "dense model"
        limit = ", near the limit of its cache" if self.near_limit else ""
        return f"{self.nearness}, {kind}{limit}"


@dataclass(frozen=True, slots=True)
class HeldOutErrors:
    """Errors of one way of holding out, of dense models or mixtures of experts."""

    rows_count: int
    median_error_fraction: float
    """Median of |predicted / measured - 1| of output tokens per second."""
    p90_error_fraction: float
    bias_fraction: float
    """Median of predicted / measured, less one."""
    within_quarter_fraction: float
    """Share of rows within 25 %."""
    interval_ratio: float
    """80 % of the measurements lie between the prediction over this and the prediction times this."""


ErrorTable = Mapping[str, HeldOutErrors]
"""``nearness|dense``, ``nearness|moe``, ``near_limit`` and ``other_load`` -> errors."""


def errors_of(regime: Regime, table: ErrorTable) -> HeldOutErrors:
    """The held-out errors that speak of a regime (of two unseen parts: the worse)."""
    kind = "moe" if regime.is_moe else "dense"
    if regime.nearness is Nearness.UNSEEN_BOTH:
        both = [table[f"{each}|{kind}"] for each in (Nearness.UNSEEN_MODEL, Nearness.UNSEEN_GPU)]
        return max(both, key=lambda each: each.interval_ratio)
    return table[f"{regime.nearness}|{kind}"]


def interval_ratio(regime: Regime, table: ErrorTable) -> float:
    """Factor of the 80 % interval; unseen parts add up on the logarithm as independent errors do.

    >>> e = HeldOutErrors(9, 0.1, 0.3, 0.0, 0.9, 1.25)
    >>> round(interval_ratio(Regime(Nearness.UNSEEN_BOTH, False, False, True),
    ...     {"unseen model|dense": e, "unseen GPU|dense": e}), 3)
    1.371
    """
    kind = "moe" if regime.is_moe else "dense"
    if regime.nearness is Nearness.UNSEEN_BOTH:
        parts = [table[f"{each}|{kind}"] for each in (Nearness.UNSEEN_MODEL, Nearness.UNSEEN_GPU)]
        ratio = math.exp(math.hypot(*(math.log(each.interval_ratio) for each in parts)))
    else:
        ratio = table[f"{regime.nearness}|{kind}"].interval_ratio
    if regime.near_limit:
        ratio = max(ratio, table["near_limit"].interval_ratio)
    if not regime.is_closed_loop:
        ratio = max(ratio, table["other_load"].interval_ratio)
    return ratio
