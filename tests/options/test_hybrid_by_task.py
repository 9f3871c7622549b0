"""The hybrid by the tasks of a log: whole tasks move, each part is costed as it is, and nothing is lost between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.decision.compare import typical
from breakeven.errors import CatalogError
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.task_split import matches, split_by_task
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from costing import LOG, PRICES, demand_by_task, pinned, situation

OPTIONS = discover_options()
FAQ = {"task": "faq", "volume_mtok_per_month": 1500, "tokens_per_request": 1000, "cache_read_fraction": 0.5}
DRAFTS = {"task": "drafting", "volume_mtok_per_month": 500, "tokens_per_request": 5000, "output_fraction": 0.6}


def of(*tasks: dict[str, object]) -> Demand:
    return demand_by_task(list(tasks), PRICES)


def cost(name: str, demand: Demand, facts: dict[str, float] | None = None, **choices: object) -> OptionCost:
    return OPTIONS[name].cost(situation(demand, pinned(facts or {}), **choices), Evaluation(typical))


def lines_of(cost: OptionCost) -> dict[str, float]:
    return {line.name: float(line.usd_per_month.value.flat[0]) for line in cost.breakdown.lines}


def find(node: Node, name: str) -> Node:
    """The first node of that name in the tree, top down."""
    level = [node]
    while level:
        for each in level:
            if each.name == name:
                return each
        level = [below for each in level for below in each.inputs]
    raise AssertionError(f"{name} is not in the trace of {node.name}")


def at(cost: OptionCost, line_name: str, name: str) -> Node:
    return find(next(line.usd_per_month for line in cost.breakdown.lines if line.name == line_name), name)


@pytest.mark.parametrize(
    ("task", "wanted", "is_one"),
    [
        ("FAQ", "faq", True),
        ("Ticket_Classification-v2", "classification", True),
        ("ticket classification", "Ticket-Classification", True),
        ("faqs", "faq", False),
        ("declassify", "classify", False),
        ("classification of tickets", "ticket classification", False),
        ("Zusammenfassung ÄÖ", "äö", True),
        ("...", "faq", False),
        ("faq", "...", False),
    ],
)
def test_a_name_matches_by_whole_words_in_any_case(task: str, wanted: str, is_one: bool) -> None:
    assert matches(task, wanted) is is_one


def test_each_part_has_its_own_measured_mix_and_lengths() -> None:
    hybrid = cost("hybrid", of(FAQ, DRAFTS))
    hosted = {
        name: at(hybrid, "fleet_failed_answers", name) for name in ("tokens_per_request", "volume_mtok_per_month")
    }
    assert float(hosted["tokens_per_request"].value) == 1000
    assert hosted["tokens_per_request"].source == LOG
    assert float(hosted["volume_mtok_per_month"].value.flat[0]) == pytest.approx(1500, rel=1e-12)
    assert float(at(hybrid, "api_failed_answers", "tokens_per_request").value) == 5000
    assert float(at(hybrid, "api_tokens", "output_fraction").value) == 0.6
    assert float(at(hybrid, "api_tokens", "cache_read_fraction").value) == 0
    assert lines_of(hybrid)["api_tokens"] == pytest.approx(500 * (0.4 * 1.25 + 0.6 * 10), rel=1e-12)


def test_the_serving_model_sees_the_moved_calls_alone() -> None:
    hybrid = cost("hybrid", of(FAQ, DRAFTS))
    alone = cost("rented_on_demand", of(FAQ))
    for name in ("replica_capacity_req_per_s", "busy_fraction", "gpus_count"):
        (mine,), (other,) = ([fact for fact in each.facts if fact.name == name] for each in (hybrid, alone))
        assert float(mine.value.flat[0]) == pytest.approx(float(other.value.flat[0]), rel=1e-12)


def test_the_shares_are_measured_and_say_so() -> None:
    hybrid = cost("hybrid", of(FAQ, DRAFTS))
    facts = {fact.name: fact for fact in hybrid.facts}
    assert float(facts["moved_tokens_fraction"].value) == 0.75
    assert float(facts["moved_requests_fraction"].value) == pytest.approx(1_500_000 / 1_600_000, rel=1e-12)
    assert facts["moved_tokens_fraction"].source == LOG
    assert at(hybrid, "fleet_failed_answers", "moved_tokens_fraction").source == LOG
    kept = at(hybrid, "api_tokens", "kept_tokens_fraction")
    assert (float(kept.value), kept.source) == (0.25, LOG)
    assert "hybrid_commodity_share_fraction" not in {
        node.name for node in hybrid.total.leaves().values() if node.assumption
    }
    assert "for faq (75 % of the tokens, 94 % of the calls); the rest openai/gpt-5" in hybrid.buys


def test_successes_are_counted_by_calls_not_by_tokens() -> None:
    facts = {"open_model_commodity_success_fraction": 0.8, "frontier_success_fraction": 0.96}
    hybrid = cost("hybrid", of(FAQ, DRAFTS), facts)
    assert float(hybrid.success.value.flat[0]) == pytest.approx((1.5 * 0.8 + 0.1 * 0.96) / 1.6, rel=1e-12)


@pytest.mark.parametrize("tasks", [(FAQ, DRAFTS), ({**FAQ, "task": ""}, {**DRAFTS, "task": ""})])
def test_an_hour_without_answers_counts_for_the_calls_that_get_none(tasks: tuple[dict[str, object], ...]) -> None:
    """Each part is down by itself: the whole business is not lost twice."""
    demand = of(*tasks)
    hybrid = cost("hybrid", demand)
    share = float(at(hybrid, "fleet_incident_response", "hybrid_commodity_share_fraction").value.flat[0])
    assert share == pytest.approx(1_500_000 / 1_600_000 if demand.tasks else 0.6)
    for part, name, mine in (("fleet", "rented_on_demand", share), ("api", "frontier_api", 1 - share)):
        alone = at(cost(name, of(FAQ) if demand.tasks else demand), "incident_response", "downtime_hours_per_month")
        down = at(hybrid, f"{part}_incident_response", "downtime_hours_per_month")
        assert float(down.value.flat[0]) == pytest.approx(float(alone.value.flat[0]) * mine, rel=1e-12)


def test_without_tasks_the_assumed_share_is_taken() -> None:
    """The tasks alone make the difference: the same calls without names cost what a stated share costs."""
    unnamed = of({**FAQ, "task": ""}, {**DRAFTS, "task": ""})
    hybrid = cost("hybrid", unnamed)
    assert "for 60 % of the tokens; the rest openai/gpt-5" in hybrid.buys
    assert "hybrid_commodity_share_fraction" in hybrid.total.leaves()
    assert lines_of(hybrid) == lines_of(cost("hybrid", unnamed, commodity_tasks=("drafting",)))
    assert lines_of(hybrid) != lines_of(cost("hybrid", of(FAQ, DRAFTS)))


def test_a_share_set_by_the_scenario_wins_over_the_tasks() -> None:
    share = {"hybrid_commodity_share_fraction": 0.3}
    unnamed = of({**FAQ, "task": ""}, {**DRAFTS, "task": ""})
    assert lines_of(cost("hybrid", of(FAQ, DRAFTS), share)) == lines_of(cost("hybrid", unnamed, share))


def test_when_every_task_moves_the_fleet_is_that_of_all_calls() -> None:
    facts = {"success_fraction": 0.9}
    both = of(FAQ, DRAFTS)
    hybrid = cost("hybrid", both, facts, commodity_tasks=("faq", "drafting"))
    lines, whole = lines_of(hybrid), lines_of(cost("rented_on_demand", both, facts))
    assert {name: lines[f"fleet_{name}"] for name in whole} == pytest.approx(whole, rel=1e-12)
    assert lines["api_tokens"] == 0
    assert hybrid.buys.endswith("(100 % of the tokens, 100 % of the calls); nothing stays")
    assert np.isfinite(hybrid.total.value).all()


def test_when_next_to_nothing_moves_the_api_bill_is_that_of_all_calls() -> None:
    facts = {"success_fraction": 0.9}
    tiny = of({**FAQ, "volume_mtok_per_month": 0.001}, DRAFTS)
    lines, today = lines_of(cost("hybrid", tiny, facts)), lines_of(cost("frontier_api", tiny, facts))
    for name in ("tokens", "failed_answers", "engineering_labour", "incident_response", "breach_risk"):
        assert lines[f"api_{name}"] == pytest.approx(today[name], rel=1e-5)
    assert lines["fleet_idle_capacity"] > 1000  # the floor of two replicas stays


def test_when_no_task_matches_the_option_says_which_tasks_there_are() -> None:
    with pytest.raises(CatalogError, match=r"none of the log's tasks \(drafting\) is one of the commodity tasks"):
        cost("hybrid", of(DRAFTS))
    with pytest.raises(CatalogError, match=r"tasks \(faq, drafting\) .* \(poetry\): name those that may move"):
        cost("hybrid", of(FAQ, DRAFTS), commodity_tasks=("poetry",))


def test_a_curve_keeps_the_shares() -> None:
    here = situation(of(FAQ, DRAFTS))
    alone = OPTIONS["hybrid"].cost(here, Evaluation(typical))
    volumes = np.array([2000.0, 6000.0])
    curve = OPTIONS["hybrid"].cost(here, Evaluation(typical, volumes))
    assert curve.total.value[0] == pytest.approx(float(alone.total.value.flat[0]), rel=1e-12)
    assert at(curve, "api_tokens", "volume_mtok_per_month").value == pytest.approx(volumes / 4, rel=1e-12)


def test_the_cost_is_a_line_between_the_steps_it_names() -> None:
    here = situation(of(FAQ, DRAFTS))
    stair = OPTIONS["hybrid"].cost(here, Evaluation(typical)).staircase
    assert stair is not None
    left, right = stair.steps_mtok(stair.step_mtok * 6.5)[:2]
    inside = OPTIONS["hybrid"].cost(here, Evaluation(typical, np.linspace(left, right, 7)[1:-1])).total.value
    assert np.allclose(np.diff(inside, 2), 0, atol=1e-6 * inside.max())
    edge = np.array([left * (1 - 1e-9), left * (1 + 1e-9)])
    below, above = OPTIONS["hybrid"].cost(here, Evaluation(typical, edge)).total.value
    assert above > below + 1000


task = st.fixed_dictionaries(
    {
        "task": st.sampled_from(["faq", "Tagging", "contract review", "poetry", ""]),
        "volume_mtok_per_month": st.floats(0.01, 20_000),
        "tokens_per_request": st.integers(1, 20_000),
        "output_fraction": st.floats(0, 0.5),
        "cache_read_fraction": st.floats(0, 0.5),
    }
)


@settings(max_examples=60, deadline=None)
@given(tasks=st.lists(task, min_size=1, max_size=5, unique_by=lambda each: each["task"]))
def test_both_parts_together_are_all_the_work(tasks: list[dict[str, object]]) -> None:
    demand = of({"task": "extraction", "volume_mtok_per_month": 3, "tokens_per_request": 500}, *tasks)
    split = split_by_task(demand, ("faq", "tagging", "extraction"))
    assert set(split.tasks) == {each["task"] for each in tasks} & {"faq", "Tagging"} | {"extraction"}
    assert split.moved.tokens_fraction + split.kept.tokens_fraction == pytest.approx(1, rel=1e-12)
    assert split.moved.requests_fraction + split.kept.requests_fraction == pytest.approx(1, rel=1e-12)
    if split.kept.tokens_fraction:
        for kind in ("uncached_input_tokens", "cache_read_tokens", "output_tokens", "tokens"):
            parts = (getattr(part.demand.mix, kind) for part in (split.moved, split.kept))
            assert sum(parts) == getattr(demand.mix, kind)
        assert split.moved.demand.requests_count + split.kept.demand.requests_count == demand.requests_count
    assert set(split.moved.demand.tasks) == set(split.tasks)
    assert not set(split.kept.demand.tasks) & set(split.tasks) or not split.kept.tokens_fraction


@settings(max_examples=15, deadline=None)
@given(tasks=st.lists(task, min_size=1, max_size=5, unique_by=lambda each: each["task"]))
def test_the_lines_add_up_on_every_draw(tasks: list[dict[str, object]]) -> None:
    demand = of({"task": "extraction", "volume_mtok_per_month": 3, "tokens_per_request": 500}, *tasks)
    hybrid = OPTIONS["hybrid"].cost(situation(demand), Evaluation(DrawSet(draws_log2=6).of))
    counted = sum(line.usd_per_month.value for line in hybrid.breakdown.lines if not line.apart)
    assert np.allclose(hybrid.total.value, counted, rtol=1e-12)
    requests = sum(
        at(hybrid, line, "requests_per_month").value for line in ("api_failed_answers", "fleet_failed_answers")
    )
    assert np.allclose(requests, hybrid.requests.value, rtol=1e-9)
    assert all(np.isfinite(line.usd_per_month.value).all() for line in hybrid.breakdown.lines)
