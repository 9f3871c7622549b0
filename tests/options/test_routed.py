"""The routed option: two bills per token and what routing takes; nothing more, nothing twice, and no win by a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.audit.task import Interval, Suitability
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.decision.compare import typical
from breakeven.decision.horizon.price_of_line import price_of
from breakeven.errors import CatalogError, ConstraintNotMet
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.memory import Memory
from breakeven.facts.source import Grade
from breakeven.options.assembly.audited_work import AuditedWork
from breakeven.options.assembly.choices import Requirements
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.measured_success import MeasuredSuccess
from breakeven.options.assembly.offers import sold_by, token_offer_prices
from breakeven.options.assembly.success import evidence_of
from breakeven.options.assembly.task_split import split_by_task
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost, Situation
from breakeven.options.remembered import Remembered
from breakeven.outcomes.tries import all_tries_fail_fraction
from costing import PRICES, demand, demand_by_task, pinned, situation
from options.test_hybrid_by_task import task
from options.test_measured_success import outcomes

OPTIONS = discover_options()
DRAWS = Evaluation(DrawSet(draws_log2=8).of)
FAQ = {"task": "faq", "volume_mtok_per_month": 1500, "tokens_per_request": 1000, "cache_read_fraction": 0.5}
DRAFTS = {"task": "drafting", "volume_mtok_per_month": 500, "tokens_per_request": 5000, "output_fraction": 0.6}
NOT_LINES_OF_WORK = ("engineering_labour", "mlops_infrastructure")
"""Of the broker's part: counted in the API's part and in routing."""


def of(*tasks: Mapping[str, object]) -> Demand:
    return demand_by_task([dict(each) for each in tasks], PRICES)


def cost(name: str, here: Situation, evaluation: Evaluation = DRAWS) -> OptionCost:
    return OPTIONS[name].cost(here, evaluation)


def usd(found: OptionCost) -> dict[str, Draws]:
    return {line.name: line.usd_per_month.value for line in found.breakdown.lines}


def part(found: OptionCost, name: str) -> dict[str, Draws]:
    return {key.removeprefix(name): value for key, value in usd(found).items() if key.startswith(name)}


def closed_form_of_routing(of_names: Mapping[str, Draws]) -> Draws:
    """What routing takes in a month, from the facts alone."""
    hour = of_names["engineer_usd_per_year"] / of_names["engineer_hours_per_year"]
    labour = of_names["routing_engineering_fte_count"] * of_names["engineer_hours_per_year"] / 12 * hour
    return np.asarray(
        labour * (1 + of_names["opportunity_premium_fraction"])
        + of_names["routing_gateway_usd_per_month"]
        + of_names["routing_downtime_hours_per_month"] * of_names["downtime_usd_per_hour"]
        + of_names["routing_setup_hours"] / of_names["horizon_months"] * hour
    )


def drawn(here: Situation, evaluation: Evaluation = DRAWS) -> Any:
    """The draws of any fact by its name."""
    facts = {**here.catalog.assumptions, **here.scenario}

    class Drawn(dict[str, Draws]):
        def __missing__(self, name: str) -> Draws:
            return evaluation.draw(facts[name])

    return Drawn()


def outages(of_names: Mapping[str, Draws]) -> Draws:
    """The hours that a second provider's outages take, with what they displace."""
    hour = of_names["engineer_usd_per_year"] / of_names["engineer_hours_per_year"]
    hours = of_names["api_outage_events_per_year"] / 12 * of_names["api_outage_hours_per_event"]
    return np.asarray(hours * hour * (1 + of_names["opportunity_premium_fraction"]))


@pytest.mark.parametrize("volume_mtok", [1.0, 2100.0, 300_000.0])
def test_with_nothing_to_move_it_is_today_and_what_routing_takes(volume_mtok: float) -> None:
    """At whatever volume the same, by hand: routing, the second provider's outages, the watch, and the move."""
    here = situation(demand(volume_mtok), pinned({"hybrid_commodity_share_fraction": 1e-12}))
    routed, today, known = cost("routed", here), cost("frontier_api", here), drawn(here)
    for name, value in part(routed, "api_").items():
        assert np.allclose(value, usd(today)[name], rtol=1e-9), name
    hour = known["engineer_usd_per_year"] / known["engineer_hours_per_year"]
    watch = known["audit_hours_per_month"] * hour
    move = known["api_migration_hours"] / known["horizon_months"] * hour
    extra = closed_form_of_routing(known) + outages(known) + watch + move
    assert np.allclose(routed.total.value - today.total.value, extra, rtol=1e-6, atol=volume_mtok * 1e-6)
    assert np.allclose(routed.success.value, today.success.value, rtol=1e-9)


