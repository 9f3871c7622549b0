"""Hard constraints: seen and wanted in one sentence; unknown is not met; own hardware passes; today's warns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.catalog.provider import Provider
from breakeven.decision.compare import compare, typical
from breakeven.errors import CatalogError, ConstraintNotMet
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.constraints import check_provider, status_quo_warnings
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, Situation
from costing import LIST, demand, situation

KNOWN = Provider("acme", "Acme", "DE", ("DE", "US"), 30.0, False, ("SOC 2 Type 2", "ISO 27001"), LIST)
UNKNOWN = Provider("bolt", "Bolt", None, None, None, None, None, LIST)


def here(require: dict[str, object], **providers: dict[str, object]) -> Situation:
    plain = situation(demand(100), require=require, providers=providers)
    return replace(plain, catalog=replace(plain.catalog, providers={"acme": KNOWN, "bolt": UNKNOWN}))


@pytest.mark.parametrize(
    "require",
    [
        {},
        {"jurisdictions": ["DE"]},
        {"jurisdictions": ["EU"]},
        {"jurisdictions": ["fr", "de"]},
        {"processing_regions": ["US", "DE"]},
        {"processing_regions": ["EU", "US"]},
        {"retention_max_days": 30},
        {"no_training": True},
        {"certifications": ["soc2 type II"]},
        {"certifications": ["ISO 27001", "SOC 2 Type 2"]},
    ],
)
def test_what_is_met_passes(require: dict[str, object]) -> None:
    check_provider(here(require), "acme")


@pytest.mark.parametrize(
    ("require", "sentence"),
    [
        ({"jurisdictions": ["US"]}, "jurisdiction DE, wanted only US"),
        ({"processing_regions": ["EU"]}, "processing regions DE, US, wanted only EU"),
        ({"retention_max_days": 0}, "keeps data 30 days, wanted at most 0"),
        (
            {"certifications": ["HIPAA", "ISO 27001"]},
            "holds SOC 2 Type 2, ISO 27001, wanted also HIPAA",
        ),
        ({"jurisdictions": ["US"], "retention_max_days": 7}, "wanted only US; keeps data 30 days, wanted at most 7"),
    ],
)
def test_what_is_not_met_names_seen_and_wanted(require: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConstraintNotMet, match=f"^acme does not meet what the scenario requires: .*{sentence}"):
        check_provider(here(require), "acme")


@pytest.mark.parametrize(
    ("require", "what"),
    [
        ({"jurisdictions": ["US"]}, "jurisdiction"),
        ({"processing_regions": ["US"]}, "processing regions"),
        ({"retention_max_days": 365}, "retention"),
        ({"no_training": True}, "use of data for training"),
        ({"certifications": ["SOC 2"]}, "certifications"),
    ],
)
@pytest.mark.parametrize("name", ["bolt", "never-heard-of"])
def test_what_nobody_knows_is_not_met_and_says_what_to_do(require: dict[str, object], what: str, name: str) -> None:
    said = f"unknown {what} for {name}: ask them, then write it under providers: in the scenario"
    with pytest.raises(ConstraintNotMet, match=said):
        check_provider(here(require), name)
    assert issubclass(ConstraintNotMet, CatalogError)


def test_training_on_data_is_refused() -> None:
    with pytest.raises(ConstraintNotMet, match="trains on the data, wanted no training"):
        check_provider(here({"no_training": True}, bolt={"trains_on_data": True}), "bolt")


def test_the_scenario_knows_better_than_the_catalogue_field_by_field() -> None:
    require = {"processing_regions": ["EU"], "certifications": ["ISO 27001"]}
    check_provider(here(require, acme={"processing_regions": ["eu-west-1"]}), "acme")
    with pytest.raises(ConstraintNotMet, match="processing regions US"):
        check_provider(here(require, acme={"processing_regions": ["US"]}), "acme")
    check_provider(here({"retention_max_days": 0}, bolt={"retention_days": 0}), "bolt")
    with pytest.raises(ConstraintNotMet, match="holds no certificate"):
        check_provider(here({"certifications": ["SOC 2"]}, bolt={"certifications": []}), "bolt")


def test_a_comparison_leaves_out_what_is_not_met_and_still_costs_today() -> None:
    """Chinese law is refused, nothing is known of the market's places; one's own hardware passes."""
    of = situation(demand(2100), require={"jurisdictions": ["US"]})
    found = compare(of, discover_options(), DrawSet(0, 6))
    costed = {each.name for each in found.options}
    refused = {each.name: each.reason for each in found.unavailable}
    assert {"frontier_api", "cheaper_tier", "batch_api", "brokered", "owned_gpus"} <= costed
    assert "jurisdiction CN, wanted only US" in refused["deepseek_api"]
    assert "unknown jurisdiction for market" in refused["rented_on_demand"]


def test_todays_provider_is_warned_about_and_not_left_out() -> None:
    of = situation(demand(2100), require={"jurisdictions": ["DE"], "no_training": True})
    (warning,) = status_quo_warnings(of)
    said = "openai, which serves calls today, does not meet your constraints: jurisdiction US, wanted only DE"
    assert warning == said
    discover_options()["frontier_api"].cost(of, Evaluation(typical))
    for name in ("cheaper_tier", "batch_api"):
        with pytest.raises(ConstraintNotMet):
            discover_options()[name].cost(of, Evaluation(typical))
    assert status_quo_warnings(situation(demand(2100))) == []
    own = situation(demand(1), require={"jurisdictions": ["DE"]}, providers={"openai": {"jurisdiction": "DE"}})
    assert status_quo_warnings(own) == []


def test_the_status_quo_outside_the_constraints_is_no_answer() -> None:
    """It is costed and shown, and neither recommended nor counted in anybody's odds; the hybrid leaves data there."""
    required = {"require": {"jurisdictions": ["EU"]}}
    here = situation(demand(2100), **required)
    today = discover_options()["frontier_api"].cost(here, Evaluation(typical))
    assert today.only_if == "your constraints are dropped: openai does not meet them"
    assert discover_options()["frontier_api"].cost(situation(demand(2100)), Evaluation(typical)).only_if == ""
    allowed = {"market": {"jurisdiction": "DE"}}
    with pytest.raises(ConstraintNotMet, match="openai does not meet"):
        discover_options()["hybrid"].cost(situation(demand(2100), **required, providers=allowed), Evaluation(typical))

    two = {name: discover_options()[name] for name in ("frontier_api", "owned_gpus")}
    comparison = compare(here, two, DrawSet(draws_log2=8))
    assert comparison.best.name == "owned_gpus"
    assert comparison.option("owned_gpus").usd_per_month.p50 > comparison.option("frontier_api").usd_per_month.p50
