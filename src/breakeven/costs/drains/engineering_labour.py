"""Engineering labour: the planned hours of people who build and keep the serving path."""

from __future__ import annotations

import numpy as np

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTHS_PER_YEAR

CLUSTER_GPUS_COUNT = 8.0
LARGE_GPUS_COUNT = 64.0


@formula
def fleet_engineering_fte_count(
    gpus_count: Draws,
    engineering_fte_one_gpu_count: Draws,
    engineering_fte_cluster_count: Draws,
    engineering_fte_large_count: Draws,
    engineering_fte_growth_ratio: Draws,
) -> Draws:
    """Engineers (full-time equivalents) that a fleet needs: known at 1, 8 and 64 GPUs, power laws between and beyond.

    >>> [round(float(fleet_engineering_fte_count(g, 0.15, 0.5, 5.0, 0.5)), 3) for g in (0.0, 1.0, 8.0, 64.0, 256.0)]
    [0.0, 0.15, 0.5, 5.0, 10.0]
    """
    small = engineering_fte_one_gpu_count * _power(
        gpus_count, engineering_fte_cluster_count / engineering_fte_one_gpu_count, 1.0, CLUSTER_GPUS_COUNT
    )
    middle = engineering_fte_cluster_count * _power(
        gpus_count,
        engineering_fte_large_count / engineering_fte_cluster_count,
        CLUSTER_GPUS_COUNT,
        LARGE_GPUS_COUNT,
    )
    beyond = np.maximum(gpus_count / LARGE_GPUS_COUNT, 1.0) ** engineering_fte_growth_ratio
    fte = np.where(gpus_count <= CLUSTER_GPUS_COUNT, small, middle * beyond)
    return np.where(gpus_count > 0, fte, 0.0)


def _power(gpus_count: Draws, growth: Draws, from_gpus_count: float, to_gpus_count: float) -> Draws:
    """Growth from 1 at `from_gpus_count` to `growth` at `to_gpus_count`, straight on log-log paper."""
    inside = np.clip(gpus_count, from_gpus_count, to_gpus_count)
    share = np.log(inside / from_gpus_count) / np.log(to_gpus_count / from_gpus_count)
    return np.asarray(growth**share)


@formula
def engineer_usd_per_hour(engineer_usd_per_year: Draws, engineer_hours_per_year: Draws) -> Draws:
    """Fully loaded cost of an engineer's working hour.

    >>> float(engineer_usd_per_hour(180_000.0, 1800.0))
    100.0
    """
    return engineer_usd_per_year / engineer_hours_per_year


@formula
def engineering_hours_per_month(engineering_fte_count: Draws, engineer_hours_per_year: Draws) -> Draws:
    """Planned engineer hours.

    >>> float(engineering_hours_per_month(0.5, 1800.0))
    75.0
    """
    return engineering_fte_count * engineer_hours_per_year / MONTHS_PER_YEAR


@formula
def engineering_labour_usd_per_month(engineering_hours_per_month: Draws, engineer_usd_per_hour: Draws) -> Draws:
    """Pay, with benefits and taxes, for the planned hours.

    >>> float(engineering_labour_usd_per_month(75.0, 100.0))
    7500.0
    """
    return engineering_hours_per_month * engineer_usd_per_hour


def line(binder: Binder) -> CostLine:
    """Planned labour; needs `engineering_fte_count`, bound by the Option. Unplanned hours: `incident_response`."""
    binder.evaluate(engineer_usd_per_hour)
    hours = binder.evaluate(engineering_hours_per_month)
    return CostLine(
        "engineering_labour", "Engineering labour", binder.evaluate(engineering_labour_usd_per_month), hours
    )
