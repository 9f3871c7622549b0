"""Measuring: how a person would learn a fact, how many measurements that takes, and how noisy each of them is.

A table by the kind of fact, read from its name; the first line that fits holds. The spread of one measurement follows
from what is counted: a share of calls is binomial, events in a month are Poisson, a duration varies as much as its mean
(exponential), and a figure read off a benchmark or a week of the log scatters by a share of itself. A quote, a plan or
a decision is no sample: it is known afterwards, or it is not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.serving.calibrate import NOISE_SD_RATIO
from breakeven.units import MONTHS_PER_YEAR

Noise = Literal["none", "share", "events", "duration", "relative"]
WEEK_SD_RATIO: Final = 0.136
"""How far one week of a log stands from a usual week: the range of the catalogue's `week_window_volume_ratio`."""
_RANGE_SD_COUNT: Final = 2 * NormalDist().inv_cdf(HIGH_QUANTILE)
"""Standard deviations between low and high."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """How one kind of fact is learnt."""

    how: str
    """What to do; empty: nobody can know it today."""
    samples_count: int | None = None
    """Measurements that `how` speaks of; None: it is no sample."""
    noise: Noise = "none"
    relative_ratio: float = 0.0
    """Standard deviation of one measurement over its mean, where the noise is ``relative``."""

    def noise_over_prior_ratio(self, fact: Assumption) -> float | None:
        """Spread of one measurement over the spread of what is known before; None where it cannot be sampled."""
        prior = (fact.high - fact.low) / _RANGE_SD_COUNT
        if self.samples_count is None or prior <= 0:
            return None
        if self.noise == "share":
            return math.sqrt(max(fact.typical * (1 - fact.typical), 0.0)) / prior
        if self.noise == "events":
            per_month = fact.typical * (MONTHS_PER_YEAR if "year" in fact.unit else 1.0)
            return math.sqrt(max(per_month, 0.0)) / prior
        if self.noise == "duration":
            return fact.typical / prior
        in_logs = math.log(fact.high / fact.low) / _RANGE_SD_COUNT if fact.low > 0 else prior / max(fact.typical, prior)
        return self.relative_ratio / in_logs


def measuring_of(fact: Assumption) -> Measuring:
    """How to learn `fact`: by its name, else by its unit; every fact that is not chance has an answer."""
    for pattern, measuring in _TABLE:
        if re.search(pattern, fact.name):
            return measuring
    head = fact.unit.partition("/")[0]
    return _BY_UNIT.get(head, _ANYTHING)


_QUOTE: Final = "ask two providers for a written quote for your volume"
_PILOT: Final = "let it answer 200 calls of your own and grade the answers (a pilot)"
_BENCH: Final = "measure one replica with `breakeven bench` at four loads, then `breakeven calibrate`"
_STAFFING: Final = "write a staffing plan with those who would run it: who, and how many hours a week"
_SECURITY: Final = "ask your security team or your insurer"
_TABLE: Final[tuple[tuple[str, Measuring], ...]] = (
    # nobody knows it today
    (r"^gpu_rent_(shock|volatility|half_life)", Measuring("")),
    (r"^(equal_quality_price_decline|open_model_work_share|growth_half_life)", Measuring("")),
    (r"^grid_carbon", Measuring("ask your data centre for the carbon content of its power contract")),
    # the future that a signature or a decision fixes
    (
        r"^gpu_rent_long_run",
        Measuring("ask for a one-year and a three-year quote: a signed price replaces the forecast"),
    ),
    (r"^list_price_decline", Measuring("ask your provider for a price that follows its list down, in the contract")),
    (r"switching_fraction$", Measuring("decide it: how often you will move to a cheaper model that is as good")),
    (r"^migration_ramp", Measuring("plan the move with its engineers: which traffic moves in which month")),
    # the log
    (r"volume_(over_observed_)?ratio$", Measuring("log four more weeks", 4, "relative", WEEK_SD_RATIO)),
    (r"^volume_growth", Measuring("log for eight weeks or more: then the log shows its own growth")),
    (r"peak_to_mean|burst_headroom|short_window", Measuring("log four more weeks: then the busiest hours are known")),
    (r"(batch|commodity)_share_fraction$", Measuring("label 200 calls of the log by hand", 200, "share")),
    (r"^idle_timeout|^judged_share|^ollama_parallel", Measuring("decide it, and set it in the scenario")),
    # quality
    (r"success_fraction$", Measuring(_PILOT, 200, "share")),
    (r"^corrected_by_hand", Measuring("count the answers that people corrected, in 1,000 calls", 1000, "share")),
    # own benchmark
    (r"^capacity_|^replica_capacity|^ollama_over|unit_tok_per_s$", Measuring(_BENCH, 4, "relative", NOISE_SD_RATIO)),
    (r"^prefix_cache", Measuring("replay a day of the log with `breakeven bench` and read the engine's cache hits")),
    (r"^cold_start", Measuring("time ten cold starts", 10, "duration")),
    (r"power|^pue", Measuring("ask the data centre, or read the meter of one server for a week")),
    # people
    (r"migration_hours", Measuring("move one task as a trial and count the hours")),
    (r"_usd_per_year$|^correction_usd|benefit_load|employer_load", Measuring("ask finance for the fully loaded cost")),
    (r"fte|engineer_hours|tenure|recruiting|engineering", Measuring(_STAFFING)),
    (r"on_call", Measuring("write the rota: who is on call, and what an hour of it costs")),
    (r"audit_hours", Measuring("decide who reads answers, and for how many hours a month")),
    (r"^opportunity", Measuring("ask whoever owns the roadmap what waits meanwhile, and what that is worth")),
    (r"^downtime_usd|^outage_cost", Measuring("ask the product's owner what an hour without answers costs")),
    (r"breach|_llm_path", Measuring(_SECURITY)),
    # faults
    (r"spot_fallback", Measuring("log a month of spot requests: how often none was to be had")),
    (r"events_per_(month|year|gpu_year|replica_month|gpu_month)$", Measuring("count three months", 3, "events")),
    (r"_hours_per_event$", Measuring("time the next ten cases", 10, "duration")),
    (r"uptime|downtime_hours", Measuring("log the hours without answers for three months")),
    # hardware and money
    (r"residual", Measuring("ask two resellers what they pay today for GPUs of that age")),
    (r"lifetime|owned_gpu_age", Measuring("decide with finance how long the hardware is kept")),
    (r"warranty|permanent_failure|spares", Measuring("read the vendor's warranty and support terms")),
    (r"cost_of_capital", Measuring("ask finance for the rate it discounts with")),
    (r"^fine_tune", Measuring("count it on your last training run")),
    (r"usd_per_|eur_per_|_usd$|networking_share", Measuring(_QUOTE)),
)
_BY_UNIT: Final[dict[str, Measuring]] = {
    "usd": Measuring(_QUOTE),
    "fraction": Measuring("count it on 200 calls of your own", 200, "share"),
    "hour": Measuring("time the next ten cases", 10, "duration"),
    "count": Measuring("plan it with those who would run it"),
}
_ANYTHING: Final = Measuring("measure it on your own log or your own machines, and set it in the scenario")