def test_with_everything_to_move_it_is_the_broker_and_what_routing_takes() -> None:
    """A log of one task: the model of `brokered` at its own success, and the standing API beside."""
    success = {"open_model_commodity_success_fraction": 0.83, "moe_model_success_fraction": 0.83}
    here = situation(of(FAQ), pinned(success))
    routed, whole, known = cost("routed", here), cost("brokered", here), drawn(here)
    lines = part(routed, "broker_")
    for name, value in usd(whole).items():
        if name not in (*NOT_LINES_OF_WORK, "opportunity_cost"):
            assert np.allclose(lines[name], value, rtol=1e-12), name
    for name in NOT_LINES_OF_WORK:
        assert np.all(lines[name] == 0)
        assert np.allclose(part(routed, "api_")[name], usd(whole)[name], rtol=1e-12)
    assert np.all(part(routed, "api_")["tokens"] == 0)
    extra = closed_form_of_routing(known) + outages(known)
    assert np.allclose(routed.total.value, whole.total.value + extra, rtol=1e-9)
    assert np.allclose(routed.success.value, whole.success.value, rtol=1e-12)
    losses = [sum(each.usd_per_month.value for each in found.breakdown.apart) for found in (routed, whole)]
    assert np.allclose(*losses, rtol=1e-12)
    assert routed.buys.endswith("nothing stays")


@settings(max_examples=40, deadline=None)
@given(tasks=st.lists(task, min_size=1, max_size=5, unique_by=lambda each: each["task"]))
def test_bills_and_success_are_those_of_the_calls_one_by_one(tasks: list[dict[str, Any]]) -> None:
    """Brute force over the tasks of the log: each at the price and with the success of whoever answers it."""
    extraction = {"task": "extraction", "volume_mtok_per_month": 3, "tokens_per_request": 500}
    log = of(extraction, *tasks)
    here = situation(log, pinned({"open_model_commodity_success_fraction": 0.8, "frontier_success_fraction": 0.9}))
    routed = cost("routed", here, Evaluation(typical))
    by_task = {each.task: each for each in log.models[0].by_task}
    moved = [name for name in by_task if name in ("faq", "Tagging", "extraction")]
    names = sold_by(here.catalog, "gpt-oss-120b")
    ends = {name: here.catalog.token_offers[name].retires for name in names}
    for_sale = [name for name in names if ends[name] is None or ends[name] > here.catalog.as_of]
    offers = [token_offer_prices(here.catalog, name).facts for name in for_sale]

    def bill(prices: Mapping[str, Assumption]) -> float:
        known = {fact.name: fact.typical for fact in prices.values()}
        mixes = [by_task[name].mix for name in moved]
        return sum(float(token_usd_per_mtok(**each.fractions(), **known)) * each.tokens / 1e6 for each in mixes)

    assert float(usd(routed)["broker_tokens"].flat[0]) == pytest.approx(min(map(bill, offers)), rel=1e-6)
    left = [
        getattr(log.models[0].mix, kind) - sum(getattr(by_task[name].mix, kind) for name in moved)
        for kind in ("uncached_input_tokens", "cache_read_tokens", "output_tokens")
    ]
    stays = (left[0] * 1.25 + left[1] * 0.125 + left[2] * 10.0) / 1e6
    assert float(usd(routed)["api_tokens"].flat[0]) == pytest.approx(stays, rel=1e-6, abs=1e-9)
    calls = sum(by_task[name].requests_count for name in moved)
    mean = (0.8 * calls + 0.9 * (log.requests_count - calls)) / log.requests_count
    assert float(routed.success.value.flat[0]) == pytest.approx(mean, rel=1e-12)


MIXES = pytest.mark.parametrize("name", ["routed", "hybrid"])


@MIXES
@settings(max_examples=15, deadline=None)
@given(tasks=st.lists(task, min_size=1, max_size=5, unique_by=lambda each: each["task"]))
def test_a_guess_never_wins(name: str, tasks: list[dict[str, Any]]) -> None:
    """In no future does a mix succeed more often than today's models, while nobody measured or stated it."""
    here = situation(of({"task": "extraction", "volume_mtok_per_month": 3, "tokens_per_request": 500}, *tasks))
    mix, today = cost(name, here), cost("frontier_api", here)
    assert np.all(mix.success.value <= today.success.value * (1 + 1e-12))
    assert np.any(mix.success.value < today.success.value)
    assert evidence_of(mix.success) == "assumed"


@MIXES
def test_a_guess_counts_where_it_is_worse_and_not_where_it_is_better(name: str) -> None:
    for guess, today, counts in ((0.93, 0.92, 0.92), (0.93, 0.97, 0.93)):
        here = situation(of(FAQ), pinned({"frontier_success_fraction": today}))
        assert here.catalog.assumptions["open_model_commodity_success_fraction"].typical == guess
        assert float(cost(name, here, Evaluation(typical)).success.value.flat[0]) == pytest.approx(counts)


