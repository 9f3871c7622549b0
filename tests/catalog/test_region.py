"""Regional facts: pay with the employer's share and power, in USD, with ranges that independent factors really have."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.region import CARBON_ZONES, ELECTRICITY, EMPLOYER_LOAD, ENGINEER, REGIONS, regional_facts
from breakeven.errors import UnknownName, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade

CATALOG = load_catalog(date(2026, 11, 23))
FACTS = CATALOG.assumptions


def test_the_united_states_are_the_defaults() -> None:
    assert regional_facts(CATALOG, "us") == {}


@pytest.mark.parametrize(
    ("region", "pay", "rate"),
    [
        ("de", "engineer_base_de_eur_per_year", "usd_per_eur"),
        ("ie", "engineer_base_ie_eur_per_year", "usd_per_eur"),
        ("uk", "engineer_base_uk_gbp_per_year", "usd_per_gbp"),
        ("eu", "engineer_base_eu_eur_per_year", "usd_per_eur"),
    ],
)
def test_pay_is_loaded_and_converted(region: str, pay: str, rate: str) -> None:
    engineer = regional_facts(CATALOG, region)[ENGINEER]
    wanted = FACTS[pay].typical * FACTS["employer_load_eu_ratio"].typical * FACTS[rate].typical
    assert engineer.typical == pytest.approx(wanted)
    assert (engineer.name, engineer.unit, engineer.dimension) == (ENGINEER, "usd/year", FACTS[ENGINEER].dimension)
    assert engineer.source.title == FACTS[pay].source.title
    assert engineer.source.grade is Grade.GUESS  # the employer's share is one
    assert engineer.source.read == min(FACTS[each].source.read for each in (pay, rate, "employer_load_eu_ratio"))
    assert f"{FACTS[pay].typical:g}" in engineer.note


def test_power_is_converted_without_the_employers_share() -> None:
    power = regional_facts(CATALOG, "de")[ELECTRICITY]
    eur = FACTS["electricity_eu_nonhousehold_eur_per_kwh"]
    assert power.typical == pytest.approx(eur.typical * FACTS["usd_per_eur"].typical)
    assert power.unit == "usd/kwh"
    assert power.source.grade is Grade.QUOTED  # the exchange rate is


def test_the_range_is_that_of_independent_lognormal_factors() -> None:
    """Against simulation: two-piece lognormals with the stated 5 %, 50 % and 95 % quantiles, multiplied."""
    engineer = regional_facts(CATALOG, "ie")[ENGINEER]
    random = np.random.default_rng(7)
    product = np.ones(400_000)
    for name in ("engineer_base_ie_eur_per_year", "employer_load_eu_ratio", "usd_per_eur"):
        product *= _two_piece(FACTS[name], random.standard_normal(product.size))
    low, typical, high = np.quantile(product, [0.05, 0.5, 0.95])
    assert engineer.low == pytest.approx(low, rel=0.03)
    assert engineer.typical == pytest.approx(typical, rel=0.03)
    assert engineer.high == pytest.approx(high, rel=0.03)


def test_the_range_is_narrower_than_all_at_once() -> None:
    engineer = regional_facts(CATALOG, "ie")[ENGINEER]
    names = ("engineer_base_ie_eur_per_year", "employer_load_eu_ratio", "usd_per_eur")
    assert np.prod([FACTS[name].low for name in names]) < engineer.low < engineer.typical
    assert np.prod([FACTS[name].high for name in names]) > engineer.high > engineer.typical


def test_every_region_names_facts_and_defaults_that_exist() -> None:
    for replaced in REGIONS.values():
        assert set(replaced) | set(replaced.values()) <= set(FACTS)
        assert set(replaced) in (set(), {ENGINEER, EMPLOYER_LOAD, ELECTRICITY})
    assert set(CARBON_ZONES.values()) <= set(CATALOG.carbon)


def test_an_unknown_region_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no region 'd'; .*de"):
        regional_facts(CATALOG, "d")


def test_a_day_without_the_rate_is_an_unknown_price() -> None:
    early = load_catalog(date(2026, 1, 1))
    with pytest.raises(UnknownPrice, match="region uk: the catalogue knows no usd_per_gbp on 2026-01-01"):
        regional_facts(early, "uk")


def _two_piece(fact: Assumption, normal: np.ndarray) -> np.ndarray:
    """Lognormal on each side of the median; 1.645 standard deviations are 5 % and 95 %."""
    down = np.log(fact.typical / fact.low) / 1.6448536
    up = np.log(fact.high / fact.typical) / 1.6448536
    return np.asarray(fact.typical * np.exp(np.where(normal < 0, down, up) * normal))
