"""Every row of the public fact tables is in the catalogue, or is listed with the reason why not (skipped without them).

The tables below say where each row went; the numbers are compared after the stated conversion of units.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from math import log
from pathlib import Path
from typing import Final

import pytest

from breakeven.catalog.context_facts import CONTEXT_FACTS
from breakeven.catalog.files import read_files
from breakeven.catalog.load import load_catalog
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade

AS_OF = date(2026, 11, 23)
CATALOG = load_catalog(AS_OF)
MUSD, KW_OF_EIGHT, MINUTES_PER_HOUR = 1e6, 1000 / 8, 60.0
GRADE_OF_KIND: Final = {
    "measured": Grade.MEASURED,
    "official": Grade.OFFICIAL,
    "accounting": Grade.QUOTED,
    "derived": Grade.QUOTED,
    "index": Grade.QUOTED,
    "market": Grade.QUOTED,
    "observed": Grade.QUOTED,
    "quote+placeholder": Grade.QUOTED,
    "retail": Grade.QUOTED,
    "survey": Grade.QUOTED,
    "third-party": Grade.QUOTED,
    "vendor": Grade.QUOTED,
    "vendor-list": Grade.QUOTED,
    "vendor-spec": Grade.QUOTED,
    "vendor-spec(max)": Grade.QUOTED,
    "measured/opinion": Grade.EXPERT,
    "opinion": Grade.EXPERT,
    "assumption": Grade.GUESS,
    "estimate": Grade.GUESS,
    "guess": Grade.GUESS,
}
"""What the tables call a kind -> our grade. All was read at third parties, so a vendor's figure is quoted."""
DERIVED_FROM_MEASURED: Final = {"gpu_interruptions_per_gpu_year"}
"""Events over GPU years, straight from a measured count: as good as the count."""

PUBLISHED_EARLIER: Final = {"fte_selfhost_1gpu", "fte_selfhost_prod_cluster_2_16gpu"}
"""Opinions of May and June 2026 that hold from January on in the ledger: published rows keep their day."""


@dataclass(frozen=True, slots=True)
class Fact:
    """The row is this fact: its numbers times `scale`."""

    name: str
    scale: float = 1.0
    on: date = AS_OF


@dataclass(frozen=True, slots=True)
class Offered:
    """The row is this fact of an offer: its numbers times `scale`."""

    offer: str
    name: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Power:
    """The row is the power limit of this GPU."""

    gpu: str


