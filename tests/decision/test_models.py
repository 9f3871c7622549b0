"""The ranking of open models agrees with costing each model again by itself, and its closed forms with bisection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import ibis
import numpy as np
import pytest

from breakeven.decision.compare import STATUS_QUO, compare, typical
from breakeven.decision.model_context import too_long_fractions
from breakeven.decision.models import (
    SMALL_GPU,
    TOO_LONG_MAX_FRACTION,
    WAYS,
    ModelRanking,
    cheapest,
    rank_models,
    situation_for,
    size_class,
    ways_of,
)
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, Situation
from costing import PRICES, demand, demand_by_task, pinned, situation
from options.test_measured_success import outcomes

DRAWS_LOG2 = 7
OPTIONS = discover_options()


def draws() -> DrawSet:
    return DrawSet(seed=3, draws_log2=DRAWS_LOG2)


def only(here: Situation, *names: str) -> Situation:
    """The situation with some of the models alone."""
    models = {name: here.catalog.models[name] for name in names}
    return replace(here, catalog=replace(here.catalog, models=models))


def costed(here: Situation, model: str, option: str, **scenario: float) -> np.ndarray:
    """Cost per success of one model by one option, from nothing but the option itself."""
    choices = replace(here.choices, open_model=model, small_model=model)
    facts = {**here.scenario, **pinned(scenario)}
    cost = OPTIONS[option].cost(replace(here, choices=choices, scenario=facts), Evaluation(draws().of))
    return np.broadcast_to(cost.cost_per_success.value, (2**DRAWS_LOG2,))


@pytest.fixture(scope="module")
def ranking() -> ModelRanking:
    return rank_models(situation(demand(3_000)), OPTIONS, draws())


def test_every_model_is_ranked_or_left_out_with_a_reason(ranking: ModelRanking) -> None:
    ranked, left_out = {each.name for each in ranking.models}, {each.model.name for each in ranking.left_out}
    assert not ranked & left_out
    assert ranked | left_out == set(situation(demand(1)).catalog.models)
    assert all(each.reasons for each in ranking.left_out)


def test_odds_add_up_to_one(ranking: ModelRanking) -> None:
    assert sum(each.cheapest_fraction for each in ranking.models) == pytest.approx(1)


def test_models_stand_by_median_cost_per_success(ranking: ModelRanking) -> None:
    medians = [each.best.usd_per_success.p50 for each in ranking.models]
    assert medians == sorted(medians)
    assert ranking.best is cheapest(ranking.models)
    assert ranking.best is not None
    assert ranking.best.best.usd_per_success.mean == min(each.best.usd_per_success.mean for each in ranking.models)


def test_each_model_takes_its_cheapest_way(ranking: ModelRanking) -> None:
    for each in ranking.models:
        means = [way.usd_per_success.mean for way in each.ways]
        assert means == sorted(means)
        asked = {way.option for way in each.ways} | {way.option for way in each.refused}
        assert asked == set(WAYS) - (set() if each.size_class == "small" else {SMALL_GPU})


@pytest.mark.parametrize("open_model", ["gpt-oss-20b", "Llama-3.3-70B"])
def test_the_figures_are_those_of_a_comparison_with_that_open_model(ranking: ModelRanking, open_model: str) -> None:
    names = (STATUS_QUO, "brokered", "rented_on_demand")
    here = situation(demand(3_000), open_model=open_model)
    comparison = compare(here, {name: OPTIONS[name] for name in names}, draws())
    mine = ranking.model(open_model)
    for name in names[1:]:
        way = mine.way(name)
        assert way is not None
        assert way.usd_per_success == comparison.option(name).usd_per_success
        assert way.usd_per_month == comparison.option(name).usd_per_month
        assert way.usd_per_mtok == comparison.option(name).usd_per_mtok
    assert ranking.status_quo.usd_per_success == comparison.option(STATUS_QUO).usd_per_success


def test_the_order_and_the_odds_are_those_of_costing_all_again(ranking: ModelRanking) -> None:
    here = situation(demand(3_000))
    values = {}
    for each in ranking.models:
        if each.best.note:  # on another GPU; has a test of its own
            values[each.name] = each.best.cost.cost_per_success.value
            continue
        values[each.name] = costed(here, each.name, each.best.option)
    assert [each.name for each in ranking.models] == sorted(values, key=lambda name: (np.median(values[name]), name))
    counts = dict.fromkeys(values, 0.0)
    for draw in range(2**DRAWS_LOG2):
        least = min(value[draw] for value in values.values())
        winners = [name for name, value in values.items() if value[draw] == least]
        for name in winners:
            counts[name] += 1 / len(winners)
    for each in ranking.models:
        assert each.cheapest_fraction == pytest.approx(counts[each.name] / 2**DRAWS_LOG2)
    today = OPTIONS[STATUS_QUO].cost(here, Evaluation(draws().of)).cost_per_success.value
    for each in ranking.models:
        assert each.below_status_quo_fraction == pytest.approx(np.mean(values[each.name] < today))


def test_models_that_tie_share_the_odds() -> None:
    twins = rank_models(
        only(situation(demand(3_000)), "Llama-3.1-70B", "Llama-3.3-70B"), OPTIONS, draws(), ways=("rented_on_demand",)
    )
    assert [each.cheapest_fraction for each in twins.models] == [0.5, 0.5]
    assert twins.models[0].best.usd_per_success == twins.models[1].best.usd_per_success


def bisected(here: Situation, model: str, option: str, draw: int, wanted: float) -> float:
    """Success rate at which the option itself costs `wanted` per success on one draw."""
    low, high = 1e-6, 1.0
    for _ in range(45):
        middle = (low + high) / 2
        if costed(here, model, option, success_fraction=middle)[draw] > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@pytest.mark.parametrize(("model", "option"), [("gpt-oss-120b", "brokered"), ("Qwen3-8B", "rented_on_demand")])
def test_the_success_rate_that_is_needed_is_where_the_option_draws_level(model: str, option: str) -> None:
    """At 40 billion tokens a month, so that a fleet can draw level at all."""
    here = situation(demand(40_000))
    mine = rank_models(only(here, model), OPTIONS, draws(), ways=(option,)).model(model)
    today = OPTIONS[STATUS_QUO].cost(here, Evaluation(draws().of)).cost_per_success.value
    needed = mine.success_cost.needed_fraction(today)
    assert np.any(mine.success_cost.all_wrong_extra_usd_per_month > 0)  # corrections by hand: not the plain ratio
    for draw in (0, 57):
        assert needed[draw] < 1
        assert bisected(here, model, option, draw, today[draw]) == pytest.approx(needed[draw], rel=1e-9)


def test_without_corrections_it_is_todays_success_times_the_ratio_of_the_bills() -> None:
    nobody_corrects = pinned({"corrected_by_hand_fraction": 0.0})
    here = only(situation(demand(3_000), nobody_corrects), "gpt-oss-120b")
    ranking = rank_models(here, OPTIONS, draws(), ways=("brokered",))
    mine, today = ranking.models[0].best.cost, ranking.status_quo.cost
    expected = today.success.value * mine.total.value / today.total.value
    needed = ranking.models[0].success_cost.needed_fraction(today.cost_per_success.value)
    assert needed == pytest.approx(expected, rel=1e-12)
    assert ranking.models[0].needed_success.p50 == pytest.approx(np.median(expected))


@pytest.mark.parametrize(
    ("assumed", "within"), [((0.95, 0.97, 0.99), "below"), ((0.2, 0.6, 0.9), "inside"), ((0.01, 0.02, 0.03), "above")]
)
def test_the_needed_rate_is_held_against_what_is_assumed(assumed: tuple[float, float, float], within: str) -> None:
    here = only(situation(demand(3_000)), "gpt-oss-120b")
    low, mid, high = assumed
    fact = here.catalog.assumptions["open_model_success_fraction"]
    given: Mapping[str, Assumption] = {fact.name: replace(fact, low=low, typical=mid, high=high)}
    mine = rank_models(replace(here, scenario=given), OPTIONS, draws()).models[0]
    assert mine.needed_within == within
    assert (mine.success.low, mine.success.high) == (low, high)


def test_a_model_without_any_price_is_left_out_as_unpriced() -> None:
    here = only(situation(demand(3_000)), "Llama-2-7B", "gpt-oss-120b")
    ranking = rank_models(here, OPTIONS, draws(), ways=("brokered",))
    assert [each.name for each in ranking.models] == ["gpt-oss-120b"]
    (left_out,) = ranking.left_out
    assert (left_out.model.name, left_out.kind) == ("Llama-2-7B", "price")
    assert "no broker that sells Llama-2-7B" in left_out.reasons[0]


def test_one_way_without_a_price_is_said_beside_the_others() -> None:
    mine = rank_models(only(situation(demand(3_000)), "Llama-2-7B"), OPTIONS, draws()).model("Llama-2-7B")
    assert {each.option for each in mine.ways} == {"rented_on_demand", SMALL_GPU}
    assert [(each.option, each.kind) for each in mine.refused] == [("brokered", "price")]


def test_without_today_there_is_nothing_to_rank_against() -> None:
    class Unpriced:
        name, title, family = STATUS_QUO, "today", "api"

        def cost(self, situation: Situation, evaluation: Evaluation) -> None:
            raise UnknownPrice("no price")

    with pytest.raises(UnknownPrice):
        rank_models(situation(demand(300)), {**OPTIONS, STATUS_QUO: Unpriced()}, draws())


def test_a_hard_constraint_leaves_out_who_does_not_meet_it() -> None:
    here = only(situation(demand(3_000), require={"jurisdictions": ["CH"]}), "gpt-oss-120b")
    ranking = rank_models(here, OPTIONS, draws())
    assert ranking.best is None
    assert ranking.left_out[0].kind == "constraint"


def test_calls_longer_than_the_context_leave_a_model_out() -> None:
    here = only(situation(demand(3_000)), "gpt-oss-20b", "gpt-oss-120b")
    just, over = TOO_LONG_MAX_FRACTION, TOO_LONG_MAX_FRACTION * 1.01
    ranking = rank_models(here, OPTIONS, draws(), too_long={"gpt-oss-20b": over, "gpt-oss-120b": just})
    assert [(each.model.name, each.kind) for each in ranking.left_out] == [("gpt-oss-20b", "context")]
    assert [(each.name, each.too_long_fraction) for each in ranking.models] == [("gpt-oss-120b", just)]


def test_the_share_of_calls_beyond_a_context_is_counted_with_weights() -> None:
    lengths = [(4_000, 96, 1.0), (4_000, 97, 1.0), (16_000, 385, 5.0), (None, 10, 1.0), (200_000, 0, 2.0)]
    rows = [
        {"grain": "request", "input_tokens": i, "output_tokens": o, "request_count": None, "weight": w}
        for i, o, w in lengths
    ]
    bucket = {"grain": "bucket", "input_tokens": 9**9, "output_tokens": 0, "request_count": 7, "weight": 1.0}
    models = [situation(demand(1)).catalog.models[name] for name in ("Llama-2-7B", "Phi-4", "gpt-oss-20b")]
    assert [each.context_tokens for each in models] == [4_096, 16_384, 131_072]
    schema = {
        "grain": "string", "input_tokens": "int64", "output_tokens": "int64", "request_count": "int64",
        "weight": "float64",
    }  # fmt: skip
    shares = too_long_fractions(ibis.memtable([*rows, bucket], schema=schema), models)
    assert shares == {"Llama-2-7B": 8 / 10, "Phi-4": 7 / 10, "gpt-oss-20b": 2 / 10}
    assert too_long_fractions(ibis.memtable([bucket], schema=schema), models) == {}


def test_a_model_too_large_for_the_scenarios_gpu_takes_the_cheapest_other_one() -> None:
    here = only(situation(demand(3_000)), "DeepSeek-V3")
    with pytest.raises(CatalogError, match="does not fit"):
        costed(here, "DeepSeek-V3", "rented_on_demand")
    way = rank_models(here, OPTIONS, draws()).model("DeepSeek-V3").way("rented_on_demand")
    assert way is not None
    assert way.gpu is not None
    assert way.gpu in way.note
    found = {}
    for gpu in here.catalog.gpus:
        other = replace(here, choices=replace(here.choices, open_model="DeepSeek-V3", gpu=gpu))
        try:
            cost = OPTIONS["rented_on_demand"].cost(other, Evaluation(typical))
        except (CatalogError, UnknownPrice):
            continue
        found[gpu] = float(cost.cost_per_success.value.flat[0])
    assert len(found) > 1
    assert way.gpu == min(found, key=lambda gpu: found[gpu])


def test_what_the_scenario_chose_for_its_own_model_is_not_forced_on_others() -> None:
    here = situation(demand(300), open_model="Llama-3.3-70B", precision="fp8", gpus_per_replica_count=4)
    models = here.catalog.models
    own = situation_for(here, models["Llama-3.3-70B"]).choices
    assert (own.precision, own.gpus_per_replica_count) == ("fp8", 4)
    eight = situation_for(here, models["Qwen3-8B"]).choices
    assert (eight.open_model, eight.small_model, eight.precision) == ("Qwen3-8B", "Qwen3-8B", "fp8")
    assert eight.gpus_per_replica_count is None
    assert situation_for(here, models["gpt-oss-120b"]).choices.precision is None  # published in fp4 alone


def test_classes_by_size() -> None:
    models = situation(demand(1)).catalog.models
    names = ("Gemma-3-12B", "Qwen3-14B", "Gemma-3-27B", "Qwen3-30B-A3B", "Llama-3.3-70B", "Mixtral-8x7B")
    assert [size_class(models[name]) for name in names] == ["small", "mid", "mid", "mid", "large", "moe"]


def test_which_options_are_asked() -> None:
    assert ways_of((), OPTIONS) == WAYS
    assert ways_of(("frontier_api", "rented_spot", "brokered"), OPTIONS) == ("rented_spot", "brokered")
    assert ways_of(("hybrid", "deepseek_api"), OPTIONS) == WAYS


def test_a_measured_model_is_ranked_by_its_rate_over_all_calls() -> None:
    """Although what moves and what stays are drawn apart."""
    rates = {"gpt-oss-120b": {"faq": (190, 200), "drafting": (80, 200)}}
    tasks = [{"task": each, "volume_mtok_per_month": 1500, "tokens_per_request": 1000} for each in ("faq", "drafting")]
    here = situation(demand_by_task(tasks, PRICES))
    here = replace(here, choices=replace(here.choices, outcomes=outcomes(rates)))
    found = next(each for each in rank_models(here, OPTIONS, draws()).models if each.name == "gpt-oss-120b")
    assert found.success.name == "gpt_oss_120b_success_fraction"
    assert found.success.typical == pytest.approx((0.95 + 0.4) / 2, abs=0.01)
    assert found.success.typical == pytest.approx(float(np.median(found.best.cost.success.value)), abs=0.002)
