"""Changes: names, values and what they do to a scenario and a demand."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from breakeven.catalog.load import load_catalog
from breakeven.decision.answers.changes import (
    FACT_ALIASES,
    MOST,
    Change,
    changed_demand,
    changed_scenario,
    known_facts,
    name_of_fact,
    parse_change,
)
from breakeven.decision.scenario import Scenario
from breakeven.errors import ScenarioError, UnknownName
from costing import AS_OF, demand

CATALOG = load_catalog(AS_OF)
FACTS = known_facts(CATALOG, Scenario())


@pytest.mark.parametrize("alias", sorted(FACT_ALIASES))
def test_each_short_name_stands_for_something_that_can_be_changed(alias: str) -> None:
    found = parse_change(alias, "0.5", FACTS)
    assert found.name == FACT_ALIASES[alias] and found.is_renamed
    if found.kind == "fact":
        whole = {"horizon_months": 24.0, "hourly_peak_to_mean_ratio": 2.0}.get(found.name, 0.5)
        told = changed_scenario(Scenario(), [Change(alias, found.name, "fact", whole)])
        assert told.facts(CATALOG)[found.name].typical == whole


@pytest.mark.parametrize(
    ("text", "mtok"), [("5B", 5_000.0), ("300M", 300.0), ("2.5 B", 2_500.0), ("1T", 1e6), ("1200", 1_200.0)]
)
def test_a_volume_may_be_written_in_tokens(text: str, mtok: float) -> None:
    assert parse_change("volume", text, FACTS).value == pytest.approx(mtok)


def test_a_share_may_be_written_in_percent() -> None:
    assert parse_change("success", "87%", FACTS).value == pytest.approx(0.87)


def test_the_only_fact_with_all_words_is_taken() -> None:
    assert name_of_fact("grid_carbon", FACTS) == "grid_carbon_g_per_kwh"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gpu_ust_per_hour", "did you mean 'gpu_usd_per_hour'"),
        ("open_modell", "did you mean 'open_model"),
        ("breach", "may be several facts: .*say which"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, told: str) -> None:
    with pytest.raises(UnknownName, match=told):
        parse_change(name, "1", FACTS)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("gpu_usd_per_hour", "cheap", "gpu_usd_per_hour=cheap: wanted a number, e.g. gpu_usd_per_hour=1.65"),
        ("volume", "lots", "volume=lots: wanted a number, e.g. volume=5B"),
        ("volume", "-3", "wanted more than zero"),
        ("api_price", "0", "wanted more than zero"),
        ("volume", "1e30", "volume=1e30: wanted more than zero and at most 1,000,000,000"),
        ("volume", "nan", "wanted more than zero"),
    ],
)
def test_an_impossible_value_says_what_was_wanted(name: str, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_change(name, text, FACTS)


def test_the_most_of_a_volume_and_of_a_price_is_what_a_scenario_takes() -> None:
    for name, most in MOST.items():
        changed_scenario(Scenario(), [parse_change(name, repr(most), FACTS)])
        with pytest.raises(ValidationError):
            Scenario.model_validate({name: most * 1.001})


def test_an_impossible_share_is_refused_by_the_scenario() -> None:
    told = changed_scenario(Scenario(), [parse_change("success", "1.2", FACTS)])
    with pytest.raises(ScenarioError, match="a fraction lies between 0 and 1"):
        told.facts(CATALOG)


def test_a_choice_is_checked_as_the_scenario_file_would_be() -> None:
    assert changed_scenario(Scenario(), [parse_change("team", "new_hires", FACTS)]).team == "new_hires"
    with pytest.raises(ScenarioError, match=r"team: .*existing"):
        changed_scenario(Scenario(), [parse_change("team", "new_hire", FACTS)])


def test_a_change_keeps_the_rest_of_the_scenario() -> None:
    before = Scenario(seed=3, overrides={"engineer_usd_per_year": 1e5}, region="de")
    after = changed_scenario(before, [parse_change("gpu_usd_per_hour", "1.65", FACTS)])
    assert after.overrides == {"engineer_usd_per_year": 1e5, "gpu_rent_usd_per_gpu_hour": 1.65}
    assert (after.seed, after.region) == (3, "de")


def test_volume_and_price_change_the_demand() -> None:
    before = demand(300)
    after = changed_demand(
        before, [Change("volume", "v", "volume", 900.0), Change("api_price", "p", "api_price", 0.5)], 730.0
    )
    assert float(after.volume_mtok_per_month(730.0)) == pytest.approx(900)
    assert after.mix == before.mix
    assert [each.typical * 2 for each in after.models[0].prices] == [each.typical for each in before.models[0].prices]
