"""Measured success: the rates of a file of outcomes stand in for assumed ones, on the calls that a model is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from breakeven.decision.compare import typical
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade
from breakeven.facts.trace import Node
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.measured_success import MeasuredSuccess, measured_success
from breakeven.options.assembly.success import evidence_of
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost, Situation
from breakeven.outcomes.outcome import OutcomeTable
from costing import PRICES, demand, demand_by_task, pinned, situation

OPTIONS = discover_options()
OPEN = "gpt-oss-120b"
TODAY = "gpt-5"
NAN = float("nan")


def table(rates: dict[str, dict[str, tuple[int, int]]], *, with_tasks: bool = True) -> OutcomeTable:
    """Model -> task -> successes of tries."""
    names, tasks = tuple(rates), list(dict.fromkeys(task for each in rates.values() for task in each))
    rows = {task: max(each.get(task, (0, 0))[1] for each in rates.values()) for task in tasks}
    of_task = [task for task in tasks for _ in range(rows[task])]
    success = np.full((len(of_task), len(names)), NAN)
    for at, name in enumerate(names):
        start = 0
        for task in tasks:
            won, tried = rates[name].get(task, (0, 0))
            success[start : start + won, at] = 1.0
            success[start + won : start + tried, at] = 0.0
            start += rows[task]
    groups = {"task": tuple(of_task)} if with_tasks else {}
    ids = tuple(str(at) for at in range(len(of_task)))
    return OutcomeTable(ids, names, success, np.full_like(success, NAN), ("",) * len(ids), groups, source="validator")


def outcomes(rates: dict[str, dict[str, tuple[int, int]]], **aliases: str) -> MeasuredSuccess:
    return measured_success(table(rates), "outcomes.csv", aliases)


def here(of: Demand, measured: MeasuredSuccess, facts: dict[str, float] | None = None, **choices: object) -> Situation:
    found = situation(of, pinned(facts or {}), **choices)
    return replace(found, choices=replace(found.choices, outcomes=measured))


def cost(name: str, at: Situation, draws: DrawSet | None = None) -> OptionCost:
    return OPTIONS[name].cost(at, Evaluation(draws.of if draws else typical))


def success(name: str, at: Situation) -> float:
    return float(cost(name, at).success.value.flat[0])


def leaf(node: Node, ending: str) -> Node:
    return next(each for name, each in node.leaves().items() if name.endswith(ending))


BOTH = {OPEN: {"faq": (160, 200)}, TODAY: {"faq": (190, 200)}}


def test_draws_are_those_of_the_posterior() -> None:
    node = cost("brokered", here(demand(100), outcomes(BOTH)), DrawSet(0, 12)).success
    exact = beta(160.5, 40.5)
    assert node.value.mean() == pytest.approx(exact.mean(), abs=0.001)
    assert node.value.std() == pytest.approx(exact.std(), rel=0.02)
    wanted = exact.ppf([0.05, 0.25, 0.5, 0.75, 0.95])
    assert np.quantile(node.value, [0.05, 0.25, 0.5, 0.75, 0.95]) == pytest.approx(wanted, abs=0.002)


def test_the_source_says_measured_with_file_and_tries() -> None:
    fact = leaf(cost("brokered", here(demand(100), outcomes(BOTH))).success, "gpt_oss_120b_success_fraction")
    assert fact.source is not None
    assert fact.source.grade is Grade.MEASURED
    assert fact.source.title == (
        "outcomes outcomes.csv: gpt-oss-120b, 200 tries, the file's mix of tasks, judged by validator"
    )


@pytest.mark.parametrize("name", ["brokered", "rented_on_demand", "rented_spot", "owned_gpus", "managed_together"])
def test_every_option_of_a_model_has_the_same_draws(name: str) -> None:
    draws, at = DrawSet(0, 8), here(demand(100), outcomes(BOTH))
    first = cost("brokered", at, draws).success.value
    assert np.array_equal(cost(name, at, draws).success.value, first)


def test_todays_models_are_measured_too() -> None:
    at = here(demand(100), outcomes(BOTH))
    for name in ("frontier_api", "batch_api"):
        assert success(name, at) == pytest.approx(float(beta(190.5, 10.5).median()), abs=1e-6)


def test_what_nobody_measured_stays_assumed() -> None:
    only_open = here(demand(100), outcomes({OPEN: BOTH[OPEN]}))
    assert success("frontier_api", only_open) == success("frontier_api", situation(demand(100)))
    assert evidence_of(cost("frontier_api", only_open).success) == "assumed"
    assert evidence_of(cost("brokered", only_open).success) == "measured"
    only_today = here(demand(100), outcomes({TODAY: BOTH[TODAY]}))
    assert success("brokered", only_today) == success("brokered", situation(demand(100)))


def test_without_a_file_nothing_changes() -> None:
    for name in ("frontier_api", "cheaper_tier", "hybrid", "brokered", "deepseek_api"):
        plain, unrelated = situation(demand(100)), here(demand(100), outcomes({"nobody-1b": {"faq": (1, 2)}}))
        assert success(name, unrelated) == success(name, plain)


@pytest.mark.parametrize(
    ("name", "override"),
    [("brokered", "open_model_success_fraction"), ("frontier_api", "frontier_success_fraction")],
)
def test_what_the_scenario_says_wins(name: str, override: str) -> None:
    assert success(name, here(demand(100), outcomes(BOTH), {override: 0.5})) == 0.5
    assert success(name, here(demand(100), outcomes(BOTH), {"success_fraction": 0.4})) == 0.4
    assert evidence_of(cost(name, here(demand(100), outcomes(BOTH), {override: 0.5})).success) == "stated"


TASKS = [
    {"task": "FAQ", "volume_mtok_per_month": 1200, "tokens_per_request": 1000},
    {"task": "drafting", "volume_mtok_per_month": 800, "tokens_per_request": 2000},
]
BY_TASK = {
    OPEN: {"faq": (9_500, 10_000), "drafting": (4_000, 10_000)},
    TODAY: {"faq": (9_600, 10_000), "drafting": (9_000, 10_000)},
}


def test_rates_are_weighed_by_the_logs_own_tasks() -> None:
    at = here(demand_by_task(TASKS, PRICES), outcomes(BY_TASK))
    assert success("brokered", at) == pytest.approx(0.75 * 0.95 + 0.25 * 0.4, abs=0.002)
    assert success("frontier_api", at) == pytest.approx(0.75 * 0.96 + 0.25 * 0.9, abs=0.002)
    for part, words in (("moved", "may move"), ("kept", "stay")):
        fact = leaf(cost("brokered", at).success, f"gpt_oss_120b_{part}_success_fraction")
        assert fact.source is not None
        told = f"gpt-oss-120b on the calls that {words}, 10,000 tries, weighed by the log's calls of each task"
        assert told in fact.source.title


def test_a_hybrid_has_the_rate_of_what_moves_and_of_what_stays() -> None:
    at = here(demand_by_task(TASKS, PRICES), outcomes(BY_TASK))
    found = cost("hybrid", at)
    assert float(found.success.value.flat[0]) == pytest.approx(0.75 * 0.95 + 0.25 * 0.9, abs=0.002)
    leaves = found.success.leaves()
    assert float(leaves["gpt_oss_120b_moved_success_fraction"].value.flat[0]) == pytest.approx(0.95, abs=0.002)
    assert float(leaves["gpt_5_kept_success_fraction"].value.flat[0]) == pytest.approx(0.9, abs=0.002)


FEW = {OPEN: {"faq": (185, 200), "drafting": (80, 200)}, TODAY: {"faq": (188, 200), "drafting": (150, 200)}}
MIXES = pytest.mark.parametrize("name", ["hybrid", "routed"])


@MIXES
@pytest.mark.parametrize("rates", [FEW, {OPEN: FEW[OPEN], TODAY: {"faq": (188, 200), "review": (100, 200)}}])
def test_a_mix_and_today_rest_on_the_same_rates(name: str, rates: dict[str, dict[str, tuple[int, int]]]) -> None:
    """In every future they differ in what moves alone; where the file lacks a task too."""
    at, draws = here(demand_by_task(TASKS, PRICES), outcomes(rates)), DrawSet(0, 8)
    mix, today, moved = (cost(each, at, draws).success for each in (name, "frontier_api", "brokered"))
    new = leaf(mix, "gpt_oss_120b_moved_success_fraction").value
    assert np.array_equal(new, leaf(moved, "gpt_oss_120b_moved_success_fraction").value)
    old = leaf(today, "gpt_5_moved_success_fraction").value
    assert mix.value - today.value == pytest.approx(0.75 * (new - old), abs=1e-12)


@MIXES
@pytest.mark.parametrize("with_tasks", [True, False])
def test_a_share_like_all_calls_has_the_rate_of_all_calls(name: str, with_tasks: bool) -> None:
    measured = measured_success(table(FEW, with_tasks=with_tasks), "outcomes.csv", {})
    log = demand_by_task(TASKS, PRICES) if with_tasks else demand(100)
    at, draws = here(log, measured, {"hybrid_commodity_share_fraction": 0.4}), DrawSet(0, 8)
    mix, today, moved = (cost(each, at, draws).success.value for each in (name, "frontier_api", "brokered"))
    assert mix == pytest.approx(0.4 * moved + 0.6 * today, abs=1e-12)


@MIXES
def test_the_odds_that_a_mix_succeeds_more_often_are_those_of_the_calls_that_move(name: str) -> None:
    """Integrated over both posteriors; what stays is the same on both sides, however little is known of it."""
    rates = {OPEN: {"faq": (190, 200)}, TODAY: {"faq": (188, 200), "drafting": (30, 40)}}
    measured = outcomes(rates)
    new, old = (measured.models[at].belief("faq") for at in (0, 1))
    assert new is not None and old is not None
    grid = (np.arange(20_000) + 0.5) / 20_000
    at_new = beta(new.alpha_count, new.beta_count).ppf(grid)
    exact = float(beta(old.alpha_count, old.beta_count).cdf(at_new).mean())
    at, draws = here(demand_by_task(TASKS, PRICES), measured), DrawSet(0, 13)
    mix, today = (cost(each, at, draws).success.value for each in (name, "frontier_api"))
    assert float(np.mean(mix > today)) == pytest.approx(exact, abs=0.01)
    assert 0.55 < exact < 0.95


def test_a_hybrid_of_a_model_that_nobody_measured_keeps_what_is_assumed_of_it() -> None:
    of = demand_by_task(TASKS, PRICES)
    assumed = float(situation(of).catalog.assumptions["open_model_commodity_success_fraction"].typical)
    found = success("hybrid", here(of, outcomes({TODAY: BY_TASK[TODAY]})))
    assert found == pytest.approx(0.75 * assumed + 0.25 * 0.9, abs=0.002)
    pinned_share = here(of, outcomes(BY_TASK), {"open_model_commodity_success_fraction": 0.5})
    assert success("hybrid", pinned_share) == pytest.approx(0.75 * 0.5 + 0.25 * 0.9, abs=0.002)


def test_tasks_that_the_file_does_not_have_count_at_its_mean() -> None:
    rates = {OPEN: {"faq": (900, 1000), "other": (500, 1000)}}
    found = success("brokered", here(demand_by_task(TASKS, PRICES), outcomes(rates)))
    assert found == pytest.approx(0.75 * 0.9 + 0.25 * 0.7, abs=0.002)


def test_a_cheaper_tier_is_the_model_that_the_calls_move_to() -> None:
    rates = {TODAY: {"faq": (95, 100)}, "gpt-5-mini": {"faq": (600, 1000)}}
    at = here(demand(100), outcomes(rates))
    assert success("cheaper_tier", at) == pytest.approx(0.6, abs=0.002)
    only_today = here(demand(100), outcomes({TODAY: rates[TODAY]}))
    assert success("cheaper_tier", only_today) == success("cheaper_tier", situation(demand(100)))


def test_labels_of_one_model_share_its_rate() -> None:
    (one,) = demand(100).models
    both = replace(demand(100), models=(one, replace(one, label="azure/gpt-5")))
    found = cost("frontier_api", here(both, outcomes(BOTH)))
    assert [name for name in found.success.leaves() if name.endswith("success_fraction")] == ["gpt_5_success_fraction"]
    assert float(found.success.value.flat[0]) == pytest.approx(float(beta(190.5, 10.5).median()), abs=1e-6)


def test_a_mix_of_measured_and_assumed_is_weighed_by_calls() -> None:
    (one,) = demand(100).models
    other = replace(one, label="anthropic/claude-sonnet-4-5", requests_count=one.requests_count // 4)
    found = cost("frontier_api", here(replace(demand(100), models=(one, other)), outcomes(BOTH)))
    assumed = situation(demand(100)).catalog.assumptions["frontier_success_fraction"].typical
    wanted = 0.8 * float(beta(190.5, 10.5).median()) + 0.2 * assumed
    assert float(found.success.value.flat[0]) == pytest.approx(wanted, abs=1e-5)
    assert evidence_of(found.success) == "partly"


@pytest.mark.parametrize(
    ("written", "aliases"),
    [
        ("openai/gpt-oss-120b", {}),
        ("GPT-OSS-120B", {}),
        ("fireworks/accounts/fireworks/models/gpt-oss-120b", {}),
        ("our-open-one", {"our-open-one": "gpt-oss-120b"}),
    ],
)
def test_models_go_by_other_names(written: str, aliases: dict[str, str]) -> None:
    at = here(demand(100), outcomes({written: {"faq": (160, 200)}}, **aliases))
    assert success("brokered", at) == pytest.approx(float(beta(160.5, 40.5).median()), abs=1e-6)


def test_models_that_are_nobodys_are_named() -> None:
    measured = outcomes({**BOTH, "chat-prod": {"faq": (1, 2)}})
    assert measured.unmatched(situation(demand(1)).catalog, ["openai/gpt-5"]) == ("chat-prod",)
    named = outcomes({"chat-prod": {"faq": (1, 2)}}, **{"chat-prod": "openai/gpt-5"})
    assert named.unmatched(situation(demand(1)).catalog, ["openai/gpt-5"]) == ()


def test_a_file_without_a_try_of_a_model_does_not_have_it() -> None:
    untried = table(BOTH)
    untried = replace(untried, success=np.where(np.arange(2) == 0, NAN, untried.success))
    assert [each.name for each in measured_success(untried, "x", {}).models] == [TODAY]


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_all_or_nothing_is_never_certain(rate: float) -> None:
    won = round(rate * 20)
    node = cost("brokered", here(demand(100), outcomes({OPEN: {"faq": (won, 20)}})), DrawSet(0, 8)).success
    assert np.all((node.value > 0) & (node.value < 1))
    assert abs(float(np.median(node.value)) - rate) < 0.05


def test_a_mean_over_tasks_is_as_unsure_as_its_parts() -> None:
    rates = {OPEN: {"faq": (90, 100), "drafting": (12, 40)}}
    measured = outcomes(rates)
    node = cost("brokered", here(demand_by_task(TASKS, PRICES), measured), DrawSet(0, 12)).success
    rng = np.random.default_rng(4)
    beliefs = dict(measured.models[0].tasks)
    parts = [rng.beta(each.alpha_count, each.beta_count, 200_000) for each in (beliefs[" faq "], beliefs[" drafting "])]
    exact = 0.75 * parts[0] + 0.25 * parts[1]
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    assert np.quantile(node.value, quantiles) == pytest.approx(np.quantile(exact, quantiles), abs=0.003)