@pytest.mark.parametrize("log", [of(FAQ, DRAFTS), demand(2100)])
def test_both_mixes_succeed_alike_in_every_future(log: Demand) -> None:
    """The same calls move to the same model: where they are served is no matter of how often they succeed."""
    for facts in ({}, {"tries_max_count": 3.0}, {"open_model_commodity_success_fraction": 0.99}):
        routed, hybrid = (cost(name, situation(log, pinned(facts))) for name in ("routed", "hybrid"))
        assert np.array_equal(routed.success.value, hybrid.success.value)


@MIXES
def test_what_somebody_states_or_judges_may_be_better_than_today(name: str) -> None:
    stated = situation(of(FAQ), pinned({"open_model_commodity_success_fraction": 0.99}))
    assert np.all(cost(name, stated).success.value == 0.99)

    def audited(grade: Grade) -> Situation:
        can_do = Suitability(Interval(0.985, 0.99, 0.995), ("labels",), grade, labels_count=900)
        here = situation(of(FAQ, DRAFTS))
        return replace(
            here, choices=replace(here.choices, audited=AuditedWork(("faq",), {"faq": can_do}, "audit.json"))
        )

    today = cost("frontier_api", audited(Grade.EXPERT)).success.value
    assert np.mean(cost(name, audited(Grade.EXPERT)).success.value) > np.mean(today)
    assert np.all(cost(name, audited(Grade.GUESS)).success.value <= today * (1 + 1e-12))


def test_measured_parts_are_those_of_the_outcomes_and_a_guess_is_held_against_them() -> None:
    """Both models measured: each on its own calls. Today's alone: the guess counts for no better on the same calls."""
    today = {"faq": (8_000, 10_000), "drafting": (9_900, 10_000)}
    both = outcomes({"gpt-5": today, "gpt-oss-120b": {"faq": (9_500, 10_000), "drafting": (5_000, 10_000)}})

    def found(measured: MeasuredSuccess) -> float:
        here = situation(of(FAQ, DRAFTS))
        here = replace(here, choices=replace(here.choices, outcomes=measured))
        return float(cost("routed", here, Evaluation(typical)).success.value.flat[0])

    assert found(both) == pytest.approx((1.5 * 0.95 + 0.1 * 0.99) / 1.6, abs=1e-3)
    assert found(outcomes({"gpt-5": today})) == pytest.approx((1.5 * 0.80 + 0.1 * 0.99) / 1.6, abs=1e-3)


def test_tries_are_those_of_the_guess_that_counts() -> None:
    """Both parts try again; the guess is held against one try of today's, not against three."""
    facts = {"frontier_success_fraction": 0.9, "tries_max_count": 3.0, "retry_correlation_fraction": 0.5}
    routed = cost("routed", situation(of(FAQ, DRAFTS), pinned(facts)), Evaluation(typical))
    resolved = 1 - float(all_tries_fail_fraction(np.float64(0.9), np.float64(0.5), np.float64(3.0)))
    assert float(routed.success.value.flat[0]) == pytest.approx(resolved, rel=1e-12)
    once = cost("routed", situation(of(FAQ, DRAFTS), pinned({"frontier_success_fraction": 0.9})), Evaluation(typical))
    for name in ("api_tokens", "broker_tokens"):
        assert float(usd(routed)[name].flat[0]) > float(usd(once)[name].flat[0])


def test_what_is_set_for_the_whole_stands_once() -> None:
    """People, tools, incidents and downtime of every option alike, as in the hybrid."""
    facts = {
        "engineering_fte_count": 0.5,
        "monitoring_usd_per_month": 1000.0,
        "incident_events_per_month": 1.5,
        "downtime_hours_per_month": 0.2,
        "success_fraction": 0.9,
    }
    here = situation(demand(2100), pinned(facts))
    routed, today = cost("routed", here), cost("frontier_api", here)
    for name in ("engineering_labour", "mlops_infrastructure", "incident_response", "opportunity_cost"):
        parts = [part(routed, each)[name] for each in ("api_", "broker_", "routing_")]
        assert np.allclose(sum(parts), usd(today)[name], rtol=1e-12), name
    assert np.all(routed.success.value == 0.9)