@dataclass(frozen=True, slots=True)
class Part:
    """The row went into this fact or GPU, whose note has these words."""

    of: str
    words: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The row is carried in another shape, which a test of its own compares."""

    test: str


EVE_2025 = date(2025, 6, 30)
CARRIED: Final[dict[str, Fact | Offered | Power | Part | Elsewhere]] = {
    "h100_sxm_card_price": Fact("gpu_price_usd"),
    "h200_sxm_card_price": Fact("h200_sxm_board_price_usd"),
    "b200_sxm_card_price": Fact("b200_sxm_board_price_usd"),
    "l40s_card_price": Fact("l40s_card_price_usd"),
    "rtx_pro_6000_card_price": Fact("rtx_pro_6000_card_price_usd"),
    "rtx_5090_card_price": Fact("rtx_5090_card_price_usd"),
    "rtx_4090_card_price": Fact("rtx_4090_card_price_usd"),
    "h100_8gpu_server_price": Offered("h100-sxm-purchase", "gpu_price_usd", 1 / 8),
    "h200_8gpu_server_price": Offered("h200-sxm-purchase", "gpu_price_usd", 1 / 8),
    "b200_8gpu_server_price": Offered("b200-sxm-purchase", "gpu_price_usd", 1 / 8),
    "l40s_8gpu_server_price": Offered("l40s-purchase", "gpu_price_usd", 1 / 8),
    "h100_sxm_tdp": Power("H100-SXM-80"),
    "h200_sxm_tdp": Power("H200-SXM-141"),
    "b200_sxm_tdp": Power("B200-SXM-180"),
    "h100_pcie_tdp": Power("H100-PCIe"),
    "l40s_tdp": Power("L40S"),
    "rtx_4090_tdp": Power("RTX-4090"),
    "rtx_5090_tdp": Power("RTX-5090"),
    "rtx_pro_6000_server_tdp": Power("RTX-PRO-6000-BSE"),
    "rtx_pro_6000_maxq_tdp": Part("rtx_pro_6000_card_price_usd", "300 W as Max-Q edition"),
    "a100_sxm_tdp": Power("A100-SXM-80"),
    "dgx_h100_server_max_power": Offered("h100-sxm-purchase", "server_power_w_per_gpu", KW_OF_EIGHT),
    "dgx_h200_server_max_power": Offered("h200-sxm-purchase", "server_power_w_per_gpu", KW_OF_EIGHT),
    "dgx_b200_server_max_power": Offered("b200-sxm-purchase", "server_power_w_per_gpu", KW_OF_EIGHT),
    "b300_8gpu_server_max_power": Fact("b300_server_power_w_per_gpu", KW_OF_EIGHT),
    "a100_8gpu_server_max_power": Fact("a100_server_power_w_per_gpu", KW_OF_EIGHT),
    "l40s_8gpu_server_max_power": Offered("l40s-purchase", "server_power_w_per_gpu", KW_OF_EIGHT),
    "networking_share_of_capex": Fact("networking_share_fraction"),
    "residual_value_year1": Fact("gpu_residual_year1_fraction"),
    "residual_value_year2": Fact("gpu_residual_year2_fraction"),
    "residual_value_year3": Fact("gpu_residual_year3_fraction"),
    "residual_value_year5": Fact("gpu_residual_year5_fraction"),
    "depreciation_years": Fact("gpu_lifetime_months", 12),
    "cost_of_capital": Fact("cost_of_capital_fraction_per_year"),
    "ops_spares_support_pct_capex": Fact("spares_fraction_per_year"),
    "colo_usd_per_kw_month": Fact("colocation_usd_per_kw_month"),
    "electricity_industrial_us": Fact("electricity_us_industrial_usd_per_kwh"),
    "electricity_commercial_us": Fact("electricity_usd_per_kwh"),
    "electricity_nonhousehold_eu": Fact("electricity_eu_nonhousehold_eur_per_kwh"),
    "pue": Fact("pue_ratio"),
    "h100_1yr_contract": Offered("h100-sxm-one-year", "gpu_rent_usd_per_gpu_hour"),
    "h100_spot_index": Fact("h100_spot_index_usd_per_gpu_hour"),
    "h100_ondemand_index": Fact("h100_on_demand_index_usd_per_gpu_hour"),
    "h200_ondemand_index": Fact("h200_on_demand_index_usd_per_gpu_hour"),
    "b200_ondemand_index": Fact("b200_on_demand_index_usd_per_gpu_hour"),
    "a100_80_ondemand_index": Fact("a100_80_on_demand_index_usd_per_gpu_hour"),
    "l40s_ondemand_index": Fact("l40s_on_demand_index_usd_per_gpu_hour"),
    "annual_price_change_h100": Elsewhere("test_a_yearly_change_is_a_ratio"),
    "aws_p5_spot_interruption_month": Elsewhere("test_a_probability_of_interruption_is_a_rate"),
    "gpu_utilization_enterprise": Fact("gpu_utilisation_enterprise_fraction"),
    "us_platform_sre_base": Fact("engineer_base_us_usd_per_year"),
    "us_platform_sre_fully_loaded": Fact("engineer_usd_per_year"),
    "us_benefit_load_factor": Fact("benefit_load_ratio"),
    "de_ml_platform_base": Fact("engineer_base_de_eur_per_year"),
    "uk_platform_senior_base": Fact("engineer_base_uk_gbp_per_year"),
    "ie_platform_senior_base": Fact("engineer_base_ie_eur_per_year"),
    "eu_employer_load_factor": Fact("employer_load_eu_ratio"),
    "fte_selfhost_1gpu": Fact("engineering_fte_one_gpu_count"),
    "fte_selfhost_prod_cluster_2_16gpu": Fact("engineering_fte_cluster_count"),
    "fte_selfhost_first_year_enterprise": Fact("engineering_fte_first_year_count"),
    "fte_selfhost_64plus_gpu_24x7": Fact("engineering_fte_large_count"),
    "incident_response_share_of_eng_time": Fact("incident_share_of_engineering_fraction"),
    "langfuse_cloud_base": Fact("api_observability_usd_per_month"),
    "langfuse_overage_per_100k_units": Part("api_observability_usd_per_month", "overage of 6 to 8 USD per 100,000"),
    "observability_stack_monthly": Fact("observability_usd_per_month"),
    "storage_network_single_gpu": Fact("storage_network_usd_per_gpu_month"),
    "non_gpu_uplift_on_rental": Fact("non_gpu_uplift_fraction"),
    "meta_llama3_unexpected_interruptions": Part("gpu_interruptions_events_per_gpu_year", "419 -> 0.173"),
    "gpu_interruptions_per_gpu_year": Fact("gpu_interruptions_events_per_gpu_year"),
    "gpu_permanent_failure_rate": Fact("gpu_permanent_failure_fraction_per_year"),
    "gpu_node_recovery_hours": Fact("node_recovery_hours_per_event"),
    "overprovisioning_for_999": Fact("spare_capacity_three_nines_fraction"),
    "vllm_engine_crash_per_replica_month": Fact("engine_crash_events_per_replica_month"),
    "api_uptime_openai": Fact("api_uptime_openai_fraction"),
    "api_uptime_anthropic": Fact("api_uptime_anthropic_fraction"),
    "api_uptime_google": Fact("api_uptime_google_fraction"),
    "api_uptime_mistral": Fact("api_uptime_mistral_fraction"),
    "api_outages_per_provider_year": Fact("api_outage_events_per_year"),
    "cost_per_hour_mid_large_enterprise": Fact("outage_cost_enterprise_usd_per_hour"),
    "cost_per_minute_high_impact": Fact("outage_cost_high_impact_usd_per_hour", MINUTES_PER_HOUR),
    "ibm_breach_cost_global_2025": Fact("breach_survey_mean_usd", MUSD),
    "ibm_breach_cost_global_2024": Fact("breach_survey_mean_usd", MUSD, EVE_2025),
    "ibm_breach_cost_us_2025": Fact("breach_survey_mean_us_usd", MUSD),
    "ibm_breach_cost_us_2024": Fact("breach_survey_mean_us_usd", MUSD, EVE_2025),
    "ibm_breach_cost_india_2025": Fact("breach_survey_mean_india_usd", MUSD),
    "ibm_breach_cost_healthcare_2025": Fact("breach_survey_mean_healthcare_usd", MUSD),
    "ibm_breach_cost_healthcare_2024": Fact("breach_survey_mean_healthcare_usd", MUSD, EVE_2025),
    "ibm_breach_cost_financial_2025": Fact("breach_survey_mean_financial_usd", MUSD),
    "ibm_breach_cost_financial_2024": Fact("breach_survey_mean_financial_usd", MUSD, EVE_2025),
    "ibm_breach_cost_industrial_2025": Fact("breach_survey_mean_industrial_usd", MUSD),
    "ibm_breach_cost_technology_2025": Fact("breach_survey_mean_technology_usd", MUSD),
    "shadow_ai_uplift_2025": Fact("breach_shadow_ai_uplift_usd", MUSD),
    "annual_probability_significant_incident": Fact("breach_incident_events_per_year"),
    "typical_event_loss_median": Elsewhere("test_the_median_and_the_tail_of_a_loss"),
    "batch_discount": Elsewhere("test_the_batch_discount_stands_at_the_offers"),
}
"""Key of cost_facts.csv -> where it went."""
INDEX_OF: Final = {
    "h100_spot_index_usd_per_gpu_hour": "h100-sxm-spot",
    "h100_on_demand_index_usd_per_gpu_hour": "h100-sxm-on-demand",
    "h200_on_demand_index_usd_per_gpu_hour": "h200-sxm-on-demand",
    "b200_on_demand_index_usd_per_gpu_hour": "b200-sxm-on-demand",
    "a100_80_on_demand_index_usd_per_gpu_hour": "a100-80-sxm-on-demand",
    "l40s_on_demand_index_usd_per_gpu_hour": "l40s-on-demand",
}
INDEX_FACTOR: Final = 1.25
"""An index and our market offer of the same good may differ by this factor: other providers, other days."""


@pytest.fixture
def rows(shared_data: Path) -> dict[str, dict[str, str]]:
    """cost_facts.csv by key."""
    with (shared_data / "prices" / "cost_facts.csv").open(encoding="utf-8") as file:
        return {row["key"]: row for row in csv.DictReader(file)}


def _range(row: dict[str, str], scale: float = 1.0) -> list[float]:
    return [float(row[name]) * scale for name in ("low", "typical", "high")]


def _first_day(as_of: str) -> date:
    """The first day of a stated as-of: 2026-06 and 2026-06..2026-10 begin on 1 June 2026."""
    found = re.match(r"(\d{4})(?:-(\d{2})(?!\d))?(?:-(\d{2}))?", as_of)
    assert found
    return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))


def test_no_row_is_forgotten(rows: dict[str, dict[str, str]]) -> None:
    assert set(CARRIED) == set(rows)
    assert len(rows) == 95


@pytest.mark.parametrize("key", CARRIED)
def test_the_numbers_are_those_of_the_row(key: str, rows: dict[str, dict[str, str]]) -> None:
    where = CARRIED[key]
    if isinstance(where, Fact):
        fact = load_catalog(where.on).assumptions[where.name]
        assert [fact.low, fact.typical, fact.high] == pytest.approx(_range(rows[key], where.scale))
    elif isinstance(where, Offered):
        fact = CATALOG.gpu_offers[where.offer].facts[where.name]
        assert [fact.low, fact.typical, fact.high] == pytest.approx(_range(rows[key], where.scale))
    elif isinstance(where, Power):
        assert [CATALOG.gpus[where.gpu].power_w] * 3 == _range(rows[key])
    elif isinstance(where, Part):
        assert where.words in CATALOG.assumptions[where.of].note
    else:
        assert where.test in globals()


@pytest.mark.parametrize("key", [key for key, where in CARRIED.items() if isinstance(where, Fact)])
def test_a_row_keeps_its_grade_and_is_not_known_before_its_day(key: str, rows: dict[str, dict[str, str]]) -> None:
    where = CARRIED[key]
    assert isinstance(where, Fact)
    fact = load_catalog(where.on).assumptions[where.name]
    kind = rows[key]["kind"]
    assert fact.source.grade is (Grade.MEASURED if key in DERIVED_FROM_MEASURED else GRADE_OF_KIND[kind])
    assert fact.source.read >= _first_day(rows[key]["as_of"])
    entries = [file.content.root[where.name] for file in read_files().assumptions if where.name in file.content.root]
    since = max(value.since for value in entries[0].values if value.since <= where.on)
    assert since >= _first_day(rows[key]["as_of"]) or key in PUBLISHED_EARLIER


def test_every_kind_has_a_grade(rows: dict[str, dict[str, str]]) -> None:
    assert {row["kind"] for row in rows.values()} == set(GRADE_OF_KIND)


def test_a_yearly_change_is_a_ratio(rows: dict[str, dict[str, str]]) -> None:
    fact = CATALOG.assumptions["h100_rent_yearly_change_ratio"]
    changes = [fact.low - 1, fact.typical - 1, fact.high - 1]
    assert changes == pytest.approx(_range(rows["annual_price_change_h100"]))


def test_a_probability_of_interruption_is_a_rate(rows: dict[str, dict[str, str]]) -> None:
    fact = CATALOG.assumptions["spot_interruption_events_per_replica_month"]
    rates = [-log(1 - share) for share in _range(rows["aws_p5_spot_interruption_month"])]
    assert [fact.low, fact.typical, fact.high] == pytest.approx(rates, abs=1e-4)


def test_the_median_and_the_tail_of_a_loss(rows: dict[str, dict[str, str]]) -> None:
    median, _, p90 = _range(rows["typical_event_loss_median"], MUSD)
    assert CATALOG.assumptions["breach_loss_median_usd"].typical == median
    p95 = median * (p90 / median) ** (1.6448536 / 1.2815516)
    assert CATALOG.assumptions["breach_loss_p95_usd"].high == pytest.approx(p95, rel=0.01)


def test_the_batch_discount_stands_at_the_offers(rows: dict[str, dict[str, str]]) -> None:
    known = {each.batch_discount_fraction for each in CATALOG.token_offers.values()} - {None}
    assert known == {float(rows["batch_discount"]["typical"])}


@pytest.mark.parametrize(("index", "offer"), INDEX_OF.items())
def test_the_market_offers_agree_with_the_indices(index: str, offer: str) -> None:
    ours = CATALOG.gpu_offers[offer].facts["gpu_rent_usd_per_gpu_hour"].typical
    assert 1 / INDEX_FACTOR <= ours / CATALOG.assumptions[index].typical <= INDEX_FACTOR


def test_the_general_uptime_spans_the_providers() -> None:
    each = [CATALOG.assumptions[f"api_uptime_{name}_fraction"] for name in ("openai", "anthropic", "google", "mistral")]
    typical = sorted(fact.typical for fact in each)
    general = CATALOG.assumptions["api_uptime_fraction"]
    assert general.low == min(fact.low for fact in each)
    assert general.high == max(fact.high for fact in each)
    assert general.typical == pytest.approx((typical[1] + typical[2]) / 2, abs=1e-4)


def test_a_card_with_its_host_costs_more_than_the_card() -> None:
    cards = {"rtx-pro-6000": "rtx_pro_6000", "rtx-5090": "rtx_5090", "rtx-4090": "rtx_4090"}
    for offer, card in cards.items():
        whole, alone = CATALOG.gpu_offers[f"{offer}-purchase"].facts["gpu_price_usd"], _card(card)
        assert all(a > b for a, b in zip(_three(whole), _three(alone), strict=True))


def _card(name: str) -> Assumption:
    return CATALOG.assumptions[f"{name}_card_price_usd"]


def _three(fact: Assumption) -> tuple[float, float, float]:
    return fact.low, fact.typical, fact.high


def test_context_facts_are_read_by_no_line() -> None:
    assert set(CATALOG.assumptions) >= CONTEXT_FACTS
    package = Path(__file__).parents[2] / "src" / "breakeven"
    lines = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("costs", "options", "serving", "workload", "outcomes")
        for path in (package / room).rglob("*.py")
    )
    assert not [name for name in CONTEXT_FACTS if re.search(rf"\b{name}\b", lines)]


def test_the_facts_of_the_lines_are_all_known_from_june_2026_on() -> None:
    june = load_catalog(date(2026, 6, 9)).assumptions
    assert set(CATALOG.assumptions) - set(june) <= CONTEXT_FACTS
