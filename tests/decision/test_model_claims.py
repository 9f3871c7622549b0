"""The guide's claims about sizes of models: ratios by hand, verdicts at both ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.decision.model_claims import (
    duel,
    full_load_rent,
    gold_standard,
    mid_against_tier,
    seventy_over_seven,
    size_ratios,
)
from breakeven.decision.models import ModelRanking, rank_models
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Situation
from costing import demand, pinned, situation

OPTIONS = discover_options()


def ranked(here: Situation, *names: str, ways: tuple[str, ...] = ("brokered", "rented_on_demand")) -> ModelRanking:
    models = {name: here.catalog.models[name] for name in names}
    chosen = replace(here, catalog=replace(here.catalog, models=models))
    return rank_models(chosen, OPTIONS, DrawSet(draws_log2=7), ways=ways)


FEW = ("Llama-3.1-8B", "Gemma-3-27B", "Llama-3.3-70B", "gpt-oss-120b")


@pytest.fixture(scope="module")
def ranking() -> ModelRanking:
    return ranked(situation(demand(3_000)), *FEW)


def test_ratios_are_quotients_of_the_two_models(ranking: ModelRanking) -> None:
    large, small = ranking.model("Llama-3.3-70B"), ranking.model("Llama-3.1-8B")
    ratios = {each.measure: each.ratio for each in size_ratios(ranking, large, [small])}
    assert ratios["parameters"].p50 == pytest.approx(70.554 / 8.03)
    broker = [each.way("brokered") for each in (large, small)]
    rented = [each.way("rented_on_demand") for each in (large, small)]
    assert all(broker)
    assert all(rented)
    tokens = [way.token_usd_per_mtok.p50 for way in broker]
    assert ratios["token price"].p50 == pytest.approx(tokens[0] / tokens[1])
    one, other = (way.cost.cost_per_success.value for way in broker)
    assert ratios["brokered per success"].p50 == pytest.approx(np.median(one / other))
    one, other = (way.cost.total.value for way in rented)
    assert ratios["rented per month"].p50 == pytest.approx(np.median(one / other))


def test_rent_at_full_load_by_hand() -> None:
    """One replica of 1 GPU at 2 USD/h that carries half a request a second, 2,000 tokens each: 1,000 tokens/s."""
    facts = pinned({"gpu_rent_usd_per_gpu_hour": 2.0, "replica_capacity_req_per_s": 0.5})
    ranking = ranked(situation(demand(3_000), facts), "Llama-3.1-8B", ways=("rented_on_demand",))
    rent = full_load_rent(ranking.models[0].best.cost)
    assert rent is not None
    assert float(np.median(rent)) == pytest.approx(2.0 / 3600 / 1000 * 1e6)


def test_a_broker_has_no_rent_at_full_load(ranking: ModelRanking) -> None:
    way = ranking.model("Llama-3.1-8B").way("brokered")
    assert way is not None
    assert full_load_rent(way.cost) is None


def test_the_seventy_over_seven_names_what_is_counted(ranking: ModelRanking) -> None:
    test = seventy_over_seven(ranking)
    assert {each.large for each in test.ratios} == {"Llama-3.3-70B"}
    assert {each.small for each in test.ratios} == {"Llama-3.1-8B"}
    near = [each.measure for each in test.ratios if 5 <= each.ratio.p50 <= 20 and each.measure != "parameters"]
    paid = [each for each in test.ratios if each.measure != "parameters"]
    expected = "holds" if len(near) == len(paid) else ("depends" if near else "does not hold")
    assert test.verdict == expected == "does not hold"  # two GPUs leave 70 B next to no cache: 26 times the rent


def test_only_the_broker_leaves_no_ratio_near_ten() -> None:
    test = seventy_over_seven(ranked(situation(demand(3_000)), *FEW, ways=("brokered",)))
    assert {each.measure for each in test.ratios} == {"parameters", "token price", "brokered per success"}
    assert test.verdict == "does not hold"


def test_claims_without_the_models_are_not_tested() -> None:
    none = ranked(situation(demand(3_000)), "gpt-oss-120b")
    for test in (seventy_over_seven(none), gold_standard(none), mid_against_tier(none)):
        assert test.verdict == "not tested"
        assert test.reason


@pytest.mark.parametrize(("small", "others", "verdict"), [(0.99, 0.3, "holds"), (0.3, 0.99, "does not hold")])
def test_the_gold_standard_follows_success(small: float, others: float, verdict: str) -> None:
    facts = {"small_model_success_fraction": small}
    facts |= {f"{each}_model_success_fraction": others for each in ("mid", "large", "moe")}
    test = gold_standard(ranked(situation(demand(3_000), pinned(facts)), *FEW))
    assert test.challenger == "Llama-3.1-8B"
    assert test.verdict == verdict


@pytest.mark.parametrize(("mid", "tier", "verdict"), [(0.99, 0.4, "holds"), (0.3, 0.99, "does not hold")])
def test_the_mid_class_against_the_providers_tier_follows_success(mid: float, tier: float, verdict: str) -> None:
    facts = pinned({"mid_model_success_fraction": mid, "cheaper_tier_success_fraction": tier})
    test = mid_against_tier(ranked(situation(demand(3_000), facts), *FEW))
    assert test.challenger == "Gemma-3-27B"
    assert test.verdict == verdict


def test_at_the_needed_success_a_duel_is_even(ranking: ModelRanking) -> None:
    """Pin the challenger at the rate where it draws level: its cost is the rival's, on typical values of one draw."""
    here = situation(demand(3_000), pinned({"large_model_success_fraction": 0.8}))
    uncertain = ranked(here, "Llama-3.3-70B", "gpt-oss-120b", ways=("brokered",))
    rival = uncertain.model("Llama-3.3-70B")
    test = duel("a claim", uncertain, uncertain.model("gpt-oss-120b"), rival.name, rival.best)
    assert test.needed_success is not None
    low, high = test.needed_success.p10, test.needed_success.p90
    for rate, wins in ((low * 0.98, 0.5), (min(high * 1.02, 1.0), 0.5)):
        pins = pinned({"large_model_success_fraction": 0.8, "moe_model_success_fraction": rate})
        again = ranked(situation(demand(3_000), pins), "Llama-3.3-70B", "gpt-oss-120b", ways=("brokered",))
        other = again.model("Llama-3.3-70B")
        share = duel("a claim", again, again.model("gpt-oss-120b"), other.name, other.best).wins_fraction
        assert (share < wins) == (rate < low)