def test_an_hour_without_answers_counts_for_the_calls_that_get_none() -> None:
    """Each provider is down for its own calls, and the gateway for all: no hour of the business is lost twice."""
    here = situation(of(FAQ, DRAFTS))
    routed, today, known = cost("routed", here), cost("frontier_api", here), drawn(here)
    lost = part(routed, "api_")["incident_response"] + part(routed, "broker_")["incident_response"]
    second = outages(known) / (1 + known["opportunity_premium_fraction"])
    assert np.allclose(lost, usd(today)["incident_response"] + second, rtol=1e-12)
    own = known["routing_downtime_hours_per_month"] * known["downtime_usd_per_hour"]
    assert np.allclose(part(routed, "routing_")["incident_response"], own, rtol=1e-12)


def test_hard_constraints_are_those_of_both_providers() -> None:
    here = situation(of(FAQ, DRAFTS))

    def under(**wanted: Any) -> Situation:
        return replace(here, choices=replace(here.choices, require=Requirements(**wanted)))

    assert "at ovhcloud for faq" in cost("routed", here).buys  # under French law, like none of the others
    american = cost("routed", under(jurisdictions=("US",))).buys
    assert "ovhcloud" not in american and "the rest openai/gpt-5" in american
    for wanted in ({"jurisdictions": ("FR",)}, {"data_may_not_leave": "own_vpc"}):
        with pytest.raises(ConstraintNotMet, match="openai does not meet"):
            cost("routed", under(**wanted))


def test_without_a_commodity_task_it_says_which_tasks_there_are() -> None:
    with pytest.raises(CatalogError, match=r"none of the log's tasks \(drafting\) is one of the commodity tasks"):
        cost("routed", situation(of(DRAFTS)))


def test_the_bill_is_a_line_that_crosses_todays_where_the_closed_form_says() -> None:
    here = situation(of(FAQ, DRAFTS), pinned({"frontier_success_fraction": 0.9}))
    mtok = np.array([10.0, 1000.0, 50_000.0])
    routed, today = (cost(name, here, Evaluation(typical, mtok)).total.value for name in ("routed", "frontier_api"))
    gap = routed - today
    slopes = np.diff(gap) / np.diff(mtok)
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-9)
    crossing = float(mtok[0] - gap[0] / slopes[0])
    fixed = float((closed_form_of_routing(drawn(here, Evaluation(typical)))).flat[0])
    assert crossing * -slopes[0] > fixed  # the savings pay routing, the watch, the outages and the move
    at = Evaluation(typical, np.array([crossing]))
    assert cost("routed", here, at).total.value == pytest.approx(cost("frontier_api", here, at).total.value, rel=1e-9)


def test_each_part_follows_the_prices_of_its_own_model() -> None:
    routed = cost("routed", situation(of(FAQ, DRAFTS)), Evaluation(typical))
    prices = {line.name: price_of(line, routed) for line in routed.breakdown.counted}
    assert prices["api_tokens"] == "api_list_price"
    assert prices["broker_tokens"] == "open_token_price"
    assert {name for name, price in prices.items() if price == "once"} == {"broker_migration", "routing_migration"}


def test_a_slider_that_it_does_not_read_leaves_it_alone() -> None:
    """Rents move fleets: what has none is not costed again, and what is read is."""
    remembered = Remembered(OPTIONS["routed"], Memory())
    here = situation(of(FAQ, DRAFTS))
    first = remembered.cost(here, DRAWS)
    rents = {**here.scenario, **pinned({"gpu_rent_usd_per_gpu_hour": 9.0})}
    assert remembered.cost(replace(here, scenario=rents), DRAWS) is first
    share = {**here.scenario, **pinned({"hybrid_commodity_share_fraction": 0.2})}
    assert remembered.cost(replace(here, scenario=share), DRAWS) is not first


def test_more_that_moves_is_a_smaller_bill_at_todays_api() -> None:
    shares = (0.1, 0.5, 0.9)
    worlds = [situation(demand(2100), pinned({"hybrid_commodity_share_fraction": each})) for each in shares]
    bills = [usd(cost("routed", each, Evaluation(typical))) for each in worlds]
    api, broker = ([float(each[name].flat[0]) for each in bills] for name in ("api_tokens", "broker_tokens"))
    assert api == sorted(api, reverse=True) and broker == sorted(broker)
    assert broker == pytest.approx([broker[1] * each / 0.5 for each in shares])


def test_the_cut_is_the_hybrids_cut() -> None:
    here = situation(of(FAQ, DRAFTS))
    routed, hybrid = (cost(name, here, Evaluation(typical)) for name in ("routed", "hybrid"))
    for name in ("moved_tokens_fraction", "moved_requests_fraction"):
        mine, theirs = (next(each for each in found.facts if each.name == name) for found in (routed, hybrid))
        assert float(mine.value.flat[0]) == float(theirs.value.flat[0])
    split = split_by_task(here.demand, here.choices.commodity_tasks)
    assert "faq (75 % of the tokens, 94 % of the calls)" in routed.buys and split.tasks == ("faq",)
