"""Bounds: which values a person may give a fact, so that an impossible one is refused by name and not by a crash."""

from __future__ import annotations

import math
from typing import Final

from breakeven.catalog.checks import may_be_negative
from breakeven.errors import ScenarioError

DIVISORS: Final = frozenset(
    {
        "success_fraction",
        "frontier_success_fraction",
        "open_model_success_fraction",
        "open_model_commodity_success_fraction",
        "small_model_success_fraction",
        "mid_model_success_fraction",
        "large_model_success_fraction",
        "moe_model_success_fraction",
        "cheaper_tier_success_fraction",
        "provisioned_unit_tok_per_s",
        "hybrid_commodity_share_fraction",
        "gpu_rent_over_offer_ratio",
        "hours_per_month",
        "engineer_hours_per_year",
        "engineering_fte_one_gpu_count",
        "engineering_fte_cluster_count",
        "engineering_fte_large_count",
        "gpu_lifetime_months",
        "hourly_peak_to_mean_ratio",
        "burst_headroom_ratio",
        "short_window_volume_ratio",
        "week_window_volume_ratio",
        "month_window_volume_ratio",
        "volume_over_observed_ratio",
        "replica_capacity_req_per_s",
        "capacity_measured_over_model_ratio",
        "breach_loss_median_usd",
        "breach_loss_p95_usd",
        "breach_loss_cap_usd",
        "horizon_months",
        "engineer_tenure_months",
        "fine_tune_mfu_fraction",
        "fine_tune_penalty_fraction",
        "ollama_over_vllm_capacity_ratio",
        "ollama_parallel_count",
        "ttft_target_ms",
        "tpot_target_ms",
        "growth_half_life_months",
        "gpu_rent_half_life_months",
        "gpu_rent_long_run_ratio",
    }
)
"""Facts that something is divided by, or whose logarithm is taken: zero is no value for them."""
SMALLEST_DIVISOR: Final = 1e-6
ONE_OR_MORE: Final = frozenset(
    {
        "hourly_peak_to_mean_ratio",
        "burst_headroom_ratio",
        "pue_ratio",
        "equal_quality_price_decline_ratio",
        "tries_max_count",
    }
)
"""Facts that compare a whole with a part of it, or count what happens at least once: the busiest hour cannot be quieter
than the mean one."""
ONE_NUMBER: Final = frozenset({"input_cv2_ratio", "output_cv2_ratio", "horizon_months", "gpu_rent_over_offer_ratio"})
"""Facts about how widely something is spread, and choices: they have no range of their own."""
WHOLE: Final = frozenset({"horizon_months"})
SHARE_OF_A_WHOLE: Final = frozenset({"networking_share_fraction", "list_price_decline_fraction_per_year"})
"""Shares that leave something over: the whole is what is known divided by the rest."""
LARGEST_SHARE_OF_A_WHOLE: Final = 0.95
LARGEST_HOURS_PER_MONTH: Final = 750.0
LARGEST_FALL: Final = -0.5
"""A workload that loses more than half of itself every month is a slip."""
LARGEST_GROWTH: Final = 1.0
"""A workload that more than doubles every month overflows any horizon."""
LARGEST_HORIZON_MONTHS: Final = 120.0
LARGEST_TRIES_COUNT: Final = 100.0
LARGEST_USD: Final = 1e12
LARGEST_NUMBER: Final = 1e6


def check_bounds(name: str, unit: str, low: float, high: float) -> None:
    """Raise ScenarioError, naming the fact, what was seen and what was wanted, when `low` to `high` is impossible."""
    if said := impossible(name, unit, low, high):
        raise ScenarioError(f"overrides: {said}")


def impossible(name: str, unit: str, low: float, high: float) -> str:
    """Why a fact cannot be `low` to `high`: what was seen and what was wanted; empty where it can.

    >>> impossible("pue_ratio", "ratio", 0.5, 0.5), impossible("pue_ratio", "ratio", 1.2, 1.3)
    ("'pue_ratio' is 0.5; wanted at least 1, in ratio", '')
    """
    seen = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    smallest = _smallest(name)
    largest = _largest(name, unit)
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"'{name}' is {seen}; wanted a finite number, in {unit}"
    if name in ONE_NUMBER and low != high:
        return f"'{name}' is {seen}; wanted one number, not a range, in {unit}"
    if name in WHOLE and low != round(low):
        return f"'{name}' is {seen}; wanted a whole number, in {unit}"
    if low < smallest:
        wanted = "at least 1" if name in ONE_OR_MORE else "more than zero" if smallest else "zero or more"
        wanted = f"at least {smallest:g}" if smallest < 0 else wanted
        return f"'{name}' is {seen}; wanted {wanted}, in {unit}"
    if high > largest:
        is_share = unit == "fraction" and name not in SHARE_OF_A_WHOLE
        reason = "a fraction lies between 0 and 1" if is_share else f"wanted at most {largest:,.12g}, in {unit}"
        return f"'{name}' is {seen}; {reason}"
    return ""


def limits_of(name: str, unit: str) -> tuple[float, float]:
    """The smallest and the largest value that a fact may have.

    >>> limits_of("hours_per_month", "hour/month")
    (1e-06, 750.0)
    """
    return _smallest(name), _largest(name, unit)


def _smallest(name: str) -> float:
    if may_be_negative(name):
        return LARGEST_FALL
    return 1.0 if name in ONE_OR_MORE else SMALLEST_DIVISOR if name in DIVISORS else 0.0


def _largest(name: str, unit: str) -> float:
    if name in SHARE_OF_A_WHOLE:
        return LARGEST_SHARE_OF_A_WHOLE
    if unit == "fraction" or name == "cost_of_capital_fraction_per_year":
        return 1.0
    if "_growth_fraction" in name:
        return LARGEST_GROWTH
    if name == "horizon_months":
        return LARGEST_HORIZON_MONTHS
    if name == "tries_max_count":
        return LARGEST_TRIES_COUNT
    if name == "hours_per_month":
        return LARGEST_HOURS_PER_MONTH
    return LARGEST_USD if unit.startswith("usd") else LARGEST_NUMBER
