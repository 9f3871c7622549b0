"""Engineering labour: the planned hours of people who build and keep the serving path."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTHS_PER_YEAR, YEAR_MONTHS

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


_BY_FLEET: Final = 2
_WORTH_ROWS_COUNT: Final = 1024


@fleet_engineering_fte_count.computed_by
def _fleets_fte_count(
    gpus_count: Draws,
    engineering_fte_one_gpu_count: Draws,
    engineering_fte_cluster_count: Draws,
    engineering_fte_large_count: Draws,
    engineering_fte_growth_ratio: Draws,
) -> Draws:
    """The same where fleets of one size lie in a row, which few of the powers concern."""
    known = (
        engineering_fte_one_gpu_count,
        engineering_fte_cluster_count,
        engineering_fte_large_count,
        engineering_fte_growth_ratio,
    )
    shape = np.broadcast_shapes(np.shape(gpus_count), *(np.shape(each) for each in known))
    if np.ndim(gpus_count) != _BY_FLEET or shape[-1] < _WORTH_ROWS_COUNT or any(np.ndim(each) > 1 for each in known):
        alike = _fte_count(gpus_count, *known)
        return alike if np.shape(alike) == shape else np.broadcast_to(alike, shape)
    found = np.empty(shape)
    for row, gpus in enumerate(gpus_count):
        found[row] = _fte_count(gpus, *known)
    return found


def _fte_count(gpus_count: Draws, one_gpu: Draws, cluster: Draws, large: Draws, growth_ratio: Draws) -> Draws:
    """A power of which no fleet here asks anything is not computed: it costs more than all the rest."""
    fewest, most = np.min(gpus_count), np.max(gpus_count)
    small: Draws | float = 0.0
    beyond: Draws | float = 0.0
    if not fewest > CLUSTER_GPUS_COUNT:
        small = one_gpu * _power(gpus_count, cluster / one_gpu, 1.0, CLUSTER_GPUS_COUNT)
    if not most <= CLUSTER_GPUS_COUNT:
        beyond = cluster * _power(gpus_count, large / cluster, CLUSTER_GPUS_COUNT, LARGE_GPUS_COUNT)
        if not most <= LARGE_GPUS_COUNT:
            beyond = beyond * np.maximum(gpus_count / LARGE_GPUS_COUNT, 1.0) ** growth_ratio
    fte = np.where(gpus_count <= CLUSTER_GPUS_COUNT, small, beyond)
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
def hired_engineers_count(
    engineering_fte_count: Draws, incident_hours_per_month: Draws, engineer_hours_per_year: Draws
) -> Draws:
    """Whole people to hire for the planned and the unplanned work.

    >>> float(hired_engineers_count(0.5, 3.0, 1800.0)), float(hired_engineers_count(0.99, 3.0, 1800.0))
    (1.0, 2.0)
    """
    unplanned = incident_hours_per_month * MONTHS_PER_YEAR / engineer_hours_per_year
    return np.ceil(np.round(engineering_fte_count + unplanned, _WHOLE_DIGITS_COUNT))


_WHOLE_DIGITS_COUNT = 9
"""A fraction of a person smaller than this is rounding."""


@formula
def hired_hours_per_month(
    hired_engineers_count: Draws, incident_hours_per_month: Draws, engineer_hours_per_year: Draws
) -> Draws:
    """Hours of the people hired, less those that incidents take (they are incident response's).

    >>> float(hired_hours_per_month(1.0, 3.0, 1800.0))
    147.0
    """
    return hired_engineers_count * engineer_hours_per_year / MONTHS_PER_YEAR - incident_hours_per_month


@formula
def recruiting_usd_per_month(
    hired_engineers_count: Draws,
    engineer_usd_per_year: Draws,
    recruiting_fraction: Draws,
    engineer_tenure_months: Draws,
) -> Draws:
    """Finding and starting a person, as a share of a year's cost, spread over the time the person stays.

    >>> float(recruiting_usd_per_month(1.0, 180_000.0, 0.2, 36.0))
    1000.0
    """
    yearly_pay = hired_engineers_count * engineer_usd_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR)
    return yearly_pay * recruiting_fraction / engineer_tenure_months


@formula
def engineering_hours_per_month(engineering_fte_count: Draws, engineer_hours_per_year: Draws) -> Draws:
    """Planned engineer hours.

    >>> float(engineering_hours_per_month(0.5, 1800.0))
    75.0
    """
    return engineering_fte_count * engineer_hours_per_year / MONTHS_PER_YEAR


@formula
def engineering_labour_usd_per_month(
    engineering_hours_per_month: Draws, engineer_usd_per_hour: Draws, recruiting_usd_per_month: Draws
) -> Draws:
    """Pay, with benefits and taxes, for the planned hours; recruiting when people are hired for it.

    >>> float(engineering_labour_usd_per_month(75.0, 100.0, 0.0))
    7500.0
    """
    return engineering_hours_per_month * engineer_usd_per_hour + recruiting_usd_per_month


def bind_new_hires(binder: Binder) -> None:
    """Hire whole people for this Option: their idle hours are paid, recruiting is paid, and no other work waits."""
    binder.evaluate(hired_engineers_count)
    hours = binder.evaluate(hired_hours_per_month)
    binder.derive("engineering_hours_per_month", hours.value, "whole people are hired", hours)
    binder.evaluate(recruiting_usd_per_month)
    binder.derive("opportunity_premium_fraction", 0.0, "people hired for this displace no other work")


def line(binder: Binder) -> CostLine:
    """Planned labour; needs `engineering_fte_count`, bound by the Option. Unplanned hours: `incident_response`."""
    binder.evaluate(engineer_usd_per_hour)
    if not binder.is_bound("engineering_hours_per_month"):
        binder.evaluate(engineering_hours_per_month)
    if not binder.is_bound("recruiting_usd_per_month"):
        binder.derive("recruiting_usd_per_month", 0.0, "done by people who are there")
    hours = binder.node("engineering_hours_per_month")
    return CostLine(
        "engineering_labour", "Engineering labour", binder.evaluate(engineering_labour_usd_per_month), hours
    )
