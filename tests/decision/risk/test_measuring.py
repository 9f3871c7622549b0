"""Every fact that is not chance says how to learn it, and how noisy one measurement is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.decision.risk.inputs import CHANCE
from breakeven.decision.risk.measuring import WEEK_SD_RATIO, measuring_of
from breakeven.decision.scenario import BOUND_BY_OPTIONS, ONLY_FROM_A_SCENARIO
from breakeven.facts.assumption import Assumption
from breakeven.units import unit_of
from costing import AS_OF, LOG

CATALOG = load_catalog(AS_OF)
NOBODY_KNOWS = {
    "gpu_rent_volatility_ratio", "gpu_rent_half_life_months", "equal_quality_price_decline_ratio",
    "open_model_work_share_fraction", "growth_half_life_months",
}  # fmt: skip


def named(name: str, low: float = 0.5, typical: float = 0.7, high: float = 0.9) -> Assumption:
    return Assumption(name, unit_of(name) or "", low, typical, high, LOG)


def test_every_fact_says_how_to_learn_it_and_chance_does_not() -> None:
    facts = {**CATALOG.assumptions}
    for offer in CATALOG.gpu_offers.values():
        facts.update(offer.facts)
    facts.update({name: named(name) for name in BOUND_BY_OPTIONS | ONLY_FROM_A_SCENARIO})
    facts["input_usd_per_mtok"] = named("input_usd_per_mtok")
    silent = {name for name, fact in facts.items() if not measuring_of(fact).how}
    assert silent == NOBODY_KNOWS | {name for name in facts if name.startswith(CHANCE)}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpu_rent_usd_per_gpu_hour", "quote"),
        ("success_fraction", "pilot"),
        ("capacity_measured_over_model_ratio", "breakeven bench"),
        ("replica_capacity_req_per_s", "breakeven calibrate"),
        ("engineering_fte_cluster_count", "staffing plan"),
        ("month_window_volume_ratio", "log four more weeks"),
        ("volume_growth_fraction_per_month", "log for eight weeks"),
        ("provisioned_usd_per_unit_hour", "quote"),
        ("our_own_secret_fraction", "200 calls"),
        ("our_own_secret_ratio", "your own log"),
        ("gpu_rent_shock_1_ratio", ""),
    ],
)
def test_the_kind_of_a_fact_is_read_from_its_name(name: str, words: str) -> None:
    how = measuring_of(named(name)).how
    assert words in how
    assert bool(words) == bool(how)


def test_noise_of_one_measurement_over_what_is_known_before() -> None:
    """A share of 0.7 between 0.5 and 0.9 is known to 0.1216; a graded answer scatters by sqrt(0.21)."""
    known = 0.4 / (2 * 1.6448536)
    share = named("open_model_success_fraction")
    assert measuring_of(share).noise_over_prior_ratio(share) == pytest.approx(0.21**0.5 / known, rel=1e-6)
    yearly = named("gpu_faults_events_per_gpu_year", 2.0, 6.0, 12.0)  # 6 a year: one month has variance 6 * 12 a year
    assert measuring_of(yearly).noise_over_prior_ratio(yearly) == pytest.approx(72**0.5 / (10 / 3.2897073), rel=1e-6)
    hours = named("repair_hours_per_event", 1.0, 2.0, 8.0)
    assert measuring_of(hours).noise_over_prior_ratio(hours) == pytest.approx(2.0 / (7 / 3.2897073), rel=1e-6)
    price = named("gpu_rent_usd_per_gpu_hour")
    assert measuring_of(price).noise_over_prior_ratio(price) is None
    assert measuring_of(share).noise_over_prior_ratio(replace(share, low=0.7, high=0.7)) is None


def test_one_week_scatters_as_the_catalogue_says() -> None:
    """The range of a week's volume, on its logarithm; one week against it is one of each."""
    week = CATALOG.assumptions["week_window_volume_ratio"]
    assert measuring_of(week).noise_over_prior_ratio(week) == pytest.approx(1.0, abs=0.01)
    assert pytest.approx(0.136) == WEEK_SD_RATIO
